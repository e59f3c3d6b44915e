import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from gapnlp.records.promises import EntityRow
from gapnlp.records.report import Estimate
from gapnlp.reporting.chart_style import DARK
from gapnlp.reporting.ledger_html import choose_entities, render_ledger_html, sides_of
from gapnlp.reporting.ledger_trend import draw_trend
from gapnlp.reporting.ledger_words import load_ledger_words
from gapnlp.reporting.limits import MAX_BYTES

LANGUAGES = ("en", "pl", "zh")


@pytest.fixture(scope="module")
def ledger(samples, ledgers):
    return replace(ledgers.make_ledger(samples), entities=ledgers.make_entities(120))


@pytest.fixture(scope="module")
def html(ledger):
    return {ui: render_ledger_html(ledger, ui).decode() for ui in LANGUAGES}


@pytest.fixture(scope="module")
def hostile(samples, ledgers):
    return render_ledger_html(ledgers.make_hostile_ledger(samples)).decode()


def article(page, place):
    return re.search(rf'<article class="promise" id="promise-{place}".*?</article>', page, re.DOTALL).group()


def assert_sound(page):
    assert page.faults == []
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert all(value in page.ids for _, name, value in page.attributes if name == "aria-labelledby")
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


@pytest.mark.parametrize("ui", LANGUAGES)
def test_the_page_is_whole_offline_and_without_script(html, parse, ui):
    page = parse(html[ui])
    assert_sound(page)
    assert ("html", "lang", {"zh": "zh-Hans"}.get(ui, ui)) in page.attributes
    assert not {"script", "iframe", "object", "embed", "link", "img", "form"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name in ("src", "srcset")]
    assert "default-src 'none'" in html[ui]
    for tag in ("header", "nav", "main", "footer"):
        assert page.tags.count(tag) == 1


def test_hostile_text_is_shown_and_never_becomes_markup(hostile, parse):
    assert_sound(parse(hostile))
    assert "<script" not in hostile.lower()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in hostile
    assert "{{ 7*7 }}" in hostile
    assert not set("\u202e\x00\ud800") & set(hostile)


def test_charts_are_valid_and_have_dark_colours(html):
    svgs = re.findall(r"<svg.*?</svg>", html["en"], re.DOTALL)
    assert len(svgs) == 4 + 4  # two charts, wide and narrow, and a trend for each promise with periods
    for svg in svgs:
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img"
        assert len(root.get("aria-label")) > 20
    assert set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]+)"', "".join(svgs))) <= set(DARK)
    assert 'xlink:href="#promise-0"' in svgs[0]


def test_the_summary_says_the_figures(html):
    assert (
        "“Your order is with you within 2 days, wherever you live in the country” – broken in 23% of comments"
        in (html["en"])
    )
    assert "The 95% interval runs from 21% to 25%." in html["en"]
    assert "The evidence would support: “Most orders are with you within 5 days.”" in html["en"]
    assert "Friendliness of staff: 8.0% · Packaging: 6.6% · Breakfast: 5.1%" in html["en"]
    assert "2 obietnice, o których klienci prawie nie mówią" in html["pl"]
    assert "“每一件商品都是正品，假一赔十”：6.6% 的反馈予以证实" in html["zh"]


def test_a_promise_is_told_with_its_words_figures_and_sentences(html):
    first = article(html["en"], 0)
    for part in (
        "Your order is with you within 2 days",
        "Broken",
        "21%\u00a0–\u00a025%, n = 1,204",
        "−0.29",
        "Promised: at most 2 days. Customers tell of 5 days (median)",
        "between 3 days and 9 days (n = 41)",
        "Most orders are with you within 5 days.",
        "<mark>",
        "Item R-1000",
        "reviews_2025.csv, row 2",
        "characters 34–",
        "campaign.docx, page 2",
        "2024-01",
    ):
        assert part in first, part


def test_sentences_that_speak_for_the_verdict_come_first(ledger):
    assert [side for side, _ in sides_of(ledger.entries[0])] == ["breaking", "keeping"]
    assert [side for side, _ in sides_of(ledger.entries[5])] == ["keeping", "breaking"]
    assert sides_of(ledger.entries[9]) == []


def test_slogans_are_listed_and_said_not_to_count(html, ledger):
    section = re.search(r'<section class="part" id="slogans".*?</section>', html["en"], re.DOTALL).group()
    assert "not counted as promises" in section
    assert all(unit.text in section for unit in ledger.units if unit.puffery)


def test_a_draft_says_first_that_it_is_one(samples, ledgers, parse):
    for ui, title, risk in (
        ("en", "draft, not yet published", "High risk"),
        ("pl", "szkic przed publikacją", "Duże ryzyko"),
        ("zh", "草稿，尚未发布", "风险高"),
    ):
        page = render_ledger_html(ledgers.make_draft(samples), ui).decode()
        assert title in re.search(r"<h1>(.*?)</h1>", page).group(1)
        assert risk in article(page, 0)
        assert_sound(parse(page))


def test_nothing_found_and_nothing_known_have_clear_answers(samples, ledgers, parse):
    empty = render_ledger_html(ledgers.make_empty_ledger(samples)).decode()
    assert "This copy makes no promise that a customer could find broken" in empty
    assert "No promise was found in the copy" in empty
    silent = render_ledger_html(ledgers.make_unanswered_ledger(samples)).decode()
    assert "There are no comments to hold the promises against" in silent
    for page in (empty, silent):
        assert "<svg" not in page
        assert_sound(parse(page))


def test_entities_stand_at_both_ends_once(ledgers):
    rows = ledgers.make_entities(500)
    table = choose_entities(rows, 40)
    assert (len(table.most), len(table.least)) == (40, 40)
    assert table.between + table.unknown + 80 == 500
    shares = [row.break_share.value for row in (*table.most, *table.least)]
    assert shares == sorted(shares, reverse=True)
    few = choose_entities(rows[:10], 40)
    assert (len(few.most), few.least, few.between, few.unknown) == (8, (), 0, 2)
    assert choose_entities([EntityRow("a", 1, 0, Estimate(None, None, None, 0))], 40).most == ()


@pytest.mark.parametrize("text", ["", "<&\"'" * 4000])
def test_the_page_stays_under_two_megabytes_whatever_the_input(samples, ledgers, parse, text):
    page = render_ledger_html(ledgers.make_large_ledger(samples, text))
    assert len(page) < MAX_BYTES
    assert_sound(parse(page.decode()))
    assert "everything is in ledger.json" in page.decode()


def test_a_trend_is_not_joined_across_a_missing_period(ledger):
    words = load_ledger_words("en", "live")
    svg = draw_trend(ledger.entries[0].trend, words)
    line = re.findall(r'<path d="([^"]+)"', svg)[-1]
    assert line.count("M") == 2
    assert svg.count("<circle") == 13
    assert draw_trend(ledger.entries[0].trend[:1], words) == ""
