"""What the readers of marketing copy share: cleaned text, joined lines, blocks, limits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from gapnlp.errors import InputError
from gapnlp.records.promises import CopyBlock

# A brochure of 500 pages is about a million characters; what is longer is no copy.
MAX_TEXT_BYTES = 2_000_000
MAX_HTML_BYTES = 10_000_000
MAX_PACKED_BYTES = 50_000_000
MAX_UNPACKED_BYTES = 200_000_000
MAX_ARCHIVE_FILES = 5_000

# White space that ends a line; a non-breaking space or an ideographic one does not.
LINE_BREAK = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
BULLET = re.compile(
    r"\s*(?:[-*+–—•·∙●○◦▪▫■□◆◇►▸➢➤‣⁃✓✔☑★✦\uf0b7\uf0a7\uf0fc\x7f]\s+|[•●○◦▪■◆►▸➢➤‣✓✔☑\uf0b7]|\(?\d{1,2}[.)]\s+|\(?\d{1,2}、)(?=\S)"
)
LONE_BULLET = re.compile(r"\s*[-*+–—•·∙●○◦▪▫■□◆◇►▸➢➤‣⁃✓✔☑★✦\uf0b7\uf0a7\uf0fc\x7f]\s*")
# The end of a sentence, perhaps within quotation marks or brackets.
SENTENCE_END = re.compile(r"[.!?…。！？｡:：;；][\"')\]}”’»」』）】]*$")

# Invisible marks that would split a word for whoever searches it: soft hyphens, zero-width and direction marks.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_CJK = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff“”‘’…—]")
_WORD = re.compile(r"[^\W_]")


def clean_text(text: str) -> str:
    """Collapse white space, drop invisible marks, compose letters (NFC); nothing visible is lost."""
    return unicodedata.normalize("NFC", " ".join(_CONTROL.sub(" ", _INVISIBLE.sub("", text)).split()))


def join_lines(lines: Iterable[str]) -> str:
    """Join lines that a program wrapped: by a space, but by nothing between two Chinese characters."""
    return reduce(_join, (line.strip() for line in lines if line.strip()), "")


def _join(before: str, after: str) -> str:
    tight = before and _CJK.match(before[-1]) and _CJK.match(after[0])
    return before + after if tight or not before else f"{before} {after}"


def split_lines(text: str) -> list[str]:
    """Cut text at every line break."""
    return LINE_BREAK.split(text)


def make_blocks(text: str, kind: str, source: str) -> Iterator[CopyBlock]:
    """Yield one block for every line of `text` that holds a letter or digit."""
    for line in split_lines(text):
        clean = clean_text(line)
        if _WORD.search(clean):
            yield CopyBlock(clean, kind, source)


def check_size(path: Path, limit: int) -> None:
    """Refuse a file that is missing or larger than `limit` bytes."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError(
            f"{path.name}: cannot be read ({error.strerror}); check the path and its permissions"
        ) from None
    if size > limit:
        raise InputError(
            f"{path.name}: has {size / 1e6:.1f} MB, and at most {limit / 1e6:g} MB are read of this kind of file; "
            "give the copy alone, or in several files"
        )


def check_archive(path: Path) -> None:
    """Refuse a ZIP-based document that is damaged or would unpack to more than MAX_UNPACKED_BYTES.

    Sizes are those that the archive declares; the standard library never unpacks more than was declared.
    """
    check_size(path, MAX_PACKED_BYTES)
    try:
        with ZipFile(path) as archive:
            sizes = [entry.file_size for entry in archive.infolist()]
    except (BadZipFile, OSError, ValueError, NotImplementedError):
        kind = path.suffix.lower().lstrip(".").upper()
        raise InputError(
            f"{path.name}: is damaged, protected by a password or no {kind} file; save it again without a password"
        ) from None
    if sum(sizes) > MAX_UNPACKED_BYTES or len(sizes) > MAX_ARCHIVE_FILES:
        raise InputError(
            f"{path.name}: would unpack to {sum(sizes) / 1e6:.0f} MB in {len(sizes)} parts, and at most "
            f"{MAX_UNPACKED_BYTES / 1e6:g} MB in {MAX_ARCHIVE_FILES} are read; give the copy alone"
        )


def is_sentence(text: str) -> bool:
    """Tell whether a line ends as a statement does: headings and questions that head an answer do not."""
    return bool(SENTENCE_END.search(text)) and not re.search(r"[?？:：;；][\"')\]}”’»」』）】]*$", text)


def is_cjk(character: str) -> bool:
    """Tell whether a character is Chinese, or a mark set in Chinese type."""
    return bool(_CJK.match(character))


def width(line: str) -> int:
    """Count the columns that a line takes on paper: Chinese characters take two."""
    return sum(2 if is_cjk(character) else 1 for character in line)


def longest(lines: Sequence[str]) -> int:
    """Count the columns of the longest line, 0 when there is none."""
    return max((width(line) for line in lines), default=0)
