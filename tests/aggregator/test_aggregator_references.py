import pytest

from gapnlp.aggregator.references import parse_references, read_references
from gapnlp.errors import InputError
from gapnlp.records.report import Reference
from gapnlp.taxonomy.catalogue import load_wording


@pytest.mark.parametrize(
    "text",
    [
        "dimension,E,source\nreliability,6.2,survey 2024\nempathy,5,ours\n",
        "Source;Dimension;Expectation\r\nsurvey 2024;reliability;6,2\r\nours;EMPATHY;5\r\n",
        "dimension\te\tsource\nreliability\t6,2\tsurvey 2024\n\nempathy\t5.0\tours",
        'dimension,E,source\nreliability,"6,2",survey 2024\nempathy,5,ours\n,,\n',
    ],
)
def test_tables_as_spreadsheets_write_them(text):
    assert parse_references(text, "e.csv") == {
        "reliability": Reference(6.2, "survey 2024"),
        "empathy": Reference(5.0, "ours"),
    }


@pytest.mark.parametrize("ui", ["en", "pl", "zh"])
def test_names_of_dimensions_in_each_language(ui):
    name = load_wording(ui).term("dimension", "responsiveness").name
    headers = {"en": "dimension;e;source", "pl": "wymiar;oczekiwanie;źródło", "zh": "维度;期望;来源"}[ui]
    assert parse_references(f"{headers}\n{name};6,5;x\n", "e.csv") == {"responsiveness": Reference(6.5, "x")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("dimension,E\nreliability,6\n", "first line: 0 columns for the source"),
        ("dimension,E,source\n", "no expectations"),
        ("dimension,E,source\nreliability,6,2,survey\n", "line 2: 4 cells instead of 3"),
        ("dimension,E,source\nreliability,8,survey\n", "line 2.*1 to 7"),
        ("dimension,E,source\nreliability,high,survey\n", "line 2.*1 to 7"),
        ("dimension,E,source\nspeed,6,survey\n", "line 2: unknown dimension 'speed'; use one of reliability"),
        ("dimension,E,source\nreliability,6,\n", "line 2: no source"),
        ("dimension,E,source\nempathy,6,a\nempathy,5,b\n", "line 3: empathy stands there twice"),
    ],
)
def test_what_is_not_understood_is_named(text, message):
    with pytest.raises(InputError, match=f"e.csv.*{message}"):
        parse_references(text, "e.csv")


def test_files_with_bom_are_read_and_others_refused(tmp_path):
    good = tmp_path / "good.csv"
    good.write_text("dimension;E;source\nempathy;6,5;survey\n", encoding="utf-8-sig")
    assert read_references(good) == {"empathy": Reference(6.5, "survey")}
    bad = tmp_path / "bad.csv"
    bad.write_text("dimension;E;source\nempathy;6,5;survey\n", encoding="utf-16")
    with pytest.raises(InputError, match="UTF-8"):
        read_references(bad)
    with pytest.raises(InputError, match="missing.csv: cannot be read"):
        read_references(tmp_path / "missing.csv")
