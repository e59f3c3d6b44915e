"""JSON and JSON Lines: nested fields get dotted names, a ticket's comments become one cell."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from gapnlp.errors import InputError
from gapnlp.ingest.delimited import find_encoding
from gapnlp.ingest.encodings import open_text
from gapnlp.ingest.layout import HEAD_ROWS, Layout, Row, Sniffed, take_head

# Lists that hold the items when a JSON object has several, most likely first.
LIST_KEYS = ("reviews", "tickets", "items", "data", "results", "records", "feedback", "documents", "responses")
# Fields nested deeper than this are left out.
MAX_DEPTH = 8
# The cell that a list of comments becomes.
COMMENTS = "comments[].body"
NO_OBJECT = "is not a JSON object"


class Entry(NamedTuple):
    """One value of a JSON list or line: its number, and why it cannot be used."""

    number: int
    value: object
    problem: str | None = None


def sniff_json(path: Path) -> Sniffed:
    """Parse a JSON file and find the list of items; a file of one object a line is passed on as JSON Lines."""
    encoding = find_encoding(path)
    try:
        document = _load(path, encoding)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            return sniff_jsonl(path)
        raise InputError(
            f"{path.name}, line {error.lineno}: not valid JSON ({error.msg}); mend or export it again"
        ) from None
    except (ValueError, RecursionError):
        raise InputError(f"{path.name}: holds a number too long to read, or is nested too deeply") from None
    key = _list_key(document, path.name)
    records = [flatten(item) for item in _items(document, key)[:HEAD_ROWS] if isinstance(item, dict)]
    layout = Layout("json", _columns(records, path.name), encoding, list_key=key)
    return Sniffed(layout, tuple([record.get(c) for c in layout.columns] for record in records))


def read_json(path: Path, layout: Layout) -> Iterator[Row]:
    """Hand out the items of a JSON file, which is held in memory whole."""
    return (_to_row(entry, layout.columns) for entry in json_entries(path, layout))


def json_entries(path: Path, layout: Layout) -> Iterator[Entry]:
    """Hand out the items of a JSON file as they are, nothing flattened."""
    items = _items(_load(path, layout.encoding or "utf-8"), layout.list_key)
    return (Entry(number, item) for number, item in enumerate(items, start=1))


def sniff_jsonl(path: Path) -> Sniffed:
    """Find the columns from the first HEAD_ROWS lines."""
    encoding = find_encoding(path)
    with open_text(path, encoding) as lines:
        parsed = [_parse(line)[0] for line in islice(lines, HEAD_ROWS)]
    records = [flatten(item) for item in parsed if isinstance(item, dict)]
    layout = Layout("jsonl", _columns(records, path.name), encoding)
    return Sniffed(layout, take_head(read_jsonl(path, layout)))


def read_jsonl(path: Path, layout: Layout) -> Iterator[Row]:
    """Stream the lines of a JSON Lines file; blank lines are counted and left out."""
    return (_to_row(entry, layout.columns) for entry in jsonl_entries(path, layout))


def jsonl_entries(path: Path, layout: Layout) -> Iterator[Entry]:
    """Stream the values of a JSON Lines file as they are, nothing flattened."""
    with open_text(path, layout.encoding or "utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.isspace():
                yield Entry(number, *_parse(line))


def flatten(record: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Give nested fields dotted names ("reviewer.displayName"); lists of plain values are joined by commas.

    Lists of objects are left out, but for Zendesk's comments: see customer_comments.
    """
    flat: dict[str, object] = {}
    for key, value in record.items():
        name = prefix + key
        if isinstance(value, dict) and name.count(".") < MAX_DEPTH:
            flat.update(flatten(value, f"{name}."))
        elif isinstance(value, dict):
            continue
        elif not isinstance(value, list):
            flat[name] = value
        elif key == "comments" and any(isinstance(entry, dict) for entry in value):
            flat[prefix + COMMENTS] = customer_comments(value, record.get("requester_id"))
        elif not any(isinstance(entry, (dict, list)) for entry in value):
            flat[name] = ", ".join(str(entry) for entry in value)
    return flat


def customer_comments(comments: Sequence[object], requester: object) -> str:
    """Join what the customer wrote on a ticket, one comment a paragraph.

    Comments of others (staff, private notes) are left out by author_id; where the requester is not told, only the
    first comment, which opened the ticket, is surely the customer's.
    """
    entries = [entry for entry in comments if isinstance(entry, dict)]
    if requester is None:
        own = entries[:1]
    else:
        own = [entry for entry in entries if entry.get("author_id", requester) == requester]
    bodies = [str(entry.get("plain_body") or entry.get("body") or "").strip() for entry in own]
    return "\n".join(body for body in bodies if body)


def _load(path: Path, encoding: str) -> object:
    with open_text(path, encoding) as stream:
        return json.load(stream)


def _parse(line: str) -> tuple[object, str | None]:
    """Parse one line: the value, and why it cannot be used."""
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        return None, f"is not valid JSON ({error.msg}, column {error.colno})"
    except (ValueError, RecursionError):
        return None, "holds a number too long to read, or is nested too deeply"
    return value, None


def _to_row(entry: Entry, columns: Sequence[str]) -> Row:
    if entry.problem:
        return Row(entry.number, (), problem=entry.problem)
    if not isinstance(entry.value, dict):
        return Row(entry.number, (), problem=NO_OBJECT)
    record = flatten(entry.value)
    return Row(entry.number, [record.get(column) for column in columns])


def _list_key(document: object, file: str) -> str | None:
    """Name the list of items inside a JSON object; None when the document itself is the list."""
    if isinstance(document, list):
        return None
    if not isinstance(document, dict):
        raise InputError(f"{file}: holds neither a list nor an object; give a list of objects")
    keys = [
        key for key, value in document.items() if isinstance(value, list) and any(isinstance(v, dict) for v in value)
    ]
    known = [key for key in LIST_KEYS if key in keys]
    if len(keys) != 1 and not known:
        found = ", ".join(keys) or "none"
        raise InputError(f"{file}: the list of items cannot be told (lists found: {found}); give one list of objects")
    return known[0] if known else keys[0]


def _items(document: object, key: str | None) -> list[object]:
    found = document[key] if isinstance(document, dict) and key is not None else document
    return found if isinstance(found, list) else []


def _columns(records: Sequence[Mapping[str, object]], file: str) -> tuple[str, ...]:
    """Every field name of the first records, in the order of appearance."""
    columns = tuple(dict.fromkeys(name for record in records for name in record))
    if not columns:
        raise InputError(f"{file}: holds no objects in its first rows; give one JSON object per item")
    return columns
