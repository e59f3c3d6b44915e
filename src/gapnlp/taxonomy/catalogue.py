"""The taxonomy as data: what exists (structure), what it is called (wording), how texts speak of it (cues)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from gapnlp.errors import InputError
from gapnlp.records.labels import DIMENSIONS, EXPECTATIONS, GAPS, SENTIMENTS

UI_LANGUAGES = ("en", "pl", "zh")


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a gap opens: the gap it belongs to and the remedies that close it, best first."""

    key: str
    gap: str
    remedies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Structure:
    """What is measured and how it hangs together, by stable keys and without words.

    causes: key -> Cause. gap_remedies: gap -> remedies where no cause is known. remedies, effects and
    expectation_sources are keys in the order that a report lists them.
    """

    causes: Mapping[str, Cause]
    gap_remedies: Mapping[str, tuple[str, ...]]
    remedies: tuple[str, ...]
    effects: tuple[str, ...]
    expectation_sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A name for headings and an explanation in one sentence."""

    name: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Wording:
    """The taxonomy's words in one UI language: kind -> key -> Term.

    Kinds: "dimension", "gap", "cause", "remedy", "effect", "expectation_source", "sentiment", "expectation",
    "language".
    """

    language: str
    terms: Mapping[str, Mapping[str, Term]]

    def term(self, kind: str, key: str) -> Term:
        """Look up one term; KeyError when the taxonomy has no such key."""
        return self.terms[kind][key]


@dataclass(frozen=True, slots=True)
class CueSet:
    """How customers speak of a cause in one language: patterns, with sentences that must and must not match."""

    patterns: tuple[str, ...]
    examples: tuple[str, ...]
    counterexamples: tuple[str, ...]


# Kinds of terms that are no part of structure.toml, with the keys that each must have.
_LABEL_KINDS: Mapping[str, tuple[str, ...]] = {
    "dimension": DIMENSIONS,
    "gap": GAPS,
    "sentiment": SENTIMENTS,
    "expectation": EXPECTATIONS,
}
_MUST_NAME_LANGUAGES = (*UI_LANGUAGES, "und")
_CUE_FIELDS = ("patterns", "examples", "counterexamples")


@cache
def load_structure() -> Structure:
    """Read what is measured and how it hangs together.

    Raises ValueError, naming the key, when structure.toml speaks of a gap or remedy that does not exist.
    """
    return read_structure(_read("structure.toml"))


@cache
def load_wording(ui: str) -> Wording:
    """Read the taxonomy's words in one UI language: "en", "pl" or "zh".

    Raises InputError for another language, ValueError when a key of the structure has no words.
    """
    wording = Wording(ui, read_terms(_read_language(ui)))
    check_wording(wording, load_structure())
    return wording


@cache
def load_cues(language: str) -> Mapping[str, CueSet]:
    """Read how customers speak of each cause in "en", "pl" or "zh": cause -> its cues, in the structure's order.

    Raises InputError for another language, ValueError when a cause has no cues.
    """
    return read_cues(_read_language(language), load_structure())


def read_structure(raw: Mapping[str, Any]) -> Structure:
    """Make a Structure of a parsed structure.toml; ValueError names a gap or remedy that does not exist."""
    remedies = tuple(raw["remedies"])
    causes = {k: Cause(k, c["gap"], tuple(c["remedies"])) for k, c in raw["causes"].items()}
    gap_remedies = {g: tuple(r) for g, r in raw["gap_remedies"].items()}
    _check_known("gap", [*gap_remedies, *(c.gap for c in causes.values())], GAPS)
    _check_known("remedy", [r for c in causes.values() for r in c.remedies], remedies)
    _check_known("remedy", [r for rs in gap_remedies.values() for r in rs], remedies)
    if missing := [g for g in GAPS if not gap_remedies.get(g)]:
        raise ValueError(f"structure.toml: no remedies for gap {', '.join(missing)}; add them under [gap_remedies]")
    return Structure(causes, gap_remedies, remedies, tuple(raw["effects"]), tuple(raw["expectation_sources"]))


def read_terms(raw: Mapping[str, Any]) -> dict[str, dict[str, Term]]:
    """Make kind -> key -> Term of a parsed language file; what else a cause holds (its cues) is left out."""
    return {
        kind: {key: Term(term["name"], term["explanation"]) for key, term in terms.items()}
        for kind, terms in raw.items()
    }


def read_cues(raw: Mapping[str, Any], structure: Structure) -> dict[str, CueSet]:
    """Make cause -> CueSet of a parsed language file, for the causes of the structure, in its order."""
    causes = raw["cause"]
    missing = [k for k in structure.causes if not all(causes.get(k, {}).get(f) for f in _CUE_FIELDS)]
    if missing:
        raise ValueError(f"no patterns, examples or counterexamples for cause {', '.join(missing)}; add them")
    return {k: CueSet(*(tuple(causes[k][f]) for f in _CUE_FIELDS)) for k in structure.causes}


def check_wording(wording: Wording, structure: Structure) -> None:
    """Raise ValueError when a key of the structure or of the labels has no words, or words have no such key."""
    for kind, keys in _expected_keys(structure).items():
        terms = wording.terms.get(kind, {})
        if missing := [k for k in keys if k not in terms or not (terms[k].name and terms[k].explanation)]:
            raise ValueError(f"{wording.language}.toml: no words for {kind} {', '.join(missing)}; add them")
        if kind != "language":
            _check_known(kind, terms, keys)


def _expected_keys(structure: Structure) -> dict[str, tuple[str, ...]]:
    return {
        **_LABEL_KINDS,
        "cause": tuple(structure.causes),
        "remedy": structure.remedies,
        "effect": structure.effects,
        "expectation_source": structure.expectation_sources,
        "language": _MUST_NAME_LANGUAGES,
    }


def _check_known(kind: str, keys: Iterable[str], known: Iterable[str]) -> None:
    if unknown := sorted(set(keys) - set(known)):
        raise ValueError(f"taxonomy: unknown {kind} {', '.join(unknown)}; correct the key or add it to structure.toml")


def _read_language(language: str) -> dict[str, Any]:
    if language not in UI_LANGUAGES:
        raise InputError(f"language {language!r} is not one of the taxonomy's; choose one of {', '.join(UI_LANGUAGES)}")
    return _read(f"{language}.toml")


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("gapnlp.taxonomy").joinpath(name).read_text(encoding="utf-8"))
