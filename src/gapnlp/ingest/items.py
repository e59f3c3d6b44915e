"""One row -> one Feedback, or one Failure that says why not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isnan

from gapnlp.ingest.dates import DateRule
from gapnlp.ingest.layout import Row
from gapnlp.ingest.ratings import RatingRule
from gapnlp.records.feedback import Failure, Feedback, Part, Source

# Nobody writes a review of so many characters (about 3,000 words); such a cell is a log, a dump or several rows in one.
MAX_TEXT_CHARS = 20_000
# What programs write for "no text".
NO_TEXT = frozenset(("nan", "null", "none", "#n/a", "\\n"))
# An invisible text is shorter than this: longer ones are not checked character by character.
INVISIBLE_CHARS = 100
# The order of an item's parts; "text" columns give the body.
PART_ROLES = {"title": "title", "text": "body", "positive": "positive", "negative": "negative"}

LANGUAGE_NAMES = {
    **{
        "english": "en",
        "polish": "pl",
        "chinese": "zh",
        "german": "de",
        "french": "fr",
        "spanish": "es",
        "italian": "it",
    },
    **{
        "angielski": "en",
        "polski": "pl",
        "chiński": "zh",
        "niemiecki": "de",
        "english (us)": "en",
        "english (uk)": "en",
    },
    **{
        "中文": "zh",
        "简体中文": "zh",
        "繁體中文": "zh",
        "汉语": "zh",
        "英语": "en",
        "英語": "en",
        "英文": "en",
        "cn": "zh",
    },
    **{"波兰语": "pl", "波蘭語": "pl"},
}
_LANGUAGE = re.compile(r"([a-z]{2})(?:[-_][a-z0-9]+)*")
_DAMAGED = re.compile("[\x00\ud800-\udfff\ufffd]")


@dataclass(frozen=True, slots=True)
class ItemPlan:
    """Where in a row each role's cell stands, and how its values are read.

    texts: (cell, part role) in the order of the parts. scope: items with the same id are one item within it.
    """

    file: str
    scope: str
    texts: tuple[tuple[int, str], ...]
    dates: DateRule
    ratings: RatingRule
    id: int | None = None
    link: int | None = None
    date: int | None = None
    rating: int | None = None
    language: int | None = None
    group: int | None = None


def build_item(row: Row, plan: ItemPlan) -> Feedback | Failure:
    """Make a row's item. Reasons and notices may quote a date or a rating, never the text."""
    source = Source(plan.file, row.number)
    if row.problem is not None:
        return Failure(source, "failed", row.problem)
    cells = row.cells
    own_id = _own_id(cells, plan)
    notices = [row.notice] if row.notice else []
    text, parts = _join_parts([(role, _clean(cells[at], notices)) for at, role in plan.texts])
    if not text:
        return Failure(source, "empty", "no text", own_id)
    if len(text) > MAX_TEXT_CHARS:
        reason = f"its text has {len(text):,} characters; at most {MAX_TEXT_CHARS:,} are read"
        return Failure(source, "failed", reason, own_id)
    day = rating = satisfaction = None
    if plan.date is not None:
        day, notice = plan.dates.read(cells[plan.date])
        if notice:
            notices.append(notice)
    if plan.rating is not None:
        rating, satisfaction, notice = plan.ratings.read(cells[plan.rating])
        if notice:
            notices.append(notice)
    return Feedback(
        own_id or made_id(source),
        text,
        source,
        parts,
        day,
        rating,
        satisfaction,
        None if plan.language is None else read_language(cells[plan.language]),
        None if plan.group is None else plain_text(cells[plan.group]).strip() or None,
        tuple(notices),
    )


def made_id(source: Source) -> str:
    """Make the id of an item whose export gives none."""
    return f"{source.file}:{source.row}"


def plain_text(value: object) -> str:
    """Write a cell as text: whole numbers without ".0", dates in ISO form, nothing for empty cells."""
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return str(value)


def read_language(value: object) -> str | None:
    """Read an export's claim: "en-US", "PL", "polski", "zh_TW" -> ISO 639-1; None when it names no language."""
    text = plain_text(value).strip().casefold()
    if text in LANGUAGE_NAMES:
        return LANGUAGE_NAMES[text]
    found = _LANGUAGE.fullmatch(text)
    return found[1] if found else None


def _own_id(cells: Sequence[object], plan: ItemPlan) -> str | None:
    """Find the export's own id, or the item's link where it has none."""
    for at in (plan.id, plan.link):
        if at is not None:
            found = plain_text(cells[at]).strip()
            if found:
                return found
    return None


def _clean(value: object, notices: list[str]) -> str:
    """Trim a text, use line feeds alone, and replace what no database or file can hold, with a notice."""
    text = plain_text(value).strip()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _DAMAGED.search(text):
        text = _without_damage(text, notices).strip()
    if text.casefold() in NO_TEXT or (len(text) < INVISIBLE_CHARS and _is_invisible(text)):
        return ""
    return text


def _without_damage(text: str, notices: list[str]) -> str:
    """Put a space for NUL and U+FFFD for half characters; say what the row holds."""
    if "\x00" in text:
        notices.append("NUL characters in the text were replaced by spaces")
        text = text.replace("\x00", " ")
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if "\ufffd" in text:
        notices.append("characters of the text are lost: its bytes do not fit the file's encoding (shown as U+FFFD)")
    return text


def _is_invisible(text: str) -> bool:
    """Tell whether a text holds nothing that can be seen: spaces, zero-width and control characters."""
    return not text[:1].isalnum() and all(c.isspace() or unicodedata.category(c) in ("Cf", "Cc") for c in text)


def _join_parts(texts: list[tuple[str, str]]) -> tuple[str, tuple[Part, ...]]:
    """Join an item's texts by line feeds and say where each stands."""
    if len(texts) > 1:
        texts = _without_repeats([pair for pair in texts if pair[1]])
    if len(texts) == 1:
        role, text = texts[0]
        return text, (Part(role, 0, len(text)),)
    parts = []
    start = 0
    for role, text in texts:
        parts.append(Part(role, start, start + len(text)))
        start += len(text) + 1
    return "\n".join(text for _, text in texts), tuple(parts)


def _without_repeats(texts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Leave out a title or body that repeats the beginning of a body: a ticket's subject is often its first words."""
    kept = list(texts)
    for pair in texts:
        if pair[0] in ("title", "body") and _repeats(pair, kept):
            kept.remove(pair)
    return kept


def _repeats(pair: tuple[str, str], kept: list[tuple[str, str]]) -> bool:
    return any(other is not pair and other[0] == "body" and starts_with(other[1], pair[1]) for other in kept)


def starts_with(body: str, beginning: str) -> bool:
    """Tell whether a body starts so; the beginning may end in an ellipsis, runs of white space count as one space."""
    cut = beginning.removesuffix("…").removesuffix("...").rstrip()
    if body.startswith(cut):
        return True
    words = " ".join(cut.split())
    return " ".join(body.split()[: words.count(" ") + 1]).startswith(words)
