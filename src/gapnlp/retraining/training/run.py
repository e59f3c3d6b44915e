"""`gapnlp train`: labelled tickets -> an adapter for each language, judged by the gate, promoted if it wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.base import Classifier
from gapnlp.classifier.bundle import BundleInfo
from gapnlp.classifier.ticket_answers import TicketAnswers
from gapnlp.errors import Conflict, InputError
from gapnlp.records.labels import HEADS
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.checks.texts import group_tickets
from gapnlp.retraining.method import require_training_extra
from gapnlp.retraining.paired_bootstrap import HeldOut
from gapnlp.retraining.registry import add_candidate, candidates, open_registry, promote
from gapnlp.retraining.registry_files import only_trainer
from gapnlp.retraining.training.asking import ask, count_chunks
from gapnlp.retraining.training.bags import answer_bags, answer_tickets, make_bags, truth_matrix
from gapnlp.retraining.training.card import Circumstances, bundle_files, make_card
from gapnlp.retraining.training.evidence import Evidence, weigh
from gapnlp.retraining.training.fit import FEWEST, learnable
from gapnlp.retraining.training.fitting import OnProgress, Steps, say_nothing
from gapnlp.retraining.training.learning import FittedAdapter
from gapnlp.retraining.training.pieces import Pieces
from gapnlp.retraining.training.plan import (
    TOO_SLOW,
    Plan,
    Present,
    TrainOptions,
    find_present,
    make_plan,
    name_work,
)
from gapnlp.retraining.training.rows import by_language, fingerprint, text_mark
from gapnlp.retraining.training.teaching import Taught, teach

COMPARING = "comparing with the current model"
WAITING = "waiting for another training in this folder"
_WORK = "work"
_NOTHING = TicketAnswers(np.zeros((0, len(HEADS))), np.zeros((0, len(HEADS)), dtype=bool))


@dataclass(frozen=True, slots=True)
class Trained:
    """What became of one language.

    version: of the candidate. not_learnt: labels that were given, but too rarely, with the reason. why: how it was
    trained and by which rule. verdict: what the gate said, as Verdict.as_dict.
    """

    language: str
    version: str
    tickets: int
    learnt: tuple[str, ...]
    not_learnt: dict[str, str]
    why: str
    verdict: Mapping[str, Any]
    promoted: bool


def train(
    tickets: Sequence[LabelledTicket], options: TrainOptions, models: Path, on_progress: OnProgress | None = None
) -> list[Trained]:
    """Train an adapter for each language of the tickets, ask the gate, keep the candidate, promote a winner.

    models: a folder of the user's own; the shipped bundles are put there first. A killed run, started again, goes on
    after its last finished piece and makes the same bundle. Trainings in one folder wait for each other. Languages
    with too few labels are left out; see part_teachable. Raises InputError when that leaves none; where an encoder is
    asked for, MissingExtra without the extra `train` and InputError with quality "fast".
    """
    languages, _ = part_teachable(tickets)
    if not languages:
        raise InputError(
            f"in no language was a label given to at least {FEWEST} tickets and withheld from as many: nothing can "
            "be learnt yet. Say under `judged` in the mapping file what was looked for in every ticket, so that its "
            "absence counts as a no; or label more tickets (`gapnlp review` chooses them)"
        )
    if options.method == "encoder":
        _check_encoder(options)
    open_registry(models)
    told = on_progress or say_nothing
    with only_trainer(models, lambda: told(WAITING, 0, 1)):
        return [_train_language(language, rows, options, (models, told)) for language, rows in languages.items()]


def _check_encoder(options: TrainOptions) -> None:
    """Refuse early what would be refused after minutes."""
    require_training_extra("--method encoder")
    if options.quality == "fast":
        raise InputError(f"--method encoder: {TOO_SLOW}; train with --quality balanced or accurate, or --method heads")


def part_teachable(tickets: Sequence[LabelledTicket]) -> tuple[dict[str, list[LabelledTicket]], dict[str, int]]:
    """Part tickets by language; beside them, languages with too few labels to learn, and their tickets' number."""
    found = by_language(tickets)
    few = {language: len(rows) for language, rows in found.items() if not _teachable(rows)}
    return {language: rows for language, rows in found.items() if language not in few}, few


def _teachable(tickets: Sequence[LabelledTicket]) -> bool:
    """Whether any label can be learnt; of few different texts, repeated, nothing can be held out."""
    return bool(learnable(truth_matrix(tickets)).any()) and len(set(group_tickets(tickets))) >= FEWEST


