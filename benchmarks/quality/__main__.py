"""F1 of our bundles and of their peers on the same rows, by language and label, with bootstrap intervals over items.

    python -m benchmarks.quality --gold path/to/gold --cache out/peers --out out/quality

Peers are trained on train.jsonl and everything is measured on dev.jsonl. With --cache, what is done is kept (ids and
labels, no text), so a killed run goes on where it stopped. See docs/evaluation.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.quality.cache import Cache
from benchmarks.quality.peers.peer import check_packages
from benchmarks.quality.peers.registry import PEERS
from benchmarks.quality.rendering import to_json, to_markdown
from benchmarks.quality.running import Answered, answer_bundles, answer_peer
from benchmarks.quality.splits import Split, read_splits
from benchmarks.quality.table import build_table
from gapnlp.classifier.bundle import QUALITIES
from gapnlp.errors import GapnlpError, InputError
from gapnlp.records.labels import LANGUAGES

_PACKAGES = ("scikit-learn", "spacy", "fasttext-wheel", "setfit", "sentence-transformers", "transformers", "torch")


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the table; print it, and write it as JSON and Markdown with --out."""
    options = _parser().parse_args(arguments)
    try:
        peers = _chosen(options.peers, PEERS, "peer")
        languages = _chosen(options.languages, LANGUAGES, "language")
        qualities = _chosen(options.qualities, QUALITIES, "quality")
        for name in peers:
            if set(PEERS[name].languages) & set(languages):
                check_packages(name, PEERS[name])
        tables = []
        for split in read_splits(options.gold, languages, limit=options.limit):
            answered = _answer(split, options, peers, qualities)
            tables.append(build_table(split.dev, answered, replicates=options.replicates))
    except GapnlpError as error:
        print(f"benchmarks.quality: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    _write(tables, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--gold", type=Path, required=True, help="folder with train.jsonl and dev.jsonl")
    parser.add_argument("--peers", default=",".join(PEERS), help="names with commas between, or none (default: all)")
    parser.add_argument("--languages", default=",".join(LANGUAGES), help="default: en,pl,zh")
    parser.add_argument(
        "--qualities", default=",".join(QUALITIES), help=f"of our bundles; default: {','.join(QUALITIES)}"
    )
    parser.add_argument("--models", type=Path, help="models folder (default: the shipped bundles)")
    parser.add_argument("--cache", type=Path, help="folder that keeps the peers' predictions")
    parser.add_argument("--out", type=Path, help="folder for quality.json and quality.md")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    parser.add_argument("--usual-only", action="store_true", help="leave out the peers with tuned thresholds")
    parser.add_argument("--replicates", type=int, default=2_000, help="of the bootstrap (default: 2000)")
    parser.add_argument("--limit", type=int, help="only so many items of each split, for a trial")
    return parser


def _chosen(text: str, known: Sequence[str] | Any, what: str) -> list[str]:
    """Split names at commas. Raises InputError on an unknown one."""
    names = [] if text == "none" else text.split(",")
    for name in names:
        if name not in known:
            raise InputError(f"{what} {name!r} is unknown; choose from {', '.join(known)}")
    return names


def _answer(
    split: Split, options: argparse.Namespace, peers: Sequence[str], qualities: Sequence[str]
) -> list[Answered]:
    answered = list(answer_bundles(split, qualities, options.models))
    for name in peers:
        if split.language in PEERS[name].languages:
            cache = Cache(options.cache)
            answered += answer_peer(name, PEERS[name], split, cache=cache, tuned=not options.usual_only)
    return answered


def _write(tables: Sequence[Any], options: argparse.Namespace) -> None:
    about = {
        "replicates": options.replicates,
        "limit": options.limit,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "packages": {name: _version(name) for name in _PACKAGES},
    }
    documents = {"quality.json": to_json(tables, about), "quality.md": to_markdown(tables, about)}
    print(documents["quality.json" if options.json else "quality.md"], end="")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        for name, content in documents.items():
            (options.out / name).write_text(content, encoding="utf-8")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
