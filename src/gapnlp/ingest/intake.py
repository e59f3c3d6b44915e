"""From paths to feedback: which files, how each is understood, and every row as one Feedback or one Failure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b, file_digest
from pathlib import Path

from gapnlp.errors import InputError
from gapnlp.ingest.columns import Assignment, ColumnOptions, Table, assign_columns
from gapnlp.ingest.dates import DateRule, decide_dates
from gapnlp.ingest.header_names import fold_header
from gapnlp.ingest.items import PART_ROLES, ItemPlan, build_item, made_id, plain_text
from gapnlp.ingest.layout import Layout, Sniffed
from gapnlp.ingest.presets import PRESETS, Preset
from gapnlp.ingest.ratings import RatingRule, decide_ratings
from gapnlp.ingest.readers import ENDINGS, format_of, read_rows, sniff_file
from gapnlp.records.feedback import ColumnRole, Failure, Feedback, Recognition

# So many first ids that count 1, 2, 3 say that a column counts rows and does not name items beyond its file.
COUNTED_ROWS = 3
_MONTH = re.compile(r"(\d{6})\.")


@dataclass(frozen=True, slots=True)
class FilePlan:
    """How a file is read: its recognition, its layout and what each cell is for."""

    path: Path
    recognition: Recognition
    layout: Layout
    items: ItemPlan
    newest_first: bool


def list_inputs(paths: Sequence[Path]) -> tuple[Path, ...]:
    """List the files to read: those given, and of each folder those with a known ending, sorted by name.

    Folders inside folders are not entered. A file given twice is read once. Raises InputError for a path that is not
    there, a file of an unknown kind, a folder without readable files, and two files of one name (items are named by
    file and row).
    """
    listed: dict[Path, Path] = {}
    for path in paths:
        for file in _files_of(path):
            listed.setdefault(file.resolve(), file)
    if not listed:
        raise InputError("no input was given; name at least one file or folder")
    names: set[str] = set()
    for file in listed.values():
        if file.name in names:
            raise InputError(f"two inputs are called {file.name}; rename one, because items are named by file and row")
        names.add(file.name)
    return tuple(listed.values())


def recognise(path: Path, options: ColumnOptions) -> Recognition:
    """Find out how a file is to be read, from its beginning; the sha256 is of the file's bytes as they are.

    Raises InputError when it cannot be read, no text column is recognised, or an option names no column.
    """
    return _plan(path, options, recognition=None).recognition


def read_feedback(
    paths: Sequence[Path], options: ColumnOptions, *, recognitions: Sequence[Recognition] | None = None
) -> Iterator[Feedback | Failure]:
    """Read every row of every file as one Feedback or one Failure ("failed", "duplicate" or "empty").

    recognitions: what `recognise` said of the same files, in any order, to follow instead of recognising again.
    All files are looked at before the first row is handed out, so what cannot be read is said at once (InputError).
    An item whose id, or else link, was already there is a duplicate, across files too. Exports that repeat edited
    items in later files (Google Play Console) are read newest month first, so the newest edit is the one kept.
    """
    known = {recognition.file: recognition for recognition in recognitions or ()}
    plans = [_plan(path, options, recognition=known.get(path.name)) for path in list_inputs(paths)]
    return _read_all(_newest_first(plans))


def plan_items(sniffed: Sniffed, recognition: Recognition) -> tuple[ItemPlan, Recognition]:
    """Decide how the cells are read; the recognition comes back with scale and reasons completed."""
    layout, roles = sniffed.layout, recognition.columns
    table = Table(recognition.file, layout.columns, sniffed.head)
    preset = _preset_named(recognition.preset)
    dates = decide_dates(_values(table, roles, "date"))
    scale = recognition.rating_scale or (preset.scale if preset else None)
    ratings = decide_ratings(_values(table, roles, "rating"), scale=scale, words=preset.words if preset else {})
    counts = counts_rows(_values(table, roles, "id"))
    at = _positions(table, roles)
    plan = ItemPlan(
        file=recognition.file,
        scope=_scope(recognition, counts=counts),
        texts=_text_cells(table, roles),
        dates=dates,
        ratings=ratings,
        **at,
    )
    whys = _reasons(layout, dates=dates, ratings=ratings, counts=counts)
    rated = ratings.scale if "rating" in at else None
    return plan, replace(recognition, columns=_explained(roles, whys), rating_scale=rated)


def drop_duplicates(results: Iterator[Feedback | Failure], scope: str, seen: set[int]) -> Iterator[Feedback | Failure]:
    """Turn items whose own id was already seen in the scope into failures; seen holds 64-bit hashes of all so far."""
    prefix = scope.encode()
    for result in results:
        if isinstance(result, Feedback) and result.id != made_id(result.source):
            key = int.from_bytes(blake2b(result.id.encode(errors="replace"), digest_size=8, key=prefix).digest())
            if key in seen:
                yield Failure(result.source, "duplicate", "an item with this id was already read", result.id)
                continue
            seen.add(key)
        yield result


def _files_of(path: Path) -> list[Path]:
    """List the files that one given path stands for."""
    kinds = ", ".join(ENDINGS)
    if path.is_dir():
        files = sorted(f for f in path.iterdir() if f.is_file() and not f.name.startswith((".", "~$")) and format_of(f))
        if not files:
            raise InputError(f"{path}: the folder holds no file that can be read ({kinds})")
        return files
    if not path.exists():
        raise InputError(f"{path}: there is no such file; check the path")
    if format_of(path) is None:
        raise InputError(f"{path.name}: this kind of file cannot be read; give one of {kinds}")
    return [path]


def _plan(path: Path, options: ColumnOptions, *, recognition: Recognition | None) -> FilePlan:
    """Plan the reading of a file, by a recognition where there is one."""
    sniffed = sniff_file(path)
    layout = sniffed.layout
    table = Table(path.name, layout.columns, sniffed.head)
    fresh = recognition is None
    if recognition is None:
        recognition = _recognition(layout, assign_columns(table, options), file=path.name, sha256=_sha256(path))
    _check_columns(table, recognition)
    items, completed = plan_items(sniffed, recognition)
    preset = _preset_named(recognition.preset)
    newest_first = preset is not None and preset.newest_first
    return FilePlan(path, completed if fresh else recognition, layout, items, newest_first)


def _recognition(layout: Layout, assignment: Assignment, *, file: str, sha256: str) -> Recognition:
    preset = assignment.preset.name if assignment.preset else None
    return Recognition(
        file,
        layout.format,
        layout.encoding,
        layout.delimiter,
        preset,
        assignment.roles,
        rating_scale=None,
        sha256=sha256,
    )


def _check_columns(table: Table, recognition: Recognition) -> None:
    """Refuse a recognition that speaks of columns which the file does not have (any more)."""
    missing = [r.column for r in recognition.columns if r.role != "ignored" and r.column not in table.columns]
    if missing:
        raise InputError(
            f"{table.file}: column {missing[0]!r} is gone since the file was recognised; recognise it again"
        )


def _read_all(plans: Sequence[FilePlan]) -> Iterator[Feedback | Failure]:
    seen: set[int] = set()
    for plan in plans:
        items = plan.items
        results = (build_item(row, items) for row in read_rows(plan.path, plan.layout))
        yield from drop_duplicates(results, items.scope, seen)


def _newest_first(plans: Sequence[FilePlan]) -> list[FilePlan]:
    """Put the newest month first among the files of exports that repeat edited items; other files stay."""
    at = [i for i, plan in enumerate(plans) if plan.newest_first]
    newest = sorted((plans[i] for i in at), key=lambda plan: _month(plan.path), reverse=True)
    ordered = list(plans)
    for i, plan in zip(at, newest, strict=True):
        ordered[i] = plan
    return ordered


def _month(path: Path) -> str:
    """Find the month in a name such as reviews_com.example_202506.csv, or nothing."""
    found = _MONTH.search(path.name)
    return found[1] if found else ""


def _values(table: Table, roles: Sequence[ColumnRole], role: str) -> list[object]:
    """Collect the filled cells of the first column with a role."""
    return next((table.values(r.column) for r in roles if r.role == role), [])


def _positions(table: Table, roles: Sequence[ColumnRole]) -> dict[str, int]:
    """Role -> cell, for the roles that have one column."""
    single = ("id", "link", "date", "rating", "language", "group")
    return {r.role: table.columns.index(r.column) for r in reversed(roles) if r.role in single}


def _text_cells(table: Table, roles: Sequence[ColumnRole]) -> tuple[tuple[int, str], ...]:
    """(cell, part role) in the order of the parts."""
    return tuple(
        (table.columns.index(r.column), part) for role, part in PART_ROLES.items() for r in roles if r.role == role
    )


def counts_rows(ids: Sequence[object]) -> bool:
    """Tell whether ids are 1, 2, 3 ... or 0, 1, 2 ...: every file then has the same ones."""
    first = [plain_text(value).strip() for value in ids[:COUNTED_ROWS]]
    starts = (0, 1)
    return len(first) == COUNTED_ROWS and any(first == [str(n) for n in range(s, s + COUNTED_ROWS)] for s in starts)


def _scope(recognition: Recognition, *, counts: bool) -> str:
    """Name what an id is unique in: exports of one kind (preset, or headers of id and text).

    Ids that only count rows are unique in their file, or another with the same bytes.
    """
    named = ("id", "link", "text")
    kind = recognition.preset or " ".join(fold_header(r.column) for r in recognition.columns if r.role in named)
    told = recognition.sha256 if counts else kind
    return blake2b(told.encode(), digest_size=16).hexdigest()


def _reasons(layout: Layout, *, dates: DateRule, ratings: RatingRule, counts: bool) -> dict[str, str]:
    """Role -> what was decided about its values."""
    return {
        "text": layout.note,
        "date": dates.why,
        "rating": ratings.why,
        "id": "it counts rows, so it is compared within this file alone" if counts else "",
    }


def _explained(roles: Sequence[ColumnRole], whys: Mapping[str, str]) -> tuple[ColumnRole, ...]:
    return tuple(replace(r, why=f"{r.why}; {whys[r.role]}") if whys.get(r.role) else r for r in roles)


def _preset_named(name: str | None) -> Preset | None:
    return next((preset for preset in PRESETS.values() if preset.name == name), None)


def _sha256(path: Path) -> str:
    """Compute the sha256 of a file's bytes, in hexadecimal. Raises InputError when it cannot be read."""
    try:
        with path.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror}); check its permissions") from None
