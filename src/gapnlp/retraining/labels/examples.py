"""What a user's label may mean by its texts: what the classifier finds there more often than elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import sqrt

from gapnlp.records.analysis import Analysis
from gapnlp.records.feedback import Feedback, Source
from gapnlp.records.labels import CHURN, Labels, dimension_label, expectation_label, gap_label, sentiment_label
from gapnlp.retraining.labels.named import NamedTicket
from gapnlp.retraining.labels.proposals import Candidate
from gapnlp.scoring.scorer import Scorer

# Texts that are scored for one label.
PER_LABEL = 150
# A label with fewer texts tells nothing by them.
FEWEST = 10
# A candidate is in so large a share of the label's texts, so many times as often as in the others, and the difference
# is more than so many standard errors.
LOWEST_SHARE, LOWEST_LIFT, LOWEST_Z = 0.25, 1.5, 2.0
_BATCH = 500
_MOST = 0.9


@dataclass(frozen=True, slots=True)
class Share:
    """How many of some texts have a label."""

    hits: int
    texts: int

    @property
    def value(self) -> float:
        """The share in (0, 1), half a text added to both sides so that none is 0."""
        return (self.hits + 0.5) / (self.texts + 1)


def propose_from_examples(texts: Mapping[str, Sequence[str]], scorer: Scorer) -> dict[str, list[Candidate]]:
    """Find candidates for each label by lift; texts: label -> texts that carry it (a sample is scored).

    Labels on fewer than FEWEST texts, and a label that every text carries, have no candidates.
    """
    sample = {name: sample_texts(found) for name, found in texts.items()}
    every = list(dict.fromkeys(text for found in sample.values() for text in found))
    found = dict(zip(every, find_labels(every, scorer), strict=True))
    return {name: _by_lift(set(own), found) for name, own in sample.items()}


def texts_by_label(tickets: Iterable[NamedTicket]) -> dict[str, list[str]]:
    """Collect the texts of each label, in the order in which labels appear; a text once a label."""
    texts: dict[str, dict[str, None]] = defaultdict(dict)
    for ticket in tickets:
        for name, yes in ticket.answer.said.items():
            if yes:
                texts[name][ticket.text] = None
            else:
                texts.setdefault(name, {})
    return {name: list(found) for name, found in texts.items()}


def sample_texts(texts: Sequence[str], size: int = PER_LABEL) -> list[str]:
    """Draw texts that depend on nothing but the texts themselves."""
    return sorted(set(texts), key=lambda t: blake2b(t.encode(errors="replace"), digest_size=8).digest())[:size]


def find_labels(texts: Sequence[str], scorer: Scorer) -> list[frozenset[str] | None]:
    """Say which labels the classifier decides on in any segment of each text; None where it cannot be scored."""
    results: list[frozenset[str] | None] = []
    for start in range(0, len(texts), _BATCH):
        items = [Feedback(str(i), text, Source("examples", i)) for i, text in enumerate(texts[start : start + _BATCH])]
        for result in scorer.score(items):
            results.append(_labels_of(result) if isinstance(result, Analysis) else None)
    return results


def _labels_of(analysis: Analysis) -> frozenset[str]:
    return frozenset(label for segment in analysis.segments for label in _names(segment.labels))


def _names(labels: Labels) -> Iterable[str]:
    yield sentiment_label(labels.sentiment)
    yield from (dimension_label(d, p) for d, p in labels.dimensions.items())
    yield from (gap_label(g) for g in labels.gaps)
    if labels.expectation != "none":
        yield expectation_label(labels.expectation)
    if labels.churn:
        yield CHURN


def _by_lift(own: set[str], found: Mapping[str, frozenset[str] | None]) -> list[Candidate]:
    """Compare a label's texts with all others."""
    inside = [labels for text, labels in found.items() if text in own and labels is not None]
    outside = [labels for text, labels in found.items() if text not in own and labels is not None]
    if min(len(inside), len(outside)) < FEWEST:
        return []
    candidates = []
    for label in sorted(frozenset().union(*inside)):
        here = Share(sum(label in labels for labels in inside), len(inside))
        there = Share(sum(label in labels for labels in outside), len(outside))
        if is_typical(here, there):
            confidence = min(_MOST, here.value * (1 - there.value / here.value))
            reason = f"found in {here.value:.0%} of its texts, {there.value:.0%} of the others"
            candidates.append(Candidate(label, confidence, reason))
    return candidates


def is_typical(here: Share, there: Share) -> bool:
    """Tell whether a label is frequent in some texts, and clearly more so than in the others."""
    pooled = (here.hits + there.hits + 1) / (here.texts + there.texts + 2)
    error = sqrt(pooled * (1 - pooled) * (1 / here.texts + 1 / there.texts))
    enough = here.value >= LOWEST_SHARE and here.value >= LOWEST_LIFT * there.value
    return enough and here.value - there.value >= LOWEST_Z * error
