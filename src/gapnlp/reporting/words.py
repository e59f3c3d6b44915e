"""The report's words in one UI language: its own sentences, the taxonomy's names, and how numbers are written."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from gapnlp.errors import InputError
from gapnlp.records.labels import ATTRIBUTED_GAPS
from gapnlp.reporting.formats import Formats
from gapnlp.taxonomy.catalogue import UI_LANGUAGES, Wording, load_wording

Phrase = str | list[str]


def _english(n: int) -> int:
    return 0 if n == 1 else 1


def _polish(n: int) -> int:
    if n == 1:
        return 0
    few = n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14)
    return 1 if few else 2


def _chinese(n: int) -> int:
    return 0


# Which of a phrase's plural forms a number takes (Unicode CLDR, cardinal rules for whole numbers).
PLURALS: Mapping[str, Callable[[int], int]] = {"en": _english, "pl": _polish, "zh": _chinese}


@dataclass(frozen=True, slots=True)
class Words:
    """Everything a renderer needs to speak one language.

    phrases: "section.key" -> a sentence with {placeholders}, or its plural forms.
    """

    ui: str
    phrases: Mapping[str, Phrase]
    taxonomy: Wording
    formats: Formats

    def say(self, key: str, **values: object) -> str:
        """Fill in one phrase; KeyError when the wording has no such key."""
        phrase = self.phrases[key]
        if not isinstance(phrase, str):
            raise TypeError(f"phrase {key} has plural forms; use count()")
        return phrase.format(**values)

    def has(self, key: str) -> bool:
        """Say whether the wording has this phrase."""
        return key in self.phrases

    def count(self, key: str, n: int) -> str:
        """Say a number of things in the right plural form: "1 comment", "2 opinie", "5 opinii"."""
        return self.phrases[key][PLURALS[self.ui](n)].format(n=self.formats.whole(n))

    def name(self, kind: str, key: str) -> str:
        """Name one thing of the taxonomy. Raises InputError when this version does not know it."""
        return self._term(kind, key)[0]

    def explain(self, kind: str, key: str) -> str:
        """Explain one thing of the taxonomy in a sentence. Raises InputError when this version does not know it."""
        return self._term(kind, key)[1]

    def say_with_gaps(self, key: str) -> str:
        """Fill in a phrase that speaks of the gaps inside the firm, which customers can only attribute."""
        return self.say(key, **{gap: self.name("gap", gap) for gap in ATTRIBUTED_GAPS})

    def caveat(self, key: str) -> str:
        """Say a caveat; one that the wording does not know yet shows its key, as hiding it would be worse."""
        return self.say_with_gaps(f"caveats.{key}") if self.has(f"caveats.{key}") else key

    def language(self, code: str) -> str:
        """Name a language; one that the taxonomy does not name stays its code."""
        term = self.taxonomy.terms.get("language", {}).get(code)
        return term.name if term else code

    def measure(self, measure: str) -> str:
        """Name what a comparison measures: "perception:reliability", "gap:delivery", "sentiment"."""
        kind, _, key = measure.partition(":")
        if not key:
            return self.say(f"measure.{kind}") if self.has(f"measure.{kind}") else measure
        taxonomy = {"perception": "dimension", "gap": "gap"}.get(kind)
        name = self.name(taxonomy, key) if taxonomy else key
        return self.say(f"measure.{kind}", name=name) if self.has(f"measure.{kind}") else measure

    def short_measure(self, measure: str) -> str:
        """Name a measure under a heading that already says its kind: only the dimension or gap."""
        kind, _, key = measure.partition(":")
        taxonomy = {"perception": "dimension", "gap": "gap"}.get(kind)
        return self.name(taxonomy, key) if taxonomy and key else self.measure(measure)

    def _term(self, kind: str, key: str) -> tuple[str, str]:
        try:
            term = self.taxonomy.term(kind, key)
        except KeyError:
            raise InputError(
                f"the report names the {kind} '{key}', for which this version of gapnlp has no words; "
                "make the report again with this version"
            ) from None
        return term.name, term.explanation


def flatten(table: Mapping[str, object], prefix: str = "") -> dict[str, Phrase]:
    """Turn nested TOML tables into dotted keys."""
    flat: dict[str, Phrase] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{key}.")
        elif isinstance(value, str | list):
            flat[prefix + key] = value
    return flat


def read_phrases(ui: str, kind: str = "") -> dict[str, Phrase]:
    """Read the report's own phrases in one language; kind "ledger": what the promise ledger says besides.

    Raises InputError for a language that has none.
    """
    if ui not in UI_LANGUAGES:
        raise InputError(f"no report wording in '{ui}'; choose one of {', '.join(UI_LANGUAGES)}")
    name = f"{kind}_{ui}.toml" if kind else f"{ui}.toml"
    text = files("gapnlp.reporting").joinpath("wording", name).read_text(encoding="utf-8")
    return flatten(tomllib.loads(text))


def build_words(ui: str, taxonomy: Wording) -> Words:
    """Put together the report's words and given names of the taxonomy."""
    phrases = read_phrases(ui)
    return Words(ui, phrases, taxonomy, Formats.of(phrases))


@cache
def load_words(ui: str) -> Words:
    """Load the words of one UI language. Raises InputError for a language that has none."""
    phrases = read_phrases(ui)
    return Words(ui, phrases, load_wording(ui), Formats.of(phrases))
