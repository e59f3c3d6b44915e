"""Public rows kept out of a bundle, so that it can be tried on a company whose data it has never seen."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gapnlp.errors import InputError
from training.auxiliary import text_key
from training.material import Material, flatten


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
