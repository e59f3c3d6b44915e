"""What a promise or a complaint is about: a lexicon of service subjects, read alike from copy and from customers.

Subjects (`delivery_time`, `noise` ...) stand under themes (`delivery`, `noise_comfort` ...). Each has cues in English,
Polish and Chinese of three kinds: a topic cue names the subject, a fault cue tells that it failed, a praise cue that it
was kept. So "shipped within 2 days" and "waited nine days for my parcel" meet in `delivery_time`.

Words (English, Polish)                               Characters (simplified Chinese)
    parcel      that word, any case or accents            快递         those characters in a row
    parcel*     any word beginning so                     -
    late|slow*  one of these words                        [慢|太慢]    one of these strings (may be empty)
    car_park|parking  a phrase among words            -
    #           a number, in figures or as a word         #            one character of a number
    ...         up to 4 words between                     ...          up to 6 characters between
A gap never reaches over the end of a sentence, in Chinese not over a comma either.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any, Protocol

from gapnlp.errors import InputError
from gapnlp.records.labels import DIMENSIONS, LANGUAGES

KINDS = ("topic", "fault", "praise")
WORD_GAP = 4
CHARACTER_GAP = 6

# A reader remembers what it knows of each spelling; texts with ever new words must not fill the memory.
_MAX_REMEMBERED = 100_000
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’ʼ][^\W\d_]+)*|[.!?;…\n]")
_APOSTROPHES = re.compile("['’ʼ]")
_ZH_PART = re.compile(r"\[([^\[\]]*)\]|([^\[\]]+)")
_ZH_NUMBER = str.maketrans(dict.fromkeys("0123456789０１２３４５６７８９零〇一二两三四五六七八九十百千几", "#"))
_ZH_STOPS = frozenset("，。！？；,.!?;…\n")


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that services promise and customers complain about.

    theme: its parent. dimension: the SERVQUAL dimension that it is judged under, of `DIMENSIONS`. description: a few
    English words for people who add cues.
    """

    key: str
    theme: str
    dimension: str
    description: str


@dataclass(frozen=True, slots=True)
class SubjectHit:
    """Where a text speaks of a subject: `text[start:end]` in code points. kind: one of KINDS."""

    subject: str
    theme: str
    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CueLists:
    """The cues of one language: (subject, kind) -> cues. ignored: phrases whose words are no cue ("in order to")."""

    cues: Mapping[tuple[str, str], tuple[str, ...]]
    ignored: tuple[str, ...]
    numbers: frozenset[str]


# One word of a cue: whether a gap may stand before it, and its options ("late", or "late*" for a prefix).
WordStep = tuple[bool, tuple[str, ...]]
# One cue as found: (subject, kind), or None for an ignored phrase, and its span.
Label = tuple[str, str] | None
Found = tuple[Label, int, int]


class CueIndex(Protocol):
    """Finds all cues of one language in a text."""

    def find(self, text: str) -> list[Found]:
        """Give every cue that occurs, in any order, with its span in code points."""


@cache
def load_subjects() -> Mapping[str, Subject]:
    """Read the subjects in their fixed order: key -> Subject.

    Raises ValueError, naming the key, for an unknown dimension or a key that stands under two themes.
    """
    found: dict[str, Subject] = {}
    for theme, subjects in _read("subjects.toml").items():
        for key, fields in subjects.items():
            if key in found or fields["dimension"] not in DIMENSIONS:
                raise ValueError(
                    f"subjects.toml: {key} under {theme}: given twice, or no SERVQUAL dimension; correct it"
                )
            found[key] = Subject(key, theme, fields["dimension"], fields["description"])
    return found


@cache
def load_subject_cues(language: str) -> CueLists:
    """Read how one language ("en", "pl", "zh") speaks of each subject.

    Raises InputError for another language, ValueError when a subject has no topic cue or a key is unknown.
    """
    if language not in LANGUAGES:
        raise InputError(f"language {language!r} has no subject cues; choose one of {', '.join(LANGUAGES)}")
    name = f"subjects_{language}.toml"
    raw = _read(name)
    general = raw.pop("general")
    cues = {(k, kind): tuple(raw[k].get(kind, ())) for k in load_subjects() if k in raw for kind in KINDS}
    unknown = sorted(set(raw) - set(load_subjects()))
    silent = [k for k in load_subjects() if not cues.get((k, "topic"))]
    if unknown or silent:
        raise ValueError(f"{name}: unknown {unknown}, without topic cues {silent}; correct the keys or add cues")
    return CueLists(cues, tuple(general["ignored"]), frozenset(map(_fold, general["numbers"])))


