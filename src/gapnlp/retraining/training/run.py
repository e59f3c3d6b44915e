"""`gapnlp train`: labelled tickets -> an adapter for each language, judged by the gate, promoted if it wins."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.adapted import AdaptedClassifier
from gapnlp.classifier.base import Classifier
from gapnlp.classifier.bundle import ADAPTER, BundleInfo, choose_adapter, choose_bundle, read_manifest, read_verified
from gapnlp.classifier.loaders import load_adapter, load_bundle
from gapnlp.classifier.ticket_answers import TicketAnswers
from gapnlp.errors import InputError
from gapnlp.records.tickets import TICKET_LABELS, LabelledTicket
from gapnlp.retraining.registry import add_candidate, candidates, open_registry, promote
from gapnlp.retraining.training.asking import ask, count_chunks
from gapnlp.retraining.training.bags import answer_bags, answer_tickets, make_bags, sentiment_factors, truth_matrix
from gapnlp.retraining.training.card import Circumstances, bundle_files, make_card
from gapnlp.retraining.training.evidence import Evidence, weigh
from gapnlp.retraining.training.fit import FEWEST, learnable
from gapnlp.retraining.training.fitting import OnProgress, Steps, fit_adapter, say_nothing
from gapnlp.retraining.training.learning import FittedAdapter
from gapnlp.retraining.training.pieces import Pieces
from gapnlp.retraining.training.rows import by_language, fingerprint, text_mark
from gapnlp.scoring.loading import DEFAULT_QUALITY

__all__ = ["FittedAdapter", "TrainOptions", "Trained", "answer_tickets", "fit_adapter", "train"]

COMPARING = "comparing with the current model"
_WORK = "work"
# Raised whenever finished pieces of an older version would not do.
_RECIPE = 1
_NOTHING = TicketAnswers(np.zeros((0, len(TICKET_LABELS))), np.zeros((0, len(TICKET_LABELS)), dtype=bool))
# Share of tickets that the current adapter learnt from, above which training begins anew instead of going on from it:
# what is there again needs no memory, and would count twice.
_MOST_SEEN = 0.1


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How to train.

    quality: of the base whose answers teach. fresh: forget the current adapter. promotes: whether a winner serves at
    once. force: promote whatever the gate says. test: held-out tickets, instead of cross-fitting.
    """

    quality: str = DEFAULT_QUALITY
    seed: int = 0
    fresh: bool = False
    promotes: bool = True
    force: bool = False
    test: tuple[LabelledTicket, ...] = ()


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


@dataclass(frozen=True, slots=True)
class _Present:
    """What serves a language now: its base, the adapter on top of it if any, and versions of all bundles below.

    card, seen: of the adapter: its card, and marks of the texts that it learnt from.
    """

    base: Classifier
    current: Classifier
    adapter: BundleInfo | None
    bases: tuple[str, ...]

    card: Mapping[str, Any]
    seen: frozenset[str]


def train(
    tickets: Sequence[LabelledTicket], options: TrainOptions, models: Path, on_progress: OnProgress | None = None
) -> list[Trained]:
    """Train an adapter for each language of the tickets, ask the gate, keep the candidate, promote a winner.

    models: a folder of the user's own; the shipped bundles are put there first. A killed run, started again, goes on
    after its last finished piece and makes the same bundle. Languages with too few labels are left out; see
    part_teachable. Raises InputError when that leaves none.
    """
    languages, _ = part_teachable(tickets)
    if not languages:
        raise InputError(
            f"in no language was a label given to at least {FEWEST} tickets and withheld from as many: nothing can "
            "be learnt yet; label more tickets (`gapnlp review` chooses them)"
        )
    open_registry(models)
    told = on_progress or say_nothing
    return [_train_language(language, rows, options, (models, told)) for language, rows in languages.items()]


def part_teachable(tickets: Sequence[LabelledTicket]) -> tuple[dict[str, list[LabelledTicket]], dict[str, int]]:
    """Part tickets by language; beside them, languages with too few labels to learn, and their tickets' number."""
    found = by_language(tickets)
    few = {language: len(rows) for language, rows in found.items() if not learnable(truth_matrix(rows)).any()}
    return {language: rows for language, rows in found.items() if language not in few}, few


def _train_language(
    language: str, tickets: list[LabelledTicket], options: TrainOptions, where: tuple[Path, OnProgress]
) -> Trained:
    models, told = where
    present = _present(models, language, options)
    if found := _made_already(models, tickets, options, present):
        return found
    goes_on, why = _start(tickets, present, options.fresh)
    pieces = Pieces(models / _WORK / _work_name(tickets, options, present, goes_on))
    prior = present.current.adapter if goes_on and isinstance(present.current, AdaptedClassifier) else None
    fitted = fit_adapter(
        tickets, language, present.base, seed=options.seed, prior=prior, pieces=pieces, on_progress=told
    )
    evidence = _evidence(fitted, tickets, options, (present, pieces, told))
    circumstances = Circumstances(
        bases=present.bases,
        taught_on=present.base.version,
        method="heads",
        why=why,
        seed=options.seed,
        prior=present.adapter.version if prior is not None and present.adapter else None,
        held_out=evidence.figures(),
    )
    card = make_card(fitted, tickets, circumstances)
    new = AdaptedClassifier(present.base, fitted.adapter, "new")
    verdict = weigh(evidence, present.current, new, make_bags(tickets, language).documents)
    info = add_candidate(models, card, bundle_files(fitted, tickets, card), verdict.as_dict())
    promoted = options.promotes and (verdict.promote or options.force)
    if promoted:
        info = promote(models, info.version, force=options.force)
    pieces.remove()
    return _trained(card, info, verdict.as_dict(), promoted)


