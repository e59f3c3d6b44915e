"""Shared texts inside the project's files, found by their letters."""

from __future__ import annotations

import html
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from benchmarks.shared_texts import Place
from benchmarks.text_keys import letters
from gapnlp.errors import InputError
from training.auxiliary import text_key

# Letters that a text needs before its presence says anything; a Chinese character counts as two.
LEAST_LETTERS = 28
# And different ones: "very good very good very good" can come about by itself, above all in lists of n-grams.
_LEAST_DIFFERENT = 8
# Texts are looked up by so many letters from their start, then compared whole; no text of LEAST_LETTERS is shorter.
_ANCHOR = LEAST_LETTERS // 2
_ENDS = re.compile(r"(?<=[.!?…])\s+|[。！？\n]+")
_UNICODE_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_ESCAPE = re.compile(r"\\[nrt\"'/\\]")

Index = Mapping[str, list[tuple[str, Place]]]


def find_in_project(shared: Iterable[Place], project: Path) -> list[str]:
    """Name every project file and the shared text that it holds: whole, or one of its sentences."""
    index = index_texts(shared)
    found: dict[str, None] = {}
    for path in project_files(project):
        content = _read_text(project / path)
        if content is None:
            continue
        for key in {text_key(content), text_key(unescape(content))}:
            found |= {f"{path} holds {place}": None for place in find_in_key(key, index)}
    return sorted(found)


def index_texts(shared: Iterable[Place]) -> Index:
    """Index texts and their sentences by their first letters; of equal ones the first place is kept."""
    index: dict[str, list[tuple[str, Place]]] = defaultdict(list)
    known: set[str] = set()
    for place in shared:
        for part in (place.text, *_ENDS.split(place.text)):
            key = text_key(part)
            if says_enough(key) and key not in known:
                known.add(key)
                index[key[:_ANCHOR]].append((key, place))
    return index


def says_enough(key: str) -> bool:
    """Say whether a text is long and varied enough that two of it are hardly chance."""
    return letters(key) >= LEAST_LETTERS and len(set(key)) >= _LEAST_DIFFERENT


def find_in_key(key: str, index: Index) -> Iterator[Place]:
    """Give each indexed text that a file's letters hold."""
    for start in range(len(key) - _ANCHOR + 1):
        for text, place in index.get(key[start : start + _ANCHOR], ()):
            if key.startswith(text, start):
                yield place


def unescape(content: str) -> str:
    """Undo the escapes of JSON, Python and HTML: a text written with them is the same text."""
    content = _UNICODE_ESCAPE.sub(lambda m: chr(int(m[1], 16)), content)
    return html.unescape(_ESCAPE.sub(" ", content))


def project_files(project: Path) -> list[str]:
    """List files that git tracks or would add. Raises InputError where there is no git repository."""
    command = ["git", "-C", str(project), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    result = subprocess.run(command, capture_output=True, check=False)
    if result.returncode:
        raise InputError(f"{project.resolve()}: is not a git repository; pass --project its root")
    names = {name for name in result.stdout.decode(errors="surrogateescape").split("\0") if name}
    return sorted(name for name in names if (project / name).is_file())


def _read_text(path: Path) -> str | None:
    """Give a file's text; None for binary files."""
    content = path.read_bytes()
    if b"\0" in content:
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
