"""GapReport -> one HTML page: opens offline, prints, needs no script."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import groupby
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gapnlp.records.labels import DIMENSIONS, POLARITIES
from gapnlp.records.report import Breakdown, Estimate, Evidence, GapReport
from gapnlp.reporting import anchors
from gapnlp.reporting.chart_style import DARK
from gapnlp.reporting.figures import by_name, draw_figures, figure_name
from gapnlp.reporting.formats import clean, clip
from gapnlp.reporting.limits import LADDER, MAX_BYTES, Limits
from gapnlp.reporting.measures import (
    by_measure,
    kind_of,
    measures_of,
    shown_cells,
    verdict,
    write_interval,
    write_value,
)
from gapnlp.reporting.plots_compare import MARKS
from gapnlp.reporting.summary import (
    find_share,
    name_label,
    rank_dimensions,
    rank_gaps,
    say_basis,
    share_in_use,
    write_basis,
    write_summary,
    write_tiles,
)
from gapnlp.reporting.words import Words, load_words

L = TypeVar("L", bound=Limits)

METHODS = (
    "raw_share",
    "corrected_share",
    "audited_share",
    "causes",
    "perception",
    "breach_rate",
    "servqual_gap",
    "importance",
    "effect",
    "comparison",
    "churn",
    "evidence",
)
LIMIT_PHRASES = ("limit_text", "limit_expectation", "limit_inside", "limit_error", "limit_cause")


@dataclass(frozen=True, slots=True)
class Section:
    """One more section of the page, from another module.

    anchor: its id. name: in the contents list. style: CSS that it needs besides the page's. fill: renders it within
    the page's limits, so that the whole page fits.
    """

    anchor: str
    name: str
    style: Markup
    fill: Callable[[Limits], Markup]


def render_html(report: GapReport, ui: str = "en") -> bytes:
    """Render the report as one HTML file under 2 MB; the same report always gives the same bytes."""
    return render_page(report, load_words(ui))


def render_page(report: GapReport, words: Words, section: Section | None = None) -> bytes:
    """Render the page in given words, with one more section if given, showing less and less until it fits."""
    figures = draw_figures(report, words)
    extra = {"figures": figures, "section": section}
    return fit_page(LADDER, lambda limits: _fill(report, words, extra=extra, limits=limits))


def fit_page(ladder: Sequence[L], fill: Callable[[L], bytes]) -> bytes:
    """Fill a page with less and less until it stays under `MAX_BYTES`; the last step is taken as it is."""
    page = b""
    for limits in ladder:
        page = fill(limits)
        if len(page) < MAX_BYTES:
            break
    return page


def render_template(name: str, words: Words, *, limits: Limits, values: Mapping[str, Any]) -> bytes:
    """Fill one template with the words, the pieces that all pages use, and its own values."""
    pieces: dict[str, Any] = {
        "w": words,
        "say": words.say,
        "count": words.count,
        "f": words.formats,
        "limits": limits,
        "shown": clean_name_of(limits),
        "clipped": lambda value: clip(clean(value), limits.text),
        "before": lambda value: clean(value)[-100:],
        "after": lambda value: clean(value)[:100],
        "pick": pick_evidence,
    }
    pages = {
        "x": pieces,
        "share": lambda estimate: share_cell(words, estimate),
        "scale": lambda estimate, digits=1: scale_cell(words, estimate, digits),
        "anchors": anchors,
        "css": _stylesheet(),
    }
    text = _environment().get_template(name).render({**pieces, **pages, **values})
    return text.encode("utf-8", "replace")


def _fill(report: GapReport, words: Words, *, extra: Mapping[str, Any], limits: Limits) -> bytes:
    return render_template(
        "report.html.j2",
        words,
        limits=limits,
        values=dict(
            report=report,
            empty=not report.items,
            **extra,
            figure_name=lambda index: figure_name(report, index),
            tiles=write_tiles(report, words),
            findings=write_summary(report, words),
            gaps=rank_gaps(report),
            dimensions=rank_dimensions(report),
            in_use=share_in_use,
            name_label=lambda label: name_label(words, label),
            say_basis=lambda entry: say_basis(report, entry, words),
            share_of=lambda label: find_share(report, label),
            corrected=lambda estimate: corrected_cell(words, estimate),
            grid=lambda breakdown: grid(breakdown, limits),
            write=lambda measure, value, sign=False: write_value(words, measure, value, sign=sign),
            write_range=lambda measure, estimate: write_interval(words, measure, estimate),
            by_name=lambda breakdown: by_name(words, breakdown.kind, breakdown.by),
            caveats=[words.caveat(key) for key in report.caveats],
            verdict=verdict,
            marks=MARKS,
            polarities=POLARITIES,
            all_dimensions=DIMENSIONS,
            methods=METHODS,
            limit_phrases=LIMIT_PHRASES,
        ),
    )


def clean_name_of(limits: Limits) -> Any:
    """Give a function that makes a name from the data fit to show."""
    return lambda value: clip(clean(str(value)), limits.name)


def pick_evidence(evidence: Sequence[Evidence], limit: int) -> list[Evidence]:
    """Choose up to `limit` sentences, taking strongest and typical in turn so that both kinds stay."""
    strongest = [entry for entry in evidence if entry.kind == "strongest"]
    typical = [entry for entry in evidence if entry.kind != "strongest"]
    half = max(limit - len(typical), (limit + 1) // 2)
    return strongest[:half] + typical[: limit - min(half, len(strongest))]


def share_cell(words: Words, estimate: Estimate) -> tuple[str, str]:
    """Value and interval of a share; the reason in place of the interval where there is no value."""
    if estimate.value is None:
        return "–", words.say("figure.too_few_n", n=words.formats.whole(estimate.n))
    return words.formats.percent(estimate.value), write_basis(words, words.formats.share_interval(estimate), estimate.n)


def corrected_cell(words: Words, estimate: Estimate) -> tuple[str, str]:
    """Value and interval of a corrected share; without one it is the classifier's errors that are not known."""
    if estimate.value is None:
        return "–", words.say("figure.not_corrected")
    return share_cell(words, estimate)


