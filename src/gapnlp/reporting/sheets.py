"""What stands on each sheet of the workbook: columns with their kind, and rows of plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from gapnlp.records.feedback import Failure
from gapnlp.records.labels import POLARITIES
from gapnlp.records.report import DimensionResult, Evidence, GapReport
from gapnlp.reporting.sheet_parts import (
    Column,
    Row,
    Sheet,
    estimate_cells,
    estimate_columns,
    evidence_columns,
    evidence_row,
    finding_rows,
    intake_columns,
    source_rows,
    summary_columns,
)
from gapnlp.reporting.summary import (
    name_label,
    rank_dimensions,
    rank_gaps,
    say_basis,
    share_in_use,
    write_summary,
    write_tiles,
)
from gapnlp.reporting.words import Words


def summary_sheet(report: GapReport, words: Words) -> Sheet:
    """List the page's tiles, findings and caveats."""
    say = words.say
    rows = finding_rows(write_tiles(report, words), write_summary(report, words))
    if not report.items:
        rows.append((say("page.empty_title"), say("page.empty"), ""))
    for key in report.caveats:
        rows.append((say("summary.caveats"), words.caveat(key), ""))
    return summary_columns(words), rows


def gaps_sheet(report: GapReport, words: Words) -> Sheet:
    """Give one row per gap."""
    say = words.say
    columns = (
        Column(say("gaps.gap"), width=26),
        Column(say("gaps.segments"), "whole"),
        Column(say("count.items_label"), "whole"),
        *estimate_columns(words, say("gaps.raw_share"), "share"),
        *estimate_columns(words, say("gaps.corrected_share"), "share"),
        *estimate_columns(words, say("gaps.item_share"), "share"),
        Column(say("sheet.attributed"), width=40),
        Column(say("gaps.remedies_general"), width=70),
    )
    rows = (
        (
            words.name("gap", gap.gap),
            gap.segments,
            gap.items,
            *estimate_cells(gap.raw_share),
            *estimate_cells(gap.corrected_share),
            *estimate_cells(gap.item_share),
            say("gaps.attributed") if gap.attributed else None,
            _remedies(words, gap.remedies),
        )
        for gap in rank_gaps(report)
    )
    return columns, rows


def causes_sheet(report: GapReport, words: Words) -> Sheet:
    """Give one row per cause of each gap, with the remedies."""
    say = words.say
    columns = (
        Column(say("gaps.gap"), width=26),
        Column(say("gaps.cause"), width=44),
        Column(say("gaps.segments"), "whole"),
        *estimate_columns(words, say("gaps.share_of_gap"), "share"),
        Column(say("sheet.attributed"), width=40),
        Column(say("gaps.remedies"), width=70),
    )
    rows = (
        (
            words.name("gap", gap.gap),
            words.name("cause", cause.cause),
            cause.segments,
            *estimate_cells(cause.share),
            say("gaps.attributed") if gap.attributed else None,
            _remedies(words, cause.remedies),
        )
        for gap in rank_gaps(report)
        for cause in gap.causes
    )
    return columns, rows


def dimensions_sheet(report: GapReport, words: Words) -> Sheet:
    """Give one row per dimension."""
    say = words.say
    columns = (
        Column(say("dimensions.dimension"), width=26),
        Column(say("gaps.segments"), "whole"),
        Column(say("count.items_label"), "whole"),
        *(Column(say(f"polarity.{polarity}"), "whole") for polarity in POLARITIES),
        *estimate_columns(words, say("dimensions.perception"), "scale"),
        *estimate_columns(words, say("dimensions.segment_share"), "share"),
        *estimate_columns(words, say("dimensions.item_share"), "share"),
        *estimate_columns(words, say("dimensions.breach_rate"), "share"),
        *estimate_columns(words, say("dimensions.importance"), "share"),
        *estimate_columns(words, say("dimensions.effect"), "scale"),
        Column(say("dimensions.reference"), "scale"),
        Column(say("dimensions.source"), width=40),
        *estimate_columns(words, say("dimensions.servqual_gap"), "scale"),
    )
    return columns, (_dimension_row(result, words) for result in rank_dimensions(report))


def _dimension_row(result: DimensionResult, words: Words) -> Row:
    importance, reference = result.importance, result.reference
    return (
        words.name("dimension", result.dimension),
        result.segments,
        result.items,
        *(result.counts.get(polarity, 0) for polarity in POLARITIES),
        *estimate_cells(result.perception),
        *estimate_cells(result.segment_share),
        *estimate_cells(result.item_share),
        *estimate_cells(result.breach_rate),
        *estimate_cells(importance.share if importance else None),
        *estimate_cells(importance.effect if importance else None),
        reference.expectation if reference else None,
        reference.source if reference else None,
        *estimate_cells(result.servqual_gap),
    )


def shares_sheet(report: GapReport, words: Words) -> Sheet:
    """Give one row per label: its share, what that rests on, and its share in each other way."""
    say = words.say
    columns = (
        Column(say("shares.label"), width=34),
        *estimate_columns(words, say("shares.used"), "share"),
        Column(say("shares.basis"), width=40),
        *estimate_columns(words, say("gaps.raw_share"), "share"),
        *estimate_columns(words, say("gaps.corrected_share"), "share"),
        *estimate_columns(words, say("shares.audited"), "share"),
        Column(say("shares.positives"), "whole"),
        Column(say("shares.weight"), "scale"),
    )
    rows = (
        (
            name_label(words, share.label),
            *estimate_cells(share_in_use(share)),
            say_basis(report, share, words),
            *estimate_cells(share.counted),
            *estimate_cells(share.corrected),
            *estimate_cells(share.audited),
            share.positives if report.audit else None,
            share.weight if report.audit else None,
        )
        for share in report.shares
    )
    return columns, rows


