import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from gapnlp.records.report import Breakdown
from gapnlp.reporting.chart_style import DARK
from gapnlp.reporting.limits import MAX_BYTES
from gapnlp.reporting.to_html import pick_evidence, render_page

LANGUAGES = ("en", "pl", "zh")


@pytest.fixture(scope="module")
def parsed(pages, parse):
    return {ui: parse(html) for ui, html in pages.items()}


@pytest.fixture(scope="module")
def svgs(pages):
    return re.findall(r"<svg.*?</svg>", pages["en"], re.DOTALL)


@pytest.mark.parametrize("ui", LANGUAGES)
def test_the_page_is_whole_and_every_link_has_its_place(parsed, ui):
    page = parsed[ui]
    assert page.faults == []
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert len(page.links) > 60
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)


@pytest.mark.parametrize("ui", LANGUAGES)
def test_the_page_runs_nothing_and_asks_for_nothing_outside(parsed, pages, ui):
    page = parsed[ui]
    assert not {"script", "iframe", "object", "embed", "link", "img", "form"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name in ("src", "srcset")]
    assert "@import" not in pages[ui]
    outside = set(re.findall(r"(?:https?:)?//[\w.-]+", pages[ui])) - {"http://www.w3.org", "http://evil.example"}
    assert not {address for address in outside if "." in address}
    assert "default-src 'none'" in pages[ui]


@pytest.mark.parametrize("ui", LANGUAGES)
def test_hostile_text_is_shown_and_never_becomes_markup(pages, parsed, ui):
    assert "<script" not in pages[ui].lower()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in pages[ui]
    assert "{{ 7*7 }}" in pages[ui]
    assert "\u202e" not in pages[ui]
    assert "\x00" not in pages[ui]


