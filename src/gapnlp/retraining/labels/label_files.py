"""A labelled file opened: its layout, its first records, and all of them with their nesting kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from gapnlp.errors import InputError
from gapnlp.ingest.layout import HEAD_ROWS, Layout
from gapnlp.ingest.readers import ENDINGS, ENTRIES, format_of, read_entries, sniff_file
from gapnlp.ingest.structured import NO_OBJECT


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its number as records.feedback.Source counts, its value, and why it cannot be used."""

    number: int
    value: Mapping[str, object]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A file and what its beginning tells. nested: records may hold objects and lists (JSON)."""

    path: Path
    layout: Layout
    head: tuple[Mapping[str, object], ...]

    @property
    def nested(self) -> bool:
        """Whether the format keeps objects and lists."""
        return self.layout.format in ENTRIES

    def records(self) -> Iterator[Record]:
        """Hand out every record once, in order. Raises InputError when the file breaks off."""
        return _records(self.path, self.layout)

    def values(self) -> Iterator[Mapping[str, object]]:
        """Hand out the values of the records that can be used."""
        return (record.value for record in self.records() if record.problem is None)


def open_labels(path: Path) -> LabelFile:
    """Look at a file's beginning. Raises InputError when it is not there or cannot be read."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; check the path")
    if format_of(path) is None:
        raise InputError(f"{path.name}: this kind of file cannot be read; give one of {', '.join(ENDINGS)}")
    layout = sniff_file(path).layout
    usable = (record.value for record in _records(path, layout) if record.problem is None)
    head = tuple(islice(usable, HEAD_ROWS))
    if not head:
        raise InputError(_why_none(path, layout))
    return LabelFile(path, layout, head)


def _why_none(path: Path, layout: Layout) -> str:
    """Say why a file has no row to look at."""
    first = next(_records(path, layout), None)
    if first is None:
        return f"{path.name}: holds a header and no rows; give a file with labelled rows"
    return f"{path.name}: none of its rows can be read (row {first.number}: {first.problem}); export it again"


def _records(path: Path, layout: Layout) -> Iterator[Record]:
    for entry in read_entries(path, layout):
        if entry.problem is not None:
            yield Record(entry.number, {}, entry.problem)
        elif not isinstance(entry.value, dict):
            yield Record(entry.number, {}, NO_OBJECT)
        else:
            yield Record(entry.number, entry.value)