def _trained(card: Mapping[str, Any], info: BundleInfo, verdict: Mapping[str, Any], promoted: bool) -> Trained:
    counts = card["label_counts"]
    given = {head: why for head, why in card["not_learnt"].items() if counts.get(head, {}).get("yes")}
    learnt = tuple(card["learnt"])
    return Trained(card["language"], info.version, card["tickets"], learnt, given, card["why"], verdict, promoted)


def _present(models: Path, language: str, options: TrainOptions) -> _Present:
    """Load what serves now. With `fresh` the current adapter is still what the gate compares with, if it can serve."""
    bundles = read_manifest(models)
    base = load_bundle(choose_bundle(bundles, language, options.quality), quality=options.quality)
    bases = tuple(b.version for b in bundles if b.language == language and b.kind != ADAPTER)
    adapter = choose_adapter(bundles, language)
    contents = read_verified(adapter) if adapter else {}
    card = json.loads(contents.get("card.json", b"{}"))
    # One that stands on other bundles cannot serve, so there is nothing to compare with but the base.
    if adapter is None or (options.fresh and not set(bases) & set(card.get("bases", ()))):
        return _Present(base, base, None, bases, {}, frozenset())
    seen = frozenset(json.loads(contents["tickets.json"]))
    return _Present(base, load_adapter(adapter, base), adapter, bases, card, seen)


def _made_already(
    models: Path, tickets: Sequence[LabelledTicket], options: TrainOptions, present: _Present
) -> Trained | None:
    """Find out whether these tickets made what serves now: a run that was killed at its very end has nothing to do."""
    card, adapter = present.card, present.adapter
    if adapter is None or (options.fresh and card["prior"]):
        return None
    asked = (fingerprint(tickets), options.seed, present.base.version, _test_mark(options))
    if asked != (card["fingerprint"], card["seed"], card["taught_on"], card["held_out"]["test"]):
        return None
    known = next((c for c in candidates(models) if c.info.version == adapter.version), None)
    return _trained(card, adapter, known.verdict, promoted=True) if known else None


def _start(tickets: Sequence[LabelledTicket], present: _Present, fresh: bool) -> tuple[bool, str]:
    """Say whether training goes on from the current adapter, and why."""
    if present.adapter is None:
        return False, "heads on the frozen model, for the first time"
    if fresh:
        return False, "heads on the frozen model, anew, as was asked"
    seen = sum(text_mark(t) in present.seen for t in tickets) / len(tickets)
    if seen > _MOST_SEEN:
        return False, f"heads on the frozen model, anew: {seen:.0%} of the tickets were learnt from before"
    return True, "heads on the frozen model, going on from the current adapter, whose tickets are not among these"


def _work_name(tickets: Sequence[LabelledTicket], options: TrainOptions, present: _Present, goes_on: bool) -> str:
    """Name the folder of finished pieces by all that they depend on."""
    depends = [_RECIPE, fingerprint(tickets), options.seed, goes_on, present.base.version, present.current.version]
    return hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:16]


def _test_mark(options: TrainOptions) -> str | None:
    return fingerprint(options.test) if options.test else None


def _evidence(
    fitted: FittedAdapter,
    tickets: Sequence[LabelledTicket],
    options: TrainOptions,
    where: tuple[_Present, Pieces, OnProgress],
) -> Evidence:
    """Answer tickets that the new adapter has not seen, by both sides; leave out what the current one has seen."""
    present, pieces, told = where
    if options.test:
        return _tested(fitted, tickets, options, present)
    documents = make_bags(tickets, present.base.language).documents
    # The base's answers were kept while learning.
    name = "own" if present.current is present.base else "current"
    said = ask(present.current, documents, name, pieces, Steps(COMPARING, count_chunks(documents), told))
    current = answer_bags(said.predictions(), said.lengths, sentiment_factors(present.current))
    whole = Evidence(fitted.truth, current, fitted.held_out, None, "")
    how = "Cross-fitted: each ticket was answered by an adapter that was fitted without it."
    return whole.take(*_unseen(tickets, present.seen, how))


def _tested(
    fitted: FittedAdapter, tickets: Sequence[LabelledTicket], options: TrainOptions, present: _Present
) -> Evidence:
    language = present.base.language
    test = by_language(options.test).get(language, [])
    new = AdaptedClassifier(present.base, fitted.adapter, "new")
    both = [answer_tickets(c, test, language) for c in (present.current, new)] if test else [_NOTHING, _NOTHING]
    whole = Evidence(truth_matrix(test), both[0], both[1], _test_mark(options), "")
    how = "On held-out tickets of their own file."
    return whole.take(*_unseen(test, present.seen | {text_mark(t) for t in tickets}, how))


def _unseen(tickets: Sequence[LabelledTicket], seen: frozenset[str], how: str) -> tuple[NDArray[np.bool_], str]:
    kept = np.asarray([text_mark(t) not in seen for t in tickets], dtype=bool)
    left_out = len(kept) - int(kept.sum())
    told = f" {left_out:,} tickets are left out, as one of the two has learnt from their texts." if left_out else ""
    return kept, how + told
