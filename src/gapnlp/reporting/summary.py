"""The few sentences that a manager reads first, put together from the report's figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gapnlp.records.labels import gap_label
from gapnlp.records.report import (
    Breakdown,
    Cell,
    Comparison,
    DimensionResult,
    Estimate,
    GapReport,
    GapResult,
    LabelShare,
)
from gapnlp.reporting.anchors import cell_anchor, dimension_anchor, gap_anchor, words_anchor
from gapnlp.reporting.formats import clean, clip
from gapnlp.reporting.measures import is_worse, weight, write_interval, write_value
from gapnlp.reporting.words import Words

_GAPS, _CHANGES, _GROUPS, _NAME = 3, 3, 3, 60


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know: under which topic, in one line, with what behind it, and where the page tells more."""

    topic: str
    headline: str
    detail: str
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Tile:
    """One large figure with its interval and what it is."""

    value: str
    label: str
    note: str


def write_tiles(report: GapReport, words: Words) -> tuple[Tile, ...]:
    """Write the large figures at the top: size, negative share, churn, breached expectations, satisfaction."""
    overall, say = report.overall, words.say
    note = say("tile.items_note", read=words.formats.whole(report.intake.read))
    tiles = [Tile(words.formats.whole(report.items), say("tile.items"), note)]
    shares = [("negative", overall.sentiment.get("neg")), ("churn", overall.churn), ("breach", overall.breach_rate)]
    for key, estimate in shares:
        if estimate is not None:
            tiles.append(share_tile(words, say(f"tile.{key}"), estimate))
    mean = overall.mean_satisfaction
    if mean is not None and mean.value is not None:
        hundred = Estimate(mean.value * 100, _times(mean.low), _times(mean.high), mean.n)
        value = words.formats.number(mean.value * 100, 0)
        tiles.append(
            Tile(value, say("tile.satisfaction"), write_basis(words, words.formats.interval(hundred, 0), mean.n))
        )
    return tuple(tiles)


def write_summary(report: GapReport, words: Words) -> tuple[Finding, ...]:
    """Write the findings in the order of their weight for a decision."""
    if not report.items:
        return ()
    findings = [*_gap_findings(report, words), *_priority(report, words)]
    for index, breakdown in enumerate(report.breakdowns):
        findings.extend(_breakdown_findings(index, breakdown, words))
    churn = report.overall.churn
    if churn.value is not None:
        headline = words.say("summary.churn_headline", share=words.formats.percent(churn.value))
        detail = words.say("summary.churn_detail", **say_interval(report.level, churn, words))
        findings.append(Finding(words.say("summary.churn"), headline, detail if churn.low is not None else ""))
    return tuple(findings)


def rank_gaps(report: GapReport) -> list[GapResult]:
    """Order gaps by the share to go by: audited, else corrected, else counted."""
    return sorted(report.gaps, key=lambda gap: -(best_share(report, gap).value or 0.0))


def best_share(report: GapReport, gap: GapResult) -> Estimate:
    """Choose a gap's share to go by: the audited one, else the corrected one, else the counted one."""
    share = find_share(report, gap_label(gap.gap))
    if share is not None and share.audited is not None:
        return share.audited
    return gap.raw_share if gap.corrected_share.value is None else gap.corrected_share


def find_share(report: GapReport, label: str) -> LabelShare | None:
    """Find a label's shares; None in an empty report."""
    return next((share for share in report.shares if share.label == label), None)


def share_in_use(share: LabelShare) -> Estimate:
    """Give the share to go by."""
    return share.audited or share.corrected or share.counted


def name_label(words: Words, label: str) -> str:
    """Name what a label says: "Delivery gap", "Reliability: fault", "Sentiment: negative"."""
    kind, _, rest = label.partition(":")
    if kind == "gap":
        return words.name("gap", rest)
    key, _, polarity = rest.partition(":")
    if kind in ("dimension", "presence"):
        value = words.say(f"polarity.{polarity}") if polarity else words.say("shares.any")
        return words.say("format.label", name=words.name("dimension", key), value=value)
    if kind == "churn":
        return words.say("shares.churn")
    value = words.name("sentiment", key) if kind == "sentiment" else words.say(f"shares.{key}")
    return words.say("format.label", name=words.say(f"shares.{kind}"), value=value)


def say_basis(report: GapReport, share: LabelShare, words: Words) -> str:
    """Say what a share rests on: "audited by 103 statements", "corrected for known error" or "as counted"."""
    if share.audited is None:
        return words.say(f"shares.used_{share.used}")
    said = words.count("shares.used_audited", share.audited.n)
    return words.say("format.bracket", text=said, inner=words.say("shares.rare")) if share.rare else said


def rank_dimensions(report: GapReport) -> list[DimensionResult]:
    """Order dimensions by what there is to win: importance times the distance of perception from its best, 7."""

    def room(result: DimensionResult) -> tuple[float, float]:
        distance = 0.0 if result.perception.value is None else 7.0 - result.perception.value
        share = result.importance.share.value if result.importance else None
        return -(distance * (share or 0.0)), -distance

    return sorted(report.dimensions, key=room)


def write_basis(words: Words, interval: str, n: int) -> str:
    """Write what a figure rests on: its interval, where there is one, and n."""
    return words.say("figure.interval_n" if interval else "figure.n_only", interval=interval, n=words.formats.whole(n))


