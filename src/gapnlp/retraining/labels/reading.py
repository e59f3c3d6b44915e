"""Labelled files -> NamedTicket, one for each annotator of each text; a record that cannot be used is a Failure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gapnlp.errors import InputError
from gapnlp.ingest.columns import ColumnOptions, Table, assign_columns
from gapnlp.ingest.header_names import fold_header
from gapnlp.ingest.intake import counts_rows, plan_items
from gapnlp.ingest.items import ItemPlan, build_item, made_id
from gapnlp.ingest.layout import Row, Sniffed
from gapnlp.records.feedback import ColumnRole, Failure, Feedback, Recognition, Source
from gapnlp.retraining.labels.exports import Annotate
from gapnlp.retraining.labels.formats import FORMATS, OWN, TABLE, choose_format
from gapnlp.retraining.labels.label_files import LabelFile, Record, open_labels
from gapnlp.retraining.labels.named import FILE_NAME, Annotated, LabelOptions, NamedTicket, RecordProblem
from gapnlp.retraining.labels.tables import find_column, plain_id, tell_columns

# Columns that say which ticket a sentence belongs to, likeliest first; compared after fold_header.
TICKET_HEADERS = (
    *("ticket id", "ticket", "ticket number", "conversation id", "case id", "thread id", "review id", "document id"),
    *("doc id", "item id", "parent id", "id zgłoszenia", "numer zgłoszenia", "工单编号", "工單編號", "id"),
)


@dataclass(frozen=True, slots=True)
class FileReading:
    """How a file is read: its kind, why, the roles of its columns, and the plan for one record.

    ticket: the column of tickets' ids. annotator: of the whole file, where its name stands for one.
    labels: the columns of a table that labels and annotators are read from; none in tools' exports.
    counted: whether that column of tickets only counts rows.
    """

    file: LabelFile
    format: str
    why: str
    recognition: Recognition
    annotate: Annotate
    items: ItemPlan
    ticket: str | None
    annotator: str | None
    labels: tuple[ColumnRole, ...] = ()
    counted: bool = False

    @property
    def own(self) -> bool:
        """Whether its labels are gapnlp's, which need no mapping."""
        return self.format == OWN


def plan_reading(path: Path, options: LabelOptions) -> FileReading:
    """Find out how a file is to be read. Raises InputError when it cannot be, or no text or label is recognised."""
    file = open_labels(path)
    name, why = choose_format(file, options)
    annotate = FORMATS[name].prepare(file, options)
    fields = _readable_fields(file, annotate)
    columns = tuple(dict.fromkeys(column for row in fields for column in row))
    table = Table(path.name, columns, [[row.get(c) for c in columns] for row in fields])
    assignment = assign_columns(table, _column_options(table, options), named_by="--text")
    layout = replace(file.layout, columns=columns)
    recognition = Recognition(
        path.name, layout.format, layout.encoding, layout.delimiter, None, assignment.roles, rating_scale=None
    )
    items, recognition = plan_items(Sniffed(layout, tuple(table.head)), recognition)
    annotator = path.name.split(".")[0] if options.annotator == FILE_NAME else None
    labels = tell_columns(file, options) if name == TABLE else ()
    ticket = _ticket_column(table, options)
    counted = ticket is not None and _is_counted(table.values(ticket))
    return FileReading(file, name, why, recognition, annotate, items, ticket, annotator, labels, counted)


def read_file(plan: FileReading) -> Iterator[NamedTicket | Failure]:
    """Read one file by its plan."""
    for record in plan.file.records():
        yield from _read_record(record, plan)


def _read_record(record: Record, plan: FileReading) -> Iterator[NamedTicket | Failure]:
    source = Source(plan.file.path.name, record.number)
    if record.problem is not None:
        yield Failure(source, "failed", record.problem)
        return
    try:
        annotated = plan.annotate(record.value)
    except RecordProblem as problem:
        yield Failure(source, "failed", str(problem))
        return
    cells = [annotated.fields.get(column) for column in _columns(plan)]
    item = build_item(Row(record.number, cells), plan.items)
    if isinstance(item, Failure):
        yield item
    elif not annotated.answers:
        yield Failure(source, "empty", annotated.unanswered, item.id)
    else:
        yield from _tickets(item, annotated, plan)


def _tickets(item: Feedback, annotated: Annotated, plan: FileReading) -> Iterator[NamedTicket]:
    """One ticket for each annotator. The item's own id names its ticket where no column does.

    What several people labelled in rows of their own has to have one name, or training takes it for several texts:
    where no column tells items apart, the ticket names it, and without one the text itself does.
    """
    told = plain_id(annotated.fields.get(plan.ticket)) if plan.ticket is not None else ""
    unnamed = item.id == made_id(item.source)
    for given in annotated.answers:
        answer = replace(given, annotator=plan.annotator) if plan.annotator else given
        own = (told or (_name_of(item.text) if answer.annotator else item.id)) if unnamed else item.id
        yield NamedTicket(own, told or own, item.text, answer, item.source, item.language, plan.counted)


def _name_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _columns(plan: FileReading) -> tuple[str, ...]:
    return tuple(dict.fromkeys(role.column for role in plan.recognition.columns))


def _readable_fields(file: LabelFile, annotate: Annotate) -> list[Mapping[str, object]]:
    """Give the fields of the first records. Raises InputError, with the first reason, when none can be used."""
    tried = [_try(annotate, value) for value in file.head]
    fields = [annotated.fields for annotated in tried if isinstance(annotated, Annotated)]
    if not fields:
        reasons = dict.fromkeys(str(problem) for problem in tried)
        raise InputError(f"{file.path.name}: none of its records can be used: {next(iter(reasons))}")
    return fields


def _try(annotate: Annotate, value: Mapping[str, object]) -> Annotated | RecordProblem:
    try:
        return annotate(value)
    except RecordProblem as problem:
        return problem


def _column_options(table: Table, options: LabelOptions) -> ColumnOptions:
    """Take the user's choice; where no header tells the text and one column alone holds words, that one."""
    chosen = ColumnOptions(text=options.text, id=options.id, language=options.language)
    if options.text is not None:
        return chosen
    try:
        assign_columns(table, chosen)
    except InputError:
        wordy = [column for column in table.columns if _is_wordy(table.values(column))]
        if len(wordy) == 1:
            return replace(chosen, text=wordy[0])
    return chosen


def _is_wordy(values: Sequence[object]) -> bool:
    """Tell whether most of a column's values are texts of several words or characters of Chinese."""
    texts = [v for v in values if isinstance(v, str) and (len(v.split()) > 2 or (len(v) > 5 and not v.isascii()))]
    return len(texts) > len(values) / 2


def _is_counted(tickets: Sequence[object]) -> bool:
    """Tell whether tickets only number the rows: 1, 2, 3 ..., and no two rows are of one."""
    return counts_rows(tickets) and len({plain_id(t) for t in tickets}) == len(tickets)


def _ticket_column(table: Table, options: LabelOptions) -> str | None:
    if options.ticket is not None:
        return find_column(table.columns, options.ticket, file=table.file, option="ticket")
    folded = {fold_header(column): column for column in reversed(table.columns)}
    return next((folded[h] for h in map(fold_header, TICKET_HEADERS) if h in folded), None)
