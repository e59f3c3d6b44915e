"""What is shown of an upload before it is started: its columns, what they were taken for, and its first rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gapnlp.records.feedback import Recognition
from gapnlp.records.service import JobOptions
from gapnlp.reporting.formats import clean, clip

# The roles that a visitor can give, named as in JobOptions.
CHOICES = ("text", "title", "date", "rating", "id", "language", "by")
# Which recognised roles stand behind a choice: some exports ask for praise and fault apart.
_BEHIND: Mapping[str, tuple[str, ...]] = {"text": ("text", "positive", "negative"), "by": ("group",)}
SAMPLE_ROWS = 5
_COLUMNS, _CELL = 12, 140


@dataclass(frozen=True, slots=True)
class Choice:
    """One role: the columns that recognition gave it, and the column that the visitor chose ("" leaves it)."""

    role: str
    recognised: tuple[str, ...]
    chosen: str


@dataclass(frozen=True, slots=True)
class Sample:
    """The file's first rows. heads: (column, its roles); hidden: how many columns are left out."""

    heads: tuple[tuple[str, tuple[str, ...]], ...]
    rows: tuple[tuple[str, ...], ...]
    hidden: int


def list_choices(recognition: Recognition | None, options: JobOptions) -> tuple[Choice, ...]:
    """List the roles with what was recognised; what the visitor chose is not called recognised."""
    return tuple(_choice(role, recognition, getattr(options, role) or "") for role in CHOICES)


def take_sample(head: Sequence[Sequence[str]], recognition: Recognition | None) -> Sample:
    """Cut the first rows out: every column that has a role, then others, as many as can be looked at.

    head: the file's header, then its first rows.
    """
    columns = head[0]
    roles: dict[str, list[str]] = {}
    for entry in recognition.columns if recognition else ():
        if entry.role != "ignored":
            roles.setdefault(entry.column, []).append(entry.role)
    places = _places(columns, roles)
    return Sample(
        heads=tuple((columns[at], tuple(roles.get(columns[at], ()))) for at in places),
        rows=tuple(tuple(_cell(cells[at]) for at in places) for cells in head[1:]),
        hidden=len(columns) - len(places),
    )


def wordiest(head: Sequence[Sequence[str]]) -> str:
    """Name the column with the most text in the first rows."""
    lengths = [sum(map(len, cells)) for cells in zip(*head[1:], strict=False)] or [0]
    return head[0][lengths.index(max(lengths))]


def _choice(role: str, recognition: Recognition | None, chosen: str) -> Choice:
    behind = _BEHIND.get(role, (role,))
    found = tuple(c.column for c in recognition.columns if c.role in behind) if recognition else ()
    return Choice(role, () if chosen else found, chosen)


def _places(columns: Sequence[str], roles: Mapping[str, object]) -> list[int]:
    used = [at for at, column in enumerate(columns) if column in roles]
    others = [at for at, column in enumerate(columns) if column not in roles]
    return sorted(used[:_COLUMNS] + others[: max(0, _COLUMNS - len(used))])


def _cell(value: str) -> str:
    return clip(clean(value), _CELL)
