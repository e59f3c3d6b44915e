"""Upload -> results: reading, scoring, tallying and writing, so that a killed job goes on where it stopped.

A job's work file lies beside its output. Finished chunks, and the tally over them, are kept in one transaction; chunks
are cut by row count alone, so a resumed run and an undisturbed one do the same and give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from gapnlp.aggregator.audit_tally import AuditTally
from gapnlp.aggregator.build import BuildSettings, build
from gapnlp.aggregator.references import read_references
from gapnlp.aggregator.tally import Tally
from gapnlp.classifier.bundle import BundleInfo, choose_adapter, choose_bundle, read_manifest
from gapnlp.export.rows import ITEM_COLUMNS, SEGMENT_COLUMNS, item_rows, segment_rows
from gapnlp.export.writers import choose_writer, make_folder, whole_file
from gapnlp.ingest.audit_table import read_audit
from gapnlp.ingest.columns import ColumnOptions
from gapnlp.ingest.counting import estimate_rows
from gapnlp.ingest.frames import read_frame
from gapnlp.ingest.intake import list_inputs, read_feedback, recognise
from gapnlp.records.analysis import Analysis
from gapnlp.records.feedback import FAILURE_KINDS, Failure, Recognition
from gapnlp.records.labels import LANGUAGES
from gapnlp.records.promises import Ledger
from gapnlp.records.report import GapReport, ModelUsed, Reference
from gapnlp.records.review import review_segments
from gapnlp.reporting.render import write_report
from gapnlp.retraining.selection import Selection
from gapnlp.scoring.loading import DEFAULT_QUALITY
from gapnlp.scoring.local import Chunk, Result, Row, ScorerSettings, available_cores, score_chunks, score_rows
from gapnlp.scoring.scorer import Scorer
from gapnlp.store.packing import pack, unpack
from gapnlp.store.repositories import JobRepository, Progress

CHUNK_ROWS = 500
# Inputs below this are scored sooner in one process than others take to start.
_BYTES_FOR_WORKERS = 2_000_000
# Each process holds a scorer of its own: about 300 MB.
_MOST_WORKERS = 4
# Least seconds between two snapshots of the tally; a kill loses at most so much work.
_SNAPSHOT_SECONDS = 2.0
WORK_SUFFIX = ".gapnlp-work"

OnProgress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is read, and how.

    recognitions: as `recognise_inputs` gave them. workers: processes, None chooses by the input's size.
    """

    paths: tuple[Path, ...]
    columns: ColumnOptions
    recognitions: tuple[Recognition, ...]
    scorer: ScorerSettings = field(default_factory=ScorerSettings)
    workers: int | None = None

    @property
    def rows(self) -> int | None:
        """About how many rows there are; None when unknown."""
        return estimate_rows(self.paths)


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How the report is built: groups come from the `by` column of the inputs.

    period: "week", "month", "quarter" or None. expectations: file of E values. ui: language of the report. audit: table
    of segments that people labelled (docs/audit.md).
    """

    period: str | None = None
    expectations: Path | None = None
    ui: str = "en"
    audit: Path | None = None


def recognise_inputs(
    paths: Sequence[Path],
    columns: ColumnOptions,
    *,
    scorer: ScorerSettings | None = None,
    workers: int | None = None,
) -> Inputs:
    """Find the input files and what their columns are.

    Raises InputError when a file cannot be read or its columns are unknown.
    """
    files = list_inputs(paths)
    recognitions = tuple(recognise(path, columns) for path in files)
    return Inputs(files, columns, recognitions, (scorer or ScorerSettings()).kept(), workers)


def score_file(inputs: Inputs, out: Path, *, segments: bool = False, on_progress: OnProgress) -> Mapping[str, int]:
    """Score the inputs into one file, a row an item or a row a segment; the ending of `out` is its format.

    on_progress: called with the rows read so far. Returns how many rows were read, scored, failed and so on.
    The file appears whole or not at all; a killed job goes on when called again with the same inputs.
    """
    write = choose_writer(out)
    make_folder(out.parent)
    key = job_key(inputs, {"kind": "score", "chunk": CHUNK_ROWS})
    work = JobRepository(work_file(out))
    with closing(work):
        run_job(inputs, work, key, counts=None, on_progress=on_progress)
        counts = dict.fromkeys(("read", "scored", *FAILURE_KINDS), 0)
        columns, rows = (SEGMENT_COLUMNS, segment_rows) if segments else (ITEM_COLUMNS, item_rows)

        def chunks() -> Iterator[Sequence[Mapping[str, Any]]]:
            for payload in work.payloads(key):
                results = unpack(payload)
                _count(counts, results)
                yield list(rows(results))

        with whole_file(out) as partial:
            write(partial, columns, chunks())
        work.remove()
    return counts


def make_report(
    inputs: Inputs,
    folder: Path,
    *,
    options: ReportOptions,
    on_progress: OnProgress,
    companion: Companion | None = None,
) -> GapReport:
    """Score the inputs, build the gap report and write it into a folder.

    companion: the promise ledger, when it is to be a part of the report.
    Raises InputError for bad input, before anything is scored where that is possible.
    """
    references = read_references(options.expectations) if options.expectations else {}
    audit = AuditTally(read_audit(options.audit)) if options.audit else None
    make_folder(folder)
    asked: dict[str, Any] = {"kind": "report", "period": options.period, "by": inputs.columns.by, "chunk": CHUNK_ROWS}
    if options.audit:
        asked["audit"] = hashlib.sha256(options.audit.read_bytes()).hexdigest()
    key = job_key(inputs, asked | ({"companion": companion.key} if companion else {}))
    counts = _Tallying(Tally(by_group=inputs.columns.by is not None, period=options.period))
    both: Accumulator = _Both(counts, companion.counts) if companion else counts
    both = _Both(both, _Auditing(audit)) if audit else both
    work = JobRepository(work_file(folder / "report"))
    with closing(work):
        run_job(inputs, work, key, counts=both, on_progress=on_progress)
        report = build_report(
            counts.tally, inputs.recognitions, inputs.scorer, by=inputs.columns.by, references=references, audit=audit
        )
        write_report(report, folder, ui=options.ui, ledger=companion.build() if companion else None)
        work.remove()
    return report


def report(
    frame: pd.DataFrame,
    *,
    text: str | None = None,
    date: str | None = None,
    rating: str | None = None,
    id: str | None = None,  # noqa: A002 - the column's role has this name everywhere
    by: str | None = None,
    language: str | None = None,
    period: str | None = None,
    expectations: Mapping[str, Reference] | None = None,
    models: Path | None = None,
    quality: str = DEFAULT_QUALITY,
) -> GapReport:
    """Build a gap report from a data frame, for pandas users.

    text, date, rating, id, by, language: names of columns; those left out are recognised by name. period: "week",
    "month" or "quarter". expectations: dimension -> Reference. Write it with `gapnlp.write_report(report, folder)`.
    Raises InputError when no text column is found.
    """
    columns = ColumnOptions(text=text, date=date, rating=rating, id=id, by=by, language=language)
    recognition, rows = read_frame(frame, columns)
    settings = ScorerSettings(models, quality=quality).kept()
    scorer = settings.make()
    counts = _Tallying(Tally(by_group=by is not None, period=period))
    for _, chunk in _chunks(rows):
        counts.add(score_rows(scorer, chunk))
    return build_report(counts.tally, (recognition,), settings, by=by, references=expectations or {}, scorer=scorer)


class Accumulator(Protocol):
    """What a job counts instead of keeping every result; its state survives in snapshots."""

    def add(self, results: Sequence[Result]) -> None:
        """Count one chunk's results."""

    def to_bytes(self) -> bytes:
        """Give the state as bytes."""

    def restore(self, stored: bytes) -> None:
        """Go back to the state that `to_bytes` gave."""


