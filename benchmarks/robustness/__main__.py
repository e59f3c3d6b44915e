"""How often answers change when they should not, and do not when they should, on sentences written for it.

    python -m benchmarks.robustness [--quality balanced] [--language pl] [--failures | --json | --markdown]
                                    [--out robustness.json]

A rate is the share of a test's cases that fail: lower is better. What each test does: docs/robustness.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.robustness.measuring import card_figures, measure_robustness
from benchmarks.robustness.results import Result, result_row
from gapnlp.classifier.bundle import QUALITIES
from gapnlp.records.labels import LANGUAGES
from gapnlp.scoring.loading import DEFAULT_QUALITY, load


@dataclass(frozen=True, slots=True)
class Run:
    """All tests on one bundle at one quality."""

    language: str
    quality: str
    bundle: str
    results: list[Result]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, then print the table or the JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quality", choices=QUALITIES, action="append", help=f"default: {DEFAULT_QUALITY}")
    parser.add_argument("--language", choices=LANGUAGES, action="append", help="default: all")
    parser.add_argument("--models", type=Path, help="models folder (default: the shipped one)")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--failures", action="store_true", help="print the cases that fail, too")
    shape.add_argument("--json", action="store_true")
    shape.add_argument("--markdown", action="store_true", help="print the table of docs/robustness.md")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the JSON here")
    options = parser.parse_args(arguments)
    qualities = options.quality or [DEFAULT_QUALITY]
    runs = [_run(language, q, options.models) for q in qualities for language in options.language or LANGUAGES]
    content = json.dumps([_as_json(run) for run in runs], ensure_ascii=False, indent=1)
    if options.out:
        options.out.write_text(content + "\n", encoding="utf-8")
    print(content if options.json else render_table(runs, markdown=options.markdown))
    if options.failures:
        print(_render_failures(runs))


def _run(language: str, quality: str, models: Path | None) -> Run:
    classifier = load(models, quality=quality).classifier(language)
    return Run(language, quality, classifier.version, measure_robustness(classifier))


def _as_json(run: Run) -> dict[str, Any]:
    rows = [result_row(r) for r in run.results]
    name = {"language": run.language, "quality": run.quality, "bundle": run.bundle}
    return {**name, "results": rows, **card_figures(run.results)}


def render_table(runs: Sequence[Run], *, markdown: bool = False) -> str:
    """One line a test, one column a run: share of the cases that fail, in per cent, of how many."""
    tests = dict.fromkeys((r.kind, r.test) for run in runs for r in run.results)
    lines = [["failing cases, %", "", *(f"{run.language} {run.quality}" for run in runs)]]
    for kind, test in tests:
        found = ([r for r in run.results if (r.kind, r.test) == (kind, test)] for run in runs)
        lines.append([kind, test, *(_cell(results) for results in found)])
    if markdown:
        marks = ["---", "---", *("---:" for _ in runs)]
        return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], marks, *lines[1:]])
    return "\n".join(f"{line[0]:17}{line[1]:29}" + "".join(f"{cell:>15}" for cell in line[2:]) for line in lines)


def _cell(results: Sequence[Result]) -> str:
    """One run's result of a test, if the test applies to its language."""
    return "".join("-" if r.rate is None else f"{100 * r.rate:.1f} ({r.n})" for r in results)


def _render_failures(runs: Sequence[Run]) -> str:
    lines = []
    for run in runs:
        for result in run.results:
            lines += [f"\n{run.language} {run.quality}: {result.kind}, {result.test}"] if result.failures else []
            lines += [f"  {f.text}\n    wanted: {f.expected}\n    found:  {f.given}" for f in result.failures]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
