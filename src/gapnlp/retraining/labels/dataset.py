"""Labelled files and a mapping -> rows to check and to train on, with everything that could not be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gapnlp.errors import InputError
from gapnlp.records.feedback import Failure, Recognition
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.labels.mapping import LabelMapping, Mapper
from gapnlp.retraining.labels.named import LabelOptions, NamedTicket
from gapnlp.retraining.labels.own import OWN_MAPPING
from gapnlp.retraining.labels.reading import FileReading, plan_reading, read_file
from gapnlp.text.language import LanguageDetector


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """One answer under the user's names, and what it says in gapnlp's labels."""

    named: NamedTicket
    ticket: LabelledTicket


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

    mapping: what the labels were taken to mean; in files of gapnlp's own, what they say.
    """

    files: tuple[SourceFile, ...]
    rows: tuple[LabelledRow, ...]
    failures: tuple[Failure, ...]
    unmapped: Mapping[str, int]
    mapping: LabelMapping

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
    rows, failures = [], []
    for plan, named in ((plan, result) for plan in plans for result in read_file(plan)):
        result = named if isinstance(named, Failure) else (own if plan.own else mapper).apply(named)
        if isinstance(named, Failure) or isinstance(result, Failure):
            failures.append(result)
        else:
            rows.append(LabelledRow(named, result))
    files = tuple(describe_file(plan) for plan in plans)
    told = tuple(_only_failures(failures))
    return LabelledRows(files, detect_languages(rows), told, dict(mapper.unmapped), _told(mapper.mapping, plans))


def _needed(mapping: LabelMapping | None, plans: Sequence[FileReading]) -> LabelMapping:
    """Give the mapping of the files that need one."""
    others = [plan.file.path.name for plan in plans if not plan.own]
    if mapping is None and others:
        raise InputError(
            f"{others[0]}: its labels are not gapnlp's own; say what they mean with --mapping, and make that file with "
            "`gapnlp labels map`"
        )
    return OWN_MAPPING if mapping is None else mapping


def _told(mapping: LabelMapping, plans: Sequence[FileReading]) -> LabelMapping:
    """Say what all labels were taken to mean: the user's by the mapping, gapnlp's own by themselves."""
    if all(plan.own for plan in plans):
        return OWN_MAPPING
    if not any(plan.own for plan in plans):
        return mapping
    return replace(mapping, means={**OWN_MAPPING.means, **mapping.means})


def describe_file(plan: FileReading) -> SourceFile:
    """Say how a file was understood."""
    return SourceFile(plan.format, plan.why, plan.recognition, plan.own)


def detect_languages(rows: Sequence[LabelledRow]) -> tuple[LabelledRow, ...]:
    """Fill in each ticket's language, the file's own claim being a hint."""
    tickets = [row.ticket for row in rows]
    found = LanguageDetector().detect_many([t.text for t in tickets], [t.language for t in tickets])
    return tuple(
        replace(row, ticket=replace(row.ticket, language=language)) for row, language in zip(rows, found, strict=True)
    )


def _only_failures(results: Iterable[object]) -> Iterable[Failure]:
    return (result for result in results if isinstance(result, Failure))
