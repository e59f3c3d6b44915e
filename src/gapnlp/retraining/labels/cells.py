"""What stands in a cell of labels: one name, several, a list, or a yes, no or polarity."""

from __future__ import annotations

import ast
import json
import unicodedata
from collections.abc import Iterable, Sequence

from gapnlp.ingest.items import NO_TEXT, plain_text
from gapnlp.retraining.labels.named import RecordProblem

MOST_CHARACTERS = 200
# A label nested as Label Studio writes it.
CHOICES = "choices"
# Separators that hardly any label's own name holds, and those that some do.
RARE_SEPARATORS = ("|", ";", "；", "\n")
COMMON_SEPARATORS = ("#", ",", "，", "、")

YES = frozenset("1 yes y true t x ✓ ✔ tak t prawda 是 有 对 對 √".split())
NO = frozenset("0 no n false f - nie fałsz 否 无 無 没有 不是".split())
POLARITY = {
    **dict.fromkeys("neg negative minus negatywny negatywna negatywne 负 負 负面 負面 -1 −1".split(), "neg"),
    **dict.fromkeys("neu neutral mixed neutralny neutralna neutralne 中 中性".split(), "neu"),
    **dict.fromkeys("pos positive plus pozytywny pozytywna pozytywne 正 正面 +1".split(), "pos"),
}
POLARITIES = ("neg", "neu", "pos")


def clean_name(value: object) -> str:
    """Write a label's name: composed characters, single spaces, "3" for 3.0. Raises RecordProblem when too long."""
    text = plain_text(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    name = " ".join("".join(c if c.isprintable() else " " for c in unicodedata.normalize("NFC", text)).split())
    if len(name) > MOST_CHARACTERS:
        raise RecordProblem(f"a label has {len(name):,} characters; at most {MOST_CHARACTERS} are read")
    return "" if name.casefold() in NO_TEXT else name


def clean_names(values: Iterable[object]) -> tuple[str, ...]:
    """Write several labels' names, each once, without empty ones."""
    return tuple(dict.fromkeys(name for value in values if (name := clean_name(value))))


def read_names(value: object, separator: str | None) -> tuple[str, ...] | None:
    """Read a cell's labels; None when it is empty, which a list without entries is not.

    separator: between labels, None for one label a cell; lists are read as lists whatever it is.
    """
    listed = as_list(value)
    if listed is not None:
        return clean_names(listed)
    text = plain_text(value).strip()
    names = clean_names(text.split(separator) if separator else [text])
    return names or None


def as_list(value: object) -> Sequence[object] | None:
    """Return the list that a cell is, or is the writing of: JSON, Python, {"choices": [...]}."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        value = _parsed(value.strip())
    if isinstance(value, dict) and isinstance(value.get(CHOICES), list):
        value = value[CHOICES]
    if not isinstance(value, list):
        return None
    if any(isinstance(entry, (dict, list)) for entry in value):
        raise RecordProblem("its labels mark parts of the text; export labels of whole texts or sentences")
    return value


def find_separator(cells: Sequence[object]) -> str | None:
    """Find what parts labels within these cells, or None where each holds one.

    A comma may be part of a name: it parts labels only where splitting leaves fewer names than there were cells.
    """
    texts = {text for cell in cells if isinstance(cell, str) and (text := cell.strip()) and text[0] not in "[{"}
    for separator in RARE_SEPARATORS:
        if any(separator in text for text in texts):
            return separator
    for separator in COMMON_SEPARATORS:
        pieces = {piece.strip() for text in texts for piece in text.split(separator)}
        if len(pieces) < len(texts):
            return separator
    return None


def read_flag(value: object) -> str | None:
    """Read a cell of a column that is a label: "yes", "no", a polarity, or None when it is empty.

    Raises RecordProblem for anything else.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    word = plain_text(value).strip().casefold()
    if not word or word in NO_TEXT:
        return None
    if word in YES:
        return "yes"
    if word in NO:
        return "no"
    if word not in POLARITY:
        raise RecordProblem("a column of yes or no holds something else")
    return POLARITY[word]


def are_flags(cells: Sequence[object]) -> bool:
    """Tell whether all filled cells are yes, no or a polarity."""
    try:
        flags = [read_flag(cell) for cell in cells]
    except RecordProblem:
        return False
    return any(flag is not None for flag in flags)


def have_polarities(cells: Sequence[object]) -> bool:
    """Tell whether some of a column's flags are polarities."""
    return any(read_flag(cell) in POLARITIES for cell in cells)


def _parsed(text: str) -> object:
    """Parse a cell that looks like a list: as JSON, else as Python's writing of literals."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
