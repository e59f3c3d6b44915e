"""Gold files: labelled feedback, one item a line, as the annotation guidelines define it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gapnlp.errors import InputError
from gapnlp.records.analysis import Segment
from gapnlp.records.labels import DIMENSIONS, EXPECTATIONS, GAPS, POLARITIES, SENTIMENTS, Labels


@dataclass(frozen=True, slots=True)
class GoldItem:
    """A labelled item: segments with exact offsets, and labels of the same length and order.

    stratum: "random" where the item was drawn at random, "enriched" where it was chosen for rare classes, else None.
    domain: the industry, as the file names it, or None.
    """

    id: str
    language: str
    text: str
    segments: tuple[Segment, ...]
    labels: tuple[Labels, ...]
    stratum: str | None = None
    domain: str | None = None


def read_gold(path: Path) -> Iterator[GoldItem]:
    """Read a gold file line by line.

    Raises InputError that names the line which is not valid JSON, lacks a field or holds an unknown label.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _item(line, where=f"{path.name}, line {number}")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: is not UTF-8; a gold file is UTF-8 JSON Lines") from None


def _item(line: str, *, where: str) -> GoldItem:
    try:
        return parse_gold(json.loads(line), where=where)
    except json.JSONDecodeError:
        raise InputError(f"{where}: is not JSON; a gold file holds one JSON object a line") from None


def parse_gold(record: Mapping[str, Any], *, where: str) -> GoldItem:
    """Make an item from one record of a gold file; where: how to name it in errors.

    Raises InputError when a field is missing, an offset is wrong or a label unknown.
    """
    try:
        text = record["text"]
        segments = _segments(text, record["segments"])
        labels = tuple(_labels(s) for s in record["segments"])
        return GoldItem(
            record["id"], record["lang"], text, segments, labels, record.get("stratum"), record.get("domain")
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{where}: field {error} is missing or not as the gold format defines it") from None


def _segments(text: str, records: Sequence[Mapping[str, Any]]) -> tuple[Segment, ...]:
    """Cut the segments out; offsets must be ordered, disjoint and inside the text."""
    last = 0
    segments = []
    for start, end in ((s["start"], s["end"]) for s in records):
        if not last <= start < end <= len(text):
            raise ValueError(f"segments (offsets {start} to {end} overlap others or leave the text)")
        segments.append(Segment(start, end, text[start:end]))
        last = end
    return tuple(segments)


def _labels(segment: Mapping[str, Any]) -> Labels:
    labels = Labels(
        sentiment=segment["sentiment"],
        dimensions=dict(segment["dimensions"]),
        gaps=tuple(segment["gaps"]),
        expectation=segment["expectation"],
        churn=bool(segment["churn"]),
    )
    _check("sentiment", (labels.sentiment,), SENTIMENTS)
    _check("dimensions", labels.dimensions, DIMENSIONS)
    _check("dimensions", labels.dimensions.values(), POLARITIES)
    _check("gaps", labels.gaps, GAPS)
    _check("expectation", (labels.expectation,), EXPECTATIONS)
    return labels


def _check(field: str, values: Any, known: tuple[str, ...]) -> None:
    for value in values:
        if value not in known:
            raise ValueError(f"{field} (a value is not one of {', '.join(known)})")