def cells_sheet(report: GapReport, words: Words, kind: str) -> Sheet:
    """Give one row per group (or period) and measure; a cell too small to speak has one row without figures."""
    say = words.say
    columns = (
        Column(say("sheet.by"), width=16),
        Column(say(f"{kind}.cell"), width=26),
        Column(say("count.items_label"), "whole"),
        Column(say("gaps.segments"), "whole"),
        Column(say("sheet.enough"), width=12),
        Column(say("measure.figure"), width=34),
        *estimate_columns(words, say("compare.value"), "scale"),
        Column(say("compare.rest"), "scale"),
        Column(say("compare.difference"), "scale"),
        Column(say("compare.p"), "tiny"),
        Column(say("compare.q"), "tiny"),
        Column(say("compare.differs"), width=12),
    )
    return columns, _cell_rows(report, words, kind)


def _cell_rows(report: GapReport, words: Words, kind: str) -> Iterator[Row]:
    yes_no = {True: words.say("page.yes"), False: words.say("page.no")}
    for breakdown in report.breakdowns:
        if breakdown.kind != kind:
            continue
        for cell in breakdown.cells:
            head = (breakdown.by, cell.name, cell.items, cell.segments, yes_no[cell.enough])
            if not cell.comparisons:
                yield (*head, *(None,) * 10)
            for c in cell.comparisons:
                figures = (*estimate_cells(c.estimate), c.rest, c.difference, c.p, c.q, yes_no[c.differs])
                yield (*head, words.measure(c.measure), *figures)


def evidence_sheet(report: GapReport, words: Words) -> Sheet:
    """List every sentence kept, with what it is evidence of and where it stands."""
    rows = (evidence_row(about, entry, words) for about, entry in _all_evidence(report, words))
    return evidence_columns(words), rows


def _all_evidence(report: GapReport, words: Words) -> Iterator[tuple[str, Evidence]]:
    def pair(left: str, right: str) -> str:
        return words.say("format.label", name=left, value=right)

    for gap in rank_gaps(report):
        name = words.name("gap", gap.gap)
        yield from ((name, entry) for entry in gap.evidence)
        for cause in gap.causes:
            about = pair(name, words.name("cause", cause.cause))
            yield from ((about, entry) for entry in cause.evidence)
    for result in rank_dimensions(report):
        name = words.name("dimension", result.dimension)
        yield from ((pair(name, words.say("polarity.neg")), entry) for entry in result.negative)
        yield from ((pair(name, words.say("polarity.pos")), entry) for entry in result.positive)
    for breakdown in report.breakdowns:
        for cell in breakdown.cells:
            yield from ((pair(breakdown.by, cell.name), entry) for entry in cell.evidence)


def intake_sheet(report: GapReport, words: Words) -> Sheet:
    """List rows accounted for, languages, what was recognised in each file, and the rows that failed."""
    return intake_columns(words), _intake_rows(report, words)


def _intake_rows(report: GapReport, words: Words) -> Iterator[Row]:
    intake, say = report.intake, words.say
    counts = (intake.scored, intake.failed, intake.duplicate, intake.empty, intake.unsupported, intake.read)
    keys = ("scored", "failed", "duplicate", "empty", "unsupported", "read")
    for key, n in zip(keys, counts, strict=True):
        yield (say(f"data.{key}"), None, n, None, None, None)
    for key, by_language in (("languages", intake.languages), ("unsupported_languages", intake.unsupported_languages)):
        for code, n in by_language.items():
            yield (say(f"data.{key}"), None, n, None, words.language(code), None)
    yield from source_rows(report.inputs, report.models, words)
    yield from _failure_rows(words, "failures", intake.failures)
    yield from _failure_rows(words, "notices", intake.noticed)


def _failure_rows(words: Words, key: str, failures: Iterable[Failure]) -> Iterator[Row]:
    """Give one line per row that failed, its number where counts stand elsewhere."""
    for failure in failures:
        kind = words.say(f"data.{failure.kind}") if words.has(f"data.{failure.kind}") else failure.kind
        row = words.say("format.label", name=words.say("data.row"), value=failure.source.row)
        yield (words.say(f"data.{key}"), failure.source.file, None, row, kind, failure.reason)


def _remedies(words: Words, keys: Iterable[str]) -> str:
    return "; ".join(words.name("remedy", key) for key in keys)


SHEETS: Mapping[str, Callable[[GapReport, Words], Sheet]] = {
    "summary": summary_sheet,
    "gaps": gaps_sheet,
    "causes": causes_sheet,
    "dimensions": dimensions_sheet,
    "shares": shares_sheet,
    "groups": lambda report, words: cells_sheet(report, words, "group"),
    "periods": lambda report, words: cells_sheet(report, words, "period"),
    "evidence": evidence_sheet,
    "intake": intake_sheet,
}
