"""The rule that chooses between heads and the whole encoder, and what it says."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from gapnlp.errors import MissingExtra
from gapnlp.retraining import method
from gapnlp.retraining.method import (
    ENOUGH_ROWS,
    choose_method,
    fine_tuning_passes,
    has_training_extra,
    require_training_extra,
)


def test_enough_rows_with_all_that_is_needed_choose_the_encoder():
    found = choose_method(ENOUGH_ROWS, 2.0, has_torch=True, has_encoder=True)
    assert found.name == "encoder"
    assert f"{ENOUGH_ROWS:,} labelled rows" in found.why


@pytest.mark.parametrize(
    ("rows", "segments", "has_torch", "has_encoder", "reason"),
    [
        (ENOUGH_ROWS - 1, 2, True, True, "are fewer than"),
        (ENOUGH_ROWS, 2, False, True, r"pip install 'gapnlp\[train\]'"),
        (ENOUGH_ROWS, 2, True, False, "has no encoder"),
        (ENOUGH_ROWS, 20, True, True, r"tickets of 20\.0 segments .* --method encoder"),
        (1, 2, False, False, "has no encoder"),
        (1, 2, False, True, "are fewer than"),
    ],
)
def test_heads_are_chosen_otherwise_and_why_is_said(rows, segments, has_torch, has_encoder, reason):
    found = choose_method(rows, segments, has_torch=has_torch, has_encoder=has_encoder)
    assert found.name == "heads"
    assert re.search(reason, found.why)


@pytest.mark.parametrize(("segments", "passes"), [(0.5, 3), (2, 3), (2.1, 2), (3, 2), (3.1, 1), (6, 1), (6.1, 0)])
def test_long_tickets_get_fewer_passes(segments, passes):
    assert fine_tuning_passes(segments) == passes


def test_a_missing_extra_names_the_install(monkeypatch):
    monkeypatch.setattr(method, "_NEEDED", ("numpy", "no_such_package"))
    assert not has_training_extra()
    with pytest.raises(MissingExtra, match=r"export needs no_such_package; run: pip install 'gapnlp\[train\]'"):
        require_training_extra("export")
    monkeypatch.setattr(method, "_NEEDED", ("numpy",))
    assert has_training_extra()
    require_training_extra("export")


def test_choosing_and_naming_data_load_no_torch():
    code = "import sys, gapnlp.retraining.method, gapnlp.retraining.finetune_data; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
