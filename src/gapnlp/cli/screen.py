"""What the terminal shows: recognised columns, progress, and a few words at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from gapnlp.records.feedback import FAILURE_KINDS, Recognition
from gapnlp.records.labels import gap_label
from gapnlp.records.promises import Ledger
from gapnlp.records.report import AuditUsed, GapReport

# Results go to the output, all that is said about the work to the error stream: pipes stay clean.
OUTPUT = Console()
ERRORS = Console(stderr=True)
_SHOWN_FILES = 5
_SHOWN_PROMISES = 20
# What a share rests on, for people.
_BASES = {"audited": "the audit", "corrected": "known error", "counted": "counts"}


class _Rate(ProgressColumn):
    """Rows per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} rows/s", style="cyan")


def show_recognition(recognition: Recognition) -> None:
    """Print which column was taken for what, and why."""
    facts = [recognition.format]
    facts += [recognition.encoding] if recognition.encoding else []
    facts += [f"delimiter {recognition.delimiter!r}"] if recognition.delimiter else []
    facts += [f"preset {recognition.preset}"] if recognition.preset else []
    title = f"{recognition.file} ({', '.join(facts)})"
    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("column", "role", "why"):
        table.add_column(heading, overflow="fold")
    for column in recognition.columns:
        style = "dim" if column.role == "ignored" else ""
        table.add_row(escape(column.column), column.role, escape(column.why), style=style)
    ERRORS.print(table)


def show_recognitions(recognitions: tuple[Recognition, ...]) -> None:
    """Print the tables of the first files, and how many there are besides."""
    for recognition in recognitions[:_SHOWN_FILES]:
        show_recognition(recognition)
    if len(recognitions) > _SHOWN_FILES:
        ERRORS.print(f"... and {len(recognitions) - _SHOWN_FILES} more files")


@contextmanager
def progress_bar(rows: int | None) -> Iterator[Callable[[int], None]]:
    """Show rows done, rate and time left; the function given takes the rows read so far."""
    columns = (
        SpinnerColumn(),
        TextColumn("scoring"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=ERRORS, transient=True) as progress:
        task = progress.add_task("scoring", total=rows)

        def update(done: int) -> None:
            total = progress.tasks[0].total
            progress.update(task, completed=done, total=None if total is None else max(total, done))

        yield update


def show_counts(counts: Mapping[str, int]) -> None:
    """Say what became of the rows."""
    parts = [f"{counts['scored']:,} scored"] + [f"{counts[k]:,} {k}" for k in FAILURE_KINDS if counts[k]]
    ERRORS.print(f"{counts['read']:,} rows read: {', '.join(parts)}")


def show_report(report: GapReport) -> None:
    """Name the gaps by the share to go by, largest first, and the first rows that were not scored."""
    intake = report.intake
    show_counts({k: getattr(intake, k) for k in ("read", "scored", *FAILURE_KINDS)})
    for failure in [f for f in intake.failures if f.kind == "failed"][:_SHOWN_FILES]:
        ERRORS.print(f"  {escape(failure.source.file)}, row {failure.source.row}: {escape(failure.reason)}")
    if report.audit is not None:
        _show_audit(report.audit)
    OUTPUT.print(_gap_table(report))


def _gap_table(report: GapReport) -> Table:
    """Lay out the gaps; with an audit each share says what it rests on."""
    from gapnlp.reporting.summary import best_share, find_share, rank_gaps

    basis = "corrected" if report.audit is None else "share"
    headings = ["gap", "segments", "raw", basis, "95 % interval", *([] if report.audit is None else ["rests on"])]
    table = Table(title="gaps, share of segments", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in (*headings, "main cause"):
        table.add_column(heading, justify="left" if heading in ("gap", "rests on", "main cause") else "right")
    for gap in rank_gaps(report):
        share, label = best_share(report, gap), find_share(report, gap_label(gap.gap))
        shown = share if basis == "share" else gap.corrected_share
        known = shown.value is not None and shown.low is not None and shown.high is not None
        cells = [gap.gap, f"{gap.segments:,}", _percent(gap.raw_share.value), _percent(shown.value)]
        cells.append(f"{shown.low:.1%} - {shown.high:.1%}" if known else "cannot be corrected")
        cells += [] if report.audit is None else [_BASES[label.used] if label is not None else ""]
        table.add_row(*cells, gap.causes[0].cause.replace("_", " ") if gap.causes else "")
    return table


def _show_audit(audit: AuditUsed) -> None:
    """Say what became of the rows of the audit's table."""
    counts = {
        "not labelled yet": audit.waiting,
        "not drawn at random, so left out": audit.left_out,
        "not found among the segments": audit.unmatched,
    }
    told = "".join(f"; {n:,} rows {what}" for what, n in counts.items() if n)
    few = "" if audit.enough else "; too few for audited shares"
    ERRORS.print(f"audit: {audit.segments:,} segments{told}{few}", soft_wrap=True)


def show_ledger(ledger: Ledger) -> None:
    """Name the promises and how they fare, worst first."""
    promises = sum(u.is_promise for u in ledger.units)
    ERRORS.print(f"{promises:,} promises among {len(ledger.units):,} units of copy; {ledger.items:,} items judged")
    table = Table(title="promises, worst first", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("verdict", "breaks", "keeps", "items that break it", "promise"):
        table.add_column(heading, justify="right" if heading in ("breaks", "keeps") else "left", overflow="fold")
    for entry in ledger.entries[:_SHOWN_PROMISES]:
        share = entry.break_share
        known = share.value is not None and share.low is not None and share.high is not None
        text = f"{share.value:.1%} ({share.low:.1%} - {share.high:.1%})" if known else ""
        verdict = entry.verdict.replace("_", " ")
        table.add_row(verdict, f"{entry.breaks:,}", f"{entry.keeps:,}", text, escape(entry.promise.text[:90]))
    OUTPUT.print(table)
    if len(ledger.entries) > _SHOWN_PROMISES:
        ERRORS.print(f"... and {len(ledger.entries) - _SHOWN_PROMISES} more promises in the ledger")


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
