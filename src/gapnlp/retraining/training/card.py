"""An adapter's bundle: its card for programs and for people, its vocabulary and weights. Same input, same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from safetensors.numpy import save as save_tensors

from gapnlp.classifier.adapted import Adapter
from gapnlp.classifier.bundle import ADAPTER, FORMAT
from gapnlp.classifier.features import FEATURES
from gapnlp.classifier.linear import POLARITY_SLICES, SENTIMENT_SLICE
from gapnlp.records.labels import HEADS, LABELS
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.training.bags import Truth
from gapnlp.retraining.training.cross_fitting import FOLDS, GRID
from gapnlp.retraining.training.fit import FEWEST, REPLAY_SHARE
from gapnlp.retraining.training.learning import FittedAdapter
from gapnlp.retraining.training.ngrams import FEWEST_TICKETS
from gapnlp.retraining.training.rows import LEARNT_FROM, count_labels, fingerprint, text_mark

Card = dict[str, Any]
NEVER_GIVEN = "never given"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a bundle's card says beside what was fitted.

    bases: versions of the bundles that the adapter may stand on; taught_on: the one whose answers it was taught on.
    method, why: how it was trained and by which rule. tried: the method that was begun with: a fine-tuned encoder that
    does not help is left out. encoder: where the encoder of its own comes from, if it has one. prior: version of the
    adapter it goes on from. held_out: figures, JSON.
    """

    bases: tuple[str, ...]
    taught_on: str
    method: str
    why: str
    seed: int
    prior: str | None
    held_out: Mapping[str, Any]
    tried: str = "heads"
    encoder: str | None = None


def make_card(fitted: FittedAdapter, tickets: Sequence[LabelledTicket], told: Circumstances) -> Card:
    """Write the card for programs: no time, no place, no text of a ticket."""
    adapter = fitted.adapter
    return {
        "format": FORMAT,
        "name": f"adapter-{adapter.language}",
        "kind": ADAPTER,
        "language": adapter.language,
        "release": "1",
        "licence": "yours: learnt from your own tickets; it works on top of the bundles named as its bases",
        "labels": list(LABELS),
        "bases": list(told.bases),
        "taught_on": told.taught_on,
        "prior": told.prior,
        "method": told.method,
        "tried": told.tried,
        "why": told.why,
        "encoder": told.encoder,
        "seed": told.seed,
        "tickets": len(tickets),
        "segments_a_ticket": round(float(np.mean(fitted.lengths)), 2),
        "fingerprint": fingerprint(tickets),
        "label_counts": {label: {"yes": yes, "no": no} for label, (yes, no) in count_labels(tickets).items()},
        "learnt": [head for head, known in zip(HEADS, adapter.learnt, strict=True) if known],
        "not_learnt": dict(reasons_not_learnt(fitted.truth, adapter)),
        "penalties": asdict(fitted.penalties),
        "losses": [{**asdict(p), "loss": round(x, 6)} for p, x in zip(GRID, fitted.losses, strict=True)],
        "folds": FOLDS,
        "replay_share": REPLAY_SHARE,
        "thresholds": asdict(adapter.thresholds),
        "error_counts": {label: asdict(counts) for label, counts in adapter.error_counts.items()},
        "further": list(adapter.further),
        "features": [asdict(spec) for spec in _specs(adapter)],
        "ngrams": int(adapter.ngrams.shape[1]),
        "held_out": dict(told.held_out),
    }


def reasons_not_learnt(truth: Truth, adapter: Adapter) -> dict[str, str]:
    """Say of every head that was not learnt why."""
    found = {}
    for j in np.flatnonzero(~adapter.learnt):
        yes, no = int((truth[:, j] == 1).sum()), int((truth[:, j] == 0).sum())
        group = next((c for c in (*POLARITY_SLICES, SENTIMENT_SLICE) if c.start <= j < c.stop), None)
        if not yes and not no:
            why = NEVER_GIVEN
        elif group is not None:
            why = f"given {yes} times; fewer than two labels of its group were given to {FEWEST} tickets"
        else:
            why = f"given to {yes} tickets and withheld from {no}; {FEWEST} of each are needed"
        found[HEADS[j]] = why
    return found