class SubjectReader:
    """Reads subjects in texts of one language; build it once, then use it for any number of texts.

    Safe to call from one thread at a time: it remembers the words it has met.
    """

    def __init__(self, language: str) -> None:
        """Compile the cues of "en", "pl" or "zh"; InputError for another language."""
        lists = load_subject_cues(language)
        self.language = language
        self.keys: tuple[str, ...] = tuple(load_subjects())
        self._themes = {key: subject.theme for key, subject in load_subjects().items()}
        self._index: CueIndex = _CharacterIndex(lists) if language == "zh" else _WordIndex(lists)

    def read(self, text: str) -> tuple[SubjectHit, ...]:
        """Find the subjects that a text speaks of, by place; one hit per cue's span, subject and kind.

        Chinese is expected in simplified characters. A text without any cue gives an empty tuple.
        """
        found = self._index.find(text)
        ignored = [(start, end) for label, start, end in found if label is None]
        kept = {
            (start, end, *label)
            for label, start, end in found
            if label is not None and not any(a <= start and end <= b for a, b in ignored)
        }
        return tuple(SubjectHit(key, self._themes[key], kind, start, end) for start, end, key, kind in sorted(kept))


# --- words: English and Polish ---


@cache
def subject_reader(language: str) -> SubjectReader:
    """Give the language's reader, built once for the process."""
    return SubjectReader(language)