def _times(value: float | None) -> float | None:
    return None if value is None else value * 100


def share_tile(words: Words, label: str, estimate: Estimate) -> Tile:
    """Make a share a large figure; one that is not known says why."""
    if estimate.value is None:
        return Tile("–", label, words.say("figure.too_few_n", n=estimate.n))
    note = write_basis(words, words.formats.share_interval(estimate), estimate.n)
    return Tile(words.formats.percent(estimate.value), label, note)


def say_interval(level: float, estimate: Estimate, words: Words) -> dict[str, str]:
    """Give a share's interval as the values that a sentence about it takes: level, low, high."""
    percent = words.formats.percent
    return {
        "level": words.formats.level(level),
        "low": percent(estimate.low or 0.0),
        "high": percent(estimate.high or 0.0),
    }


def _gap_findings(report: GapReport, words: Words) -> Iterable[Finding]:
    topic = words.say("summary.gap")
    found = [gap for gap in rank_gaps(report) if gap.segments and best_share(report, gap).value][:_GAPS]
    if not found:
        yield Finding(topic, words.say("summary.gap_none"), "")
    for gap in found:
        estimate = best_share(report, gap)
        key = "summary.gap_headline_raw" if estimate is gap.raw_share else "summary.gap_headline"
        share = words.formats.percent(estimate.value or 0.0)
        headline = words.say(key, gap=words.name("gap", gap.gap), share=share)
        yield Finding(topic, headline, _gap_detail(report, gap, words), gap_anchor(gap.gap))


def _gap_detail(report: GapReport, gap: GapResult, words: Words) -> str:
    estimate, parts = best_share(report, gap), []
    if estimate.low is not None:
        parts.append(words.say("summary.gap_interval", **say_interval(report.level, estimate, words)))
    main = next((cause for cause in gap.causes if cause.segments), None)
    if main and main.share.value is not None:
        name, share = words.name("cause", main.cause), words.formats.percent(main.share.value)
        parts.append(words.say("summary.gap_cause", cause=name, share=share))
    else:
        parts.append(words.say("summary.gap_no_cause"))
    if gap.attributed:
        parts.append(words.say("gaps.attributed_long"))
    return words.say("format.sentence_gap").join(parts)


def _priority(report: GapReport, words: Words) -> Iterable[Finding]:
    judged = [result for result in rank_dimensions(report) if result.perception.value is not None]
    if not judged:
        return
    worst = judged[0]
    value = words.formats.number(worst.perception.value or 0.0)
    name = words.name("dimension", worst.dimension)
    headline = words.say("summary.priority_headline", dimension=name, perception=value)
    share = worst.importance.share.value if worst.importance else None
    if share is None:
        detail = words.say("summary.priority_unweighted")
    else:
        detail = words.say("summary.priority_detail", importance=words.formats.percent(share))
    yield Finding(words.say("summary.priority"), headline, detail, dimension_anchor(worst.dimension))


def _breakdown_findings(index: int, breakdown: Breakdown, words: Words) -> Iterable[Finding]:
    kind = "change" if breakdown.kind == "period" else "group"
    topic = words.say(f"summary.{kind}")
    if not any(cell.enough for cell in breakdown.cells):
        return
    chosen = _latest_changes(breakdown) if kind == "change" else _outstanding(breakdown)
    if not chosen:
        yield Finding(topic, words.say(f"summary.{kind}_none"), "")
    for place, cell, comparison in chosen:
        anchor = words_anchor(cell_anchor(index, place)) if cell.evidence else None
        yield Finding(topic, *_comparison_text(kind, cell, comparison, words), anchor)


def _latest_changes(breakdown: Breakdown) -> list[tuple[int, Cell, Comparison]]:
    """Find the most convincing differences of the latest period that has any."""
    for place, cell in reversed(list(enumerate(breakdown.cells))):
        differing = sorted((c for c in cell.comparisons if c.differs), key=lambda c: (c.q or 0.0, -weight(c)))
        if differing:
            return [(place, cell, comparison) for comparison in differing[:_CHANGES]]
    return []


def _outstanding(breakdown: Breakdown) -> list[tuple[int, Cell, Comparison]]:
    """Find the largest difference of each group that has one, largest first."""
    best = []
    for place, cell in enumerate(breakdown.cells):
        differing = [c for c in cell.comparisons if c.differs]
        if differing:
            best.append((place, cell, max(differing, key=weight)))
    return sorted(best, key=lambda entry: -weight(entry[2]))[:_GROUPS]


def _comparison_text(kind: str, cell: Cell, comparison: Comparison, words: Words) -> tuple[str, str]:
    value = write_value(words, comparison.measure, comparison.estimate.value)
    interval = write_interval(words, comparison.measure, comparison.estimate)
    if interval:
        value = words.say("format.bracket", text=value, inner=interval)
    name = clip(clean(cell.name), _NAME)
    placeholders = {"period" if kind == "change" else "group": name}
    headline = words.say(
        f"summary.{kind}_headline", measure=words.measure(comparison.measure), value=value, **placeholders
    )
    rest = write_value(words, comparison.measure, comparison.rest)
    way = "worse" if is_worse(comparison) else "better"
    return headline, words.say(f"summary.{way}_detail", rest=rest)
