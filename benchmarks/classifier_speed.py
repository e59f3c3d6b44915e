"""Segments per second, start-up time and memory of one classifier alone, in a process of its own on two cores.

    python -m benchmarks.classifier_speed DOCUMENTS.json --engine balanced --language en

Prints one line of JSON a way of running it. Engines: our bundles at each quality, and `transformers`: the Hugging Face
pipeline with the MiniLM architecture and 28 labels in torch. Its weights are those of the base and a head that was not
trained: speed does not depend on what weights say. `benchmarks.throughput` calls this.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

import psutil

from gapnlp.classifier.bundle import QUALITIES
from gapnlp.errors import GapnlpError
from gapnlp.scoring.loading import load
from gapnlp.text.normalise import normalise

CORES = 2
PIPELINE = "transformers"
ENGINES = (*QUALITIES, PIPELINE)
BATCHES = (1, 8, 32)
# Each figure is the median of so many passes over all documents, and of more where these take less than a while.
_PASSES, _LEAST_SECONDS = 3, 3.0

# Items, each the texts of its segments in order.
Documents = list[list[str]]


@dataclass(frozen=True, slots=True)
class Speed:
    """One way of running a classifier.

    detail: the bundle's version, or the pipeline's batch size. start_up_seconds: from the process's start to the first
    answer. peak_mb: largest resident memory of the process up to then and through all passes.
    """

    name: str
    language: str
    detail: str
    segments: int
    segments_per_second: float
    start_up_seconds: float
    peak_mb: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure one engine in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=Path, help="JSON: a list of items, each a list of segments")
    parser.add_argument("--engine", choices=ENGINES, required=True)
    parser.add_argument("--language", default="en")
    parser.add_argument("--models", type=Path)
    options = parser.parse_args(arguments)
    use_cores(CORES)
    documents = json.loads(options.documents.read_text(encoding="utf-8"))
    try:
        for speed in measure_here(options.engine, documents, options.language, models=options.models):
            print(json.dumps(asdict(speed)), flush=True)
    except GapnlpError as error:
        print(f"benchmarks.classifier_speed: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


def use_cores(cores: int) -> None:
    """Keep this process to so many of its cores, where the system allows it (Linux)."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def measure_here(engine: str, documents: Documents, language: str, *, models: Path | None) -> Iterator[Speed]:
    """Start the engine and time it."""
    segments = sum(map(len, documents))
    if engine == PIPELINE:
        run = start_pipeline()
        run([documents[0][0]], BATCHES[0])
        texts, started = list(chain.from_iterable(documents)), _start_up()
        for batch in BATCHES:
            rate = segments / seconds_a_pass(lambda size=batch: run(texts, size))  # type: ignore[misc]
            yield Speed(engine, language, f"batches of {batch}", segments, round(rate, 1), started, peak_mb())
        return
    classifier = load(models, quality=engine, threads=CORES).classifier(language)
    classifier.predict([[normalise(documents[0][0], language)]])
    started = _start_up()
    # Normalising is a part of our way from text to labels, as tokenising is a part of the pipeline's.
    rate = segments / seconds_a_pass(
        lambda: classifier.predict([[normalise(t, language) for t in document] for document in documents])
    )
    yield Speed(engine, language, classifier.version, segments, round(rate, 1), started, peak_mb())


def start_pipeline() -> Callable[[list[str], int], object]:
    """Make the pipeline: (texts, batch size) -> all labels' probabilities of every text."""
    import torch
    from transformers import pipeline

    from benchmarks.quality.peers.minilm import new_minilm

    torch.set_num_threads(CORES)
    tokenizer, model = new_minilm()
    classify = pipeline("text-classification", model=model.eval(), tokenizer=tokenizer, device="cpu")
    return lambda texts, size: classify(
        texts, batch_size=size, truncation=True, top_k=None, function_to_apply="sigmoid"
    )


def seconds_a_pass(run: Callable[[], object]) -> float:
    """Time passes and give their median."""
    spent: list[float] = []
    while len(spent) < _PASSES or sum(spent) < _LEAST_SECONDS:
        started = time.perf_counter()
        run()
        spent.append(time.perf_counter() - started)
    return statistics.median(spent)


def _start_up() -> float:
    return round(time.time() - float(psutil.Process().create_time()), 2)


def peak_mb() -> float:
    """Largest resident memory that this process has had, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3), 1)


def measure_all(
    documents: Documents, language: str, *, engines: Sequence[str] = ENGINES, models: Path | None = None
) -> list[Speed]:
    """Measure engines one after the other, each in a process of its own. Exits with the process's words if it fails."""
    speeds: list[Speed] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "documents.json"
        path.write_text(json.dumps(documents), encoding="utf-8")
        for engine in engines:
            command = [sys.executable, "-m", "benchmarks.classifier_speed", str(path), "--engine", engine]
            command += ["--language", language, *(["--models", str(models)] if models else [])]
            environment = {**os.environ, "OMP_NUM_THREADS": str(CORES)}
            result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
            if result.returncode:
                sys.exit(f"{engine} failed: {result.stderr[-2000:]}")
            speeds += [Speed(**json.loads(line)) for line in result.stdout.splitlines() if line.startswith("{")]
    return speeds


def ratios(speeds: Sequence[Speed]) -> dict[str, float]:
    """Our segments per second over those of the pipeline at its best batch size, by quality; empty without it."""
    pipeline = [s.segments_per_second for s in speeds if s.name == PIPELINE]
    if not pipeline:
        return {}
    return {s.name: round(s.segments_per_second / max(pipeline), 2) for s in speeds if s.name != PIPELINE}


if __name__ == "__main__":
    main()
