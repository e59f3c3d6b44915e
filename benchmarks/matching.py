"""Time and memory of judging many complaint segments against many promises, without the classifier's own time.

    python -m benchmarks.matching CASES --segments 100000 --promises 200

Repeats the segments and promises of a folder of cases (one language) with a running number, so that none is equal.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from benchmarks.promises import shipped_models
from gapnlp.promises.match import Matcher
from gapnlp.promises.pair_features import PairContext, Texts
from gapnlp.scoring.loading import load
from training.promise_cases import read_cases


def main() -> None:
    """Judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--promises", type=int, default=200)
    parser.add_argument("--language", default="en")
    options = parser.parse_args()
    cases = [c for c in read_cases(options.cases) if c.language == options.language]
    classifier = load().classifier(options.language)
    copy = [c.unit_texts[i] for c in cases for i in c.promises]
    texts = [t for c in cases for t in c.segment_texts]
    values = classifier.predict([[t] for t in texts]).values
    promises = [f"{t} ({i})" for i, t in enumerate(islice(cycle(copy), options.promises))]
    segments = [f"{t} ({i})" for i, t in enumerate(islice(cycle(texts), options.segments))]
    repeated = values[np.arange(options.segments) % len(texts)]
    before = _peak()
    started = time.perf_counter()
    languages = (options.language, options.language)
    context = PairContext(languages, sample=[*promises, *segments[:5000]])
    of_copy = Texts(promises, promises, classifier.predict([[t] for t in promises]).values)
    matcher = Matcher(languages, of_copy, model=shipped_models()[options.language], context=context)
    found = sum(len(v) for v in matcher.judge(Texts(segments, segments, repeated)))
    seconds = time.perf_counter() - started
    figures = {
        "segments": options.segments,
        "promises": options.promises,
        "verdicts": found,
        "seconds": round(seconds, 1),
        "segments_per_second": round(options.segments / seconds),
        "more_memory_mb": round((_peak() - before) / 1024),
    }
    print(json.dumps(figures))


def _peak() -> int:
    """Peak resident memory of this process, in KB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
