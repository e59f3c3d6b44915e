import re
from dataclasses import replace

import pytest

from gapnlp.errors import InputError
from gapnlp.reporting.ledger_section import ledger_section, render_html_with_ledger, section_limits
from gapnlp.reporting.ledger_words import load_ledger_words, words_for
from gapnlp.reporting.limits import LADDER, MAX_BYTES
from gapnlp.reporting.render import RENDERERS, write_report
from gapnlp.reporting.to_html import render_page

LANGUAGES = ("en", "pl", "zh")
BESIDE = "ledger.html"

pytestmark = pytest.mark.usefixtures("fake_taxonomy")


@pytest.fixture(scope="module")
def joined(samples, ledgers, words):
    """The full report with the full ledger as a page in each language, drawn once."""
    report, ledger = samples.make_report(), ledgers.make_ledger(samples)
    sections = {ui: ledger_section(ledger, words_for(ledger, ui)) for ui in LANGUAGES}
    return {ui: render_page(report, words[ui], sections[ui]).decode() for ui in LANGUAGES}


def section_of(html):
    return re.search(r'<section class="part" id="promises".*?</section>', html, re.DOTALL).group()


def entry_of(html, place):
    return re.search(rf'<article class="promise" id="promise-{place}".*?</article>', html, re.DOTALL).group()


def assert_sound(page):
    assert page.faults == []
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert {link for link in page.links if not link.startswith("#")} == {BESIDE}
    assert all(link[1:] in page.ids for link in page.links if link != BESIDE)
    assert all(value in page.ids for _, name, value in page.attributes if name == "aria-labelledby")
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))


@pytest.mark.parametrize("ui", LANGUAGES)
def test_the_page_is_whole_and_no_ids_clash(joined, parse, ui):
    page = parse(joined[ui])
    assert_sound(page)
    assert not {"script", "iframe", "object", "embed", "link", "img", "form"} & set(page.tags)
    title = load_ledger_words(ui, "live").say("section.title")
    assert f'<li><a href="#promises">{title}</a></li>' in joined[ui]
    assert f'<h2 id="promises-title">{title}</h2>' in joined[ui]


@pytest.mark.parametrize("ui", LANGUAGES)
def test_the_section_has_counts_charts_and_every_promise(joined, ui):
    section = section_of(joined[ui])
    words = load_ledger_words(ui, "live")
    counts = re.findall(r"<li><b>(\d+)</b><span>([^<]+)</span>", section)
    names = [words.say(f"tile.{key}") for key in ("promises", "broken", "at_risk", "kept", "silent")]
    assert counts == list(zip(("10", "2", "3", "3", "2"), names, strict=True))
    assert section.count("<svg ") == 4
    assert section.count("<figure>") == 2
    assert section.count('<article class="promise"') == 8
    assert {f"promise-{place}" for place in range(10)} <= set(re.findall(r'id="([^"]+)"', section))
    assert section.count(f'href="{BESIDE}"') == 1


def test_an_entry_tells_words_verdict_shares_wording_and_two_sentences(joined):
    entry = re.sub(r"\s", " ", entry_of(joined["en"], 0))  # spaces of intervals may be special ones
    for told in (
        "Your order is with you within 2 days, wherever you live in the country.",
        "Broken</span>",
        "Comments that break it<b>23%</b><small>21% – 25%, n = 1,204</small>",
        "Comments that keep it<b>4.1%</b>",
        "Customers tell of 5 days (median)",
        "<q>Most orders are with you within 5 days.</q>",
        "<details><summary>What customers say against it (2 sentences)</summary>",
    ):
        assert told in entry
    assert entry.count('<p class="said"') == 2


def test_the_reports_own_part_stays_as_it_was(joined, pages):
    rest = joined["en"].replace(section_of(joined["en"]), "")
    rest = rest.replace('<li><a href="#promises">Promises against complaints</a></li>\n', "")
    old, new = (re.sub(r"<style>.*?</style>|\s+", "", page, flags=re.DOTALL) for page in (pages["en"], rest))
    assert new == old


