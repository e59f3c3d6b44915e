"""Labelled files and a mapping -> rows to check and to train on, with everything that could not be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gapnlp.errors import InputError
from gapnlp.records.feedback import ColumnRole, Failure, Recognition
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.labels.mapping import LabelMapping, Mapper
from gapnlp.retraining.labels.named import LabelOptions, NamedTicket
from gapnlp.retraining.labels.own import OWN_MAPPING
from gapnlp.retraining.labels.reading import FileReading, plan_reading, read_file
from gapnlp.text.language import LanguageDetector


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """One answer under the user's names, and what it says in gapnlp's labels. own: the file is one of gapnlp's own."""

    named: NamedTicket
    ticket: LabelledTicket
    own: bool = False


@dataclass(frozen=True, slots=True)
class SourceFile:
    """How one file was understood: its format, why, and the roles of its columns.

    own: its labels are gapnlp's own, and no mapping was needed.
    """

    format: str
    why: str
    recognition: Recognition
    own: bool = False


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """All that was read. unmapped: labels that the mapping does not speak of -> rows that carry them.

    unused: labels on rows that were not used because the mapping makes nothing of them -> such rows.
    mapping: what the labels were taken to mean; in files of gapnlp's own, what they say.
    """

    files: tuple[SourceFile, ...]
    rows: tuple[LabelledRow, ...]
    failures: tuple[Failure, ...]
    unmapped: Mapping[str, int]
    mapping: LabelMapping
    unused: Mapping[str, int] = field(default_factory=dict)

    @property
    def tickets(self) -> tuple[LabelledTicket, ...]:
        """What training takes."""
        return tuple(row.ticket for row in self.rows)


def read_labelled(paths: Sequence[Path], mapping: LabelMapping | None, options: LabelOptions) -> LabelledRows:
    """Read labelled files and say what every row was given; languages are detected.

    The mapping need not be confirmed here: `check_confirmed` is for training. Files with gapnlp's own labels are read
    without it, whatever it says. Raises InputError when a file cannot be read, no text or label is recognised, or a
    file with other labels comes without a mapping.
    """
    plans = [plan_reading(path, options) for path in paths]
    own, mapper = Mapper(OWN_MAPPING), Mapper(_needed(mapping, plans))
    results = [result for plan in plans for result in _mapped(plan, own if plan.own else mapper)]
    rows = [row for row in results if isinstance(row, LabelledRow)]
    failures = tuple(result for result in results if isinstance(result, Failure))
    files = tuple(describe_file(plan) for plan in plans)
    meant = _meant(mapper.mapping, plans)
    return LabelledRows(files, detect_languages(rows), failures, dict(mapper.unmapped), meant, dict(mapper.unused))


def _mapped(plan: FileReading, mapper: Mapper) -> Iterator[LabelledRow | Failure]:
    """Read a file, every row as what it was given or why it says nothing."""
    for named in read_file(plan):
        if isinstance(named, Failure):
            yield named
            continue
        result = mapper.apply(named)
        yield result if isinstance(result, Failure) else LabelledRow(named, result, plan.own)


def _needed(mapping: LabelMapping | None, plans: Sequence[FileReading]) -> LabelMapping:
    """Give the mapping of the files that need one."""
    others = [plan.file.path.name for plan in plans if not plan.own]
    if mapping is None and others:
        raise InputError(
            f"{others[0]}: its labels are not gapnlp's own; say what they mean with --mapping, and make that file with "
            "`gapnlp labels map`"
        )
    return OWN_MAPPING if mapping is None else mapping


def _meant(mapping: LabelMapping, plans: Sequence[FileReading]) -> LabelMapping:
    """Say what all labels were taken to mean: the user's by the mapping, gapnlp's own by themselves."""
    if all(plan.own for plan in plans):
        return OWN_MAPPING
    if not any(plan.own for plan in plans):
        return mapping
    return replace(mapping, means={**OWN_MAPPING.means, **mapping.means})


def describe_file(plan: FileReading) -> SourceFile:
    """Say how a file was understood: every column's role, those of labels, annotators and tickets among them."""
    roles = [*plan.labels, *(_with_ticket(role, plan.ticket) for role in plan.recognition.columns)]
    place = {column: i for i, column in enumerate(plan.file.layout.columns)}
    roles.sort(key=lambda role: place.get(role.column, len(place)))
    return SourceFile(plan.format, plan.why, replace(plan.recognition, columns=tuple(roles)), plan.own)


def _with_ticket(role: ColumnRole, ticket: str | None) -> ColumnRole:
    """Say of the column that names tickets that it does, whatever else it is read for."""
    if role.column != ticket:
        return role
    if role.role == "ignored":
        return ColumnRole(role.column, "ticket", "names the ticket that a row is of")
    return replace(role, why=f"{role.why}; names the ticket, too")


def detect_languages(rows: Sequence[LabelledRow]) -> tuple[LabelledRow, ...]:
    """Fill in each ticket's language, the file's own claim being a hint.

    In gapnlp's own files it stays as it is: it was found in the whole item, of which a sentence tells less.
    """
    tickets = [row.ticket for row in rows]
    found = LanguageDetector().detect_many([t.text for t in tickets], [t.language for t in tickets])
    chosen = [(row.own and row.ticket.language) or language for row, language in zip(rows, found, strict=True)]
    return tuple(
        replace(row, ticket=replace(row.ticket, language=language)) for row, language in zip(rows, chosen, strict=True)
    )
