"""A file that names faults alone: its dimensions are learnt, though nobody was asked whether they are judged at all."""

from __future__ import annotations

import numpy as np
import pytest

from gapnlp.records.labels import HEADS, LABELS
from gapnlp.retraining.training.bags import NOT_GIVEN
from gapnlp.retraining.training.cuts import NEVER, choose_cuts
from gapnlp.retraining.training.fit import FEWEST, learnable

COLUMN = {head: i for i, head in enumerate(HEADS)}
NEG, NEU, POS = (COLUMN[f"dimension:reliability:{p}"] for p in ("neg", "neu", "pos"))
PRESENCE = COLUMN["presence:reliability"]


def faults_only(faults: int, others: int):
    """Truth of tickets with a fault, then of tickets of which only the fault was denied."""
    truth = np.full((faults + others, len(HEADS)), NOT_GIVEN, dtype=np.int8)
    truth[:faults, [NEG, PRESENCE]] = 1
    truth[:faults, [NEU, POS]] = 0
    truth[faults:, NEG] = 0
    return truth


def test_the_dimension_is_learnt_and_its_polarity_stays_the_bases():
    found = learnable(faults_only(FEWEST, FEWEST))
    assert [HEADS[i] for i in np.flatnonzero(found)] == ["presence:reliability"]
    assert not learnable(faults_only(FEWEST - 1, FEWEST)).any()
    assert not learnable(faults_only(FEWEST, FEWEST - 1)).any()


@pytest.mark.parametrize("segments", [1, 2])
def test_its_cut_tells_faults_from_silence_and_leaves_praise_out(segments):
    faults, praise, silence = 10, 10, 30
    values = np.zeros((faults + praise + silence, len(LABELS)))
    values[:faults, NEG], values[faults : faults + praise, POS] = 0.6, 0.95
    values[faults + praise :, NEG] = 0.1
    learnt = np.zeros(len(HEADS), dtype=bool)
    learnt[PRESENCE] = True
    rows = np.zeros((len(values) * segments, len(LABELS)))
    rows[::segments] = values  # further segments say nothing
    lengths = np.full(len(values), segments)
    cuts = choose_cuts(rows, lengths, faults_only(faults, praise + silence), learnt)
    assert 0.1 < cuts.presence["reliability"] < 0.5
    assert cuts.presence["empathy"] == NEVER
