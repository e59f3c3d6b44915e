"""Which column plays which role: the user's choice first, then a known export, then usual header names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gapnlp.errors import InputError
from gapnlp.ingest.header_names import HEADER_NAMES, fold_header, in_brackets, without_brackets
from gapnlp.ingest.presets import PRESETS, Preset
from gapnlp.ingest.ratings import is_rating
from gapnlp.records.feedback import ColumnRole

# Every role but "ignored", in the order in which a column that could play two is given away.
ROLES = ("text", "positive", "negative", "title", "date", "rating", "id", "link", "language", "group")
TEXT_ROLES = ("text", "positive", "negative")
OPTIONS = "--text --date --rating --id --by --language"
# A column that should name an item is not believed when fewer of its values than this share differ.
DISTINCT_SHARE = 0.5
FEW_ROWS = 5
# A column of which so many values are ratings holds no texts.
RATING_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class ColumnOptions:
    """The user's own choice of columns, by name; None leaves a role to recognition. by: the column of groups."""

    text: str | None = None
    title: str | None = None
    date: str | None = None
    rating: str | None = None
    id: str | None = None
    by: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """What roles are recognised from: the file's name, its columns and the cells of its first rows."""

    file: str
    columns: tuple[str, ...]
    head: Sequence[Sequence[object]]

    def values(self, column: str) -> list[object]:
        """Collect the filled cells of a column in the first rows."""
        at = self.columns.index(column)
        return [
            value
            for row in self.head
            if (value := row[at]) is not None and not (isinstance(value, str) and not value.strip())
        ]


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which export it is (None: a table of unknown origin) and what each column is for."""

    preset: Preset | None
    roles: tuple[ColumnRole, ...]

    def columns_of(self, role: str) -> tuple[str, ...]:
        """Name the columns that were given a role, in file order."""
        return tuple(r.column for r in self.roles if r.role == role)


def assign_columns(table: Table, options: ColumnOptions, *, named_by: str = OPTIONS) -> Assignment:
    """Give every column a role and say why. named_by: options of the command that name columns, for the error.

    Raises InputError when no column holds the text, or when an option names a column that is not there.
    """
    names = _index(table.columns)
    preset = find_preset(names)
    chosen = _chosen_by_user(table, options)
    given = {column for role, column in chosen.items() if role != "group"}
    skipped: dict[str, str] = {}
    taken: dict[str, tuple[str, str]] = {}
    for role in ROLES:
        if role in chosen or (role in TEXT_ROLES and "text" in chosen):
            continue
        for column, why in _recognised(table, names, role=role, preset=preset, skipped=skipped):
            if column not in given and column not in taken:
                taken[column] = (role, why)
    for role, column in chosen.items():
        if role != "group":
            taken[column] = (role, f"given with --{role}")
    if not any(role in TEXT_ROLES for role, _ in taken.values()):
        raise _no_text(table, preset, skipped, named_by=named_by)
    return Assignment(
        preset, _list_roles(table, taken, group=chosen.get("group"), asides=skipped | _asides(names, preset))
    )


def find_preset(names: Mapping[str, str]) -> Preset | None:
    """Find the first export of which a whole signature is there; names: folded header -> column."""
    for preset in PRESETS.values():
        fits = any(all(fold_header(header) in names for header in signature) for signature in preset.signatures)
        if fits and not any(fold_header(header) in names for header in preset.absent):
            return preset
    return None


def _index(columns: Sequence[str]) -> dict[str, str]:
    """Folded header -> column; whole headers win over headers without what they say in brackets."""
    names: dict[str, str] = {}
    for column in columns:
        names.setdefault(fold_header(column), column)
    for column in columns:
        names.setdefault(fold_header(without_brackets(column)), column)
    return names


def _chosen_by_user(table: Table, options: ColumnOptions) -> dict[str, str]:
    """Role -> column for every option given."""
    wanted = {
        "text": options.text,
        "title": options.title,
        "date": options.date,
        "rating": options.rating,
        "id": options.id,
        "language": options.language,
        "group": options.by,
    }
    chosen = {role: _find_column(table, name, role=role) for role, name in wanted.items() if name is not None}
    single = [column for role, column in chosen.items() if role != "group"]
    twice = next((column for column in single if single.count(column) > 1), None)
    if twice is not None:
        raise InputError(f"{table.file}: column {twice!r} was given for two roles; give it for one")
    return chosen


def _find_column(table: Table, name: str, *, role: str) -> str:
    """Find a column by its exact name, then whatever its case."""
    if name in table.columns:
        return name
    alike = [column for column in table.columns if column.casefold() == name.strip().casefold()]
    if not alike:
        option = "by" if role == "group" else role
        raise InputError(f"{table.file}: --{option} {name!r} is not one of its columns: {_listed(table.columns)}")
    return alike[0]


def _recognised(
    table: Table, names: Mapping[str, str], *, role: str, preset: Preset | None, skipped: dict[str, str]
) -> list[tuple[str, str]]:
    """Find the columns that a role falls to, each with the reason. skipped: column -> why it was passed over."""
    headers = (preset.roles if preset else HEADER_NAMES).get(role, ())
    found = list(dict.fromkeys(names[folded] for folded in map(fold_header, headers) if folded in names))
    if preset is None:
        found = [column for column in found if _fits(table, column, role=role, skipped=skipped)]
    if not found:
        return []
    if preset is not None and role in preset.together:
        return [(column, _why(column, preset)) for column in found]
    best = next((column for column in found if table.values(column)), found[0])
    for column in found:
        if column != best:
            skipped.setdefault(column, f"could be the {role} too; {best!r} was taken")
    return [(best, _why(best, preset))]


def _why(column: str, preset: Preset | None) -> str:
    """Say why a header was recognised, with what it says in brackets (a time zone)."""
    why = f"{preset.name}'s header for it" if preset else "a usual header for it"
    bracket = in_brackets(column)
    return f"{why}, which says {bracket}" if bracket else why


def _fits(table: Table, column: str, *, role: str, skipped: dict[str, str]) -> bool:
    """Tell whether a column's values can be what its header says: 评价 stands over texts and over ratings."""
    if role in ("id", "link"):
        return _names_items(table, column, skipped)
    if role not in ("text", "rating"):
        return True
    values = table.values(column)
    rated = sum(1 for value in values if is_rating(value))
    if role == "text":
        fits = len(values) < FEW_ROWS or rated < RATING_SHARE * len(values)
        why = "its values are ratings, not texts"
    else:
        fits, why = not values or rated > 0, "its values are no ratings"
    if not fits:
        skipped[column] = why
    return fits


