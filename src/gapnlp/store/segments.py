"""The segments behind one job's report, in a SQLite file of their own: read by page, strongest first."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    NullPool,
    Row,
    Select,
    String,
    Table,
    create_engine,
    func,
    insert,
    literal,
    select,
    tuple_,
)
from sqlalchemy.exc import SQLAlchemyError

from gapnlp.errors import InputError, StoreError
from gapnlp.records.analysis import Analysis, ScoredSegment
from gapnlp.records.labels import (
    CHURN,
    DIMENSIONS,
    GAPS,
    LABEL_INDEX,
    POLARITIES,
    SENTIMENTS,
    Labels,
    dimension_label,
    expectation_label,
    gap_label,
    sentiment_label,
)
from gapnlp.records.periods import PERIODS
from gapnlp.records.quotes import CONTEXT
from gapnlp.records.service import Page, SegmentFilter, StoredSegment
from gapnlp.store.cursors import bad_cursor, read_cursor, write_cursor

_METADATA = MetaData()
# body: everything that is shown, as JSON. tags: what the segment can be found by, between spaces.
_SEGMENTS = Table(
    "segments",
    _METADATA,
    Column("id", Integer, primary_key=True),
    Column("group", String),
    Column("period", String),
    Column("tags", String, nullable=False),
    Column("body", String, nullable=False),
)
# The segments of each tag, strongest first; weakness: 10,000 less the probability in ten-thousandths.
_TAGS = Table(
    "tags",
    _METADATA,
    Column("tag", String, primary_key=True),
    Column("weakness", Integer, primary_key=True),
    Column("segment", Integer, primary_key=True),
    sqlite_with_rowid=False,
)
_WHOLE = 10_000
# Segments whose texts are looked at at a time when the review queue is chosen.
_QUEUE_ROWS = 1_000
# UTF-8 holds no lone surrogates; each becomes one other character, so that offsets stay true.
_LONE = re.compile("[\ud800-\udfff]")
# What a filter's property may be.
_ALLOWED: Mapping[str, Sequence[str]] = {
    "gap": GAPS,
    "dimension": DIMENSIONS,
    "polarity": POLARITIES,
    "sentiment": SENTIMENTS,
}


class SegmentWriter:
    """Writes a new index; it is whole once closed without an error."""

    def __init__(self, path: Path, *, period: str | None) -> None:
        """Begin an index in a file that is not there yet; period: of records.periods.PERIODS, or None."""
        self._period = PERIODS[period] if period else None
        self._next = 1
        self._engine = create_engine("sqlite://", creator=lambda: _create(path), poolclass=NullPool)
        self._connection = self._engine.connect()
        with _plain_errors():
            _METADATA.create_all(self._connection)

    def __enter__(self) -> SegmentWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commit, unless there was an error."""
        try:
            if kind is None:
                with _plain_errors():
                    self._connection.commit()
        finally:
            self._connection.close()

    def add(self, analyses: Iterable[Analysis]) -> None:
        """Add the segments of items, in order."""
        segments, tags = [], []
        for analysis in analyses:
            for number, scored in enumerate(analysis.segments):
                found = _tags_of(scored)
                segments.append(self._row(analysis, number, found))
                tags += [{"tag": t, "weakness": w, "segment": self._next} for t, w in found.items()]
                self._next += 1
        if segments:
            with _plain_errors():
                self._connection.execute(insert(_SEGMENTS), segments)
                self._connection.execute(insert(_TAGS), tags)

    def _row(self, analysis: Analysis, number: int, tags: Iterable[str]) -> dict[str, Any]:
        day, group = analysis.feedback.date, analysis.feedback.group
        return {
            "id": self._next,
            "group": None if group is None else _clean(group),
            "period": self._period(day) if self._period and day else None,
            "tags": f" {' '.join(tags)} ",
            "body": json.dumps(_body(analysis, number), ensure_ascii=False, separators=(",", ":")),
        }


def read_segments(path: Path, wanted: SegmentFilter, *, cursor: str | None, limit: int) -> Page[StoredSegment]:
    """Read a page of the segments that a filter lets through, those first that its label fits best.

    Raises InputError for an unknown label or a cursor that was not handed out, StoreError when there is no index.
    """
    tags = _wanted_tags(wanted)
    place = _read_place(cursor)
    with _reading(path) as connection:
        rows = connection.execute(_query(wanted, tags, place).limit(limit + 1)).all()
    more = len(rows) > limit
    last = rows[limit - 1] if more else None
    return Page(tuple(_read(row) for row in rows[:limit]), write_cursor(f"{last.weakness} {last.id}") if last else None)


def read_segment(path: Path, place: int) -> StoredSegment | None:
    """Read one segment by its place; None when there is none. Raises StoreError when there is no index."""
    s = _SEGMENTS.c
    with _reading(path) as connection:
        query: Select[Any] = select(s.id, s.group, s.period, s.body).where(s.id == place)
        row = connection.execute(query).one_or_none()
    return _read(row) if row else None


def read_review_queue(path: Path, most: int) -> tuple[int, ...]:
    """Places of the segments that the model is least sure of, by the weakest label each was given; same texts once.

    Raises StoreError when there is no index.
    """
    s, t = _SEGMENTS.c, _TAGS.c
    weakest = select(t.segment).group_by(t.segment).order_by(func.max(t.weakness).desc(), t.segment)
    first: dict[str, int] = {}
    with _reading(path) as connection:
        # Part by part, until there are enough: one text may come again and again.
        for part in connection.execute(weakest).scalars().partitions(_QUEUE_ROWS):
            query = select(s.id, func.json_extract(s.body, "$.text").label("text")).where(s.id.in_(part))
            texts = {row.id: row.text for row in connection.execute(query)}
            for place in part:
                first.setdefault(texts[place], place)
            if len(first) >= most:
                break
    return tuple(first.values())[:most]


