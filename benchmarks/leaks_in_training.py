"""Texts kept for measuring among the texts that recipes train on, as the recipes themselves read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.leaks_in_project import says_enough
from benchmarks.shared_texts import Place, read_gold_texts, read_public_texts
from benchmarks.text_keys import compared_key
from gapnlp.records.labels import LANGUAGES
from gapnlp.text.normalise import normalise
from training.auxiliary import read_auxiliary
from training.material import banned_keys, read_development, read_material
from training.public_texts import LANGUAGES as PRETRAINED
from training.public_texts import read_pairs, read_texts

# What public sets call the part that they are measured on; official ones are not among the shared data at all.
KEPT_PARTS = ("test",)
# What they call the parts that recipes are chosen on: trained on here, so that nothing may be measured on them.
DEVELOPMENT_PARTS = ("dev", "dev_sample", "validation")

Source = Callable[[Path, Path], Iterator[str]]
GIVEN = "gold's train split"


@dataclass(frozen=True, slots=True)
class Leak:
    """A text kept for measuring, and the source of training texts that holds it."""

    place: Place
    source: str

    def __str__(self) -> str:
        """File, identifier, part and source, without the text."""
        return f"{self.place} ({self.place.split}) is in {self.source}"


def find_in_training(gold: Path, public: Path, *, kept: Sequence[str] = KEPT_PARTS) -> tuple[list[Leak], list[str]]:
    """Give leaks, and notices on what is no leak but must be known.

    kept: what parts that are measured on are called. A leak: an item of gold's dev, or a row of such a part of a public
    set, that is among the texts (items and segments) which a recipe reads. Notices: segments of gold's dev that
    customers also wrote elsewhere ("will not fly with them again"), and how many rows of public sets' development parts
    each source holds.
    """
    read = {name: _keys(source(gold, public)) for name, source in SOURCES.items()}
    leaks: dict[Leak, None] = {}
    common, chosen_on = set(), Counter[str]()
    dev = (p for p in read_gold_texts(gold) if p.split == "dev")
    rows = (p for p in read_public_texts(public) if p.split in {*kept, *DEVELOPMENT_PARTS})
    for place, source in _matches([*dev, *rows], read):
        if place.is_segment:
            common.add(place.id)
        elif place.file.startswith("public/") and place.split not in kept:
            chosen_on[source] += 1
        else:
            leaks[Leak(place, source)] = None
    notices = []
    if common:
        notices.append(f"training texts also hold a segment of the dev items {', '.join(sorted(common))}")
    for source, n in chosen_on.items():
        notices.append(f"{n:,} rows of public sets' development parts are in {source}: do not measure on those")
    return list(leaks), notices


def _matches(kept: Iterable[Place], read: Mapping[str, frozenset[str]]) -> Iterator[tuple[Place, str]]:
    """Give each text kept for measuring with each source that holds it."""
    for place in kept:
        if says_enough(key := compared_key(place.text)):
            # Some recipes keep the text as written, some as the classifier sees it.
            both = {key, compared_key(normalise(place.text, place.language))}
            yield from ((place, name) for name, keys in read.items() if not both.isdisjoint(keys))


def _keys(texts: Iterator[str]) -> frozenset[str]:
    return frozenset(compared_key(t) for t in texts)


def _gold(gold: Path, public: Path) -> Iterator[str]:
    for language in LANGUAGES:
        yield from _texts(gold, public, language, gold_only=True)


def _labelled(gold: Path, public: Path) -> Iterator[str]:
    given = {(r.id, r.text) for x in LANGUAGES for r in read_material(gold, public, x, gold_only=True).records}
    for language in LANGUAGES:
        for record in read_material(gold, public, language).records:
            if (record.id, record.text) not in given:
                yield from (record.text, *(s.text for s in record.segments))


def _texts(gold: Path, public: Path, language: str, *, gold_only: bool) -> Iterator[str]:
    for record in read_material(gold, public, language, gold_only=gold_only).records:
        yield from (record.text, *(s.text for s in record.segments))


def _further_heads(gold: Path, public: Path) -> Iterator[str]:
    for language in LANGUAGES:
        banned = banned_keys(read_material(gold, public, language), read_development(gold, language))
        for head in read_auxiliary(public, language, banned=banned):
            yield from head.texts


def _pretraining(gold: Path, public: Path) -> Iterator[str]:
    for language in PRETRAINED:
        given = read_material(gold, public, language, gold_only=True)
        banned = banned_keys(given, read_development(gold, language))
        yield from (x.text for x in read_texts(public, language, banned=banned))
        for pair in read_pairs(public, language, banned=banned):
            yield from pair


SOURCES: Mapping[str, Source] = {
    GIVEN: _gold,
    "our labels on public texts and the written items": _labelled,
    "the further heads' rows": _further_heads,
    "texts that encoders are pretrained on": _pretraining,
}