def _names_items(table: Table, column: str, skipped: dict[str, str]) -> bool:
    """Tell whether a column's values differ enough to name single items (a shop's address repeats)."""
    values = [str(value) for value in table.values(column)]
    fits = len(values) < FEW_ROWS or len(set(values)) >= DISTINCT_SHARE * len(values)
    if not fits:
        skipped[column] = "its values repeat, so they do not name single items"
    return fits


def _asides(names: Mapping[str, str], preset: Preset | None) -> dict[str, str]:
    """Column -> why an export's column is not read."""
    aside = preset.aside if preset else {}
    return {names[fold_header(header)]: why for header, why in aside.items() if fold_header(header) in names}


def _list_roles(
    table: Table, taken: Mapping[str, tuple[str, str]], *, group: str | None, asides: Mapping[str, str]
) -> tuple[ColumnRole, ...]:
    """One line per column in file order; a column that groups are made of may have a second."""
    roles = []
    for column in table.columns:
        if column in taken:
            role, why = taken[column]
            roles.append(ColumnRole(column, role, why))
        if column == group:
            roles.append(ColumnRole(column, "group", "given with --by"))
        elif column not in taken:
            roles.append(ColumnRole(column, "ignored", asides.get(column, "no role goes with this header")))
    return tuple(roles)


def _no_text(table: Table, preset: Preset | None, skipped: Mapping[str, str], *, named_by: str) -> InputError:
    """Say that no text was found, what the columns are, and how to name them (named_by)."""
    cause = preset.refusal if preset and preset.refusal else "no column is recognised as the customers' text"
    passed = "".join(f" ({column}: {why})" for column, why in skipped.items())
    return InputError(f"{table.file}: {cause}{passed}. Columns: {_listed(table.columns)}. Name them with {named_by}")


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(columns)
