"""What a recipe learns from, and public rows kept out, so that a bundle can be tried on a company it never saw."""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gapnlp.errors import InputError
from training.auxiliary import Auxiliary, read_auxiliary, text_key
from training.material import Material, banned_keys, flatten, read_development, read_material


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows a bundle learns from.

    gold_only: without our labels and the written items. without: names for `read_withheld`. trial: hold no domains
    out to measure errors in new ones.
    """

    gold_only: bool = False
    without: tuple[str, ...] = ()
    trial: bool = False

    @staticmethod
    def add_options(parser: argparse.ArgumentParser) -> None:
        """Add the options that `chosen` reads."""
        parser.add_argument("--gold-only", action="store_true", help="leave out our labels and the written items")
        parser.add_argument(
            "--without",
            action="append",
            default=[],
            metavar="SET[:DOMAIN]",
            help="learn nothing from a public set, or from one domain of it: labels, copies and further heads",
        )
        parser.add_argument(
            "--trial",
            action="store_true",
            help="hold no domains out, which takes most of the time: figures of errors in new domains are then too "
            "small",
        )

    @classmethod
    def chosen(cls, options: argparse.Namespace) -> Scope:
        """Read the options."""
        return cls(options.gold_only, tuple(options.without), options.trial)

    def read(self, gold: Path, public: Path, language: str) -> tuple[Material, Material, list[Auxiliary]]:
        """Read labelled rows, the development split, and what further heads learn from."""
        train, development = (
            read_material(gold, public, language, gold_only=self.gold_only),
            read_development(gold, language),
        )
        withheld = read_withheld(public, self.without)
        train = withheld.strip(train)
        banned = banned_keys(train, development) | withheld.keys
        return train, development, read_auxiliary(public, language, banned=banned)

    def card(self) -> dict[str, list[str]]:
        """Say in a card what was kept out, if anything was."""
        return {"without": list(self.without)} if self.without else {}


@dataclass(frozen=True, slots=True)
class Withheld:
    """Rows that nothing may be learnt from: their identifiers, and their normalised texts as `text_key` gives them."""

    ids: frozenset[str]
    keys: frozenset[str]

    def strip(self, material: Material) -> Material:
        """Leave out labelled items that are such rows, hold one's text, or are copies of one."""
        kept = [r for r in material.records if r.id not in self.ids and text_key(r.text) not in self.keys]
        return flatten(kept, material.language)


def read_withheld(public: Path, names: Sequence[str]) -> Withheld:
    """Read the rows to keep out.

    names: sets of the folder of public sets, as `airline_tweets`, or one domain of a set, as `polemo_sentences:hotel`.
    Raises InputError when a set is not there or holds no row of the domain.
    """
    ids: set[str] = set()
    keys: set[str] = set()
    for name in names:
        file, _, domain = name.partition(":")
        path = public / f"{file}.jsonl.gz"
        if not path.is_file():
            raise InputError(f"{path}: is not there; name a set of {public} without its ending")
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [row for row in map(json.loads, lines) if not domain or row.get("domain") == domain]
        if not rows:
            raise InputError(f"{path.name}: holds no row of domain {domain!r}")
        ids.update(row["id"] for row in rows)
        keys.update(text_key(row["text"]) for row in rows)
    return Withheld(frozenset(ids), frozenset(keys - {""}))