@dataclass(slots=True)
class _Tallying:
    """Counts for the gap report."""

    tally: Tally

    def add(self, results: Sequence[Result]) -> None:
        self.tally.add([r for r in results if isinstance(r, Analysis)])
        self.tally.add_failures([r for r in results if isinstance(r, Failure)])

    def to_bytes(self) -> bytes:
        return self.tally.to_bytes()

    def restore(self, stored: bytes) -> None:
        self.tally = Tally.from_bytes(stored)


@dataclass(frozen=True, slots=True)
class _Auditing:
    """Counts for audited shares."""

    tally: AuditTally

    def add(self, results: Sequence[Result]) -> None:
        self.tally.add([r for r in results if isinstance(r, Analysis)])

    def to_bytes(self) -> bytes:
        return self.tally.to_bytes()

    def restore(self, stored: bytes) -> None:
        self.tally.restore(stored)


@dataclass(frozen=True, slots=True)
class _Both:
    """Two accumulators over the same results."""

    first: Accumulator
    second: Accumulator

    def add(self, results: Sequence[Result]) -> None:
        self.first.add(results)
        self.second.add(results)

    def to_bytes(self) -> bytes:
        first = self.first.to_bytes()
        return len(first).to_bytes(8) + first + self.second.to_bytes()

    def restore(self, stored: bytes) -> None:
        border = 8 + int.from_bytes(stored[:8])
        self.first.restore(stored[8:border])
        self.second.restore(stored[border:])


class Companion(Protocol):
    """What can be made on the same road as a gap report: the promise ledger."""

    @property
    def key(self) -> str:
        """Digest of all that it depends on besides the inputs."""

    @property
    def counts(self) -> Accumulator:
        """What counts the results."""

    def build(self) -> Ledger:
        """Make the ledger from what was counted."""


