"""The rule that chooses between heads and the whole encoder, and what it says."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from gapnlp.errors import MissingExtra
from gapnlp.retraining import method
from gapnlp.retraining.method import ENOUGH_ROWS, choose_method, has_training_extra, require_training_extra


def test_enough_rows_with_all_that_is_needed_choose_the_encoder():
    found = choose_method(ENOUGH_ROWS, True, True)
    assert found.name == "encoder"
    assert f"{ENOUGH_ROWS:,} labelled rows" in found.why


@pytest.mark.parametrize(
    ("rows", "has_torch", "has_encoder", "reason"),
    [
        (ENOUGH_ROWS - 1, True, True, "are fewer than"),
        (ENOUGH_ROWS, False, True, r"pip install 'gapnlp\[train\]'"),
        (ENOUGH_ROWS, True, False, "has no encoder"),
        (1, False, False, "has no encoder"),
        (1, False, True, "are fewer than"),
    ],
)
def test_heads_are_chosen_otherwise_and_why_is_said(rows, has_torch, has_encoder, reason):
    found = choose_method(rows, has_torch, has_encoder)
    assert found.name == "heads"
    assert re.search(reason, found.why)


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
