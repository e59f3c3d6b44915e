"""Learning curves of a simulated company: adapters on public labelled sets, beside what else learns from the same rows.

    python -m benchmarks.retraining --public path/to/public --gold path/to/gold --cache out/retraining_cache

With --cache what is done is kept (identifiers and labels, no text), so a killed run goes on where it stopped, and
--kept-only shows what is there. See docs/training-curves.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.quality.peers.peer import check_packages
from benchmarks.retraining.answers import AnswerCache
from benchmarks.retraining.bases import BASES, find_encoder, load_base
from benchmarks.retraining.peers import PEERS
from benchmarks.retraining.remembering import RememberingClassifier
from benchmarks.retraining.rendering import to_markdown, write
from benchmarks.retraining.running import Draw, Result, Runner
from benchmarks.retraining.tasks import Task, found_company, read_tasks
from gapnlp.errors import GapnlpError, InputError

SIZES = (50, 100, 200, 500, 1_000)
SEEDS = 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, measure, write the table and the plot, and print the table."""
    options = _parser().parse_args(arguments)
    try:
        tasks = read_tasks(options.sets.split(",") if options.sets else None)
        bases, peers = _chosen(options.base, BASES), _chosen(options.peers, PEERS)
        for name in peers:
            check_packages(name, PEERS[name])
        sizes = sorted({int(size) for size in options.sizes.split(",")})
        draws = [(size, seed) for size in sizes for seed in range(options.seeds)]
        results = [r for task in tasks for r in _results(task, options, (bases, peers), draws=draws)]
    except GapnlpError as error:
        print(f"benchmarks.retraining: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    about = {"bases": bases, "peers": peers, "python": platform.python_version(), "cores": os.cpu_count()}
    write(tasks, results, about, options.out)
    print(to_markdown(tasks, results, about), end="")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.retraining",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--public", type=Path, required=True, help="folder of the public sets")
    parser.add_argument("--gold", type=Path, required=True, help="folder with train.jsonl and dev.jsonl")
    parser.add_argument(
        "--out", type=Path, default=Path("out/retraining"), help="for curves.json, curves.md, curves.png"
    )
    parser.add_argument("--cache", type=Path, help="folder that keeps decisions, so that a killed run goes on")
    parser.add_argument("--bases", type=Path, default=Path("out/retraining_bases"), help="folder of the blind bases")
    parser.add_argument("--sets", help="names in tasks.toml with commas between (default: all)")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="training rows with commas between")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"draws of training rows (default: {SEEDS})")
    parser.add_argument("--peers", default=",".join(PEERS), help=f"of {', '.join(PEERS)}, or none (default: all)")
    parser.add_argument("--base", default=",".join(BASES), help=f"of {', '.join(BASES)}, or none (default: all)")
    parser.add_argument(
        "--fine-tune", action="store_true", help="adapters with an encoder of their own as well: minutes a draw"
    )
    parser.add_argument(
        "--kept-only",
        action="store_true",
        help="show what the cache holds; trains nothing but a blind base that is missing",
    )
    return parser


def _chosen(text: str, known: Iterable[str]) -> list[str]:
    """Split names at commas. Raises InputError on an unknown one."""
    allowed = list(known)
    names = [] if text == "none" else text.split(",")
    for name in names:
        if name not in allowed:
            raise InputError(f"{name!r} is unknown; choose from {', '.join(allowed)}")
    return names


def _results(
    task: Task, options: argparse.Namespace, names: tuple[Sequence[str], Sequence[str]], *, draws: Sequence[Draw]
) -> Iterator[Result]:
    bases, peers = names
    company = found_company(task, options.public, options.gold)
    print(f"{task.name}: {len(company.test):,} test rows, pool of {len(company.pool):,}", file=sys.stderr, flush=True)
    runner = Runner(company, AnswerCache(options.cache), options.kept_only)
    for name in peers:
        if task.language in PEERS[name].languages:
            yield from runner.peer(name, draws)
    for kind in bases:
        if task.language not in BASES[kind]:
            continue
        base = RememberingClassifier(load_base(kind, task, folders=(options.gold, options.public, options.bases)))
        yield from runner.adapter(kind, base, draws)
        start = find_encoder(kind, task, options.bases)
        if options.fine_tune and start is not None:
            yield from runner.fine_tuned(kind, base, start, draws)


if __name__ == "__main__":
    main()
