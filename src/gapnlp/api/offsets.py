"""Offsets in the unit that the caller counts in."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from gapnlp.api.schemas import OffsetUnit
from gapnlp.records.analysis import Span


class Offsets:
    """Turns code points of one text into the caller's unit.

    base: the code point that counts as 0. UTF-16 counts two for each character beyond the basic plane (emoji, rare
    Chinese characters), as JavaScript, Java and C# do.
    """

    def __init__(self, text: str, unit: OffsetUnit, base: int = 0) -> None:
        self._base = base
        wide = unit == "utf16" and not text.isascii()
        self._wide = [base + i for i, letter in enumerate(text) if ord(letter) > 0xFFFF] if wide else []

    def at(self, place: int) -> int:
        """Convert one offset."""
        return place - self._base + bisect_left(self._wide, place)

    def spots(self, spans: Iterable[Span]) -> list[dict[str, int]]:
        """Convert spans (see schemas.Spot)."""
        return [{"start": self.at(s.start), "end": self.at(s.end)} for s in spans]
