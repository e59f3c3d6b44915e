"""A lesson -> an adapter, and what it says of tickets that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.adapted import Adapter, merge_decisions, touched_labels
from gapnlp.classifier.base import Predictions
from gapnlp.classifier.decision import Thresholds
from gapnlp.classifier.linear import FIRST_HEADS, SENTIMENT_SLICE, combine
from gapnlp.classifier.ticket_answers import TicketAnswers
from gapnlp.records.error_counts import ErrorCounts
from gapnlp.retraining.training.bags import Bags, Truth, answer_bags
from gapnlp.retraining.training.cross_fitting import FOLDS, OnStep, assign_folds, cross_fit
from gapnlp.retraining.training.cuts import choose_cuts
from gapnlp.retraining.training.design import Design, Lesson, final_weights, make_design
from gapnlp.retraining.training.fit import Penalties, Weights, fit_weights
from gapnlp.retraining.training.pieces import Pieces

Matrix = NDArray[np.float64]
# Tickets of one segment that must show a label, and lack it, before they tell how often it is missed or false.
_FEWEST_COUNTED = 10


@dataclass(frozen=True, slots=True)
class FittedAdapter:
    """What training gave.

    held_out: answers on every ticket by an adapter that had not seen it, its cuts included. truth: 1, 0 or -1 (not
    given), (n_tickets, 33). lengths: segments of each ticket. penalties: as chosen. losses: mean log loss out of fold
    by penalty of cross_fitting.GRID.
    """

    adapter: Adapter
    held_out: TicketAnswers
    truth: Truth
    lengths: NDArray[np.intp]
    penalties: Penalties
    losses: tuple[float, ...]


def learn(lesson: Lesson, seed: int, pieces: Pieces, on_step: OnStep) -> FittedAdapter:
    """Cross-fit, choose penalties and cuts, then fit on all tickets. Deterministic for a seed."""
    design = make_design(lesson)
    crossed = cross_fit(design.problem, assign_folds(lesson.bags.groups, seed), pieces, on_step)
    found = fit_weights(design.problem, crossed.penalties)
    on_step()
    learnt = np.zeros(len(FIRST_HEADS), dtype=bool)
    learnt[design.problem.heads] = True
    earlier = lesson.prior.learnt if lesson.prior is not None else np.zeros_like(learnt)
    values = _values(crossed.logits, lesson, learnt | earlier)
    held_out = _held_out(values, lesson, crossed.folds, learnt)
    cuts = _cuts(values, lesson, np.ones(len(crossed.folds), dtype=bool), learnt)
    counts = _error_counts(held_out, lesson.bags, learnt)
    adapter = _adapter(lesson, design, found, (learnt | earlier, cuts, counts))
    return FittedAdapter(adapter, held_out, lesson.bags.truth, lesson.bags.lengths, crossed.penalties, crossed.losses)


def _adapter(
    lesson: Lesson,
    design: Design,
    found: Weights,
    rules: tuple[NDArray[np.bool_], Thresholds, Mapping[str, ErrorCounts]],
) -> Adapter:
    learnt, cuts, counts = rules
    signals, ngrams, bias = final_weights(design, found)
    earlier = lesson.prior.error_counts if lesson.prior is not None else {}
    return Adapter(
        language=lesson.language,
        learnt=learnt,
        vectorizers=design.vectorizers,
        centre=design.centre,
        scale=design.scale,
        signals=signals,
        ngrams=np.asfortranarray(ngrams),
        bias=bias,
        thresholds=cuts,
        error_counts={**earlier, **counts},
        further=lesson.further.names,
    )


def _values(logits: Matrix, lesson: Lesson, learnt: NDArray[np.bool_]) -> Matrix:
    """Probabilities of the tickets' segments; those that no learnt head touches stay the base's to the last bit."""
    return np.where(touched_labels(learnt), combine(logits), lesson.own.values)


def _cuts(values: Matrix, lesson: Lesson, bags: NDArray[np.bool_], learnt: NDArray[np.bool_]) -> Thresholds:
    """Choose cuts on some bags; heads that were learnt earlier alone keep theirs."""
    rows = np.repeat(bags, lesson.bags.lengths)
    cuts = choose_cuts(values[rows], lesson.bags.lengths[bags], lesson.bags.truth[bags], learnt)
    return (
        cuts
        if lesson.prior is None
        else _with_earlier(cuts, lesson.prior.thresholds, bool(learnt[SENTIMENT_SLICE].any()))
    )


def _with_earlier(cuts: Thresholds, earlier: Thresholds, learnt: bool) -> Thresholds:
    """Fill in the cuts of heads that were not learnt now; learnt: whether sentiment was."""

    def merged(now: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
        return {k: before[k] if v > 1 else v for k, v in now.items()}

    return Thresholds(
        presence=merged(cuts.presence, earlier.presence),
        gaps=merged(cuts.gaps, earlier.gaps),
        expectations=merged(cuts.expectations, earlier.expectations),
        sentiment=cuts.sentiment if learnt else earlier.sentiment,
        churn=earlier.churn if cuts.churn > 1 else cuts.churn,
    )


def _held_out(values: Matrix, lesson: Lesson, folds: NDArray[np.intp], learnt: NDArray[np.bool_]) -> TicketAnswers:
    """Answer every fold, its cuts being chosen on the others."""
    heads = learnt if lesson.prior is None else learnt | lesson.prior.learnt
    lengths, labels = lesson.bags.lengths, lesson.own.labels
    found = answer_bags(Predictions(values, labels, np.zeros(len(values), dtype=bool)), lengths, lesson.factors)
    for fold in range(FOLDS):
        held = folds == fold
        rows = np.flatnonzero(np.repeat(held, lengths))
        if held.any() and not held.all():
            cuts = _cuts(values, lesson, ~held, learnt)
            decided = merge_decisions([labels[i] for i in rows], values[rows], heads, cuts)
            said = Predictions(values[rows], decided, np.zeros(len(rows), dtype=bool))
            factors = cuts.sentiment if heads[SENTIMENT_SLICE].any() else lesson.factors
            found.decided[held] = answer_bags(said, lengths[held], factors).decided
    return found


def _error_counts(held_out: TicketAnswers, bags: Bags, learnt: NDArray[np.bool_]) -> dict[str, ErrorCounts]:
    """Count right and wrong decisions of learnt heads on tickets of one segment, which tell of segments."""
    single = bags.lengths == 1
    truth, decided = bags.truth[single], held_out.decided[single]
    found = {}
    for j in np.flatnonzero(learnt):
        yes, no, said = truth[:, j] == 1, truth[:, j] == 0, decided[:, j]
        if min(yes.sum(), no.sum()) >= _FEWEST_COUNTED:
            counts = (yes & said, yes & ~said, no & said, no & ~said)
            found[FIRST_HEADS[j]] = ErrorCounts(*(int(c.sum()) for c in counts))
    return found
