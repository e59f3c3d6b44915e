"""Which causes does a segment speak of? Cue patterns of the taxonomy, matched with spaCy.

A few thousand patterns tried at every word would be slow, so each text first loses what no pattern asks for: words
become one of a closed set of forms, only patterns all of whose slots are present are tried, and the store of strings
cannot grow with the texts seen. Positions are not kept: the answer is cause keys, so texts may be folded freely.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import spacy
from spacy.matcher import Matcher
from spacy.tokens import Doc

from gapnlp.taxonomy.catalogue import CueSet, load_cues, load_structure
from gapnlp.text.cue_patterns import Element, Gap, Guard, Slot, Variant, parse_pattern

# Forms that stand for what they are not spelled like. Only BOUNDARY is punctuation to spaCy: gaps stop there.
START, BOUNDARY, UNKNOWN, NUMBER, STAR, TAIL = "▷", ".", "□", "0", "☆", "…"
GUARDED = 2  # units before a match that a guard looks at
GAP_UNITS = {"en": 4, "pl": 4, "zh": 6}
_CACHED_WORDS = 65_536
_CACHED_MATCHERS = 16_384
_NOTHING: frozenset[int] = frozenset()

_NUMBER_WORDS = {
    "en": frozenset("two three four five six seven eight nine ten twelve fifteen twenty thirty".split()),
    "pl": frozenset(
        "dwa dwie trzy cztery piec szesc siedem osiem dziewiec dziesiec dwoch trzech czterech pieciu".split()
    ),
    "zh": frozenset("两二三四五六七八九十几"),
}
_STARS = re.compile(r"(?<=\d)\s*\*+|\*{3,}|[★⭐☆]+")
_SIGNS = re.compile(r"[#*]")  # letters of the pattern language, not of a text
_WORDS = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+\*?|[☆#]|[.!?;:…]+")
_CHARACTERS = re.compile(
    r"[\d两二三四五六七八九十几]+(?:[.:]\d+)*|[a-z]+\*?|[\u3400-\u9fff]|[☆#]|[.!?;:,，。！？；：、…~～]+"
)
# "can't", "cant" and "can not" are one to a pattern.
_NEGATED = re.compile(
    r"\b(?:(ca)n'?t|(wo)n'?t|(do|does|did|is|was|are|were|have|has|had|would|could|should)n'?t|cannot)\b"
)
_NEGATED_FULL = {"ca": "can not", "wo": "will not"}


def fold_text(text: str, language: str) -> str:
    """Bring a text to the form in which patterns are written: small letters, no diacritics, n't as "not".

    language: "en", "pl" or "zh". Chinese is expected in simplified characters.
    """
    plain = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).replace("ł", "l")
    plain = _STARS.sub(f" {STAR} ", plain)
    return _NEGATED.sub(_spell_out, plain) if language == "en" else plain


def _spell_out(match: re.Match[str]) -> str:
    stem = match[1] or match[2] or match[3]
    return _NEGATED_FULL.get(stem, f"{stem} not") if stem else "can not"


def split_units(text: str, language: str) -> list[str]:
    """Cut a text into what one slot of a pattern matches: words, or Chinese characters; numbers and sentence ends.

    language: "en", "pl" or "zh".
    """
    return _cut(_SIGNS.sub(" ", fold_text(text, language)), language)


def split_pattern_units(text: str, language: str) -> list[str]:
    """Cut a stretch of pattern in the same way, where `word*` is a prefix and `#` a number."""
    return _cut(fold_text(text, language), language)


def _cut(folded: str, language: str) -> list[str]:
    numbers = _NUMBER_WORDS[language]
    return [_unit(u, numbers) for u in (_CHARACTERS if language == "zh" else _WORDS).findall(folded)]


def _unit(unit: str, numbers: frozenset[str]) -> str:
    if unit == "#" or unit[0].isdigit() or unit in numbers or unit[0] in numbers:
        return NUMBER
    return unit if unit[0].isalpha() or unit == STAR else BOUNDARY


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One reading of a pattern: the cause it speaks of, its elements, and its slots by number."""

    cause: str
    variant: Variant
    order: tuple[int, ...]
    needs: frozenset[int]


class _Forms:
    """The closed set of forms that words are reduced to: options as written, prefixes, and "anything else"."""

    def __init__(self, options: Iterable[str]) -> None:
        every = frozenset(options)
        self.exact = frozenset(o for o in every if not o.endswith("*"))
        self.prefixes = frozenset(o[:-1] for o in every if o.endswith("*"))
        self._longest = max(map(len, self.prefixes), default=0)
        self.reduce = lru_cache(maxsize=_CACHED_WORDS)(self._reduce)

    def _reduce(self, unit: str) -> str:
        """Choose a form that the same options match as the unit itself."""
        if unit in self.exact or unit == BOUNDARY:
            return unit
        for length in range(min(len(unit), self._longest), 0, -1):
            if unit[:length] in self.prefixes:
                return unit[:length] + TAIL
        return UNKNOWN

    def matching(self, options: frozenset[str]) -> list[str]:
        """Every form that one of the options matches, in a fixed order."""
        prefixes = tuple(o[:-1] for o in options if o.endswith("*"))
        forms = [f for f in self.exact if f in options or f.startswith(prefixes)] if prefixes else list(options)
        forms += [p + TAIL for p in self.prefixes if p.startswith(prefixes)] if prefixes else []
        return sorted(set(forms))


