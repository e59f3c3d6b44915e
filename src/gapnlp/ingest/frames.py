"""Feedback from a pandas frame, under the same roles and rules as from a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gapnlp.ingest.columns import ColumnOptions, Table, assign_columns
from gapnlp.ingest.intake import drop_duplicates, plan_items
from gapnlp.ingest.items import build_item
from gapnlp.ingest.layout import HEAD_ROWS, Layout, Row, Sniffed, unique_names
from gapnlp.records.feedback import Failure, Feedback, Recognition

if TYPE_CHECKING:
    import pandas as pd

# Stands where a file's name would.
FRAME_NAME = "frame"
BLOCK_ROWS = 8_192


def read_frame(frame: pd.DataFrame, options: ColumnOptions) -> tuple[Recognition, Iterator[Feedback | Failure]]:
    """Recognise a frame's columns and read its rows; a row's number is its position from 1, whatever the index.

    Recognition.format is "frame" and its sha256 is empty. Raises InputError as recognise does.
    """
    layout = Layout("frame", unique_names([str(name) for name in frame.columns]))
    head = tuple(row.cells for row in _rows(frame.head(HEAD_ROWS)))
    assignment = assign_columns(Table(FRAME_NAME, layout.columns, head), options)
    preset = assignment.preset.name if assignment.preset else None
    recognition = Recognition(FRAME_NAME, layout.format, None, None, preset, assignment.roles)
    items, completed = plan_items(Sniffed(layout, head), recognition)
    results = (build_item(row, items) for row in _rows(frame))
    return completed, drop_duplicates(results, items.scope, set())


def _rows(frame: pd.DataFrame) -> Iterator[Row]:
    """Rows with None for every kind of missing value, made block by block so that the frame is never copied whole."""
    number = 0
    for start in range(0, len(frame), BLOCK_ROWS):
        block = frame.iloc[start : start + BLOCK_ROWS].astype(object)
        for cells in block.where(block.notna(), None).itertuples(index=False, name=None):
            number += 1
            yield Row(number, cells)
