"""Segments to be labelled as flat rows: what a spreadsheet shows, with empty columns for the labels."""

from __future__ import annotations

from collections.abc import Mapping

from gapnlp.export.rows import Value
from gapnlp.records.labels import LABELS, Labels
from gapnlp.records.review import ReviewTask

# Between several dimensions or gaps in one cell.
SEPARATOR = "; "
# What people fill in; `done` says that the row was judged, so that an empty cell then means "none of these".
LABEL_COLUMNS = ("sentiment", "dimensions", "gaps", "expectation", "churn", "done")
_SUGGESTED = LABEL_COLUMNS[:-1]

# Column -> type, in order.
REVIEW_COLUMNS: Mapping[str, type] = (
    dict.fromkeys(("id", "reason", "language", "before", "text", "after"), str)
    | dict.fromkeys((f"suggested_{c}" for c in _SUGGESTED), str)
    | dict.fromkeys(LABEL_COLUMNS, str)
    | {"item": str, "file": str, "row": int, "start": int, "end": int, "model_version": str}
    | {f"p_{label}": float for label in LABELS}
)


def review_row(task: ReviewTask) -> Mapping[str, Value]:
    """Make a task's row; the columns of LABEL_COLUMNS stay empty."""
    segment = task.segment
    names = ("id", "language", "before", "text", "after", "item", "file", "row", "start", "end", "model_version")
    return {
        **{name: getattr(segment, name) for name in names},
        "reason": task.reason,
        **{f"suggested_{column}": cell for column, cell in label_cells(segment.labels).items()},
        **{f"p_{label}": p for label, p in zip(LABELS, segment.probabilities, strict=True)},
    }


def label_cells(labels: Labels) -> dict[str, str]:
    """Write labels as the cells of the columns of that name: "reliability:neg; empathy:pos"."""
    return {
        "sentiment": labels.sentiment,
        "dimensions": SEPARATOR.join(dimension_values(labels)),
        "gaps": SEPARATOR.join(labels.gaps),
        "expectation": labels.expectation,
        "churn": "yes" if labels.churn else "no",
    }


def dimension_values(labels: Labels) -> list[str]:
    """Write dimensions with their polarities as single choices: "reliability:neg"."""
    return [f"{dimension}:{polarity}" for dimension, polarity in labels.dimensions.items()]