def bundle_files(fitted: FittedAdapter, tickets: Sequence[LabelledTicket], card: Card) -> dict[str, bytes]:
    """Write all files of the bundle but card.json."""
    adapter = fitted.adapter
    rows = np.flatnonzero(adapter.learnt)
    tensors = {
        "centre": adapter.centre,
        "scale": adapter.scale,
        "signals": adapter.signals[rows],
        "ngrams": adapter.ngrams[rows],
        "bias": adapter.bias[rows],
        **{f"idf{i}": v.idf_.astype(np.float32) for i, v in enumerate(adapter.vectorizers)},
    }
    terms = [list(map(str, v.get_feature_names_out())) for v in adapter.vectorizers]
    return {
        "weights.safetensors": save_tensors({k: np.ascontiguousarray(v) for k, v in tensors.items()}),
        "vocabulary.json": _json(terms),
        LEARNT_FROM: _json(sorted({text_mark(t) for t in tickets})),
        "CARD.md": render_card(card).encode(),
    }


def _specs(adapter: Adapter) -> list[Any]:
    """Find the feature blocks that the adapter has."""
    known = {(s.analyzer, (s.low, s.high)): s for s in FEATURES[adapter.language]}
    return [known[v.analyzer, v.ngram_range] for v in adapter.vectorizers]


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def render_card(card: Card) -> str:
    """Write the card for people."""
    parts = [
        f"# {card['name']}",
        f"What {card['tickets']:,} labelled tickets taught, on top of {', '.join(card['bases'])}. It changes the heads "
        "listed below and no other; without its base it says nothing.",
        "## Method",
        f"{card['method']}: {card['why']}. Log-odds of the base, plus a linear correction that reads all of the base's "
        f"log-odds, those of the neighbours, {'the log-odds of an encoder of its own, ' if card['encoder'] else ''}"
        f"and {card['ngrams']:,} n-grams of the tickets; L2 penalties "
        f"{card['penalties']['signals']:g} (log-odds) and {card['penalties']['ngrams']:g} (n-grams), chosen on "
        f"{card['folds']}-fold cross-fitted log loss; seed {card['seed']}. "
        + (f"It goes on from {card['prior']}. " if card["prior"] else "It starts from the base alone. ")
        + (f"Its encoder, {card['encoder']}, reads every segment on top of any base. " if card["encoder"] else "")
        + "Texts written for gapnlp were replayed, so that answers on other texts stay.",
        "## Data",
        f"Fingerprint (sha256 of texts and labels): `{card['fingerprint']}`.",
        _table(("label", "yes", "no"), [(k, v["yes"], v["no"]) for k, v in card["label_counts"].items()]),
        "## Heads that were learnt",
        ", ".join(card["learnt"]) + ".",
        "## Heads that were not, and answer as the base does",
        "\n".join(f"- {head}: {why}" for head, why in card["not_learnt"].items()) or "None.",
        "## Held-out figures",
        _held_out(card["held_out"]),
        "## Privacy",
        f"The bundle holds no ticket, but it holds n-grams of them: words, pairs of words and pieces of words that "
        f"occur in at least {FEWEST_TICKETS} different tickets (`vocabulary.json`). A name or number that several "
        "tickets share can be among them. `tickets.json` holds hashes by which a ticket is known again; who has a "
        "text can find out whether it was learnt from. "
        + ("Its encoder's weights may hold traces of the tickets. " if card["encoder"] else "")
        + "Treat the bundle as you treat the tickets.",
        "## Limits",
        "The figures hold for tickets like these. Labels are learnt for whole tickets: where one has several segments, "
        "which of them carries the label is inferred. Abstention and the uncertainty of shares are the base's. "
        "Penalties were chosen on the same folds that the held-out figures come from, which flatters them slightly.",
    ]
    return "\n\n".join(parts) + "\n"


def _held_out(figures: Mapping[str, Any]) -> str:
    labels = [(k, v["tickets"], _figure(v["current"]), _figure(v["new"])) for k, v in figures["labels"].items()]
    table = _table(("label", "with it", "F1 current", "F1 new"), labels)
    return f"{figures['how']} ({figures['tickets']:,} tickets.)\n\n{table}"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
