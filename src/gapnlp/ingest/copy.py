"""Marketing copy -> blocks in reading order; COPY_READERS is the list of what can be read."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from gapnlp.errors import InputError
from gapnlp.ingest.copy_docx import read_docx
from gapnlp.ingest.copy_html import read_html
from gapnlp.ingest.copy_listings import ListingChoice, read_listings
from gapnlp.ingest.copy_markdown import read_markdown
from gapnlp.ingest.copy_pdf import read_pdf
from gapnlp.ingest.copy_plain import read_plain
from gapnlp.ingest.readers import ENDINGS
from gapnlp.records.promises import CopyBlock

# Documents: one company's or product's copy.
DOCUMENT_READERS: dict[str, Callable[[Path], list[CopyBlock]]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_plain,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".docx": read_docx,
    ".pdf": read_pdf,
}
# Tables: many entities' copy. Text files are documents here, not tables.
LISTING_READERS: dict[str, Callable[[Path, ListingChoice], list[CopyBlock]]] = {
    ending: read_listings for ending in ENDINGS if ending not in (".txt", ".txt.gz")
}
# File ending -> reader.
COPY_READERS: dict[str, Callable[..., list[CopyBlock]]] = {**DOCUMENT_READERS, **LISTING_READERS}


def read_copy(
    paths: Sequence[Path],
    *,
    entity: str | None = None,
    text: str | None = None,
    where: tuple[str, str] | None = None,
) -> tuple[CopyBlock, ...]:
    """Read marketing copy from files, or from the files of folders, in the order given.

    entity, text: columns of listings, where their names are unusual; several text columns with commas between.
    where: (column, value), to read those rows alone ("kind", "listing"). The three concern tables only.
    Raises InputError when a file cannot be read or holds no copy, or when an option is given and no file is a table.
    """
    files = [file for path in paths for file in _list_files(path)]
    choice = ListingChoice(entity, text, where)
    if choice != ListingChoice() and not any(_ending(file) in LISTING_READERS for file in files):
        raise InputError("--entity, --text and --where name columns, and no file given is a table; leave them out")
    if not files:
        raise InputError(f"no copy was given; give one or more files ({_kinds()})")
    return tuple(block for file in files for block in _read_file(file, choice))


def _list_files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if file.is_file() and file.name[0] not in ".~" and _ending(file))
        if not found:
            raise InputError(f"{path.name}: the folder holds no copy that can be read ({_kinds()})")
        return found
    if not path.exists():
        raise InputError(f"{path}: there is no such file; check the path")
    if _ending(path) is None:
        raise InputError(f"{path.name}: this kind of file cannot be read as copy; give one of {_kinds()}")
    return [path]


def _read_file(path: Path, choice: ListingChoice) -> list[CopyBlock]:
    ending = _ending(path) or ""
    try:
        document = DOCUMENT_READERS.get(ending)
        blocks = document(path) if document else LISTING_READERS[ending](path, choice)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path.name}: cannot be read ({type(error).__name__}); copy or save it again") from None
    if not blocks:
        raise InputError(
            f"{path.name}: holds no copy; give a page, document or table with the words that customers read"
        )
    return blocks


def _ending(path: Path) -> str | None:
    """Return the ending that decides how a file is read, or None when it is unknown."""
    name = path.name.lower()
    return next((ending for ending in COPY_READERS if name.endswith(ending)), None)


def _kinds() -> str:
    return " ".join(COPY_READERS)
