"""The counts in `data/README.md` and `training/labels/README.md`, from the files: `python -m training.data_cards`.

Run it after the labelled files have changed; a test compares the pages with the files.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gapnlp.ingest.gold import read_gold
from gapnlp.records.labels import DIMENSIONS, EXPECTATIONS, GAPS, LANGUAGES, POLARITIES, SENTIMENTS, Labels
from training.labels import LABELS_FOLDER, ROOT, WRITTEN_FOLDER
from training.sources import SOURCES

_LANGUAGE = {"en": "English", "pl": "Polish", "zh": "Chinese"}
_MARKS = "<!-- counts: {} -->"
# Counted here and read by nothing else in this package: it is never trained on.
_REGRESSION_FOLDER = ROOT / "data" / "regression"


def main() -> None:
    """Put the present counts into both pages."""
    for page, tables in ((ROOT / "data" / "README.md", written_tables), (LABELS_FOLDER / "README.md", public_tables)):
        page.write_text(with_tables(page.read_text(encoding="utf-8"), tables()), encoding="utf-8")


def with_tables(page: str, tables: Mapping[str, str]) -> str:
    """Replace what stands between `<!-- counts: NAME -->` and `<!-- counts: end -->`."""
    for name, table in tables.items():
        start, end = re.escape(_MARKS.format(name)), re.escape(_MARKS.format("end"))
        block = "\n".join([_MARKS.format(name), table, _MARKS.format("end")])
        page, found = re.subn(f"{start}.*?{end}", block.replace("\\", r"\\"), page, flags=re.DOTALL)
        if not found:
            raise ValueError(f"the page holds no {_MARKS.format(name)}; put it and its end where the table belongs")
    return page


def written_tables() -> dict[str, str]:
    """Items by industry and segments by label of the written items: those to train on, and the regression set."""
    regression = _written_tables(_REGRESSION_FOLDER)
    return {**_written_tables(WRITTEN_FOLDER), **{f"regression {name}": table for name, table in regression.items()}}


def _written_tables(folder: Path) -> dict[str, str]:
    items = {language: list(read_gold(folder / f"{language}.jsonl")) for language in LANGUAGES}
    industries = {language: Counter(i.domain or "" for i in found) for language, found in items.items()}
    segments = {language: [x for i in found for x in i.labels] for language, found in items.items()}
    labels = {language: label_counts(found) for language, found in segments.items()}
    names = sorted({name for counts in industries.values() for name in counts})
    parts: Mapping[str, Mapping[str, Sequence[Any]]] = {"**items**": items, "**segments**": segments}
    totals = [(name, [len(part[x]) for x in LANGUAGES]) for name, part in parts.items()]
    return {
        "industries": _table("items", [(n, [industries[x][n] for x in LANGUAGES]) for n in names] + totals),
        "labels": _table("segments", [(n, [labels[x][n] for x in LANGUAGES]) for n in labels["en"]]),
    }


def label_counts(segments: Sequence[Labels]) -> dict[str, int]:
    """How many segments carry each label, every label once."""
    counts: Counter[str] = Counter()
    for x in segments:
        counts.update([f"sentiment {x.sentiment}", f"expectation {x.expectation}", *(f"{g} gap" for g in x.gaps)])
        counts.update(f"{d} {p}" for d, p in x.dimensions.items())
        counts["churn"] += x.churn
    names = [f"{d} {p}" for d in DIMENSIONS for p in POLARITIES] + [f"{g} gap" for g in GAPS]
    names += [f"sentiment {s}" for s in SENTIMENTS] + [f"expectation {e}" for e in EXPECTATIONS if e != "none"]
    return {name: counts[name] for name in [*names, "churn"]}


def public_tables(folder: Path = LABELS_FOLDER) -> dict[str, str]:
    """Items, segments and items drawn at random by public set, with its repositories and licence."""
    lines = ["| set | language | items | of them random | segments | licence as stated |", "| --- |" + " --- |" * 5]
    for language in LANGUAGES:
        rows = list(_rows(folder / f"{language}.jsonl"))
        for name in sorted({r["file"] for r in rows}):
            own = [r for r in rows if r["file"] == name]
            random = sum(r["stratum"] == "random" for r in own)
            segments = sum(len(r["segments"]) for r in own)
            lines.append(
                f"| {name} | {_LANGUAGE[language]} | {len(own):,} | {random:,} | {segments:,} "
                f"| {SOURCES[name].licence} |"
            )
        lines.append(
            f"| **all** | {_LANGUAGE[language]} | {len(rows):,} | {sum(r['stratum'] == 'random' for r in rows):,} "
            f"| {sum(len(r['segments']) for r in rows):,} | |"
        )
    return {"sets": "\n".join(lines)}


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    return (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


def _table(unit: str, rows: Sequence[tuple[str, list[int]]]) -> str:
    head = f"| {unit} | " + " | ".join(_LANGUAGE[x] for x in LANGUAGES) + " |"
    lines = [f"| {name} | " + " | ".join(f"{n:,}" for n in counts) + " |" for name, counts in rows]
    return "\n".join([head, "| --- |" + " ---: |" * len(LANGUAGES), *lines])


if __name__ == "__main__":
    main()
