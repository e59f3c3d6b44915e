"""The model card that people read, made from the card that machines read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LANGUAGE = {"en": "English", "pl": "Polish", "zh": "Chinese"}


def render_card(card: Mapping[str, Any]) -> str:
    """Write CARD.md: what it is, what it was made from, how good it is, where it fails."""
    metrics, folds = card["metrics"], card["out_of_fold"]
    return "\n".join(
        [
            f"# {card['name']} {card['release']}",
            "",
            f"Linear classifier of {_LANGUAGE[card['language']]} feedback segments: SERVQUAL dimensions with polarity, "
            "service gaps, sentiment, expectation, churn.",
            "Character and word n-grams, one logistic head per label; a second stage reads their answers for the "
            "segment, its neighbours and its item, and gives calibrated probabilities.",
            "",
            "## Data",
            "Gold segments labelled by a large language model that followed the annotation guidelines: **not human "
            "labels**. Against human labels of the same texts the makers report kappa .90 (PolEmo sentence sentiment), "
            ".89 (waimai), .82 (ChnSentiCorp, complaints), .61 (airline sentiment), .52-.74 (gym aspects).",
            *_auxiliary(card),
            "Three quarters of the gold items were chosen for cue words of rare classes, so probabilities are "
            "calibrated to that mixture, not to the population; error rates come from the items drawn at random where "
            "they hold enough positives.",
            "",
            "## Quality (F1, development split, measured once on the bundle as written)",
            "| figure | development | out of fold on train |",
            "| --- | --- | --- |",
            *(_row(name, metrics, folds) for name in _ROWS),
            "",
            "| label | " + " | ".join(metrics["dimensions_polarity"]) + " | " + " | ".join(metrics["gaps"]) + " |",
            "| --- |" + " --- |" * 10,
            "| F1 | "
            + " | ".join(_figure(v) for g in ("dimensions_polarity", "gaps") for v in metrics[g].values())
            + " |",
            "",
            "## Limits",
            "It reads words, not meaning: irony, negation over a distance and rare wordings are missed. Rare classes "
            "(knowledge gap, expectations met or exceeded) have few examples; see the counts in card.json. Industries "
            "outside hotels, clinics, shops, restaurants, airlines and gyms were not in the data.",
            "",
        ]
    )


_ROWS = (
    "headline",
    "dimensions_polarity_macro",
    "gaps_macro",
    "sentiment_macro",
    "expectation_unmet",
    "expectation_kept",
    "churn",
)


def _row(name: str, metrics: Mapping[str, Any], folds: Mapping[str, Any]) -> str:
    return f"| {name.replace('_', ' ')} | {_figure(metrics[name])} | {_figure(folds[name])} |"


def _figure(value: float | None) -> str:
    return "not measurable" if value is None else f"{value:.3f}"


def _auxiliary(card: Mapping[str, Any]) -> list[str]:
    if not card["auxiliary"]:
        return []
    heads = ", ".join(f"{h['name']} ({h['rows']:,} rows)" for h in card["auxiliary"])
    return [f"Further heads on public labelled sets, gold texts left out: {heads}."]