def scale_cell(words: Words, estimate: Estimate, digits: int) -> tuple[str, str]:
    """Value and interval of a figure that is no share."""
    if estimate.value is None:
        return "–", words.say("figure.too_few_n", n=words.formats.whole(estimate.n))
    basis = write_basis(words, words.formats.interval(estimate, digits), estimate.n)
    return words.formats.number(estimate.value, digits), basis


def grid(breakdown: Breakdown, limits: Limits) -> dict[str, Any]:
    """Collect what a page shows of a breakdown: cells that speak, cells too small to, and the measures across."""
    cells = shown_cells(breakdown, limits.cells)
    speaking = [(place, cell, by_measure(cell)) for place, cell in cells if cell.enough]
    measures = measures_of(cell for _, cell, _ in speaking)[: limits.measures]
    return {
        "cells": speaking,
        "small": [cell for _, cell in cells if not cell.enough],
        "measures": measures,
        "heads": [(kind, len(list(run))) for kind, run in groupby(measures, key=kind_of)],
        "hidden": len(breakdown.cells) - len(cells),
    }


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("gapnlp.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _stylesheet() -> Markup:
    """Read the page's style, with the charts' colours for dark pages."""
    css = files("gapnlp.reporting").joinpath("templates", "style.css").read_text(encoding="utf-8")
    dark = "".join(
        f'.chart [fill="{light}"]{{fill:{dark}}}.chart [stroke="{light}"]{{stroke:{dark}}}'
        for light, dark in DARK.items()
    )
    return Markup(css.replace("/* chart colours */", dark))  # noqa: S704 - our own file
