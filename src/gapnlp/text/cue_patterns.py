"""The little language that cues are written in: from `refund* ... late` to sequences of slots, gaps and guards.

Words (English, Polish)                     Characters (Chinese)
    late            that word, any case         退款       those characters in a row
    refund*         any word beginning so       -
    late|slow*      one of these words          [慢|久]    one of these
    [not ok|bad]    one of these phrases        [没|没有]  one of these strings
    (very)          may be there or not         (很)       may be there or not
    ...             up to 4 words between       ...        up to 6 characters between
    #               a number                    #          a number, in figures or in characters
    ☆               a star sign, as in "5*"     ☆          the same
    !not|never      first only: none of these   ![不|没]   first only: none of these among the
                    among the two words before             two characters before
A gap never reaches over the end of a sentence, in Chinese not over a comma either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product

MAX_VARIANTS = 1000

# Text to the units that slots speak about; a star at the end marks a prefix.
Units = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Slot:
    """One unit of text that must be there: any of these options (`word`, or `word*` for a prefix)."""

    options: frozenset[str]


@dataclass(frozen=True, slots=True)
class Gap:
    """Any units, as many as the language allows, none included."""


@dataclass(frozen=True, slots=True)
class Guard:
    """None of these options may stand among the two units before."""

    options: frozenset[str]


Element = Slot | Gap | Guard
Variant = tuple[Element, ...]

_LEXEMES = re.compile(r"\.\.\.|[()\[\]|!]|[^\s()\[\]|!.]+|\S")


def parse_pattern(pattern: str, units: Units) -> tuple[Variant, ...]:
    """Read one pattern into its variants (every choice of alternatives and optional parts written out).

    units: cuts a stretch of pattern into the same units as texts are cut into; keeps a final `*`.
    Raises ValueError, naming the pattern, when brackets do not close, a guard is not first, nothing is asked for,
    or there are more than MAX_VARIANTS variants.
    """
    parser = _Parser(pattern, _LEXEMES.findall(pattern), units)
    variants = tuple(_merged(v) for v in parser.read_all())
    for variant in variants:
        _check(pattern, variant)
    return variants


def _check(pattern: str, variant: Variant) -> None:
    if not any(isinstance(e, Slot) for e in variant):
        raise ValueError(
            f"cue pattern {pattern!r}: it asks for no word in one of its readings; every reading needs one"
        )
    if any(isinstance(e, Guard) for e in variant[1:]):
        raise ValueError(f"cue pattern {pattern!r}: a guard (!) may only stand first")
    if isinstance(variant[-1], Gap) or isinstance(variant[0], Gap):
        raise ValueError(f"cue pattern {pattern!r}: a gap (...) needs something on both sides")


def _merged(variant: Variant) -> Variant:
    """Two gaps in a row, left by an optional part between them, are one."""
    kept: list[Element] = []
    for element in variant:
        if not (isinstance(element, Gap) and kept and isinstance(kept[-1], Gap)):
            kept.append(element)
    return tuple(kept)


@dataclass(slots=True)
class _Parser:
    """Recursive descent over the lexemes of one pattern; `at` is the next lexeme."""

    pattern: str
    lexemes: list[str]
    units: Units
    at: int = 0

    def read_all(self) -> list[Variant]:
        variants = self._alternatives(depth=0)
        if self.at != len(self.lexemes):
            raise self._error(f"unexpected {self.lexemes[self.at]!r}")
        return variants

    def _error(self, what: str) -> ValueError:
        return ValueError(f"cue pattern {self.pattern!r}: {what}")

    def _peek(self) -> str:
        return self.lexemes[self.at] if self.at < len(self.lexemes) else ""

    def _alternatives(self, *, depth: int) -> list[Variant]:
        """Sequences apart by `|`; at the top, `|` ties words only and there is one sequence."""
        found = self._sequence(depth=depth)
        while depth and self._peek() == "|":
            self.at += 1
            found = found + self._sequence(depth=depth)
        return found

    def _sequence(self, *, depth: int) -> list[Variant]:
        parts: list[list[Variant]] = []
        while self._peek() not in ("", ")", "]") and not (depth and self._peek() == "|"):
            parts.append(self._part(depth=depth))
        variants = [tuple(e for piece in choice for e in piece) for choice in self._choices(parts)]
        return variants

    def _choices(self, parts: list[list[Variant]]) -> Iterator[tuple[Variant, ...]]:
        count = 1
        for part in parts:
            count *= len(part)
        if count > MAX_VARIANTS:
            raise self._error(f"{count} readings, more than {MAX_VARIANTS}; write it as several patterns")
        return product(*parts)

    def _part(self, *, depth: int) -> list[Variant]:
        lexeme = self._peek()
        self.at += 1
        if lexeme == "...":
            return [(Gap(),)]
        if lexeme == "[":
            return _as_slot(self._bracketed("]"))
        if lexeme == "(":
            return [*_as_slot(self._bracketed(")")), ()]
        if lexeme == "!":
            return [(self._guard(depth=depth),)]
        if lexeme == "|":
            raise self._error("'|' ties single words; put phrases in [ ]")
        return self._words(lexeme, depth=depth)

    def _bracketed(self, closing: str) -> list[Variant]:
        inner = self._alternatives(depth=1)
        if self._peek() != closing:
            raise self._error(f"{closing!r} is missing")
        self.at += 1
        return inner

    def _guard(self, *, depth: int) -> Guard:
        options: set[str] = set()
        for variant in self._part(depth=depth):
            if len(variant) != 1 or not isinstance(variant[0], Slot):
                raise self._error("a guard (!) takes single words or characters only")
            options |= variant[0].options
        return Guard(frozenset(options))

    def _words(self, lexeme: str, *, depth: int) -> list[Variant]:
        """Read a stretch of text; at the top, `a|b` makes one slot."""
        slots = tuple(Slot(frozenset({unit})) for unit in self.units(lexeme))
        if not slots:
            raise self._error(f"{lexeme!r} holds no word")
        while not depth and self._peek() == "|":
            self.at += 1
            others = self.units(self._peek())
            self.at += 1
            if len(slots) != 1 or len(others) != 1:
                raise self._error("'|' ties single words; put phrases in [ ]")
            slots = (replace(slots[0], options=slots[0].options | {others[0]}),)
        return [slots]


def _as_slot(variants: list[Variant]) -> list[Variant]:
    """Alternatives of one unit each are one slot: fewer variants to match."""
    single = [v[0] for v in variants if len(v) == 1 and isinstance(v[0], Slot)]
    options = frozenset(o for s in single if isinstance(s, Slot) for o in s.options)
    longer = [v for v in variants if not (len(v) == 1 and isinstance(v[0], Slot))]
    return [*longer, (Slot(options),)] if options else longer
