"""All texts of the shared data with their places: gold, public sets, promise cases."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gapnlp.errors import InputError
from gapnlp.ingest.gold import read_gold

# Fields of public rows that hold text by others.
_PUBLIC_FIELDS = ("text", "text_a", "text_b", "title", "owner_response", "pros", "cons", "neighborhood_overview")


@dataclass(frozen=True, slots=True)
class Place:
    """A text and where it comes from.

    split: the set's own name for the part that the row belongs to, or "". is_segment: a part of an item, not all of it.
    """

    text: str
    file: str
    id: str
    split: str = ""
    language: str = ""
    is_segment: bool = False

    def __str__(self) -> str:
        """File and identifier, without the text."""
        return f"{self.file}: {self.id}"


def read_gold_texts(gold: Path) -> Iterator[Place]:
    """Give the items of both splits, whole and by segment."""
    for name in ("train", "dev"):
        for item in read_gold(gold / f"{name}.jsonl"):
            where = (f"gold/{name}.jsonl", item.id, name, item.language)
            yield Place(item.text, *where)
            yield from (Place(s.text, *where, is_segment=True) for s in item.segments)


def read_public_texts(public: Path) -> Iterator[Place]:
    """Give every text field of every row. Raises InputError when the folder holds no set."""
    paths = sorted(public.glob("*.jsonl.gz"))
    if not paths:
        raise InputError(f"{public}: holds no .jsonl.gz file; pass --public the folder of the public sets")
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                where = (f"public/{path.name}", str(row["id"]), str(row.get("split") or ""), row.get("lang", ""))
                texts = [row[field] for field in _PUBLIC_FIELDS if isinstance(row.get(field), str)]
                yield from (Place(text, *where) for text in texts)


def read_promise_texts(promises: Path) -> Iterator[Place]:
    """Give copy, promises, segments and contexts of all cases. Raises InputError when there is no case."""
    paths = sorted(p for p in promises.glob("*/*") if p.suffix in (".jsonl", ".md"))
    if not paths:
        raise InputError(f"{promises}: holds no case; pass --promises the folder of the cases")
    for path in paths:
        where = f"promises/{path.parent.name}/{path.name}"
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        if path.suffix == ".md":
            yield from (Place(line, where, f"line {i}") for i, line in enumerate(lines, start=1))
            continue
        for row in map(json.loads, lines):
            texts = [row[field] for field in ("text", "context") if isinstance(row.get(field), str)]
            yield from (Place(text, where, str(row["id"])) for text in texts)
