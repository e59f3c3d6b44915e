"""The tables of a model card, as Markdown. Their order is fixed: JSON does not keep that of a card in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gapnlp.records.labels import DIMENSIONS, GAPS, LABELS, SENTIMENTS

_FIGURES = (
    "headline",
    "dimensions_polarity_macro",
    "gaps_macro",
    "sentiment_macro",
    "expectation_unmet",
    "expectation_kept",
    "churn",
)
_KINDS = ("invariance", "directional", "functionality")

Card = Mapping[str, Any]
Interval = Sequence[float]


def quality_table(card: Card) -> str:
    """One line a figure: development and out of fold, with intervals where the card holds them."""
    columns = (
        (card["metrics"], card.get("intervals") or {}),
        (card["out_of_fold"], card.get("out_of_fold_intervals") or {}),
    )
    rows = [
        [name.replace("_", " "), *(_with_interval(figures.get(name), known.get(name)) for figures, known in columns)]
        for name in _FIGURES
    ]
    segments = ["segments", *(str(figures.get("segments", "")) for figures, _ in columns)]
    return table(["figure", "development", "out of fold on train"], [*rows, segments])


def label_table(metrics: Card) -> str:
    """F1 on the development split by dimension with polarity, gap and sentiment."""
    groups = {"dimensions_polarity": DIMENSIONS, "gaps": GAPS, "sentiment": SENTIMENTS}
    known = [(x, metrics[group][x]) for group, labels in groups.items() for x in labels if x in metrics.get(group, {})]
    return table(["label", *(label for label, _ in known)], [["F1", *(figure(value) for _, value in known)]])


def cascade_table(card: Card) -> list[str]:
    """Show what the cascade asks of the encoder, and what it costs in quality, out of fold."""
    cascade, doubt = card["cascade"], card["doubt"]
    chosen = next((point for point in cascade["curve"] if point["doubt"] == doubt), None)
    share = "" if chosen is None else f", {100 * chosen['share']:.0f} % of the segments out of fold"
    rows = [["the linear bundle alone", "0 %", figure(cascade["fast"])]]
    for point in cascade["curve"]:
        name = "the cascade as shipped" if point is chosen else "a cascade"
        rows.append([name, f"{100 * point['share']:.0f} %", figure(point["headline"])])
    rows.append(["the encoder on every segment", "100 %", figure(cascade["accurate"])])
    return [
        f"At quality `balanced` only segments with more than {doubt} expected wrong labels go to the encoder{share}. "
        "Headline out of fold:",
        "",
        table(["who answers", "segments to the encoder", "headline"], rows),
    ]


def calibration_table(card: Card) -> str:
    """Show expected calibration error by label, on the development split and on items drawn at random."""
    development = card.get("calibration_development") or {}
    random = (card.get("calibration") or {}).get("random") or {}
    if not development and not random:
        return "Not measured for this bundle."
    rows = []
    for label in (x for x in LABELS if x in development or x in random):
        cells = [_calibrated(part.get(label)) for part in (development, random)]
        rows.append([label, *cells[0], *cells[1]])
    return table(["label", "positives, development", "ECE, development", "positives, random", "ECE, random"], rows)


def _calibrated(entry: Card | None) -> list[str]:
    return ["-", "-"] if entry is None else [str(entry["positives"]), figure(entry["ece"])]


def robustness_table(rates: Mapping[str, float]) -> str:
    """One line a test, by kind; tests of an unknown kind come last."""
    order = {kind: i for i, kind in enumerate(_KINDS)}
    split = [(*name.partition("/")[::2], rate) for name, rate in sorted(rates.items())]
    split.sort(key=lambda row: order.get(row[0], len(order)))
    rows = [[kind, test.replace("_", " "), f"{100 * rate:.1f} %"] for kind, test, rate in split]
    return table(["kind", "test", "failing"], rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown: a head and its rows, all of the same length."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def figure(value: float | None) -> str:
    """Three digits, or that it could not be measured."""
    return "not measurable" if value is None else f"{value:.3f}"


def _with_interval(value: float | None, interval: Interval | None) -> str:
    if value is None or interval is None:
        return figure(value)
    return f"{value:.3f} ({interval[0]:.3f}–{interval[1]:.3f})"
