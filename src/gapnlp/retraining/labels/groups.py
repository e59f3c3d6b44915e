"""Labels that exclude or imply each other, and the groups that a file may judge as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gapnlp.records.labels import (
    CHURN,
    DIMENSIONS,
    EXPECTATIONS,
    GAPS,
    HEADS,
    POLARITIES,
    SENTIMENTS,
    dimension_label,
    expectation_label,
    gap_label,
    presence_label,
    sentiment_label,
)


def _dimension_group(dimension: str) -> tuple[str, ...]:
    return (*(dimension_label(dimension, p) for p in POLARITIES), presence_label(dimension))


# What may stand under `judged` in a mapping: these, and every single label.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "dimensions": tuple(label for d in DIMENSIONS for label in _dimension_group(d)),
    **{f"dimension:{d}": _dimension_group(d) for d in DIMENSIONS},
    "gaps": tuple(gap_label(g) for g in GAPS),
    "sentiment": tuple(sentiment_label(s) for s in SENTIMENTS),
    "expectation": tuple(expectation_label(e) for e in EXPECTATIONS if e != "none"),
    CHURN: (CHURN,),
    **{label: (label,) for label in HEADS if label != CHURN},
}
_SENTIMENT = GROUPS["sentiment"]


def expand_groups(judged: Iterable[str]) -> frozenset[str]:
    """List the labels of the groups named; KeyError for a group that does not exist."""
    return frozenset(label for group in judged for label in GROUPS[group])


def complete(asserted: Iterable[str], denied: Iterable[str]) -> dict[str, bool]:
    """Derive all that follows from labels that were said to hold and labels that were said not to.

    A dimension has one polarity and a text one sentiment, so one of them denies the others; praise and fault at once
    are "neu" of a dimension and "mixed" of a sentiment. A polarity says that the dimension is judged. That a text has
    none of the sentiments cannot be, so denials alone leave sentiment open.
    """
    yes, no = frozenset(asserted), frozenset(denied)
    given = {label: False for label in no} | {label: True for label in yes}
    for dimension in DIMENSIONS:
        _complete_dimension(given, dimension, yes)
    _complete_sentiment(given, yes)
    expectations = GROUPS["expectation"]
    if sum(label in yes for label in expectations) == 1:
        given.update({label: label in yes for label in expectations})
    return {label: given[label] for label in HEADS if label in given}


def _complete_dimension(given: dict[str, bool], dimension: str, yes: frozenset[str]) -> None:
    labels = {p: dimension_label(dimension, p) for p in POLARITIES}
    presence = presence_label(dimension)
    said = [p for p, label in labels.items() if label in yes]
    if said:
        polarity = said[0] if len(said) == 1 else "neu"
        given.update({label: p == polarity for p, label in labels.items()})
        given[presence] = True
    elif presence in yes:  # its polarity is open
        for label in labels.values():
            given.pop(label, None)
    elif given.get(presence) is False or all(label in given for label in labels.values()):
        given.update(dict.fromkeys((*labels.values(), presence), False))


def _complete_sentiment(given: dict[str, bool], yes: frozenset[str]) -> None:
    said = [label for label in _SENTIMENT if label in yes]
    for label in _SENTIMENT:
        given.pop(label, None)
    if not said:
        return
    both = {sentiment_label("pos"), sentiment_label("neg")} <= set(said)
    if len(said) > 1 and not both:
        return  # such as neutral and negative: nobody can tell which was meant
    chosen = sentiment_label("mixed") if both else said[0]
    given.update({label: label == chosen for label in _SENTIMENT})
