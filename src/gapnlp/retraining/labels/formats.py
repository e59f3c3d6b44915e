"""FORMATS: every kind of labelled file that is read, in the order in which content is compared with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gapnlp.errors import InputError
from gapnlp.retraining.labels.exports import (
    Annotate,
    prepare_argilla,
    prepare_doccano,
    prepare_label_studio,
    prepare_prodigy,
    prepare_zendesk,
    recognise_argilla,
    recognise_doccano,
    recognise_label_studio,
    recognise_prodigy,
    recognise_zendesk,
)
from gapnlp.retraining.labels.label_files import LabelFile
from gapnlp.retraining.labels.named import LabelOptions
from gapnlp.retraining.labels.own import prepare_own, recognise_own
from gapnlp.retraining.labels.tables import prepare_table, recognise_table


@dataclass(frozen=True, slots=True)
class Format:
    """How a kind of file is read.

    recognise: says why a file is of this kind, or None. prepare: looks at the whole file once and gives the function
    that reads one record (it raises RecordProblem for a record that cannot be used).
    """

    recognise: Callable[[LabelFile], str | None]
    prepare: Callable[[LabelFile, LabelOptions], Annotate]


# The format whose labels are gapnlp's own, so that no mapping is needed.
OWN = "gapnlp"
# The format of plain tables, whose columns of labels are found by their headers and cells.
TABLE = "table"

FORMATS: dict[str, Format] = {
    OWN: Format(recognise_own, prepare_own),
    "argilla": Format(recognise_argilla, prepare_argilla),
    "label_studio": Format(recognise_label_studio, prepare_label_studio),
    "prodigy": Format(recognise_prodigy, prepare_prodigy),
    "zendesk": Format(recognise_zendesk, prepare_zendesk),
    "doccano": Format(recognise_doccano, prepare_doccano),
    TABLE: Format(recognise_table, prepare_table),
}


def choose_format(file: LabelFile, options: LabelOptions) -> tuple[str, str]:
    """Name the format of a file and say why. Raises InputError for an unknown name, or a file of no format."""
    if options.format is not None:
        if options.format not in FORMATS:
            raise InputError(f"format {options.format!r} is unknown; choose one of {', '.join(FORMATS)}")
        return options.format, "given with --format"
    if options.labels:
        return TABLE, "columns were given with --labels"
    for name, kind in FORMATS.items():
        why = kind.recognise(file)
        if why is not None:
            return name, why
    raise InputError(f"{file.path.name}: holds no labelled records; name its kind with --format ({', '.join(FORMATS)})")
