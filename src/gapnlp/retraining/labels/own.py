"""What gapnlp itself gave out to be labelled, filled in: its labels are gapnlp's, so no mapping is needed.

The table of `gapnlp review`, Label Studio's and Argilla's exports of its tasks, and the corrections of a server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gapnlp.ingest.items import plain_text
from gapnlp.ingest.label_cells import LabelCellError, is_done, read_label_cell, unguarded
from gapnlp.records.audit import AUDIT_GROUPS
from gapnlp.records.labels import HEADS
from gapnlp.retraining.labels.cells import as_list
from gapnlp.retraining.labels.exports import (
    Annotate,
    Choices,
    argilla_choices,
    argilla_fields,
    fits_most,
    task_choices,
    task_fields,
)
from gapnlp.retraining.labels.label_files import LabelFile
from gapnlp.retraining.labels.mapping import LabelMapping
from gapnlp.retraining.labels.named import SAID, Annotated, Answer, LabelOptions, RecordProblem
from gapnlp.retraining.labels.tables import find_annotator, flat_row, plain_id

# What gapnlp's own names mean: themselves, and whoever labelled was asked for all of them.
OWN_MAPPING = LabelMapping({label: (label,) for label in HEADS}, tuple(AUDIT_GROUPS), confirmed=True)
# Where a segment stands; no other export has all of these.
_PLACE = frozenset(("row", "start", "end"))
_NOT_DONE = "nothing stands under done"
# Answers of tools: sentiment is a question that has to be answered there, so without it they are drafts.
_DRAFT = "its answer has no sentiment, so it is not complete"

Record = Mapping[str, object]


def recognise_own(file: LabelFile) -> str | None:
    """Say why a file is one of gapnlp's own."""
    return next((why for fits, why, _ in _KINDS if fits(file)), None)


def prepare_own(file: LabelFile, options: LabelOptions) -> Annotate:
    """Find out which of its own files it is; the function made reads one record of it."""
    prepare = next((prepare for fits, _, prepare in _KINDS if fits(file)), _prepare_table)
    return prepare(file, options)


def _is_corrections(file: LabelFile) -> bool:
    return fits_most(file, lambda r: isinstance(r.get("given"), dict) and {"id", "ticket", "text"} <= r.keys())


def _prepare_corrections(file: LabelFile, options: LabelOptions) -> Annotate:
    return _annotate_correction


def _annotate_correction(record: Record) -> Annotated:
    given = record.get("given")
    if not isinstance(given, dict) or not given:
        raise RecordProblem("it does not say which labels were given")
    if not all(label in HEADS and isinstance(holds, bool) for label, holds in given.items()):
        raise RecordProblem("it has a label that gapnlp does not know, or one that is neither true nor false")
    fields = {"id": _corrected(record)} | {key: record.get(key) for key in ("text", "language", "ticket")}
    return Annotated(fields, (Answer(given, SAID, plain_id(record.get("annotator")) or None),))


def _corrected(record: Record) -> object:
    """Name what a correction is about, as all do who corrected the same; its own id is of one correction alone."""
    return f"{record['job']}:{record.get('segment')}" if record.get("job") else record.get("ticket")


def _is_argilla(file: LabelFile) -> bool:
    return fits_most(file, lambda r: "responses" in r and _is_place(r.get("metadata")))


def _prepare_argilla(file: LabelFile, options: LabelOptions) -> Annotate:
    return lambda record: Annotated(_fields(argilla_fields(record)), _answers(argilla_choices(record)))


def _is_label_studio(file: LabelFile) -> bool:
    return fits_most(file, lambda r: "annotations" in r and _is_place(r.get("data")))


def _prepare_label_studio(file: LabelFile, options: LabelOptions) -> Annotate:
    return lambda task: Annotated(_fields(task_fields(task)), _answers(task_choices(task)))


def _is_place(value: object) -> bool:
    return isinstance(value, dict) and value.keys() >= _PLACE