@dataclass(frozen=True, slots=True)
class _WordCue:
    """A cue after its first slot: for each further slot whether a gap may stand before it, and the slot's number."""

    label: Label
    rest: tuple[tuple[bool, int], ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of one spelling: the slots it fills, and the cues that begin with one of them."""

    slots: frozenset[int]
    cues: tuple[_WordCue, ...]
    stop: bool = False


class _WordIndex:
    """Cues by their first word. A slot is a set of options, numbered; each spelling is looked up once, then kept."""

    def __init__(self, lists: CueLists) -> None:
        self._numbers = lists.numbers
        self._slots: dict[str, int] = {}
        self._exact: dict[str, list[int]] = {}
        self._prefixes: dict[str, list[int]] = {}
        self._starting: dict[int, list[_WordCue]] = {}
        self._known: dict[str, _Known] = {}
        for label, cue in _all_cues(lists):
            self._add(label, cue)
        self._lengths = sorted({len(p) for p in self._prefixes})

    def find(self, text: str) -> list[Found]:
        tokens = [(self._look_up(m.group()), m.start(), m.end()) for m in _TOKEN.finditer(text)]
        found: list[Found] = []
        for i, (known, start, end) in enumerate(tokens):
            for cue in known.cues:
                last = _match_words(cue.rest, tokens, i + 1) if cue.rest else i
                if last >= 0:
                    found.append((cue.label, start, tokens[last][2] if cue.rest else end))
        return found

    def _add(self, label: Label, cue: str) -> None:
        for variant in parse_word_cue(cue):
            steps = tuple((gap, self._slot(options)) for gap, options in variant)
            self._starting.setdefault(steps[0][1], []).append(_WordCue(label, steps[1:]))

    def _slot(self, options: tuple[str, ...]) -> int:
        name = "|".join(sorted(options))
        if name not in self._slots:
            self._slots[name] = len(self._slots)
            for option in options:
                table, key = (self._prefixes, option[:-1]) if option.endswith("*") else (self._exact, option)
                table.setdefault(key, []).append(self._slots[name])
        return self._slots[name]

    def _look_up(self, token: str) -> _Known:
        known = self._known.get(token)
        if known is None:
            if len(self._known) >= _MAX_REMEMBERED:
                self._known.clear()
            known = self._known[token] = self._make_known(token)
        return known

    def _make_known(self, token: str) -> _Known:
        word = _fold(token)
        slots = [*self._exact.get(word, ())]
        if word[0].isdigit() or word in self._numbers:
            slots += self._exact.get("#", ())
        for length in self._lengths:
            if length <= len(word):
                slots += self._prefixes.get(word[:length], ())
        cues = tuple(cue for slot in dict.fromkeys(slots) for cue in self._starting.get(slot, ()))
        return _Known(frozenset(slots), cues, stop=not word[0].isalnum())


def _match_words(rest: tuple[tuple[bool, int], ...], tokens: list[tuple[_Known, int, int]], at: int) -> int:
    """Give the index of the last token when the rest of a cue stands from `at` on, else -1."""
    gap, slot = rest[0]
    for i in range(at, min(at + WORD_GAP + 1 if gap else at + 1, len(tokens))):
        known = tokens[i][0]
        if known.stop:
            return -1
        if slot in known.slots:
            last = i if len(rest) == 1 else _match_words(rest[1:], tokens, i + 1)
            if last >= 0:
                return last
    return -1


def parse_word_cue(cue: str) -> Iterator[tuple[WordStep, ...]]:
    """Read a cue of words into its variants, each a sequence of steps: may a gap stand before it, and folded options.

    Raises ValueError, naming the cue, when it is empty, begins or ends with a gap, or an option is no single word.
    """
    parts = cue.split()
    if not parts or parts[0] == "..." or parts[-1] == "...":
        raise ValueError(f"subject cue {cue!r}: it needs a word at both ends")
    choices = []
    for before, part in zip(["", *parts], parts, strict=False):
        if part != "...":
            choices.append(list(_read_choices(cue, part, gap=before == "...")))
    for variant in product(*choices):
        yield tuple(step for steps in variant for step in steps)


def _read_choices(cue: str, part: str, *, gap: bool) -> Iterator[tuple[WordStep, ...]]:
    """Single words are one step with options; each phrase ("car_park") is a choice of its own with a step a word."""
    phrases = [tuple(map(_fold, option.split("_"))) for option in part.split("|")]
    if not all(re.fullmatch(r"#|[^\W_]+\*?", word) for phrase in phrases for word in phrase):
        raise ValueError(f"subject cue {cue!r}: {part!r} is not made of words; write hyphens and full stops as spaces")
    if single := tuple(phrase[0] for phrase in phrases if len(phrase) == 1):
        yield ((gap, single),)
    for phrase in phrases:
        if len(phrase) > 1:
            yield tuple((gap and i == 0, (word,)) for i, word in enumerate(phrase))


# --- characters: Chinese ---


@dataclass(frozen=True, slots=True)
class _CharacterCue:
    """A cue as literal pieces; between two of them lies a gap."""

    label: Label
    pieces: tuple[str, ...]


class _CharacterIndex:
    """Cues by the first two characters of their first piece (one, where the piece has one)."""

    def __init__(self, lists: CueLists) -> None:
        self._starting: dict[str, list[_CharacterCue]] = {}
        for label, cue in _all_cues(lists):
            for pieces in parse_character_cue(cue):
                self._starting.setdefault(pieces[0][:2], []).append(_CharacterCue(label, pieces))

    def find(self, text: str) -> list[Found]:
        plain = _plain_characters(text)
        found: list[Found] = []
        for start in range(len(plain)):
            for key in {plain[start : start + 2], plain[start]}:
                for cue in self._starting.get(key, ()):
                    end = _match_characters(cue.pieces, plain, start)
                    if end >= 0:
                        found.append((cue.label, start, end))
        return found


def _match_characters(pieces: tuple[str, ...], text: str, start: int) -> int:
    """Give the end of a cue whose first piece stands at `start`, else -1; each gap is as short as it can be."""
    if not text.startswith(pieces[0], start) or _inside_latin_word(text, start, start + len(pieces[0])):
        return -1
    end = start + len(pieces[0])
    for piece in pieces[1:]:
        at = text.find(piece, end, end + CHARACTER_GAP + len(piece))
        if at < 0 or not _ZH_STOPS.isdisjoint(text[end:at]):
            return -1
        end = at + len(piece)
    return end


def _inside_latin_word(text: str, start: int, end: int) -> bool:
    """Tell whether "app" stands inside "happy": Latin letters have word borders in Chinese texts too."""
    before = start > 0 and _is_latin(text[start]) and _is_latin(text[start - 1])
    return before or (end < len(text) and _is_latin(text[end - 1]) and _is_latin(text[end]))


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalpha()


def parse_character_cue(cue: str) -> Iterator[tuple[str, ...]]:
    """Read a Chinese cue into its variants, each the literal pieces between gaps, numbers as `#`.

    Raises ValueError, naming the cue, when a bracket does not close, a piece is empty, or all of it is one character.
    """
    choices = [a.split("|") if a else [b] for a, b in _ZH_PART.findall(cue)]
    if "".join(_ZH_PART.sub("", cue)):
        raise ValueError(f"subject cue {cue!r}: brackets do not close")
    for variant in product(*choices):
        pieces = tuple(_plain_characters("".join(variant)).split("..."))
        if not all(pieces) or sum(map(len, pieces)) < 2:
            raise ValueError(f"subject cue {cue!r}: a reading of it is empty or one character; add characters")
        yield pieces


def _plain_characters(text: str) -> str:
    """Lower-case Latin letters and every number's character as `#`; the same length, so that offsets hold."""
    lower = text.lower()
    return (lower if len(lower) == len(text) else text).translate(_ZH_NUMBER)


# --- both ---


def _all_cues(lists: CueLists) -> Iterable[tuple[Label, str]]:
    yield from ((None, phrase) for phrase in lists.ignored)
    yield from ((label, cue) for label, cues in lists.cues.items() for cue in cues)


def _fold(word: str) -> str:
    """Lower case without accents and apostrophes: "Przesyłkę" is "przesylke", "Didn’t" is "didnt"."""
    letters = unicodedata.normalize("NFKD", _APOSTROPHES.sub("", word.lower())).replace("ł", "l")
    return "".join(c for c in letters if not unicodedata.combining(c)) or word


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("gapnlp.promises").joinpath(name).read_text(encoding="utf-8"))
