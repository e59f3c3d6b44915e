"""Transfer to sets that people labelled: whether our labels carry over to questions they were not made for.

    python -m benchmarks.quality.transfer --gold path/to/gold --public path/to/public --cache out/cache

Ways to answer, all by five folds: `ours, untaught` maps our labels to the set's (tasks.toml); `n-grams` is TF-IDF with
logistic regression on the set's own labels; `ours` and `ours + n-grams` learn from our probabilities too. Ours is the
linear recipe on gold without the fold's texts: the shipped bundles learnt from some of these sets. docs/evaluation.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.quality.counting import Estimate
from benchmarks.quality.linear_recipe import RECIPE
from benchmarks.quality.rendering import grid, with_interval
from benchmarks.quality.transfer.judging import Finding, judge
from benchmarks.quality.transfer.tasks import Task, read_rows, read_tasks
from benchmarks.quality.transfer.views import View, Viewer
from gapnlp.errors import GapnlpError, InputError
from gapnlp.ingest.gold import read_gold


def main(arguments: Sequence[str] | None = None) -> None:
    """Answer every task and write transfer.json and transfer.md."""
    options = _parser().parse_args(arguments)
    try:
        tasks = _chosen(read_tasks(), options.tasks)
        found = dict(_answer_all(tasks, options))
    except GapnlpError as error:
        print(f"benchmarks.quality.transfer: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    _write(tasks, found, options.out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality.transfer",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--gold", type=Path, required=True, help="folder with train.jsonl")
    parser.add_argument("--public", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--tasks", help="names with commas between (default: all of tasks.toml)")
    parser.add_argument("--cache", type=Path, help="folder that keeps finished tasks, so that a killed run goes on")
    parser.add_argument("--out", type=Path, default=Path("out/transfer"))
    parser.add_argument("--limit", type=int, help="only so many rows of each set and items of gold, for a trial")
    return parser


def _chosen(tasks: Sequence[Task], names: str | None) -> list[Task]:
    known = {t.name: t for t in tasks}
    wanted = list(known) if names is None else names.split(",")
    for name in wanted:
        if name not in known:
            raise InputError(f"task {name!r} is unknown; choose from {', '.join(known)}")
    return [known[name] for name in wanted]


def _answer_all(tasks: Sequence[Task], options: argparse.Namespace) -> Iterator[tuple[str, list[Finding]]]:
    gold = list(read_gold(options.gold / "train.jsonl"))
    viewer = Viewer(gold if options.limit is None else gold[: options.limit])
    views: dict[str, list[View]] = {}
    for task in tasks:
        path = _cache_path(task, options)
        if path is not None and path.is_file():
            yield task.name, _kept(path)
            continue
        print(task.name, file=sys.stderr, flush=True)
        rows = read_rows(options.public, task.file, options.limit)
        if task.file not in views:
            views = {task.file: viewer.view_all(rows, task.language)}
        places = [i for i, r in enumerate(rows) if task.concerns(r)]
        findings = judge(task, [rows[i] for i in places], [_of_rows(v, places) for v in views[task.file]])
        _keep(path, findings)
        yield task.name, findings


def _of_rows(view: View, places: Sequence[int]) -> View:
    labels = [view.labels[i] for i in places]
    return View(labels, view.means[places], view.features[places], view.left_out)


def _cache_path(task: Task, options: argparse.Namespace) -> Path | None:
    """Name the file that keeps a task's figures, by a digest of all they depend on."""
    if options.cache is None:
        return None
    content = hashlib.sha256(f"{task}{options.limit}{RECIPE.source_digest()}".encode())
    code = [Path(__file__).with_name(f"{name}.py") for name in ("judging", "learning", "views")]
    for path in (*code, options.gold / "train.jsonl", options.public / f"{task.file}.jsonl.gz"):
        if not path.is_file():
            raise InputError(f"{path}: there is no such file; check --gold and --public")
        content.update(path.read_bytes())
    name = task.name.replace(" ", "_").lower()
    return Path(options.cache / f"transfer-{name}-{content.hexdigest()[:12]}.json")


def _keep(path: Path | None, findings: Sequence[Finding]) -> None:
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps([asdict(f) for f in findings]), encoding="utf-8")
    os.replace(partial, path)


def _kept(path: Path) -> list[Finding]:
    records = json.loads(path.read_text(encoding="utf-8"))
    return [Finding(**{**r, "found": Estimate(**r["found"])}) for r in records]


def _write(tasks: Sequence[Task], found: Mapping[str, Sequence[Finding]], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    content: list[Any] = [
        {
            "task": t.name,
            "language": t.language,
            "published": t.published,
            "findings": [asdict(f) for f in found[t.name]],
        }
        for t in tasks
    ]
    (out / "transfer.json").write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    text = to_markdown(tasks, found)
    (out / "transfer.md").write_text(text, encoding="utf-8")
    print(text, end="")


def to_markdown(tasks: Sequence[Task], found: Mapping[str, Sequence[Finding]]) -> str:
    """Write one table a task: questions down, ways to answer across."""
    parts = ["# Transfer to sets that people labelled"]
    for task in tasks:
        findings = found[task.name]
        ways = list(dict.fromkeys(f.classifier for f in findings))
        questions = dict.fromkeys((f.question, f.figure, f.rows, f.positives) for f in findings)
        cells = {(f.question, f.figure, f.classifier): with_interval(f.found) for f in findings}
        table = grid(
            ["question", "figure", "rows", "of them yes", *ways],
            [
                [
                    q,
                    figure,
                    f"{rows:,}",
                    "" if yes is None else f"{yes:,}",
                    *(cells.get((q, figure, w), "") for w in ways),
                ]
                for q, figure, rows, yes in questions
            ],
        )
        parts.append(f"## {task.name} ({task.language})\n\nPublished: {task.published}.\n\n{table}")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    main()
