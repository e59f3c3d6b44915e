"""Two bundles on the same labelled tickets, measured anew by the gate's rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from gapnlp.classifier.base import Classifier
from gapnlp.classifier.bundle import ADAPTER, BundleInfo, choose_bundle, read_manifest, read_verified
from gapnlp.classifier.loaders import load_adapter, load_bundle
from gapnlp.errors import InputError
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.paired_bootstrap import HeldOut
from gapnlp.retraining.training.bags import answer_tickets, make_bags
from gapnlp.retraining.training.evidence import Evidence, weigh
from gapnlp.retraining.training.rows import LEARNT_FROM, by_language, text_mark
from gapnlp.retraining.verdict import Verdict


def compare_on_tickets(
    pair: tuple[BundleInfo, BundleInfo], tickets: Sequence[LabelledTicket], models: Path | None, *, quality: str
) -> tuple[Verdict, int]:
    """Measure the first bundle as the current one and the second as the new one; also gives the tickets left out.

    Left out are those whose texts one of the two has learnt from. models: where the bundles are that adapters stand on;
    quality: of these. Raises InputError when the bundles are of two languages, or no ticket is left.
    """
    language = pair[0].language
    if pair[1].language != language:
        raise InputError(
            f"{pair[0].name} reads {language}, {pair[1].name} {pair[1].language}: there is no comparing them"
        )
    current, new = (_classifier(info, models, quality) for info in pair)
    seen = _learnt_from(pair[0]) | _learnt_from(pair[1])
    found = by_language(tickets).get(language, [])
    rows = [ticket for ticket in found if text_mark(ticket) not in seen]
    if not rows:
        raise InputError(_nothing_left(language, len(found)))
    answers = [answer_tickets(classifier, rows, language) for classifier in (current, new)]
    bags = make_bags(rows, language)
    evidence = Evidence(HeldOut(bags.truth, answers[0], answers[1], bags.groups), None, "")
    return weigh(evidence, current, new, bags.documents), len(found) - len(rows)


def _classifier(info: BundleInfo, models: Path | None, quality: str) -> Classifier:
    if info.kind != ADAPTER:
        return load_bundle(info, quality=quality)
    base = choose_bundle(read_manifest(models), info.language, quality)
    return load_adapter(info, load_bundle(base, quality=quality))


def _learnt_from(info: BundleInfo) -> set[str]:
    return set(json.loads(read_verified(info).get(LEARNT_FROM, b"[]")))


def _nothing_left(language: str, found: int) -> str:
    """Say why no ticket is left to compare on."""
    if not found:
        return (
            f"none of the tickets is in the language {language!r} and has a label that can be used; see what was read, "
            "and name the column with --labels or the language with --language"
        )
    return (
        f"none of the tickets is of use: one of the two has learnt from all {found:,} in the language {language!r}; "
        "give tickets that neither has seen"
    )
