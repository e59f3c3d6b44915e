"""Finished chunks -> report, results and index of segments, in a folder that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gapnlp.aggregator.tally import Tally
from gapnlp.errors import Conflict
from gapnlp.export.rows import ITEM_COLUMNS, item_rows
from gapnlp.export.writers import choose_writer
from gapnlp.ingest.items import made_id
from gapnlp.jobs import build_report
from gapnlp.records.analysis import Analysis
from gapnlp.records.feedback import Failure, Source
from gapnlp.records.report import GapReport
from gapnlp.records.service import REPORT_FORMATS, RESULT_FORMATS, Job
from gapnlp.reporting.render import RENDERERS
from gapnlp.reporting.to_json import from_json
from gapnlp.reporting.writing import write_whole
from gapnlp.scoring.local import ScorerSettings
from gapnlp.service.folders import INDEX_NAME, PRIVATE, JobFolder, report_name, result_name
from gapnlp.store.packing import unpack
from gapnlp.store.segments import SegmentWriter

Results = Sequence[Analysis | Failure]
# Gives the finished chunks from the first on, each time it is called.
Payloads = Callable[[], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Writing:
    """What results are made of. payloads: the finished chunks, in order. keep_on: called at every chunk; what it raises
    ends the writing.
    """  # noqa: D205

    job: Job
    scorer: ScorerSettings
    payloads: Payloads
    keep_on: Callable[[], None]


def write_results(writing: Writing, folder: JobFolder, token: str) -> None:
    """Make the job's `out` folder; where it is already, nothing is done.

    token: names this run's draft, so that two runs that know nothing of each other cannot spoil each other's files.
    """
    if folder.out.exists():
        return
    folder.drop_drafts()
    draft = folder.path / f"out-{token}"
    draft.mkdir(mode=PRIVATE)
    tally = _write_first(writing, draft)
    for form in RESULT_FORMATS[1:]:
        _write_rows(draft / result_name(form), (list(item_rows(r)) for r in _chunks(writing)))
    _write_report(writing, tally, draft)
    for path in draft.iterdir():
        _flush(path)
    try:
        os.rename(draft, folder.out)
    except OSError:
        if not folder.out.exists():
            raise
        shutil.rmtree(draft, ignore_errors=True)  # a run that had been given up was faster; its results are the same
    _flush(folder.path)


def read_report(folder: JobFolder) -> GapReport:
    """Read the report of a job that has succeeded. Raises Conflict when it is not there."""
    try:
        return from_json(folder.report("json", "").read_bytes())
    except FileNotFoundError:
        raise Conflict("the job's report is gone from the data folder; submit the file again") from None


def write_report_in(folder: JobFolder, form: str, ui: str) -> Path:
    """Make the report in a format and UI language that it was not made in yet; returns its path."""
    path = folder.report(form, ui)
    if not path.exists():
        report = read_report(folder)
        try:
            write_whole(path, RENDERERS[form](report, ui))
        except FileNotFoundError:
            raise Conflict("the job was deleted just now") from None
    return path


def _write_first(writing: Writing, draft: Path) -> Tally:
    """Write the first format of results, and on the same way the tally and the index of segments."""
    options = writing.job.options
    tally = Tally(by_group=options.by is not None, period=options.period)
    with SegmentWriter(draft / INDEX_NAME, period=options.period) as index:

        def chunks() -> Iterator[Sequence[Mapping[str, Any]]]:
            for results in _chunks(writing):
                analyses = [r for r in results if isinstance(r, Analysis)]
                tally.add(analyses)
                tally.add_failures([r for r in results if isinstance(r, Failure)])
                index.add(analyses)
                yield list(item_rows(results))

        _write_rows(draft / result_name(RESULT_FORMATS[0]), chunks())
    return tally


def _write_rows(path: Path, chunks: Iterator[Sequence[Mapping[str, Any]]]) -> None:
    choose_writer(path)(path, ITEM_COLUMNS, chunks)


def _write_report(writing: Writing, tally: Tally, draft: Path) -> None:
    options = writing.job.options
    report = build_report(tally, writing.job.recognitions, writing.scorer, by=options.by, references={})
    for form in REPORT_FORMATS:
        writing.keep_on()
        write_whole(draft / report_name(form, options.ui), RENDERERS[form](report, options.ui))


def _chunks(writing: Writing) -> Iterator[Results]:
    for payload in writing.payloads():
        writing.keep_on()
        yield [_with_shown_name(result, writing.job.file) for result in unpack(payload)]


def _with_shown_name(result: Analysis | Failure, file: str) -> Analysis | Failure:
    """Name the file as the user does; it was read under another name."""
    if isinstance(result, Failure):
        source = replace(result.source, file=file)
        return replace(result, source=source, id=_renamed(result.id, result.source, source))
    feedback = result.feedback
    source = replace(feedback.source, file=file)
    identity = _renamed(feedback.id, feedback.source, source) or feedback.id
    return replace(result, feedback=replace(feedback, source=source, id=identity))


def _renamed(identity: str | None, old: Source, new: Source) -> str | None:
    """Make an id anew that was made of the file's name."""
    return made_id(new) if identity == made_id(old) else identity


def _flush(path: Path) -> None:
    """Have a file or folder on the disk itself: a job that succeeded must not lose its results with the power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