def test_language_headings_and_landmarks(parsed, pages):
    for ui, lang in zip(LANGUAGES, ("en", "pl", "zh-Hans"), strict=True):
        assert ("html", "lang", lang) in parsed[ui].attributes
        for tag in ("header", "nav", "main", "footer"):
            assert parsed[ui].tags.count(tag) == 1
        levels = [int(tag[1]) for tag in parsed[ui].tags if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


def test_every_label_reference_exists(parsed):
    page = parsed["en"]
    assert all(value in page.ids for _, name, value in page.attributes if name == "aria-labelledby")


def test_charts_are_valid_svg_with_text_names_and_distinct_ids(svgs):
    assert len(svgs) == 8
    for svg in svgs:
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img"
        assert len(root.get("aria-label")) > 20
        assert root.get("viewBox")
        assert svg.count("<text") > 5
    ids = re.findall(r'\bid="([^"]+)"', "".join(svgs))
    assert len(ids) == len(set(ids))


def test_bars_and_points_open_their_sections(svgs):
    for part in ("gap-delivery", "dimension-reliability", "cell-0-0"):
        assert any(f'xlink:href="#{part}"' in svg for svg in svgs)


def test_every_chart_colour_has_its_dark_one(svgs):
    colours = set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', "".join(svgs)))
    assert colours
    assert colours <= set(DARK)


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_text_contrast_reaches_wcag_aa_in_light_and_dark():
    from gapnlp.reporting import chart_style as c

    pairs = [(c.INK, c.PAPER), (c.MUTED, c.PAPER), (c.ON_BAR, c.FAULT), (c.ON_BAR, c.PRAISE), (c.INK, c.BOTH)]
    pairs += [(c.INK, c.FAULT_SOFT), (c.INK, c.PRAISE_SOFT)]
    for one, other in pairs:
        assert contrast(one, other) >= 4.5, (one, other)
        assert contrast(DARK[one], DARK[other]) >= 4.5, (DARK[one], DARK[other])


def test_figures_are_said_as_the_report_has_them(pages):
    assert "Delivery gap: 26% of all statements" in pages["en"]
    assert "The 95% interval runs from 23% to 29%." in pages["en"]
    assert "Staff not trained or not knowing the product (50% of these statements)" in pages["en"]
    assert "Reliability: customers&#39; perception is 2.8 on the 1–7 scale" in pages["en"]
    assert "8,3% opinii mówi o odejściu" in pages["pl"]
    assert "服务传递差距：占全部语句的 26%" in pages["zh"]


def test_gaps_inside_the_firm_carry_their_mark_and_others_do_not(pages):
    articles = dict(re.findall(r'<article id="gap-(\w+)"(.*?)</article>', pages["en"], re.DOTALL))
    marked = {
        gap for gap, html in articles.items() if "attributed by customers – check with staff and managers" in html
    }
    assert marked == {"knowledge", "policy"}
    assert articles.keys() == {"customer", "knowledge", "policy", "delivery", "communication"}


def test_a_missing_figure_says_why(pages):
    assert "too little data (n = 2)" in pages["en"]
    assert "too few labelled examples to know the classifier" in pages["en"]
    assert "23%\u00a0–\u00a029%, n = 2,840" in pages["en"]
    assert "za mało danych (n = 2)" in pages["pl"]


def test_small_cells_are_named_without_figures(pages):
    assert re.search(r"fewer than 30\): <bdi>Kiosk</bdi> \(7\)", pages["en"])
    assert re.search(r"fewer than 30\): <bdi>2025-02</bdi> \(11\)", pages["en"])


def test_evidence_can_be_traced(pages):
    quote = re.search(r"<li>\s*<p class=\"said\".*?</li>", pages["en"], re.DOTALL).group()
    for part in ("<mark>", "probability", "Item R-", "reviews_2025.csv, row", "characters 34–"):
        assert part in quote


def test_intake_models_and_methods_are_told(pages):
    for text in (
        "Rows read",
        "1,260",
        "Trustpilot",
        "Treść opinii",
        "the row has 9 cells",
        "not measured",
        "probabilistic classify and count",
    ):
        assert text in pages["en"]


def test_an_empty_report_says_so(samples, words, parse):
    for ui, text in (("en", "There is nothing to report"), ("pl", "Nie ma o czym"), ("zh", "没有可报告的内容")):
        html = render_page(samples.make_empty_report(), words[ui]).decode()
        page = parse(html)
        assert text in html
        assert "<svg" not in html
        assert all(link[1:] in page.ids for link in page.links)


def test_the_same_report_gives_the_same_bytes(samples, words, pages):
    assert render_page(samples.make_report(), words["en"]).decode() == pages["en"]


def huge_report(samples):
    """Everything at its worst: long texts that triple when escaped, 500 groups, 300 weeks, 60 causes per gap."""
    report = samples.make_report()
    long = tuple(samples.make_evidence(i, text="<&\"'" * 4000, kind=("strongest", "typical")[i % 2]) for i in range(40))
    long = tuple(replace(entry, before='"' * 80, after="'" * 80, item_id="&" * 900, file='"' * 300) for entry in long)
    causes = {gap.gap: tuple(f"{gap.gap}_{i}" for i in range(60)) for gap in report.gaps}
    gaps = tuple(
        replace(
            gap,
            evidence=long,
            causes=tuple(replace(gap.causes[0], cause=cause, evidence=long) for cause in causes[gap.gap]),
        )
        for gap in report.gaps
    )
    groups = samples.make_groups(tuple("<" * 300 + str(i) for i in range(500)))
    months = report.breakdowns[0].cells
    weeks = tuple(
        replace(months[i % 12], name=f"{2020 + i // 52}-W{1 + i % 52:02d}", evidence=long) for i in range(300)
    )
    breakdowns = (
        Breakdown("period", "week", 30, 0, 0.05, weeks),
        replace(groups, cells=tuple(replace(cell, evidence=long) for cell in groups.cells)),
    )
    inputs = (replace(report.inputs[0], columns=report.inputs[0].columns * 100),) * 90
    intake = replace(report.intake, failures=report.intake.failures * 50)
    dimensions = tuple(replace(d, negative=long, positive=long) for d in report.dimensions)
    report = replace(report, gaps=gaps, dimensions=dimensions, breakdowns=breakdowns, inputs=inputs, intake=intake)
    return report, causes


def test_the_page_stays_under_two_megabytes_whatever_the_input(samples, words, parse):
    report, causes = huge_report(samples)
    given = replace(words["en"], taxonomy=samples.make_wording("en", causes=causes))
    page = render_page(report, given)
    assert len(page) < MAX_BYTES
    text = page.decode()
    assert "are not shown here; everything is in report.json" in text
    assert parse(text).faults == []


def test_both_kinds_of_sentences_stay_when_few_are_shown(samples):
    evidence = [samples.make_evidence(i, kind="strongest" if i < 10 else "typical") for i in range(20)]
    picked = pick_evidence(evidence, 4)
    assert [entry.kind for entry in picked] == ["strongest", "strongest", "typical", "typical"]
    assert len(pick_evidence(evidence[:10], 4)) == 4
    assert len(pick_evidence(evidence[10:], 4)) == 4
    assert len(pick_evidence(evidence[8:11], 4)) == 3
    assert pick_evidence([], 4) == []


def test_page_says_of_every_share_what_it_rests_on(samples, words):
    page = render_page(samples.make_report(), words["en"]).decode()
    start = page.index('<section class="part" id="shares"')
    section = page[start : page.index("</section>", start)]
    assert "audited by 103 statements" in section
    assert "corrected for known error" in section
    assert "as counted" in section
    assert "labelled by people" in section
    assert "2 labelled rows were not found" in section
    without = replace(samples.make_report(), audit=None)
    assert "No audit was given" in render_page(without, words["en"]).decode()
