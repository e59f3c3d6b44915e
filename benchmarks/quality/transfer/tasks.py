"""Public sets as tasks: what each asks of an item, read from tasks.toml."""

from __future__ import annotations

import dataclasses
import gzip
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gapnlp.errors import InputError

TASKS_FILE = Path(__file__).with_name("tasks.toml")


@dataclass(frozen=True, slots=True)
class Group:
    """Categories of a set that together stand for dimensions or sentiments of ours."""

    name: str
    categories: tuple[str, ...]
    dimensions: tuple[str, ...] = ()
    sentiments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One question that a set asks; tasks.toml explains the fields."""

    name: str
    file: str
    language: str
    target: str
    field: str
    published: str
    only: Mapping[str, str] = dataclasses.field(default_factory=dict)
    sentiments: Mapping[str, str] = dataclasses.field(default_factory=dict)
    groups: tuple[Group, ...] = ()

    def concerns(self, row: Mapping[str, Any]) -> bool:
        """Say whether a row is part of the task."""
        return row.get(self.field) is not None and all(row.get(k) == v for k, v in self.only.items())

    def categories(self, row: Mapping[str, Any]) -> frozenset[str]:
        """Give what people said of a row: one class, or any number of categories."""
        if self.target == "aspects":
            return frozenset(a["category"] for a in row[self.field])
        return frozenset((str(row[self.field]),))


def read_tasks() -> list[Task]:
    """Read all tasks, in the order of the file."""
    content = tomllib.loads(TASKS_FILE.read_text(encoding="utf-8"))
    return [_task(entry) for entry in content["task"]]


def _task(entry: Mapping[str, Any]) -> Task:
    groups = tuple(
        Group(g["name"], tuple(g["categories"]), tuple(g.get("dimensions", ())), tuple(g.get("sentiments", ())))
        for g in entry.get("groups", ())
    )
    return Task(**{**entry, "groups": groups})


def read_rows(public: Path, file: str, limit: int | None = None) -> list[Mapping[str, Any]]:
    """Read the labelled rows of a set. Raises InputError when the file is not there."""
    path = public / f"{file}.jsonl.gz"
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); pass --public the folder of the sets") from None
    return spread(rows, limit)


def spread(rows: Sequence[Mapping[str, Any]], limit: int | None) -> list[Mapping[str, Any]]:
    """Take so many rows from all over a file, since files are often sorted."""
    if limit is None or limit >= len(rows):
        return list(rows)
    return [rows[i * len(rows) // limit] for i in range(limit)]