class CueMatcher:
    """Finds the causes that segments of one language speak of; build once, use from one thread at a time."""

    def __init__(self, language: str, *, cues: Mapping[str, CueSet] | None = None) -> None:
        """Compile the taxonomy's cues, or those given.

        language: "en", "pl" or "zh". cues: cause -> its cues.
        Raises InputError for another language, ValueError for a pattern that cannot be read.
        """
        self.language = language
        chosen = load_cues(language) if cues is None else cues
        units = partial(split_pattern_units, language=language)
        variants = [(c, v) for c, cue in chosen.items() for p in cue.patterns for v in parse_pattern(p, units)]
        self._order = {c: i for i, c in enumerate([*load_structure().causes, *chosen])}
        self._forms = _Forms(o for _, v in variants for o in _options(v))
        self._vocab = spacy.blank(language).vocab
        numbers = _numbered(e for _, v in variants for e in v)
        self._patterns = [_pattern(c, v, numbers) for c, v in variants]
        self._matcher = lru_cache(maxsize=_CACHED_MATCHERS)(self._build_matcher)
        self._by_slot = _index(self._patterns)
        self._slots_of = self._slots_by_form(numbers)

    def match(self, texts: Sequence[str]) -> list[tuple[str, ...]]:
        """Cause keys whose cues each text holds, in the taxonomy's order; empty where there are none."""
        return [self._causes_in(text) for text in texts]

    def _build_matcher(self, number: int) -> Matcher:
        """Make the spaCy matcher of one reading, when a text first asks for it: most are never needed."""
        pattern = self._patterns[number]
        matcher = Matcher(self._vocab, validate=False)
        matcher.add(pattern.cause, [[spec for e in pattern.variant for spec in self._specs(e)]])
        return matcher

    def _specs(self, element: Element) -> list[dict[str, Any]]:
        """One element of a pattern as spaCy token patterns."""
        if isinstance(element, Gap):
            return [{"IS_PUNCT": False, "OP": f"{{0,{GAP_UNITS[self.language]}}}"}]
        forms = self._forms.matching(element.options)
        if isinstance(element, Guard):
            return [{"ORTH": {"NOT_IN": forms}}] * GUARDED
        return [{"ORTH": forms[0]} if len(forms) == 1 else {"ORTH": {"IN": forms}}]

    def _slots_by_form(self, numbers: Mapping[Slot, int]) -> Mapping[str, frozenset[int]]:
        found: defaultdict[str, set[int]] = defaultdict(set)
        for slot, number in numbers.items():
            for form in self._forms.matching(slot.options):
                found[form].add(number)
        return {form: frozenset(slots) for form, slots in found.items()}

    def _causes_in(self, text: str) -> tuple[str, ...]:
        forms = [self._forms.reduce(unit) for unit in split_units(text, self.language)]
        slots = [self._slots_of.get(form, _NOTHING) for form in forms]
        doc: Doc | None = None
        found: set[str] = set()
        for number in sorted(self._candidates(slots)):
            pattern = self._patterns[number]
            if pattern.cause in found or not _in_order(pattern.order, slots):
                continue
            doc = doc or Doc(self._vocab, words=[START] * GUARDED + forms)
            if self._matcher(number)(doc):
                found.add(pattern.cause)
        return tuple(sorted(found, key=self._order.__getitem__))

    def _candidates(self, slots: Sequence[frozenset[int]]) -> set[int]:
        """Numbers of the patterns all of whose slots are somewhere in the text."""
        present = _NOTHING.union(*slots)
        return {n for slot in present for n, needs in self._by_slot.get(slot, ()) if needs <= present}


def _in_order(wanted: Sequence[int], slots: Sequence[frozenset[int]]) -> bool:
    """Whether the wanted slots come one after the other, however far apart: cheaper than to run the matcher."""
    places = iter(slots)
    return all(any(slot in here for here in places) for slot in wanted)


def _options(variant: Variant) -> Iterable[str]:
    return (o for e in variant if not isinstance(e, Gap) for o in e.options)


def _numbered(elements: Iterable[Element]) -> dict[Slot, int]:
    """Give each distinct slot a number: sets of numbers are compared much faster than sets of slots."""
    numbers: dict[Slot, int] = {}
    for element in elements:
        if isinstance(element, Slot):
            numbers.setdefault(element, len(numbers))
    return numbers


def _pattern(cause: str, variant: Variant, numbers: Mapping[Slot, int]) -> _Pattern:
    order = tuple(numbers[e] for e in variant if isinstance(e, Slot))
    return _Pattern(cause, variant, order, frozenset(order))


def _index(patterns: Sequence[_Pattern]) -> Mapping[int, list[tuple[int, frozenset[int]]]]:
    """Each pattern under the slot that fewest patterns share: there a text's candidates are looked up."""
    uses = Counter(slot for pattern in patterns for slot in pattern.needs)
    index: defaultdict[int, list[tuple[int, frozenset[int]]]] = defaultdict(list)
    for number, pattern in enumerate(patterns):
        rarest = min(pattern.needs, key=lambda slot: (uses[slot], slot))
        index[rarest].append((number, pattern.needs))
    return dict(index)
