"""The written sentences, and what must hold when they are changed: one TOML file a language."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from gapnlp.errors import InputError
from gapnlp.ingest.gold import parse_gold
from gapnlp.records.labels import LABELS, LANGUAGES, Labels
from training.labels import parse_code


@dataclass(frozen=True, slots=True)
class Sentence:
    """A base sentence with the labels that the guidelines give it."""

    text: str
    labels: Labels


@dataclass(frozen=True, slots=True)
class Padding:
    """Polite words that say nothing: put inside the sentence, before or after it, or around it as segments."""

    inside_before: tuple[str, ...]
    inside_after: tuple[str, ...]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Move:
    """Two versions of a sentence, and how probabilities must move from the first to the second.

    up, down: labels that must become more, less probable. kept: labels that must not become much less probable.
    """

    before: str
    after: str
    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cases:
    """Everything of one language.

    protected: words (in Chinese, characters) that a typo must not touch. swaps: groups of names whose members can stand
    for each other. homophones: character -> what pinyin input puts in its place. moves: test -> its pairs.
    functionality: label -> plain sentences that must get it. sarcasm: sentences of negative sentiment.
    """

    language: str
    base: tuple[Sentence, ...]
    protected: frozenset[str]
    padding: Padding
    swaps: tuple[tuple[str, ...], ...]
    homophones: tuple[tuple[str, str], ...]
    moves: Mapping[str, tuple[Move, ...]]
    functionality: Mapping[str, tuple[str, ...]]
    sarcasm: tuple[str, ...]


def read_cases(language: str) -> Cases:
    """Read a language's cases.

    Raises InputError on a language without cases and on a label that does not exist.
    """
    if language not in LANGUAGES:
        raise InputError(f"language {language!r} has no robustness cases; choose one of {', '.join(LANGUAGES)}")
    content = tomllib.loads((files(__package__) / "cases" / f"{language}.toml").read_text(encoding="utf-8"))
    return parse_cases(content)


def parse_cases(content: Mapping[str, Any]) -> Cases:
    """Make cases from a parsed TOML file.

    Raises InputError on a label that does not exist.
    """
    language, padding = content["language"], content["padding"]
    return Cases(
        language=language,
        base=tuple(_sentence(text, code, language) for text, code in content["base"]["sentences"]),
        protected=frozenset(content["protected"]),
        padding=Padding(
            inside_before=tuple(padding["inside_before"]),
            inside_after=tuple(padding["inside_after"]),
            before=padding["before"],
            after=padding["after"],
        ),
        swaps=tuple(tuple(group) for group in content["swaps"].values()),
        homophones=tuple((a, b) for a, b in content.get("homophones", ())),
        moves=_moves(content),
        functionality={_known(label): tuple(texts) for label, texts in content["functionality"].items()},
        sarcasm=tuple(content["sarcasm"]["sentences"]),
    )


def _sentence(text: str, code: str, language: str) -> Sentence:
    segment = {"start": 0, "end": len(text), **parse_code(code)}
    item = parse_gold(
        {"id": text, "lang": language, "text": text, "segments": [segment]}, where=f"cases/{language}.toml"
    )
    return Sentence(text, item.labels[0])


def _moves(content: Mapping[str, Any]) -> dict[str, tuple[Move, ...]]:
    moves = {test: tuple(_move(e["pair"], e) for e in entries) for test, entries in content["directional"].items()}
    for test, entry in content["openings"].items():
        pairs = [(_capital(c), opening + c) for opening in entry["openings"] for c in entry["complaints"]]
        moves[test] = tuple(_move(pair, entry) for pair in pairs)
    return moves


def _move(pair: Sequence[str], entry: Mapping[str, Any]) -> Move:
    before, after = pair
    up, down, kept = (_all_known(entry.get(way, ())) for way in ("up", "down", "kept"))
    return Move(before, after, up, down, kept)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _all_known(labels: Iterable[str]) -> tuple[str, ...]:
    return tuple(_known(label) for label in labels)


def _known(label: str) -> str:
    if label not in LABELS:
        raise InputError(f"robustness cases: {label!r} is no label; see gapnlp.records.labels.LABELS")
    return label
