"""What serves a language now, and how its next adapter is to be trained: by which method, from where, and why."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gapnlp.classifier.adapted import AdaptedClassifier, Adapter
from gapnlp.classifier.base import Classifier
from gapnlp.classifier.bundle import ADAPTER, BundleInfo, choose_adapter, choose_bundle, read_manifest, read_verified
from gapnlp.classifier.encoder_signals import ENCODER_FILES
from gapnlp.classifier.loaders import load_adapter, load_bundle
from gapnlp.errors import InputError
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.method import Method, choose_method, has_training_extra
from gapnlp.retraining.training.bags import make_bags
from gapnlp.retraining.training.rows import LEARNT_FROM, fingerprint, text_mark
from gapnlp.scoring.loading import DEFAULT_QUALITY

# Raised whenever finished pieces of an older version would not do.
_RECIPE = 3
# Share of tickets that the current adapter learnt from, above which training begins anew instead of going on from it:
# what is there again needs no memory, and would count twice.
_MOST_SEEN = 0.1
TOO_SLOW = "reading every segment with an encoder makes --quality fast about 16 times slower, more than the gate allows"


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How to train.

    quality: of the base whose answers teach. fresh: forget the current adapter. promotes: whether a winner serves at
    once. force: promote whatever the gate says. test: held-out tickets, instead of cross-fitting. method: "auto"
    chooses by `method.choose_method`.
    """

    quality: str = DEFAULT_QUALITY
    seed: int = 0
    fresh: bool = False
    promotes: bool = True
    force: bool = False
    test: tuple[LabelledTicket, ...] = ()
    method: Literal["auto", "heads", "encoder"] = "auto"


@dataclass(frozen=True, slots=True)
class Present:
    """What serves a language now: its base, the adapter on top of it if any, and versions of all bundles below.

    serving: versions of all bundles that it has, adapters too. card, seen: of the adapter: its card, and marks of the
    texts that it learnt from. encoder: the bundle whose encoder a first fine-tuning begins with, None where the
    language has none.
    """

    base: Classifier
    current: Classifier
    adapter: BundleInfo | None
    bases: tuple[str, ...]
    serving: tuple[str, ...]
    card: Mapping[str, Any]
    seen: frozenset[str]
    encoder: BundleInfo | None


@dataclass(frozen=True, slots=True)
class Plan:
    """How an adapter is trained.

    method: and by which rule. prior: the adapter that it goes on from. start: the bundle whose encoder is fine-tuned
    further, None when none is. carried: the bundle whose own encoder is taken over as it is. why: all of it, in words.
    """

    method: Literal["heads", "encoder"]
    prior: Adapter | None
    start: BundleInfo | None
    carried: BundleInfo | None
    why: str


def find_present(models: Path, language: str, options: TrainOptions) -> Present:
    """Load what serves now. With `fresh` the current adapter is still what the gate compares with, if it can serve."""
    bundles = read_manifest(models)
    base = load_bundle(choose_bundle(bundles, language, options.quality), quality=options.quality)
    own = [b for b in bundles if b.language == language]
    bases, serving = tuple(b.version for b in own if b.kind != ADAPTER), tuple(b.version for b in own)
    accurate = choose_bundle(bundles, language, "accurate")
    encoder = accurate if _has_encoder(accurate) else None
    adapter = choose_adapter(bundles, language)
    contents = read_verified(adapter) if adapter else {}
    card = json.loads(contents.get("card.json", b"{}"))
    # One that stands on other bundles cannot serve, so there is nothing to compare with but the base.
    if adapter is None or (options.fresh and not set(bases) & set(card.get("bases", ()))):
        return Present(base, base, None, bases, serving, {}, frozenset(), encoder)
    seen = frozenset(json.loads(contents[LEARNT_FROM]))
    return Present(base, load_adapter(adapter, base), adapter, bases, serving, card, seen, encoder)


def make_plan(tickets: Sequence[LabelledTicket], options: TrainOptions, present: Present) -> Plan:
    """Choose method and start by rule. Raises InputError when an encoder is asked for and there is none."""
    method = _method(tickets, options, present)
    prior, how = _start(tickets, present, options.fresh)
    why = f"{method.why}; {how}"
    current = present.adapter if prior is not None and present.adapter and _has_encoder(present.adapter) else None
    if method.name == "encoder":
        return Plan("encoder", prior, current or present.encoder, None, why)
    kept = "; the encoder of its own that the current adapter reads stays as it is" if current else ""
    return Plan("heads", prior, None, current, why + kept)


def name_work(tickets: Sequence[LabelledTicket], options: TrainOptions, present: Present, plan: Plan) -> str:
    """Name the folder of finished pieces by all that they depend on."""
    start = plan.start.version if plan.start else None
    depends = [_RECIPE, fingerprint(tickets), options.seed, plan.prior is not None, plan.method, start]
    depends += [present.base.version, present.current.version]
    return f"{present.base.language}-{hashlib.sha256(json.dumps(depends).encode()).hexdigest()[:16]}"


def _has_encoder(info: BundleInfo) -> bool:
    return set(ENCODER_FILES) <= set(info.files)


def _method(tickets: Sequence[LabelledTicket], options: TrainOptions, present: Present) -> Method:
    if options.method == "auto" and options.quality == "fast":
        return Method("heads", f"heads on the frozen classifier: {TOO_SLOW}")
    if options.method == "auto":
        segments = float(make_bags(tickets, present.base.language).lengths.mean())
        return choose_method(
            len(tickets), segments, has_torch=has_training_extra(), has_encoder=present.encoder is not None
        )
    if options.method == "heads":
        return Method("heads", "heads on the frozen model, as was asked")
    if present.encoder is None:
        raise InputError(
            f"{present.base.language}: no bundle of the models folder has an encoder to fine-tune; "
            "use --method heads, or models with an accurate bundle of this language"
        )
    return Method("encoder", "the whole encoder and heads on it, as was asked")


def _start(tickets: Sequence[LabelledTicket], present: Present, fresh: bool) -> tuple[Adapter | None, str]:
    """Give the adapter to go on from, if training should, and why."""
    if present.adapter is None or not isinstance(present.current, AdaptedClassifier):
        return None, "for the first time"
    if fresh:
        return None, "anew, as was asked"
    seen = sum(text_mark(t) in present.seen for t in tickets) / len(tickets)
    if seen > _MOST_SEEN:
        return None, f"anew: {seen:.0%} of the tickets were learnt from before"
    return present.current.adapter, "going on from the current adapter, whose tickets are not among these"
