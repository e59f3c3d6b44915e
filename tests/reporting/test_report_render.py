import logging
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from gapnlp.errors import InputError
from gapnlp.reporting import figures, writing
from gapnlp.reporting.chart_style import wrap
from gapnlp.reporting.fonts import has_chinese_font, needs_chinese_font
from gapnlp.reporting.render import RENDERERS, write_report

PLOTS = {"gaps", "dimensions", "quadrant", "period", "group"}

pytestmark = pytest.mark.usefixtures("fake_taxonomy")


def test_every_form_is_written_whole(samples, tmp_path):
    paths = write_report(samples.make_report(), tmp_path / "out" / "x", ui="pl")
    assert [path.name for path in paths[:3]] == ["report.json", "report.html", "report.xlsx"]
    assert {path.name for path in paths[3:]} == {f"{plot}.{form}" for plot in PLOTS for form in ("png", "svg")}
    assert all(path.stat().st_size > 1000 for path in paths)
    found = {path for path in (tmp_path / "out" / "x").rglob("*") if path.is_file()}
    assert found == set(paths)
    for path in paths:
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG")
        if path.suffix == ".svg":
            assert "href" not in path.read_text()
            assert ElementTree.parse(path).getroot().tag.endswith("svg")


@pytest.mark.parametrize("form", sorted(RENDERERS))
def test_every_renderer_takes_an_empty_report_and_is_deterministic(samples, form):
    report = samples.make_empty_report()
    assert RENDERERS[form](report, "en") == RENDERERS[form](report, "en") != b""


def test_plots_of_an_earlier_report_do_not_stay(samples, tmp_path):
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "group.png").write_bytes(b"old")
    paths = write_report(samples.make_empty_report(), tmp_path)
    assert len(paths) == 3
    assert list((tmp_path / "plots").iterdir()) == []


def test_a_failing_write_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    target = tmp_path / "report.json"
    target.write_bytes(b"old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(writing.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        writing.write_whole(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_unknown_language_is_refused_before_anything_is_written(samples, tmp_path):
    with pytest.raises(InputError, match="choose one of"):
        write_report(samples.make_empty_report(), tmp_path / "out", ui="de")
    assert not (tmp_path / "out").exists()


def test_a_missing_chinese_font_is_said(samples, words, monkeypatch, caplog):
    monkeypatch.setattr(figures, "has_chinese_font", lambda: False)
    with caplog.at_level(logging.WARNING):
        list(figures.draw_files(samples.make_empty_report(), words["zh"]))
    assert "fonts-noto-cjk" in caplog.text


def test_chinese_is_noticed_in_group_names(samples):
    report = samples.make_report()
    assert needs_chinese_font(report, "en")
    assert not needs_chinese_font(replace(report, breakdowns=()), "en")
    assert needs_chinese_font(replace(report, breakdowns=()), "zh")
    assert has_chinese_font() in (True, False)


def test_labels_are_broken_by_words_and_chinese_by_signs():
    assert wrap("Communication gap", 14) == "Communication\ngap"
    assert wrap("管理层认知差距", 8) == "管理层认\n知差距"
    assert wrap("short", 14) == "short"
    assert wrap("", 14) == ""
