"""Sentences as the page shows them: cut into pieces with and without evidence, each label with its probability."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gapnlp.records.analysis import Analysis, ScoredSegment, Span
from gapnlp.records.labels import (
    CHURN,
    LABEL_INDEX,
    Labels,
    dimension_label,
    expectation_label,
    gap_label,
    sentiment_label,
)
from gapnlp.records.quotes import CONTEXT
from gapnlp.records.service import SegmentFilter, StoredSegment
from gapnlp.reporting.formats import clean
from gapnlp.reporting.words import Words

# Longer sentences are cut; the whole text is in the downloads.
LONGEST = 1_200


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a sentence's text that is or is not evidence."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class Tag:
    """One label in words. tone: "neg", "pos", "neu", "gap" or "other". share: its probability, in words.

    level: the probability in [0, 1], for a meter. because: the words that speak for it, strongest first.
    """

    key: str
    name: str
    tone: str
    share: str
    level: float | None = None
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence with its surroundings and labels."""

    before: str
    pieces: tuple[Piece, ...]
    after: str
    tags: tuple[Tag, ...]
    causes: tuple[str, ...]
    abstained: bool
    language: str


def stored_sentence(stored: StoredSegment, wanted: SegmentFilter, words: Words) -> Sentence:
    """Show a segment behind a report's figures; marked is the evidence of what was asked for, else of all labels."""
    chosen = _asked_for(stored.labels, wanted)
    spans = [s for label, found in stored.evidence.items() if not chosen or label in chosen for s in found]
    before = ("…" if stored.start > len(stored.before) else "") + stored.before
    after = stored.after + ("…" if len(stored.after) >= CONTEXT else "")
    return Sentence(
        before=clean(before),
        pieces=cut_pieces(stored.text, stored.start, spans),
        after=clean(after),
        tags=write_tags(stored.labels, stored.probabilities, words),
        causes=tuple(words.name("cause", cause) for cause in stored.causes),
        abstained=stored.abstained,
        language=stored.language,
    )


def scored_sentences(analysis: Analysis, words: Words) -> tuple[Sentence, ...]:
    """Show every segment of a text that was tried, marked with the evidence of all its labels."""
    return tuple(_scored_sentence(analysis, scored, words) for scored in analysis.segments)


def _scored_sentence(analysis: Analysis, scored: ScoredSegment, words: Words) -> Sentence:
    segment, text = scored.segment, analysis.feedback.text
    probabilities = {label: scored.probabilities[LABEL_INDEX[label]] for label in LABEL_INDEX}
    because = {
        label: tuple(clean(text[span.start : span.end]) for span in spans) for label, spans in scored.evidence.items()
    }
    return Sentence(
        before="",
        pieces=cut_pieces(segment.text, segment.start, [s for spans in scored.evidence.values() for s in spans]),
        after="",
        tags=write_tags(scored.labels, probabilities, words, because),
        causes=tuple(words.name("cause", cause) for cause in scored.causes),
        abstained=scored.abstained,
        language=analysis.language,
    )


def cut_pieces(text: str, start: int, spans: Iterable[Span]) -> tuple[Piece, ...]:
    """Cut a segment's text at its evidence. start: the segment's place in the item, in which spans are counted.

    Spans that overlap or touch become one; parts outside the segment, or beyond LONGEST, are left out.
    """
    length = min(len(text), LONGEST)
    pieces, at = [], 0
    for low, high in _joined(spans, start, length):
        pieces += [Piece(clean(text[at:low]), False), Piece(clean(text[low:high]), True)]
        at = high
    pieces.append(Piece(clean(text[at:length]) + ("…" if len(text) > length else ""), False))
    return tuple(piece for piece in pieces if piece.text)


def write_tags(
    labels: Labels,
    probabilities: Mapping[str, float],
    words: Words,
    because: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Tag, ...]:
    """Say every label that was given, gaps first, with its probability and the words that speak for it."""
    tags = []
    for label, name, tone in _named(labels, words):
        level = probabilities.get(label)
        share = "" if level is None else words.formats.percent(level)
        tags.append(Tag(label, name, tone, share, level, tuple((because or {}).get(label, ()))))
    return tuple(tags)


def _named(labels: Labels, words: Words) -> list[tuple[str, str, str]]:
    """Label, its name and its tone, for all that was decided."""
    named = [(gap_label(gap), words.name("gap", gap), "gap") for gap in labels.gaps]
    for dimension, polarity in labels.dimensions.items():
        said = words.say(
            "web.sentences.judged",
            dimension=words.name("dimension", dimension),
            polarity=words.say(f"polarity.{polarity}").lower(),
        )
        named.append((dimension_label(dimension, polarity), said, polarity))
    if labels.expectation != "none":
        met = words.name("expectation", labels.expectation).lower()
        said = words.say("web.sentences.expectation", expectation=met)
        named.append((expectation_label(labels.expectation), said, "other"))
    if labels.churn:
        named.append((CHURN, words.say("web.sentences.churn"), "neg"))
    overall = words.name("sentiment", labels.sentiment).lower()
    named.append((sentiment_label(labels.sentiment), words.say("web.sentences.sentiment", sentiment=overall), "other"))
    return named


def _asked_for(labels: Labels, wanted: SegmentFilter) -> set[str]:
    """Labels of this segment that the filter asked for."""
    chosen = {gap_label(wanted.gap)} if wanted.gap else set()
    polarity = labels.dimensions.get(wanted.dimension or "")
    if wanted.dimension and polarity:
        chosen.add(dimension_label(wanted.dimension, polarity))
    return chosen


def _joined(spans: Iterable[Span], start: int, length: int) -> list[tuple[int, int]]:
    """Spans counted from the segment's own start, in order, without overlaps."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted((max(s.start - start, 0), min(s.end - start, length)) for s in spans):
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        elif low < high:
            joined.append((low, high))
    return joined