def _train_language(
    language: str, tickets: list[LabelledTicket], options: TrainOptions, where: tuple[Path, OnProgress]
) -> Trained:
    models, told = where
    present = find_present(models, language, options)
    plan = make_plan(tickets, options, present)
    if found := _made_already(models, tickets, options, (present, plan)):
        _forget_pieces(models / _WORK, language)
        return found
    pieces = Pieces(models / _WORK / name_work(tickets, options, present, plan))
    taught = teach(tickets, present.base, plan, seed=options.seed, where=(pieces, told))
    new = taught.classifier(present.base)
    evidence = _evidence(taught.fitted, new, tickets, (options, present, pieces, told))
    card = make_card(taught.fitted, tickets, _circumstances(taught, plan, present, (options.seed, evidence)))
    verdict = weigh(evidence, present.current, new, make_bags(tickets, language).documents)
    files = {**bundle_files(taught.fitted, tickets, card), **taught.files}
    info = add_candidate(models, card, files, verdict.as_dict())
    promoted = options.promotes and (verdict.promote or options.force)
    if promoted:
        info = _promote(models, info, present, options, pieces)
    pieces.remove()
    return _trained(card, info, verdict.as_dict(), promoted)


def _promote(models: Path, info: BundleInfo, present: Present, options: TrainOptions, pieces: Pieces) -> BundleInfo:
    """Promote a winner, unless it was not compared with what serves by now."""
    try:
        return promote(models, info.version, force=options.force, compared=present.serving)
    except Conflict:
        pieces.remove()  # they belong to what served before
        raise


def _forget_pieces(work: Path, language: str) -> None:
    """Remove pieces that a run left which was killed after its promotion: they belong to what served before."""
    for folder in work.glob(f"{language}-*"):
        Pieces(folder).remove()


def _circumstances(taught: Taught, plan: Plan, present: Present, others: tuple[int, Evidence]) -> Circumstances:
    seed, evidence = others
    return Circumstances(
        bases=present.bases,
        taught_on=present.base.version,
        method="encoder" if taught.fine_tuned else "heads",
        tried=plan.method,
        why=taught.why,
        seed=seed,
        prior=present.adapter.version if plan.prior is not None and present.adapter else None,
        held_out=evidence.figures(),
        encoder=taught.encoder.said if taught.encoder else None,
    )


def _trained(card: Mapping[str, Any], info: BundleInfo, verdict: Mapping[str, Any], promoted: bool) -> Trained:
    counts = card["label_counts"]
    given = {head: why for head, why in card["not_learnt"].items() if counts.get(head, {}).get("yes")}
    learnt = tuple(card["learnt"])
    return Trained(card["language"], info.version, card["tickets"], learnt, given, card["why"], verdict, promoted)


def _made_already(
    models: Path, tickets: Sequence[LabelledTicket], options: TrainOptions, how: tuple[Present, Plan]
) -> Trained | None:
    """Find out whether these tickets made what serves now: a run that was killed at its very end has nothing to do."""
    present, plan = how
    card, adapter = present.card, present.adapter
    if adapter is None or (options.fresh and card["prior"]):
        return None
    asked = (fingerprint(tickets), options.seed, present.base.version, _test_mark(options), plan.method)
    if asked != (card["fingerprint"], card["seed"], card["taught_on"], card["held_out"]["test"], card.get("tried")):
        return None
    known = next((c for c in candidates(models) if c.info.version == adapter.version), None)
    return _trained(card, adapter, known.verdict, promoted=True) if known else None


def _test_mark(options: TrainOptions) -> str | None:
    return fingerprint(options.test) if options.test else None


def _evidence(
    fitted: FittedAdapter,
    new: Classifier,
    tickets: Sequence[LabelledTicket],
    where: tuple[TrainOptions, Present, Pieces, OnProgress],
) -> Evidence:
    """Answer tickets that the new adapter has not seen, by both sides; leave out what the current one has seen."""
    options, present, pieces, told = where
    if options.test:
        return _tested(new, tickets, options, present)
    bags = make_bags(tickets, present.base.language)
    # The base's answers were kept while learning.
    name = "own" if present.current is present.base else "current"
    said = ask(present.current, bags.documents, name, pieces, Steps(COMPARING, count_chunks(bags.documents), told))
    current = answer_bags(said.predictions(), said.lengths, present.current.sentiment_factors)
    whole = Evidence(HeldOut(fitted.truth, current, fitted.held_out, bags.groups), None, "")
    how = "Cross-fitted: each ticket was answered by an adapter that was fitted without it."
    return whole.take(*_unseen(tickets, present.seen, how))


def _tested(new: Classifier, tickets: Sequence[LabelledTicket], options: TrainOptions, present: Present) -> Evidence:
    language = present.base.language
    test = by_language(options.test).get(language, [])
    both = [answer_tickets(c, test, language) for c in (present.current, new)] if test else [_NOTHING, _NOTHING]
    groups = np.asarray(group_tickets(test), dtype=np.intp)
    whole = Evidence(HeldOut(truth_matrix(test), both[0], both[1], groups), _test_mark(options), "")
    how = "On held-out tickets of their own file."
    return whole.take(*_unseen(test, present.seen | {text_mark(t) for t in tickets}, how))


def _unseen(tickets: Sequence[LabelledTicket], seen: frozenset[str], how: str) -> tuple[NDArray[np.bool_], str]:
    kept = np.asarray([text_mark(t) not in seen for t in tickets], dtype=bool)
    left_out = len(kept) - int(kept.sum())
    told = f" {left_out:,} tickets are left out, as one of the two has learnt from their texts." if left_out else ""
    return kept, how + told
