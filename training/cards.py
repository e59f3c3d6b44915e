"""The model card that people read, made from the card that machines read.

Sections after Mitchell et al. (2019), "Model Cards for Model Reporting". What a card lacks is called not measured;
nothing is made up for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.card_tables import calibration_table, cascade_table, label_table, quality_table, robustness_table
from training.public_texts import SETS
from training.sources import SOURCES, uses

_LANGUAGE = {"en": "English", "pl": "Polish", "zh": "Chinese"}
# Headline of our labels against gold on gold training items that were mixed in, and the segments it rests on.
_AGREEMENT = {"en": (".905", 461), "pl": (".866", 460), "zh": (".874", 468)}
# What an hour of one busy core is taken to draw, memory and fans included: a typical server's, not a measurement.
WATTS_A_THREAD = 15.0
_KINDS = {
    "linear": "Character and word n-grams, one logistic head per label; a second stage reads their answers for the "
    "segment, its neighbours and its item, and gives calibrated probabilities.",
    "transformer": "A small transformer encoder reads each segment between its neighbours; a second stage reads its "
    "answers beside those of the linear bundle {base} and gives calibrated probabilities.",
}

Card = Mapping[str, Any]


def render_card(card: Card) -> str:
    """Write CARD.md: what it is, what it was made from, how good it is, where it fails.

    card: card.json of kind "linear" or "transformer". Besides what recipes always write, it may hold: intervals and
    out_of_fold_intervals (figure -> [low, high]), robustness (`kind/test` -> share of failing cases) and failures
    (dicts of test, text, expected, given), training (seconds, threads, machine, and watts if they are known).
    """
    sections = (_data, _labels, _quality, _calibration, _abstention, _robustness, _failures, _limits, _training)
    return "\n\n".join([_opening(card), *(section(card) for section in sections)]) + "\n"


def _opening(card: Card) -> str:
    language = _LANGUAGE[card["language"]]
    lines = [
        f"# {card['name']} {card['release']}",
        "",
        f"Classifier of {language} feedback segments: SERVQUAL dimensions with polarity, service gaps, sentiment, "
        "expectation, churn. For reports over many items and for sorting single ones that a person then reads; not for "
        "decisions about single customers or employees.",
        _KINDS[card["kind"]].format(base=card.get("base_version")),
    ]
    return "\n".join([*lines, *([_encoder(card["encoder"])] if card.get("encoder") else [])])


def _encoder(encoder: Card) -> str:
    weights = "8-bit" if encoder["quantised"] else "32-bit"
    return (
        f"Encoder: {encoder['base']}, {encoder['layers']} layers of {encoder['hidden']}, a vocabulary of "
        f"{encoder['vocabulary']:,}, {encoder['parameters']:,} parameters, {weights} weights."
    )


def _data(card: Card) -> str:
    rows = card["rows"]
    lines = [
        "## Data and licences",
        f"{rows['segments']:,} labelled segments: texts of public sets with gold labels or our own, of which "
        f"{rows['random']:,} segments come from items drawn at random, and {rows['written']:,} segments of items that "
        "a large language model wrote for the project (`data/README.md`). Written items are only trained on; "
        "thresholds, calibration and figures rest on text by customers. No item of the development split was trained "
        "on.",
        "",
        "| public set | content | used for | licence as stated |",
        "| --- | --- | --- | --- |",
        *(
            f"| {name} | {SOURCES[name].content} | {use} | {SOURCES[name].licence} |"
            for name, use in uses(card["language"], pretrained=_was_pretrained_here(card)).items()
        ),
        "",
        "The weights are published under Apache-2.0; whether they inherit the terms above, some of them non-commercial "
        "ones, is unsettled. No text is in the bundle.",
    ]
    return "\n".join([*lines, *_auxiliary(card)])


def _was_pretrained_here(card: Card) -> bool:
    encoder: Card = card.get("encoder") or {}
    return card["language"] in SETS and encoder.get("base") == card["language"]


def _auxiliary(card: Card) -> list[str]:
    if not card.get("auxiliary"):
        return []
    heads = ", ".join(f"{h['name']} ({h['rows']:,} rows)" for h in card["auxiliary"])
    return [f"Further heads, labelled texts left out: {heads}."]


def _labels(card: Card) -> str:
    headline, segments = _AGREEMENT[card["language"]]
    return "\n".join(
        [
            "## Labels",
            "A large language model made the labels, following the annotation guidelines: **not human labels**. Gold's "
            "makers report, against human labels of the same texts, kappa .90 (PolEmo sentence sentiment), .89 "
            "(waimai), .82 (ChnSentiCorp, complaints), .74 and .52 (gym aspects), .61 (airline sentiment).",
            f"Our own labels, one pass, agree with gold at headline {headline} on {segments} gold segments that were "
            "mixed in unmarked: agreement of one kind of annotator with itself, not with people "
            "(`training/labels/README.md`).",
            "Three quarters of the gold items were chosen for cue words of rare classes: probabilities are calibrated "
            "to that mixture, not to the population.",
        ]
    )


def _quality(card: Card) -> str:
    lines = [
        "## Quality",
        "F1 at segment level, with 95 % bootstrap intervals over items where they were computed. Development: measured "
        "on the bundle as written; recipes were compared on this split, so its figures are slightly optimistic. Out of "
        "fold: on training items, by classifiers that had not seen them.",
        "",
        quality_table(card),
        "",
        label_table(card["metrics"]),
    ]
    return "\n".join([*lines, *(["", *cascade_table(card)] if card.get("cascade") else [])])


def _calibration(card: Card) -> str:
    return "\n".join(
        [
            "## Calibration",
            "ECE: expected calibration error over ten bins. Random: out of fold, on items drawn at random, whose label "
            "frequencies are nearer to those of real feedback.",
            "",
            calibration_table(card),
        ]
    )


def _abstention(card: Card) -> str:
    rule = card.get("abstention")
    if not rule:
        return "## Abstention\nThis bundle never abstains: not even its surest segments met the limit of risk."
    on_development = card.get("abstained_development")
    found = "" if on_development is None else f" On the development split it abstains from {_percent(on_development)}."
    return (
        "## Abstention\n"
        f"A segment whose expected number of wrong labels exceeds {rule['cut']} is marked as abstained. Of the kept "
        f"ones {_percent(rule['risk'])} were wrong in something asserted (sentiment, a dimension or a gap; limit "
        f"{_percent(rule['limit'])}, with 95 % confidence); {_percent(rule['coverage'])} were kept. Out of fold.{found}"
    )


def _robustness(card: Card) -> str:
    if not card.get("robustness"):
        return "## Robustness\nNot measured for this bundle: `python -m benchmarks.robustness` does."
    return "\n".join(
        [
            "## Robustness",
            "On sentences written for it (`docs/robustness.md`); the share of cases that fail, lower is better. "
            "Invariance: the labels of a rewritten sentence change in anything. Directional: a probability does not "
            "follow the meaning. Functionality: a plain sentence does not get its label.",
            "",
            robustness_table(card["robustness"]),
        ]
    )


def _failures(card: Card) -> str:
    lines = [
        "## Known failures",
        "Irony; a fault that is denied; expectations that are meant but not named; rare wordings; who is to blame when "
        "a segment names two firms; labels that follow from the other segments of an item alone.",
    ]
    if card.get("failures"):
        lines += ["Sentences written for the project on which this bundle fails:", ""]
        lines += [f"- *{f['text']}* Wanted: {f['expected']}; found: {f['given']}." for f in card["failures"]]
    return "\n".join(lines)


def _limits(card: Card) -> str:
    positives = card["rows"].get("positives", {})
    few = sorted((n, label) for label, n in positives.items() if n < 150 and not label.startswith("presence:"))
    rare = ", ".join(f"{label} ({n})" for n, label in few)
    lines = [
        "## Limits",
        f"It reads {_LANGUAGE[card['language']]} only. Customers see what happens to them: knowledge and policy gaps "
        "are what they attribute to the firm, to be checked with its staff. Industries outside the sets above are "
        "known from written items alone.",
        *([f"Labels with few training segments: {rare}."] if rare else []),
        "Figures hold for feedback like the development split's; on other feedback measure with `gapnlp evaluate`.",
    ]
    return "\n".join(lines)


def _training(card: Card) -> str:
    effort = card.get("training")
    if not effort:
        return "## Training\nTime and energy were not recorded."
    seconds, threads = float(effort["seconds"]), int(effort["threads"])
    watts = float(effort.get("watts") or WATTS_A_THREAD * threads)
    return (
        "## Training\n"
        f"{_duration(seconds)} with {threads} {'thread' if threads == 1 else 'threads'} on {effort['machine']}. "
        f"Energy: about {watts * seconds / 3600:.0f} Wh, an estimate ({watts:.0f} W assumed, times the time), not "
        "measured; runs that led to the recipe are not in it."
    )


def _duration(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 5400 else f"{max(1, round(seconds / 60))} minutes"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
