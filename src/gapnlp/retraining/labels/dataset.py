"""Labelled files and a mapping -> rows to check and to train on, with everything that could not be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gapnlp.records.feedback import Failure, Recognition
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.labels.mapping import LabelMapping, Mapper
from gapnlp.retraining.labels.named import LabelOptions, NamedTicket
from gapnlp.retraining.labels.reading import FileReading, plan_reading, read_file
from gapnlp.text.language import LanguageDetector


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """One answer under the user's names, and what it says in gapnlp's labels."""

    named: NamedTicket
    ticket: LabelledTicket


@dataclass(frozen=True, slots=True)
class SourceFile:
    """How one file was understood: its format, why, and the roles of its columns."""

    format: str
    why: str
    recognition: Recognition


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """All that was read. unmapped: labels that the mapping does not speak of -> rows that carry them."""

    files: tuple[SourceFile, ...]
    rows: tuple[LabelledRow, ...]
    failures: tuple[Failure, ...]
    unmapped: Mapping[str, int]

    @property
    def tickets(self) -> tuple[LabelledTicket, ...]:
        """What training takes."""
        return tuple(row.ticket for row in self.rows)


def read_labelled(paths: Sequence[Path], mapping: LabelMapping, options: LabelOptions) -> LabelledRows:
    """Read labelled files and say what every row was given; languages are detected.

    The mapping need not be confirmed here: `check_confirmed` is for training. Raises InputError when a file cannot be
    read, or no text or label is recognised.
    """
    plans = [plan_reading(path, options) for path in paths]
    mapper, rows, failures = Mapper(mapping), [], []
    for named in (result for plan in plans for result in read_file(plan)):
        result = named if isinstance(named, Failure) else mapper.apply(named)
        if isinstance(named, Failure) or isinstance(result, Failure):
            failures.append(result)
        else:
            rows.append(LabelledRow(named, result))
    files = tuple(describe_file(plan) for plan in plans)
    return LabelledRows(files, detect_languages(rows), tuple(_only_failures(failures)), dict(mapper.unmapped))


def describe_file(plan: FileReading) -> SourceFile:
    """Say how a file was understood."""
    return SourceFile(plan.format, plan.why, plan.recognition)


def detect_languages(rows: Sequence[LabelledRow]) -> tuple[LabelledRow, ...]:
    """Fill in each ticket's language, the file's own claim being a hint."""
    tickets = [row.ticket for row in rows]
    found = LanguageDetector().detect_many([t.text for t in tickets], [t.language for t in tickets])
    return tuple(
        replace(row, ticket=replace(row.ticket, language=language)) for row, language in zip(rows, found, strict=True)
    )


def _only_failures(results: Iterable[object]) -> Iterable[Failure]:
    return (result for result in results if isinstance(result, Failure))
