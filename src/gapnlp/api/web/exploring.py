"""The explorable report: bars of gaps and dimensions, and the sentences behind whatever was chosen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from gapnlp.api.problems import ApiProblem
from gapnlp.api.web.bars import dimension_bars, gap_bars
from gapnlp.api.web.quotes import Sentence, stored_sentence
from gapnlp.api.web.rendering import show
from gapnlp.api.web.selection import describe
from gapnlp.api.web.site import Site
from gapnlp.api.web.visits import Visit
from gapnlp.records.labels import DIMENSIONS, GAPS, POLARITIES
from gapnlp.records.report import Breakdown, GapReport
from gapnlp.records.service import Job, Page, SegmentFilter, StoredSegment
from gapnlp.reporting.anchors import cell_anchor, dimension_anchor, gap_anchor, words_anchor
from gapnlp.reporting.summary import write_summary, write_tiles
from gapnlp.reporting.to_json import from_json

SENTENCES_SHOWN = 20
# What can be filtered by, in the order of the form; the names of the address's parameters.
FILTERS = ("gap", "dimension", "polarity", "group", "period")
_REPORTS_KEPT = 8
_LONGEST_VALUE = 500


@dataclass(frozen=True, slots=True)
class Headline:
    """A finding in one line; address: of the sentences behind it."""

    topic: str
    text: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of one report under other filters."""

    path: str
    wanted: SegmentFilter

    def to(self, **changes: str | None) -> str:
        """Address with some filters changed; None takes one away."""
        return self._address(replace(self.wanted, **changes))

    def after(self, cursor: str) -> str:
        """Address of the sentences that follow."""
        return self._address(self.wanted, cursor=cursor)

    def _address(self, wanted: SegmentFilter, **more: str) -> str:
        chosen = {name: getattr(wanted, name) for name in FILTERS if getattr(wanted, name)} | more
        return f"{self.path}{'?' if chosen else ''}{urlencode(chosen, errors='replace')}"


async def show_report(visit: Visit, site: Site) -> Response:
    """Show a report, or for the page's script a part of it: "explore" after another choice, "more" sentences."""
    project, job_id = visit.need(), str(visit.request.path_params["job_id"])
    job = await run_in_threadpool(site.jobs.get, project, job_id)
    report = await run_in_threadpool(_report, site, project, job_id)
    wanted = read_filter(visit)
    page = await _sentences(visit, site, job, wanted)
    values = {
        "job": job,
        "report": report,
        "wanted": wanted,
        "links": Links(visit.request.url.path, wanted),
        "stored": page.items,
        "sentences": await _explained(visit, site, page, wanted),
        "next": page.next,
        "later": "cursor" in visit.request.query_params,
    }
    if visit.part == "more":
        return show(visit, "more.html.j2", values)
    return show(visit, "report.html.j2", {**values, **(await run_in_threadpool(_overview, visit, report, wanted))})


def read_filter(visit: Visit) -> SegmentFilter:
    """Read the filters from the address; a value that cannot be is no filter."""
    query = visit.request.query_params

    def known(name: str, values: tuple[str, ...]) -> str | None:
        value = query.get(name)
        return value if value in values else None

    def free(name: str) -> str | None:
        return (query.get(name) or "")[:_LONGEST_VALUE] or None

    return SegmentFilter(
        gap=known("gap", GAPS),
        dimension=known("dimension", DIMENSIONS),
        polarity=known("polarity", POLARITIES),
        group=free("group"),
        period=free("period"),
    )


def breakdown_of(report: GapReport, kind: str) -> Breakdown | None:
    """Find the report's groups ("group") or periods ("period")."""
    return next((b for b in report.breakdowns if b.kind == kind), None)


async def _sentences(visit: Visit, site: Site, job: Job, wanted: SegmentFilter) -> Page[StoredSegment]:
    cursor = visit.request.query_params.get("cursor") or None
    return await run_in_threadpool(
        lambda: site.jobs.segments(job.project, job.id, wanted, cursor=cursor, limit=SENTENCES_SHOWN)
    )


async def _explained(
    visit: Visit, site: Site, page: Page[StoredSegment], wanted: SegmentFilter
) -> tuple[Sentence, ...]:
    """Add the evidence; while the scorers are busy or down the sentences are shown without."""
    try:
        segments = await site.explain(page.items)
    except ApiProblem:
        segments = page.items
    return tuple(stored_sentence(segment, wanted, visit.words) for segment in segments)


def _overview(visit: Visit, report: GapReport, wanted: SegmentFilter) -> dict[str, object]:
    words = visit.words
    gaps, gap_axis = gap_bars(report, words)
    dimensions, dimension_axis = dimension_bars(report, words)
    return {
        "tiles": write_tiles(report, words),
        "findings": _headlines(visit, report),
        "gaps": gaps,
        "gap_axis": gap_axis,
        "dimensions": dimensions,
        "dimension_axis": dimension_axis,
        "selection": describe(report, wanted, words),
        "groups": breakdown_of(report, "group"),
        "periods": breakdown_of(report, "period"),
        "polarities": POLARITIES,
    }


def _headlines(visit: Visit, report: GapReport) -> list[Headline]:
    """Lead each finding to the sentences behind it, where there are some."""
    addresses = _addresses(report, Links(visit.request.url.path, SegmentFilter()))
    found = write_summary(report, visit.words)
    return [Headline(f.topic, f.headline, addresses.get(f.anchor or "")) for f in found]


def _addresses(report: GapReport, links: Links) -> dict[str, str]:
    """Anchor in the printed report -> address of the same sentences here."""
    addresses = {gap_anchor(gap): links.to(gap=gap) for gap in GAPS}
    addresses |= {dimension_anchor(dimension): links.to(dimension=dimension) for dimension in DIMENSIONS}
    for index, breakdown in enumerate(report.breakdowns):
        for place, cell in enumerate(breakdown.cells):
            addresses[words_anchor(cell_anchor(index, place))] = links.to(**{breakdown.kind: cell.name})
    return addresses


def _report(site: Site, project: str, job_id: str) -> GapReport:
    path = site.jobs.report(project, job_id, "json")
    return _read(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=_REPORTS_KEPT)
def _read(path: Path, changed: int) -> GapReport:
    return from_json(path.read_bytes())
