"""Plain tables: one row a ticket or sentence; labels in one column, in several, or a column for each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gapnlp.errors import InputError
from gapnlp.ingest.header_names import fold_header
from gapnlp.ingest.items import plain_text
from gapnlp.ingest.structured import flatten
from gapnlp.records.feedback import ColumnRole
from gapnlp.retraining.labels.cells import (
    CHOICES,
    POLARITIES,
    are_flags,
    as_list,
    clean_name,
    find_separator,
    have_polarities,
    read_flag,
    read_names,
)
from gapnlp.retraining.labels.label_files import LabelFile
from gapnlp.retraining.labels.named import (
    FILE_NAME,
    SAID,
    UNSURE,
    WHOLE,
    Annotated,
    Answer,
    LabelOptions,
    RecordProblem,
)

# Headers of columns whose cells are labels, compared after fold_header; all that are there are read.
LABEL_HEADERS = (
    *("label", "labels", "category", "categories", "tag", "tags", "class", "classes", "intent", "topic", "topics"),
    *("reason", "reasons", "negative reason", "negativereason", "issue type", "complaint type", "contact reason"),
    *("sentiment", "polarity", "dimension", "dimensions", "gap", "gaps"),
    *("etykieta", "etykiety", "kategoria", "kategorie", "tagi", "temat zgłoszenia", "powód", "przyczyna", "wydźwięk"),
    *("标签", "類別", "类别", "分类", "分類", "標籤", "类目", "主题分类", "原因", "情感", "情绪", "情緒"),
)
ANNOTATOR_HEADERS = (
    *("annotator", "annotator id", "annotated by", "labeler", "labeller", "labeled by", "labelled by", "coder"),
    *("rater", "rater id", "worker", "worker id", "user id", "reviewer id", "anotator", "oznaczył", "koder"),
    *("标注员", "标注人", "標註員", "標注員"),
)
# Columns of yes or no that say something else than a label.
_NO_LABELS = frozenset(map(fold_header, ("id", "row", "index", "verified", "is verified", "deleted", "lead_time")))
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """Which columns hold labels. names: column -> separator. flags: column -> whether its flags are polarities."""

    names: Mapping[str, str | None]
    flags: Mapping[str, bool]
    annotator: str | None

    @property
    def apart(self) -> frozenset[str]:
        """The columns that are no fields of the ticket."""
        return frozenset((*self.names, *self.flags, *((self.annotator,) if self.annotator else ())))


def recognise_table(file: LabelFile) -> str | None:
    """Say why a file is a table of labels; anything with columns may be one."""
    return f"a table with {len(file.layout.columns)} columns" if file.layout.columns else None


def prepare_table(file: LabelFile, options: LabelOptions) -> Callable[[Mapping[str, object]], Annotated]:
    """Find the label columns; the function made reads one row. Raises InputError when no column holds labels."""
    columns = find_label_columns(file, options)
    return lambda value: _annotate(value, columns)


def find_label_columns(file: LabelFile, options: LabelOptions) -> LabelColumns:
    """Find the label columns: those named, else those with usual headers, else those that hold yes and no alone."""
    rows = [flat_row(value) for value in file.head]
    known = tuple(dict.fromkeys(column for row in rows for column in row))
    chosen = tuple(find_column(known, name, file=file.path.name, option="labels") for name in options.labels)
    cells = {column: [row[column] for row in rows if column in row] for column in known}
    usual = tuple(c for c in known if fold_header(c) in _FOLDED_LABELS or any(_is_choices(v) for v in cells[c]))
    if not chosen:
        chosen = usual or tuple(c for c in known if fold_header(c) not in _NO_LABELS and are_flags(cells[c]))
    if not chosen:
        sheet = f" ({file.layout.note})" if file.layout.note else ""
        raise InputError(
            f"{file.path.name}{sheet}: no column of labels is recognised. Columns: {', '.join(known)}. "
            "Name it with --labels"
        )
    flags = {c: have_polarities(cells[c]) for c in chosen if c not in usual and are_flags(cells[c])}
    names = {c: options.separator or find_separator(cells[c]) for c in chosen if c not in flags}
    return LabelColumns(names, flags, find_annotator(known, file, options))


def tell_columns(file: LabelFile, options: LabelOptions) -> tuple[ColumnRole, ...]:
    """Say which columns prepare_table reads labels and annotators from. Raises InputError like it."""
    found = find_label_columns(file, options)
    names = [
        (c, f"several labels a cell, parted by {s!r}" if s else "one label a cell") for c, s in found.names.items()
    ]
    flags = [
        (c, "a label by itself: " + ("its polarity" if polar else "yes or no")) for c, polar in found.flags.items()
    ]
    who = [ColumnRole(found.annotator, "annotator", "who labelled")] if found.annotator else []
    return (*(ColumnRole(column, "labels", why) for column, why in (*names, *flags)), *who)


def flat_row(value: Mapping[str, object]) -> dict[str, object]:
    """Give nested fields dotted names, and keep lists of labels as lists."""
    lists = {k: v for k, v in value.items() if isinstance(v, list) or _is_choices(v)}
    rest = {k: v for k, v in value.items() if k not in lists}
    comments = {k: v for k, v in lists.items() if k == "comments"}
    requester = {"requester_id": value["requester_id"]} if "requester_id" in value else {}
    return flatten(rest) | {k: v for k, v in lists.items() if k not in comments} | flatten({**comments, **requester})


def find_column(columns: tuple[str, ...], name: str, *, file: str, option: str) -> str:
    """Find a column by its exact name, then whatever its case. Raises InputError when it is not there."""
    alike = [c for c in columns if c == name] or [c for c in columns if c.casefold() == name.strip().casefold()]
    if not alike:
        raise InputError(f"{file}: --{option} {name!r} is not one of its columns: {', '.join(columns)}")
    return alike[0]


def find_annotator(known: tuple[str, ...], file: LabelFile, options: LabelOptions) -> str | None:
    """Find the column of who labelled, None when there is none. Raises InputError when the one named is not there."""
    if options.annotator not in (None, FILE_NAME):
        return find_column(known, options.annotator or "", file=file.path.name, option="annotator")
    return next((column for column in known if fold_header(column) in _FOLDED_ANNOTATORS), None)


def _annotate(value: Mapping[str, object], columns: LabelColumns) -> Annotated:
    row = flat_row(value)
    said: dict[str, bool] = {}
    listed = False
    for column, separator in columns.names.items():
        names = read_names(row.get(column), separator)
        listed = listed or names is not None
        prefix = f"{clean_name(column)}: " if len(columns.names) > 1 else ""
        said.update({prefix + name: True for name in names or ()})
    for column, polar in columns.flags.items():
        said.update(_read_flags(clean_name(column), row.get(column), polar=polar))
    annotator = clean_name(row.get(columns.annotator)) or None if columns.annotator else None
    fields = {key: cell for key, cell in row.items() if key not in columns.apart}
    return Annotated(fields, (Answer(said, _covers(columns, said, listed=listed), annotator),))


def _covers(columns: LabelColumns, said: Mapping[str, bool], *, listed: bool) -> str:
    """Tell what a row covers: a list, even an empty one, was made by somebody; flags say what they say."""
    if listed:
        return WHOLE
    return SAID if columns.flags and said else UNSURE


def _read_flags(column: str, cell: object, *, polar: bool) -> dict[str, bool]:
    """Read one flag: yes and no of the label itself, or yes for one polarity and no for the others."""
    try:
        flag = read_flag(cell)
    except RecordProblem:
        raise RecordProblem(f"column {column!r} holds neither yes, no nor a polarity") from None
    if flag is None:
        return {}
    if not polar:
        return {column: flag == "yes"}
    if flag == "yes":
        raise RecordProblem(f"column {column!r} holds polarities, and here a yes: which polarity?")
    return {f"{column}: {polarity}": polarity == flag for polarity in POLARITIES}


def _is_choices(value: object) -> bool:
    """Tell whether a cell is Label Studio's {"choices": [...]}, or the writing of it in a CSV."""
    if isinstance(value, dict):
        return isinstance(value.get(CHOICES), list)
    return isinstance(value, str) and value.lstrip().startswith('{"choices"') and as_list(value) is not None


def plain_id(value: object) -> str:
    """Write an id or a name of a person as one line."""
    return _SPACE.sub(" ", plain_text(value)).strip()


_FOLDED_LABELS = frozenset(map(fold_header, LABEL_HEADERS))
_FOLDED_ANNOTATORS = frozenset(map(fold_header, ANNOTATOR_HEADERS))
