"""What a user's label may mean by its name: own names, the taxonomy's in three languages, usual words, cues."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from gapnlp.ingest.header_names import fold_header
from gapnlp.records.labels import (
    CHURN,
    DIMENSIONS,
    EXPECTATIONS,
    GAPS,
    HEADS,
    POLARITIES,
    SENTIMENTS,
    dimension_label,
    expectation_label,
    gap_label,
    presence_label,
    sentiment_label,
)
from gapnlp.retraining.labels.proposals import SURE, Candidate
from gapnlp.taxonomy.catalogue import UI_LANGUAGES, load_structure, load_wording
from gapnlp.text.cues import CueMatcher
from gapnlp.text.normalise import normalise
from gapnlp.text.scripts import detect_script

EXACT, TAXONOMY, WORD, CUE = 1.0, SURE, 0.6, 0.45
# Short forms of the annotation guidelines.
_SHORT = {"rel": "reliability", "res": "responsiveness", "ass": "assurance", "emp": "empathy", "tan": "tangibles"}
_SIGNS = {"-": "neg", "−": "neg", "+": "pos", "0": "neu"}
_SIGNED = re.compile(r"(\w+?)\s*([-−+0])")
_SPLIT = re.compile(r"[:/>]+")

Matcher = Callable[[str], Sequence[str]]


def propose_from_names(names: Sequence[str]) -> dict[str, list[Candidate]]:
    """Find candidates for each label by its name alone; the surest kind of evidence ends the search."""
    return {name: _surest(_candidates(name)) for name in names}


def _surest(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Keep one reason a label: two words of one name are no independent evidence."""
    best: dict[str, Candidate] = {}
    for candidate in candidates:
        if candidate.label not in best or candidate.confidence > best[candidate.label].confidence:
            best[candidate.label] = candidate
    return list(best.values())


def _candidates(name: str) -> Iterator[Candidate]:
    """Try the name as it is, then what stands behind a question ("reason: Late"), then its words and cues."""
    own = _own_label(name) or _own_label(_value_of(name))
    if own is not None:
        yield Candidate(own, EXACT, "it is gapnlp's own name")
        return
    folded, value = fold_name(name), fold_name(_value_of(name))
    for key in dict.fromkeys((folded, value)):
        if key in _taxonomy_names():
            label, why = _taxonomy_names()[key]
            yield Candidate(label, TAXONOMY, why)
            return
    yield from _from_words(value, context=folded)
    yield from _from_cues(_value_of(name))


def fold_name(name: str) -> str:
    """Reduce a name to what it says: small letters, no diacritics, simplified characters, no marks."""
    return re.sub(r"[^\w+\-−]+", " ", fold_header(normalise(name, "zh"))).strip()


def _value_of(name: str) -> str:
    return _SPLIT.split(name)[-1].strip() or name


def _own_label(name: str) -> str | None:
    """Read gapnlp's names and the guidelines' short forms: "dimension:reliability:neg", "rel-", "Reliability +"."""
    plain = name.strip().casefold()
    if plain in HEADS:
        return plain
    signed = _SIGNED.fullmatch(plain)
    if not signed:
        return None
    dimension = _SHORT.get(signed[1], signed[1])
    return dimension_label(dimension, _SIGNS[signed[2]]) if dimension in DIMENSIONS else None


@cache
def _taxonomy_names() -> Mapping[str, tuple[str, str]]:
    """Folded name -> (label, reason), in all languages."""
    found: dict[str, tuple[str, str]] = {}
    for kind, key, label in _taxonomy_labels():
        for forms in (key, f"{kind} {key}", f"{key} {kind}"):
            if kind != "expectation" or forms != key:
                found.setdefault(fold_name(forms), (label, f"the taxonomy's key {key!r} of a {kind}"))
        for language in UI_LANGUAGES:
            term = load_wording(language).term(kind, key).name
            found.setdefault(fold_name(term), (label, f"the taxonomy's name of a {kind} ({language})"))
    for dimension in DIMENSIONS:
        for polarity in POLARITIES:
            label = dimension_label(dimension, polarity)
            for word in (polarity, {"neg": "negative", "neu": "neutral", "pos": "positive"}[polarity]):
                found.setdefault(f"{dimension} {word}", (label, "a dimension and a polarity"))
    found.setdefault(CHURN, (CHURN, "gapnlp's own name"))
    for cause in load_structure().causes.values():
        for language in UI_LANGUAGES:
            term = load_wording(language).term("cause", cause.key).name
            found.setdefault(fold_name(term), (gap_label(cause.gap), f"the taxonomy's name of a cause ({language})"))
    return found


def _taxonomy_labels() -> Iterator[tuple[str, str, str]]:
    yield from (("dimension", key, presence_label(key)) for key in DIMENSIONS)
    yield from (("gap", key, gap_label(key)) for key in GAPS)
    yield from (("sentiment", key, sentiment_label(key)) for key in SENTIMENTS)
    yield from (("expectation", key, expectation_label(key)) for key in EXPECTATIONS if key != "none")


def _from_words(value: str, *, context: str) -> Iterator[Candidate]:
    """Find usual words in a folded name; context: the name with its question, which may tell the polarity."""
    seen: set[str] = set()
    for fault in _synonyms()["fault"]:
        word = _find_word(value, fault)
        if word:
            seen.update(fault["means"])
            yield from (Candidate(label, WORD, f"its name says {word!r}") for label in fault["means"])
    for topic in _synonyms()["topic"]:
        word = _find_word(value, topic)
        if word:
            label = _topic_label(topic["dimension"], context, seen)
            yield Candidate(label, WORD, f"its name says {word!r}")


def _topic_label(dimension: str, context: str, seen: set[str]) -> str:
    if any(label.startswith(f"dimension:{dimension}:") for label in seen):
        return next(label for label in seen if label.startswith(f"dimension:{dimension}:"))
    for polarity, stems in _synonyms()["polarity"].items():
        if any(_has(context, stem) for stem in stems):
            return dimension_label(dimension, polarity)
    return presence_label(dimension)


def _find_word(folded: str, entry: Mapping[str, Any]) -> str | None:
    return next((stem for language in UI_LANGUAGES for stem in entry[language] if _has(folded, stem)), None)


def _has(folded: str, stem: str) -> bool:
    """Tell whether a folded name has a word that begins so; Chinese stands anywhere."""
    return stem in folded if not stem.isascii() else re.search(rf"\b{re.escape(stem)}", folded) is not None


def _from_cues(value: str) -> Iterator[Candidate]:
    """Match the taxonomy's cue patterns of causes with the name."""
    gap_of = {key: cause.gap for key, cause in load_structure().causes.items()}
    languages = ("zh",) if detect_script(value) == "zh" else ("en", "pl")
    gaps = {
        gap_of[cause]: cause
        for language in languages
        for cause in _matcher(language).match([normalise(value, language)])[0]
    }
    for gap, cause in gaps.items():
        yield Candidate(gap_label(gap), CUE, f"a cue pattern of the cause {cause!r} fits its name")


@cache
def _matcher(language: str) -> CueMatcher:
    return CueMatcher(language)


@cache
def _synonyms() -> dict[str, Any]:
    text = (files("gapnlp.retraining.labels") / "synonyms.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