def _answers(choices: Choices) -> tuple[Answer, ...]:
    """One answer an annotator; a question that has no answer means "none of these"."""
    cells: dict[str | None, dict[str, str]] = {}
    for question, person, names in choices:
        cells.setdefault(person, {})[question] = ";".join(names)
    complete = {person: own for person, own in cells.items() if own.get("sentiment")}
    if cells and not complete:
        raise RecordProblem(_DRAFT)
    return tuple(
        Answer(_said({group: own.get(group, "") for group in AUDIT_GROUPS}), SAID, person)
        for person, own in complete.items()
    )


def _is_table(file: LabelFile) -> bool:
    columns = {_folded(column) for column in file.layout.columns}
    return columns >= {"text", "done", *_PLACE} and not columns.isdisjoint(AUDIT_GROUPS)


def _prepare_table(file: LabelFile, options: LabelOptions) -> Annotate:
    """Read the table of `gapnlp review`; a column of labels that was taken out was not judged."""
    annotator = find_annotator(file.layout.columns, file, options)

    def annotate(record: Record) -> Annotated:
        row = {_folded(key): unguarded(plain_text(value)) for key, value in flat_row(record).items()}
        fields = _fields(row)
        if not is_done(row.get("done", "")):
            return Annotated(fields, (), _NOT_DONE)
        said = _said({group: row[group] for group in AUDIT_GROUPS if group in row})
        person = plain_id(record.get(annotator)) if annotator else ""
        return Annotated(fields, (Answer(said, SAID, person or None),))

    return annotate


def _is_flat(file: LabelFile) -> bool:
    """Tell whether it is Label Studio's CSV or JSON-MIN of gapnlp's tasks: a row is a submitted annotation."""
    columns = {_folded(column) for column in file.layout.columns}
    return columns >= {"text", "annotation_id", "sentiment", *_PLACE}


def _prepare_flat(file: LabelFile, options: LabelOptions) -> Annotate:
    def annotate(record: Record) -> Annotated:
        choices = [(group, None, _chosen(record.get(group))) for group in AUDIT_GROUPS]
        person = plain_id(record.get("annotator")) or None
        answers = _answers([(group, person, names) for group, _, names in choices])
        return Annotated(_fields(flat_row(record)), answers)

    return annotate


def _chosen(cell: object) -> tuple[str, ...]:
    listed = as_list(cell)
    return tuple(map(plain_text, [cell] if listed is None else listed))


def _fields(row: Record) -> dict[str, object]:
    """Keep what a text needs: its words, its place as its id, and its item as its ticket."""
    place = f"{plain_text(row.get('file'))}:{plain_text(row.get('row'))}"
    offsets = f"{plain_text(row.get('start'))}-{plain_text(row.get('end'))}"
    ticket = plain_text(row.get("item")).strip() or place
    return {
        "id": f"{place}:{offsets}",
        "text": row.get("text"),
        "language": row.get("language"),
        "ticket": ticket,
    }


def _said(cells: Mapping[str, str]) -> dict[str, bool]:
    """Read cells into labels of HEADS; an empty sentiment was not judged, as no text is without one."""
    try:
        judged = [read_label_cell(g, cell) for g, cell in cells.items() if g != "sentiment" or cell.strip()]
    except LabelCellError as error:
        raise RecordProblem(str(error)) from None
    return {label: holds for group in judged for label, holds in group.items()}


def _folded(column: str) -> str:
    return column.strip().casefold()


# How a kind is told, its name for people, and what reads it.
_KINDS: tuple[tuple[Callable[[LabelFile], bool], str, Callable[[LabelFile, LabelOptions], Annotate]], ...] = (
    (_is_corrections, "corrections of a gapnlp server", _prepare_corrections),
    (_is_argilla, "Argilla's export of the tasks of `gapnlp review`", _prepare_argilla),
    (_is_label_studio, "Label Studio's export of the tasks of `gapnlp review`", _prepare_label_studio),
    (_is_table, "the table of `gapnlp review`", _prepare_table),
    (_is_flat, "Label Studio's table of the tasks of `gapnlp review`", _prepare_flat),
)
