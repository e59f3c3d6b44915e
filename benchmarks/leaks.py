"""Checks that no text of the shared data is in the project, and that no text kept for measuring is trained on.

    python -m benchmarks.leaks --gold path/to/gold --public path/to/public --promises path/to/promises

Texts are compared by their letters alone (no case, space or punctuation). Prints places (file, identifier), never the
text, and ends with exit code 1 if there are any. See docs/evaluation.md for what it cannot see.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.leaks_in_project import find_in_project
from benchmarks.leaks_in_training import KEPT_PARTS, find_in_training
from benchmarks.shared_texts import read_gold_texts, read_promise_texts, read_public_texts
from gapnlp.errors import GapnlpError

# Places that are printed of each check; all are counted.
_SHOWN = 30


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both checks and print what they found."""
    options = _parser().parse_args(arguments)
    promises = options.promises or options.gold.parent / "promises"
    public = options.public or options.gold.parent / "public"
    try:
        shared = [*read_gold_texts(options.gold), *read_public_texts(public), *read_promise_texts(promises)]
        copied = find_in_project(shared, options.project)
        trained, notices = find_in_training(options.gold, public, kept=options.kept.split(","))
    except GapnlpError as error:
        print(f"benchmarks.leaks: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    _show(f"texts of the shared data in the project ({len(shared):,} texts compared)", copied)
    _show("texts kept for measuring among those that bundles are trained on", [str(leak) for leak in trained])
    for (file, source), n in Counter((leak.place.file, leak.source) for leak in trained).items():
        print(f"{n:7,} of {file} in {source}")
    for notice in notices:
        print(f"notice: {notice}")
    sys.exit(1 if copied or trained else 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.leaks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gold", type=Path, required=True, help="folder with train.jsonl and dev.jsonl")
    parser.add_argument("--public", type=Path, help="folder of the public sets (default: public beside gold)")
    parser.add_argument("--promises", type=Path, help="folder of the promise cases (default: promises beside gold)")
    parser.add_argument(
        "--kept",
        default=",".join(KEPT_PARTS),
        help="what public sets call the parts that must not be trained on (default: %(default)s)",
    )
    parser.add_argument("--project", type=Path, default=Path(), help="its root (default: the current folder)")
    return parser


def _show(what: str, places: Sequence[str]) -> None:
    print(f"{what}: {len(places):,}")
    for place in places[:_SHOWN]:
        print(f"  {place}")
    if len(places) > _SHOWN:
        print(f"  and {len(places) - _SHOWN:,} more")


if __name__ == "__main__":
    main()
