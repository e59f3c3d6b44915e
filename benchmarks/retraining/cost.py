"""What training on a company's tickets takes, and what it changes elsewhere.

    python -m benchmarks.retraining.cost --public path/to/public --gold path/to/gold

`gapnlp train` on 1,000 airline tweets, as a process of its own, twice from the shipped bundles: seconds, peak memory of
all its processes, and whether both runs make the same bundle. Then the headline on gold's development split before and
after, in every language.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.quality.rendering import NAMES, grid
from benchmarks.quality.transfer.tasks import read_rows
from benchmarks.retraining.tasks import Task, found_company, read_tasks
from benchmarks.throughput import Run, measure
from gapnlp.classifier.bundle import read_manifest
from gapnlp.errors import GapnlpError
from gapnlp.records.labels import LANGUAGES
from gapnlp.scoring.loading import DEFAULT_QUALITY, load
from training.material import read_development

ROWS, RUNS = 1_000, 2
_COMMAND = (sys.executable, "-c", "from gapnlp.cli.main import main; main()", "train")


@dataclass(frozen=True, slots=True)
class Cost:
    """What was found.

    busy: seconds that each run kept a core busy, which other programs on the machine hardly change. versions: of the
    bundle that each run made. before, after: language -> headline on dev.
    """

    runs: tuple[Run, ...]
    busy: tuple[float, ...]
    versions: tuple[str, ...]
    before: dict[str, float | None]
    after: dict[str, float | None]

    @property
    def repeatable(self) -> bool:
        """Whether all runs made the same bundle, to the byte."""
        return len(set(self.versions)) == 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Train twice, measure before and after, print and write cost.json and cost.md."""
    options = _parser().parse_args(arguments)
    (task,) = read_tasks(["airline"])
    try:
        with TemporaryDirectory() as scratch:
            table = write_table(task, options, Path(scratch) / "tickets.csv")
            found = _measure(task, table, options, scratch=Path(scratch))
    except GapnlpError as error:
        print(f"benchmarks.retraining.cost: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    text = to_markdown(found, options.rows)
    options.out.mkdir(parents=True, exist_ok=True)
    record = asdict(found) | {
        "repeatable": found.repeatable,
        "quality": options.quality,
        "method": options.method,
        "cores": os.cpu_count(),
    }
    (options.out / "cost.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (options.out / "cost.md").write_text(text, encoding="utf-8")
    print(text, end="")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.retraining.cost",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--public", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--gold", type=Path, required=True, help="folder with train.jsonl and dev.jsonl")
    parser.add_argument("--out", type=Path, default=Path("out/retraining"), help="folder for cost.json and cost.md")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"labelled tickets (default: {ROWS:,})")
    parser.add_argument("--quality", default=DEFAULT_QUALITY, help=f"of the classifiers (default: {DEFAULT_QUALITY})")
    parser.add_argument("--method", choices=("auto", "heads", "encoder"), default="auto", help="of training")
    parser.add_argument("--languages", default=",".join(LANGUAGES), help="measured before and after")
    return parser


def write_table(task: Task, options: argparse.Namespace, path: Path) -> Path:
    """Write the first draw of training rows as a company would have them: one row a ticket, a column for each label."""
    drawn = {t.id for t in found_company(task, options.public, options.gold).draw(options.rows, 0)}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", *task.columns])
        for row in read_rows(options.public, task.file):
            if row["id"] in drawn:
                writer.writerow([row["id"], row["text"], *(row.get(column) or "" for column in task.columns)])
    return path


def _measure(task: Task, table: Path, options: argparse.Namespace, *, scratch: Path) -> Cost:
    languages = options.languages.split(",")
    labels = [x for column in task.columns for x in ("--labels", column)]
    runs, busy, versions = [], [], []
    for number in range(RUNS):
        models = scratch / f"models-{number}"
        command = [*_COMMAND, str(table), "--mapping", str(task.mapping_file), "--models", str(models), *labels]
        before_run = _busy()
        # Forced, since what is measured must be in force whatever the gate says of these tickets.
        command += ["--quality", options.quality, "--method", options.method, "--force"]
        runs.append(measure(f"run {number + 1}", command, options.rows))
        busy.append(round(_busy() - before_run, 1))
        versions.append(adapter_version(models, task.language))
    before = headlines(None, options.gold, languages, options.quality)
    after = headlines(scratch / "models-0", options.gold, languages, options.quality)
    return Cost(tuple(runs), tuple(busy), tuple(versions), before, after)


def _busy() -> float:
    """Processor time of all child processes that have ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def adapter_version(models: Path, language: str) -> str:
    """Give the version of the language's adapter in a models folder, with the digest of its files."""
    (found,) = (b for b in read_manifest(models) if b.kind == "adapter" and b.language == language)
    return found.version


def headlines(models: Path | None, gold: Path, languages: Sequence[str], quality: str) -> dict[str, float | None]:
    """Measure a models folder, or the shipped bundles, on gold's development split, language by language."""
    scorer, found = load(models, quality=quality), {}
    for language in languages:
        development = read_development(gold, language)
        predictions = scorer.classifier(language).predict(development.documents())
        found[language] = development.measure(predictions.labels).headline
    return found


def to_markdown(found: Cost, rows: int) -> str:
    """Write both tables, for people."""
    runs = [
        [run.name, f"{run.seconds:.0f}", f"{busy:.0f}", f"{run.peak_mb / 1000:.2f}", version]
        for run, busy, version in zip(found.runs, found.busy, found.versions, strict=True)
    ]
    moved = [[NAMES[x], *_moved(found.before[x], found.after[x])] for x in found.before]
    same = "Both runs made the same bundle." if found.repeatable else "The runs made different bundles."
    parts = [
        f"# Training on {rows:,} labelled tickets",
        grid(["run", "seconds", "of them busy", "peak memory, GB", "bundle"], runs),
        same,
        "Headline F1 on gold's development split:",
        grid(["language", "before", "after", "points"], moved),
    ]
    return "\n\n".join(parts) + "\n"


def _moved(before: float | None, after: float | None) -> tuple[str, str, str]:
    if before is None or after is None:
        return "", "", ""
    return f"{before:.4f}", f"{after:.4f}", f"{100 * (after - before):+.2f}"


if __name__ == "__main__":
    main()
