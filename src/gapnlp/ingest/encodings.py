"""Which encoding a text file has: byte order marks, UTF-8 by decoding, older encodings by the letters they give."""

from __future__ import annotations

import codecs
import gzip
import io
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from charset_normalizer import from_bytes

# How much of a file its encoding and delimiter are told from.
SNIFF_BYTES = 262_144
# The library gets less: its time grows fast and its answer does not change.
LIBRARY_BYTES = 65_536
# UTF-8 with a few foreign bytes is still UTF-8: at most this many bad sequences for each good one.
BAD_PER_GOOD = 0.1
# Share of NUL bytes above which a file may be UTF-16 without a mark.
NUL_SHARE = 0.003
# Share of the non-ASCII characters that must be expected letters for an older encoding to be believed.
PLAUSIBLE = 0.5

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_TYPOGRAPHY = frozenset("„”“’‘–—…«»•€§°\xa0·×®©")
_POLISH = frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻ") | _TYPOGRAPHY
_WESTERN = frozenset("àâäáãåæçèéêëìíîïñòóôöõøùúûüÿßÀÂÄÁÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÖÕØÙÚÛÜœŒ¿¡£") | _TYPOGRAPHY


def open_binary(path: Path) -> BinaryIO:
    """Open a file's bytes, unpacked when it ends in .gz."""
    return cast(BinaryIO, gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb"))


def open_text(path: Path, encoding: str) -> TextIO:
    """Open a file as text with its own line ends; bytes that do not decode become U+FFFD (see items.build_item)."""
    stream = open_binary(path)
    stream.seek(_mark_length(stream.read(4), encoding))
    return io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")


def _mark_length(start: bytes, encoding: str) -> int:
    """Count the bytes of the byte order mark that a file starts with; "utf-8-sig" drops its own."""
    return next((len(mark) for mark, name in BYTE_ORDER_MARKS[1:] if name == encoding and start.startswith(mark)), 0)


def read_evidence(path: Path) -> bytes:
    """Read the first SNIFF_BYTES, or the first part that is not ASCII when those are plain ASCII.

    An English-looking beginning says nothing about the letters that come later. Memory stays flat.
    """
    with open_binary(path) as stream:
        head = stream.read(SNIFF_BYTES)
        if not head.isascii() or _utf16_guess(head):
            return head
        while chunk := stream.read(SNIFF_BYTES):
            if not chunk.isascii():
                return chunk
    return head


def detect_encoding(sample: bytes) -> str | None:
    """Name the codec of a sample's file, or None when no encoding gives plausible text.

    A sample may end inside a character. Order: byte order mark, UTF-16 without one, UTF-8 (also with a few bad
    bytes), LEGACY judged by the letters they decode to, then charset-normalizer.
    """
    for mark, name in BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return name
    guess = _utf16_guess(sample)
    if guess:
        return guess
    return "utf-8" if _is_utf8(sample) else _legacy(sample)


def decode_sample(sample: bytes, encoding: str) -> str:
    """Decode bytes that may end inside a character; bad bytes become U+FFFD."""
    return codecs.getincrementaldecoder(encoding)("replace").decode(sample, False)


def _is_utf8(sample: bytes) -> bool:
    """Tell whether the sample is UTF-8, allowing a few bytes of another encoding among many good characters."""
    decoded = decode_sample(sample, "utf-8")
    bad = decoded.count("\ufffd")
    good = sum(1 for character in decoded if character > "\x7f") - bad
    return bad <= good * BAD_PER_GOOD


def _utf16_guess(sample: bytes) -> str | None:
    """Tell UTF-16 without a mark by its line ends, spaces, delimiters and digits, each with a NUL beside it.

    Letters would mislead: 一, read in the wrong byte order, is an N.
    """
    even = sample[: len(sample) // 2 * 2]
    if not even or even.count(0) < len(even) * NUL_SHARE:
        return None
    counts = {
        name: sum(
            not high and low in _TABLE_BYTES for high, low in zip(even[high_at::2], even[1 - high_at :: 2], strict=True)
        )
        for name, high_at in (("utf-16-le", 1), ("utf-16-be", 0))
    }
    best, other = sorted(counts, key=lambda name: -counts[name])
    has_lines = any(end.encode(best) in even for end in "\r\n")
    return best if has_lines and counts[best] > 2 * counts[other] else None


def _legacy(sample: bytes) -> str | None:
    """Choose among older encodings: the one of LEGACY that gives most expected letters, else what the library says.

    The library alone takes short Polish texts for Western or Macintosh ones, so the letters have the first word.
    """
    scores = {name: _plausibility(sample, name) for name in LEGACY}
    best = max(LEGACY, key=lambda name: scores[name])
    if scores[best] >= PLAUSIBLE:
        return best
    found = from_bytes(sample[:LIBRARY_BYTES]).best()
    return found.encoding if found is not None else None


def _plausibility(sample: bytes, encoding: str) -> float:
    """Share of the non-ASCII characters that are expected letters of the encoding, in [0, 1]; bad bytes count twice."""
    decoded = decode_sample(sample, encoding)
    counts = _count_foreign(decoded)
    bad = counts.pop("\ufffd", 0)
    expected = LEGACY[encoding]
    believed = _count_foreign(_ALONE.sub(" ", _LONG_RUN.sub(" ", decoded))) if encoding in LATIN else counts
    good = sum(number for character, number in believed.items() if expected(character))
    return good / max(1, sum(counts.values()) + 2 * bad)


def _count_foreign(text: str) -> Counter[str]:
    """Count the characters beyond ASCII, without emoji and the like."""
    return Counter(character for character in text if "\x7f" < character <= "\uffff")


def _is_common_gb(character: str) -> bool:
    """Tell whether a character is common in either script: GB 18030 holds traditional texts too.

    Common are punctuation and GB 2312's 3,755 first-level characters, and what _is_common_big5 says.
    """
    return _lead_byte(character, "gb2312") in _GB_COMMON or _is_common_big5(character)


def _is_common_big5(character: str) -> bool:
    """Tell whether a character is punctuation or one of Big5's 5,401 frequent characters."""
    return _lead_byte(character, "big5") in _BIG5_COMMON


_TABLE_BYTES = frozenset(b'\n\r\t ,;|"123456789')

# Latin letters stand in words between others: Chinese read as Latin gives long runs of foreign characters, "£5" read
# in the wrong Latin encoding gives a letter standing alone.
LATIN = ("cp1250", "iso8859-2", "cp1252")
_LONG_RUN = re.compile(r"[^\x00-\x7f]{4,}")
_ALONE = re.compile(r"(?<![^\W\d_])[^\W\d_](?![^\W\d_])")

_GB_COMMON = frozenset((*range(0xA1, 0xA4), *range(0xB0, 0xD8)))
_BIG5_COMMON = frozenset((*range(0xA1, 0xA4), *range(0xA4, 0xC7)))


def _lead_byte(character: str, encoding: str) -> int:
    try:
        return character.encode(encoding)[0]
    except UnicodeEncodeError:
        return 0


# Older encodings -> which characters they should give. cp950 and big5hkscs extend Big5; on a tie the first wins.
LEGACY: dict[str, Callable[[str], bool]] = {
    "cp1250": _POLISH.__contains__,
    "iso8859-2": _POLISH.__contains__,
    "cp1252": _WESTERN.__contains__,
    "gb18030": _is_common_gb,
    "big5": _is_common_big5,
    "cp950": _is_common_big5,
    "big5hkscs": _is_common_big5,
}