def run_job(
    inputs: Inputs, work: JobRepository, key: str, *, counts: Accumulator | None, on_progress: OnProgress
) -> None:
    """Score what is not yet finished. With an accumulator, keep snapshots of it; without, keep the results."""
    progress = work.resume(key)
    if counts is not None and progress.tally is not None:
        counts.restore(progress.tally)
    rows = read_feedback(inputs.paths, inputs.columns, recognitions=inputs.recognitions)
    chunks = (chunk for chunk in _chunks(rows) if chunk[0] >= progress.done)
    done, read, saved = progress.done, progress.rows, time.monotonic()
    on_progress(read)
    workers = _choose_workers(inputs)
    # Closed here, not when the garbage collector comes to it: its processes must not outlive an interruption.
    with closing(score_chunks(chunks, inputs.scorer, workers=workers)) as scored:
        for number, results in scored:
            done, read = number + 1, read + len(results)
            on_progress(read)
            if counts is None:
                work.finish(key, Progress(done, read), [(number, pack(results))])
                continue
            counts.add(results)
            if time.monotonic() - saved >= _SNAPSHOT_SECONDS:
                started = time.monotonic()
                work.finish(key, Progress(done, read, counts.to_bytes()), [])
                # A large snapshot (many groups) is taken less often, so that it never costs more than a tenth.
                saved = time.monotonic() + 9 * (time.monotonic() - started)


def _choose_workers(inputs: Inputs) -> int:
    if inputs.workers is not None:
        return inputs.workers
    if sum(path.stat().st_size for path in inputs.paths) < _BYTES_FOR_WORKERS:
        return 1
    return min(available_cores(), _MOST_WORKERS)


def _chunks(rows: Iterator[Row]) -> Iterator[Chunk]:
    number = 0
    while chunk := list(islice(rows, CHUNK_ROWS)):
        yield number, chunk
        number += 1


def _count(counts: dict[str, int], results: Sequence[Result]) -> None:
    counts["read"] += len(results)
    for result in results:
        counts[result.kind if isinstance(result, Failure) else "scored"] += 1


def choose_for_review(inputs: Inputs, selection: Selection, *, on_progress: OnProgress) -> Mapping[str, int]:
    """Score the inputs and offer every segment to the selection; nothing else is kept, so memory stays flat.

    on_progress: called with the rows read so far. Returns how many rows were read, scored, failed and so on.
    """
    counts = dict.fromkeys(("read", "scored", *FAILURE_KINDS), 0)
    rows = read_feedback(inputs.paths, inputs.columns, recognitions=inputs.recognitions)
    with closing(score_chunks(_chunks(rows), inputs.scorer, workers=_choose_workers(inputs))) as scored:
        for _, results in scored:
            analyses = [r for r in results if isinstance(r, Analysis)]
            selection.add([segment for analysis in analyses for segment in review_segments(analysis)])
            _count(counts, results)
            on_progress(counts["read"])
    return counts


def build_report(
    tally: Tally,
    recognitions: tuple[Recognition, ...],
    settings: ScorerSettings,
    *,
    by: str | None,
    references: Mapping[str, Reference],
    scorer: Scorer | None = None,
    audit: AuditTally | None = None,
) -> GapReport:
    """Build the report of a tally; scorer: one that is at hand already, made by the same settings."""
    scorer = scorer or settings.make()
    bundles = read_manifest(settings.models)
    languages = [x for x in LANGUAGES if tally.intake().languages.get(x)]
    return build(
        tally,
        settings=BuildSettings(
            recognitions=recognitions,
            models=tuple(model_used(bundles, x, settings.quality) for x in languages),
            share_errors={x: scorer.classifier(x).share_errors for x in languages},
            references=references,
            by=by,
            period=tally.period,
            audit=audit,
        ),
    )


def model_used(bundles: Sequence[BundleInfo], language: str, quality: str) -> ModelUsed:
    """Name in a report what a language is scored with, as its predictions do."""
    bundle, adapter = choose_bundle(bundles, language, quality), choose_adapter(bundles, language)
    version = bundle.served_version(quality)
    return ModelUsed(language, bundle.name, f"{adapter.version}@{version}" if adapter else version, bundle.headline)


def job_key(inputs: Inputs, options: Mapping[str, Any]) -> str:
    """Digest of all that the results depend on: bytes of the files, options, bundles, version of gapnlp."""
    content = {
        "files": [(r.file, r.sha256) for r in inputs.recognitions],
        "columns": asdict(inputs.columns),
        "redact": inputs.scorer.redact,
        "quality": inputs.scorer.quality,
        "bundles": [b.version for b in read_manifest(inputs.scorer.models)],
        "version": version("gapnlp"),
        **options,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def work_file(out: Path) -> Path:
    """Name the work file beside an output."""
    return out.with_name(out.name + WORK_SUFFIX)
