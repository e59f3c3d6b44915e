"""Simulated companies: public rows under their native labels, read through a mapping as a company's own would be."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.transfer.tasks import read_rows
from gapnlp.errors import InputError
from gapnlp.records.feedback import Source
from gapnlp.records.tickets import LabelledTicket
from gapnlp.retraining.labels.mapping import Mapper, read_mapping
from gapnlp.retraining.labels.named import Answer, NamedTicket
from training.auxiliary import text_key
from training.material import banned_keys, read_development, read_material

_FOLDER = Path(__file__).parent
TASKS_FILE = _FOLDER / "tasks.toml"
TEST_ROWS = 1_500
_TEST_SEED = 0
# Of the draws of training rows; added to a run's seed, so that none repeats the draw of the test rows.
_DRAW_SEED = 1_000

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """One company; tasks.toml explains the fields."""

    name: str
    title: str
    file: str
    language: str
    columns: tuple[str, ...]
    mapping: str
    labels: tuple[str, ...]
    domains: tuple[str, ...] = ()
    only: Mapping[str, str] = dataclasses.field(default_factory=dict)
    skipped: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)

    @property
    def mapping_file(self) -> Path:
        """The company's mapping file."""
        return _FOLDER / self.mapping

    def concerns(self, row: Row) -> bool:
        """Say whether a row is the company's."""
        kept = all(row.get(field) == value for field, value in self.only.items())
        return kept and not any(row.get(field) in classes for field, classes in self.skipped.items())

    def owns(self, domain: str | None) -> bool:
        """Say whether a row of the company's set belongs to what a blind base must not have seen."""
        return not self.domains or domain in self.domains


@dataclass(frozen=True, slots=True)
class Company:
    """A company's labelled tickets: a test set that stays the same, and a pool to draw training rows from."""

    task: Task
    test: tuple[LabelledTicket, ...]
    pool: tuple[LabelledTicket, ...]

    def draw(self, size: int, seed: int) -> tuple[LabelledTicket, ...]:
        """Draw training rows at random; of one seed, a larger draw holds every smaller one.

        Raises InputError when the pool is too small.
        """
        if size > len(self.pool):
            raise InputError(f"{self.task.name}: {size:,} rows are asked for, the pool holds {len(self.pool):,}")
        order = np.random.default_rng(_DRAW_SEED + seed).permutation(len(self.pool))
        return tuple(self.pool[i] for i in order[:size])


def read_tasks(names: Sequence[str] | None = None) -> list[Task]:
    """Read the tasks named, or all. Raises InputError on an unknown name."""
    tasks = {entry["name"]: _task(entry) for entry in tomllib.loads(TASKS_FILE.read_text(encoding="utf-8"))["task"]}
    unknown = [name for name in names or () if name not in tasks]
    if unknown:
        raise InputError(f"set {unknown[0]!r} is unknown; choose from {', '.join(tasks)}")
    return [tasks[name] for name in names or tasks]


def _task(entry: Mapping[str, Any]) -> Task:
    tuples = {name: tuple(entry.get(name, ())) for name in ("columns", "labels", "domains")}
    return Task(**{**entry, **tuples})


def found_company(task: Task, public: Path, gold: Path) -> Company:
    """Read a company's rows, leave out what any bundle was taught or measured with, and set the test rows apart.

    Left out are gold's items and the texts that we labelled, by identifier and by normalised text, and repeats.
    Raises InputError when the set is not there or too small.
    """
    material, development = read_material(gold, public, task.language), read_development(gold, task.language)
    known = {record.id for part in (material, development) for record in part.records}
    banned = banned_keys(material, development)
    rows = [row for row in read_rows(public, task.file) if task.concerns(row) and row["id"] not in known]
    tickets = list(read_tickets(task, _distinct(rows, banned)))
    if len(tickets) <= TEST_ROWS:
        raise InputError(f"{task.name}: only {len(tickets):,} rows are left, the test set takes {TEST_ROWS:,}")
    order = np.random.default_rng(_TEST_SEED).permutation(len(tickets))
    shuffled = [tickets[i] for i in order]
    return Company(task, tuple(shuffled[:TEST_ROWS]), tuple(shuffled[TEST_ROWS:]))


def _distinct(rows: Sequence[Row], banned: set[str]) -> Iterator[Row]:
    """Give each normalised text once."""
    seen = set(banned)
    for row in rows:
        key = text_key(row["text"])
        if key and key not in seen:
            seen.add(key)
            yield row


def read_tickets(task: Task, rows: Iterator[Row]) -> Iterator[LabelledTicket]:
    """Read rows through the company's mapping; the language is given, as a company knows it."""
    mapper = Mapper(read_mapping(task.mapping_file))
    for number, row in enumerate(rows, start=1):
        source = Source(f"{task.file}.jsonl.gz", number)
        named = NamedTicket(row["id"], row["id"], row["text"], Answer(_said(task, row)), source, task.language)
        ticket = mapper.apply(named)
        if isinstance(ticket, LabelledTicket):
            yield ticket
    if mapper.unmapped:
        raise InputError(f"{task.mapping}: says nothing of {', '.join(sorted(mapper.unmapped))}")


def _said(task: Task, row: Row) -> dict[str, bool]:
    """Name the row's labels as `gapnlp labels` would in a table with these columns."""
    prefix = len(task.columns) > 1
    return {f"{column}: {row[column]}" if prefix else row[column]: True for column in task.columns if row.get(column)}