def test_hostile_text_is_shown_and_never_becomes_markup(samples, ledgers, parse):
    html = render_html_with_ledger(samples.make_report(), ledgers.make_hostile_ledger(samples)).decode()
    assert_sound(parse(html))
    assert "<script" not in html.lower()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in section_of(html)
    assert "{{ 7*7 }}" in section_of(html)
    assert not set("\u202e\x00\ud800") & set(html)


def test_a_draft_says_so_and_a_ledger_without_promises_too(samples, ledgers, parse):
    report = samples.make_empty_report()
    draft = render_html_with_ledger(report, ledgers.make_draft(samples)).decode()
    assert "This is a draft." in section_of(draft)
    assert "High risk" in entry_of(draft, 0)
    empty = render_html_with_ledger(report, ledgers.make_empty_ledger(samples)).decode()
    assert "makes no promise" in section_of(empty)
    assert_sound(parse(empty))
    unanswered = render_html_with_ledger(report, ledgers.make_unanswered_ledger(samples)).decode()
    assert "10 promises that customers hardly speak of" in section_of(unanswered)
    assert_sound(parse(unanswered))


def test_the_page_stays_under_two_megabytes(samples, ledgers, words, parse):
    report = samples.make_report()
    text = "<&\"'>" * 2000
    evidence = tuple(samples.make_evidence(i, text=text) for i in range(10))
    causes = tuple(replace(cause, evidence=evidence) for cause in report.gaps[0].causes) * 8
    gaps = tuple(replace(gap, evidence=evidence, causes=causes) for gap in report.gaps)
    large = replace(report, gaps=gaps)
    section = ledger_section(ledgers.make_large_ledger(samples, text), load_ledger_words("en", "live"))
    html = render_page(large, words["en"], section)
    assert len(html) < MAX_BYTES
    page = parse(html.decode())
    assert page.faults == []
    # Equal causes of one gap share their id here; the ledger's own ids are its alone.
    assert all(page.ids.count(name) == 1 for name in page.ids if name.startswith("promise"))
    assert all(link[1:] in page.ids for link in page.links if link != BESIDE)


def test_less_of_the_ledger_is_shown_with_each_step_and_the_rest_is_counted(samples, ledgers):
    shown = [section_limits(limits).promises for limits in LADDER]
    assert shown == sorted(shown, reverse=True)
    assert shown[-1] >= 1
    section = ledger_section(ledgers.make_large_ledger(samples), load_ledger_words("en", "live"))
    assert section.fill(LADDER[0]).count('<article class="promise"') < 200
    assert "more are not shown here; everything is in ledger.json" in section.fill(LADDER[0])
    sizes = [len(section.fill(limits)) for limits in LADDER]
    assert sizes == sorted(sizes, reverse=True)


def test_everything_is_written_beside_and_report_json_stays(samples, ledgers, tmp_path):
    report, ledger = samples.make_report(), ledgers.make_ledger(samples)
    paths = write_report(report, tmp_path, ui="pl", ledger=ledger)
    names = {path.name for path in paths}
    forms = {f"{name}.{form}" for name in ("report", "ledger") for form in ("json", "html", "xlsx")}
    assert forms | {"promises.svg", "promises.png", "told.svg", "told.png", "gaps.svg"} <= names
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(paths)
    assert (tmp_path / "report.json").read_bytes() == RENDERERS["json"](report, "pl")
    assert (tmp_path / "report.html").read_bytes() == render_html_with_ledger(report, ledger, "pl")


def test_without_a_ledger_nothing_of_it_is_written(samples, tmp_path):
    report = samples.make_empty_report()
    paths = write_report(report, tmp_path)
    assert {path.name for path in paths} == {"report.json", "report.html", "report.xlsx"}
    html = (tmp_path / "report.html").read_bytes()
    assert html == RENDERERS["html"](report, "en")
    assert b"promise" not in html
    assert b".verdict" not in html


def test_an_unknown_language_is_refused_before_anything_is_written(samples, ledgers, tmp_path):
    with pytest.raises(InputError, match="choose one of"):
        write_report(samples.make_empty_report(), tmp_path / "out", ui="de", ledger=ledgers.make_ledger(samples))
    assert not (tmp_path / "out").exists()