def _query(wanted: SegmentFilter, tags: Sequence[str], place: tuple[int, int] | None) -> Select[Any]:
    """Go through the first tag's segments, or all of them in order, and leave out what the rest does not fit."""
    s, t = _SEGMENTS.c, _TAGS.c
    conditions: list[ColumnElement[bool]] = [func.instr(s.tags, f" {tag} ") > 0 for tag in tags[1:]]
    found: Select[Any] = select(s.id, s.group, s.period, s.body, t.weakness if tags else literal(0).label("weakness"))
    if tags:
        found = found.select_from(_TAGS.join(_SEGMENTS, t.segment == s.id)).order_by(t.weakness, t.segment)
        conditions.append(t.tag == tags[0])
    else:
        found = found.order_by(s.id)
    if wanted.group is not None:
        conditions.append(s.group == _clean(wanted.group))
    if wanted.period is not None:
        conditions.append(s.period == _clean(wanted.period))
    if place:
        conditions.append(tuple_(t.weakness, t.segment) > place if tags else s.id > place[1])
    return found.where(*conditions)


def _wanted_tags(wanted: SegmentFilter) -> list[str]:
    """Name the tags that a filter asks for. Raises InputError for an unknown label."""
    for name, allowed in _ALLOWED.items():
        value = getattr(wanted, name)
        if value is not None and value not in allowed:
            raise InputError(f"{name}: unknown; choose one of {', '.join(allowed)}")
    tags = [gap_label(wanted.gap)] if wanted.gap else []
    if wanted.dimension and wanted.polarity:
        tags.append(dimension_label(wanted.dimension, wanted.polarity))
    elif wanted.dimension:
        tags.append(f"dimension:{wanted.dimension}")
    elif wanted.polarity:
        tags.append(f"polarity:{wanted.polarity}")
    return tags + ([sentiment_label(wanted.sentiment)] if wanted.sentiment else [])


def _tags_of(scored: ScoredSegment) -> dict[str, int]:
    """Tag -> weakness, of all that a segment can be found by."""
    labels, tags = scored.labels, {}
    for gap in labels.gaps:
        tags[gap_label(gap)] = _weakness(scored, gap_label(gap))
    for dimension, polarity in labels.dimensions.items():
        weakness = _weakness(scored, dimension_label(dimension, polarity))
        tags[dimension_label(dimension, polarity)] = weakness
        tags[f"dimension:{dimension}"] = weakness
        tags[f"polarity:{polarity}"] = min(weakness, tags.get(f"polarity:{polarity}", _WHOLE))
    tags[sentiment_label(labels.sentiment)] = _weakness(scored, sentiment_label(labels.sentiment))
    return tags


def _weakness(scored: ScoredSegment, label: str) -> int:
    return _WHOLE - round(_WHOLE * scored.probabilities[LABEL_INDEX[label]])


def _body(analysis: Analysis, number: int) -> dict[str, Any]:
    item, scored = analysis.feedback, analysis.segments[number]
    start, end = scored.segment.start, scored.segment.end
    return {
        "item": _clean(item.id),
        "row": item.source.row,
        "number": number,
        "start": start,
        "end": end,
        "text": _clean(scored.segment.text),
        "before": _clean(item.text[max(0, start - CONTEXT) : start]),
        "after": _clean(item.text[end : end + CONTEXT]),
        "language": analysis.language,
        "labels": asdict(scored.labels),
        "probabilities": {label: scored.probabilities[LABEL_INDEX[label]] for label in _given(scored.labels)},
        "causes": scored.causes,
        "abstained": scored.abstained,
        "date": item.date.isoformat() if item.date else None,
        "rating": item.rating,
        "model_version": analysis.model_version,
    }


def _given(labels: Labels) -> Iterator[str]:
    yield from (dimension_label(d, p) for d, p in labels.dimensions.items())
    yield from map(gap_label, labels.gaps)
    yield sentiment_label(labels.sentiment)
    if labels.expectation != "none":
        yield expectation_label(labels.expectation)
    if labels.churn:
        yield CHURN


def _read(row: Row[Any]) -> StoredSegment:
    body = json.loads(row.body)
    labels = Labels(**{**body["labels"], "gaps": tuple(body["labels"]["gaps"])})
    changed = {
        "labels": labels,
        "causes": tuple(body["causes"]),
        "date": date.fromisoformat(body["date"]) if body["date"] else None,
    }
    return StoredSegment(**{**body, **changed}, group=row.group, period=row.period, place=row.id)


def _read_place(cursor: str | None) -> tuple[int, int] | None:
    if cursor is None:
        return None
    found = re.fullmatch(r"(\d{1,5}) (\d{1,15})", read_cursor(cursor), re.ASCII)
    if not found:
        raise bad_cursor()
    return int(found[1]), int(found[2])


def _clean(text: str) -> str:
    return _LONE.sub("\ufffd", text)


def _create(path: Path) -> sqlite3.Connection:
    """Open a new file; it is written once and counts only when whole, so no journal is kept."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=OFF")
    connection.execute("PRAGMA synchronous=OFF")
    return connection


@contextmanager
def _reading(path: Path) -> Iterator[Connection]:
    def open_file() -> sqlite3.Connection:
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)

    with _plain_errors(), create_engine("sqlite://", creator=open_file, poolclass=NullPool).connect() as connection:
        yield connection


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        reason = type(getattr(error, "orig", None) or error).__name__
        raise StoreError(f"the index of the job's segments cannot be used ({reason}); submit the job again") from None
