"""The page in a real browser against the real server: what people do with it, by mouse and by keyboard."""

from __future__ import annotations

import csv
import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

AXE = Axe()
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
TEXT = "The parcel came 9 days late and nobody answered my emails. The lamp itself is lovely."


def violations(page):
    """What axe finds, over all of its rules, as "rule: element"."""
    found = AXE.run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{v['id']}: {node['html'][:120]}" for v in found for node in v["nodes"]]


def check(page):
    """Axe finds nothing, in light and in dark, and nothing is wider than the window."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert violations(page) == [], f"{page.url} in {scheme}"
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


def test_progress_is_shown_while_the_work_goes_on(journey):
    under_way = [(told, left) for told, left, share in journey.seen if 0 < share < 1]
    assert under_way, f"no progress was seen: {journey.seen}"
    assert all(re.fullmatch(r"[\d,]+ of about 6,000", told) for told, _ in under_way)
    # A fast machine is done before a time can be told: then there is a dash.
    assert all(re.fullmatch(r"about \d+ (second|minute)s?|–", left) for _, left in under_way), journey.seen
    shares = [share for *_, share in journey.seen]
    assert shares == sorted(shares)


def test_a_column_can_be_corrected_and_the_report_deleted(server, export, open_page, dropping):
    page = open_page()
    dropping(page, server.address, export("wall of voices.csv", 40, text="Voice"))
    # The text's column has an unusual name: the page says so, shows the rows, and takes the correction.
    expect(page.get_by_role("alert")).to_contain_text("No column is known to hold the customers' text")
    expect(page.get_by_label("Text of the comment")).to_have_value("")
    expect(page.get_by_label("Date").locator("option").first).to_have_text("Date (recognised)")
    expect(page.locator(".sample")).to_contain_text("The parcel came 2 days late")
    check(page)
    page.get_by_label("Text of the comment").select_option("Voice")
    expect(page.get_by_role("columnheader", name="Voice text")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_label("Text of the comment")).to_be_focused()
    page.get_by_role("button", name="Start the report").click()
    page.wait_for_url("**/page/jobs/*")
    check(page)
    page.wait_for_url("**/page/reports/*", timeout=120_000)
    expect(page.locator(".tiles")).to_contain_text("40")
    job = page.url.rpartition("/")[2]
    assert [path for path in server.data.rglob("*") if job in path.name]
    page.goto(server.address)
    line = page.locator(".jobs > li", has_text="wall of voices.csv")
    line.get_by_text("Delete", exact=True).click()
    line.get_by_role("button", name="Yes, delete").click()
    expect(page.locator("main [role=status]").first).to_contain_text("deleted")
    expect(page.locator(".jobs > li", has_text="wall of voices.csv")).to_have_count(0)
    assert not [path for path in server.data.rglob("*") if job in path.name]


def test_a_bar_leads_to_its_sentences_by_keyboard(journey, open_page):
    page = open_page()
    page.goto(journey.report)
    bar = page.locator(".bar[data-bar='gap:delivery']")
    bar.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#found-title")).to_have_text("Delivery gap")
    expect(page.locator("#found-title")).to_be_focused()
    expect(bar).to_have_attribute("aria-current", "true")
    assert page.url.endswith("?gap=delivery#found")
    sentences = page.locator("#quotes > li")
    assert sentences.count() >= 10
    for tags in sentences.locator(".tags").all_inner_texts():
        assert re.search(r"Delivery gap\s+\d+", tags)
    assert sentences.locator("mark").count() >= 10
    # Each sentence stands in its context, and the words marked are words of it.
    first = sentences.first
    assert first.locator("mark").first.inner_text() in first.locator("q").inner_text()
    check(page)

    counted = page.locator("#found-count").inner_text()
    shown, total = map(int, re.findall(r"\d+", counted.replace(",", "")))
    assert sentences.count() == shown < total
    page.get_by_role("link", name="Show more").focus()
    page.keyboard.press("Enter")
    expect(sentences).to_have_count(min(total, 2 * shown))
    assert len(set(sentences.all_inner_texts())) == min(total, 2 * shown)
    page.go_back()
    expect(page.locator("#found-title")).to_have_text("All sentences")
    expect(bar).not_to_have_attribute("aria-current", "true")


def test_sentences_can_be_filtered(journey, open_page):
    page = open_page()
    page.goto(journey.report)
    page.locator(".bar-parts a", has_text="Fault").first.click()
    expect(page.get_by_label("Judgement")).to_have_value("neg")
    page.get_by_label("Group (Shop)").select_option("Gdynia")
    expect(page.locator("#found-title")).to_contain_text("Gdynia")
    page.get_by_label("Period").select_option("2026-02")
    expect(page.locator("#found-title")).to_contain_text("2026-02")
    sources = page.locator("#quotes .src:last-child").all_inner_texts()
    assert sources
    assert all("Gdynia" in source and "February 2026" in source for source in sources)
    dimension = page.get_by_label("Dimension", exact=True).evaluate("e => e.selectedOptions[0].textContent")
    assert all(f"{dimension}: fault" in tags for tags in page.locator("#quotes .tags").all_inner_texts())
    expect(page.locator("#found")).to_contain_text("Gdynia: Compared with the rest of the data")
    # The address says it all: the same page opens anew, and in another language.
    page.reload()
    assert page.locator("#quotes .src:last-child").all_inner_texts() == sources
    page.get_by_role("link", name="Clear the filters").click()
    expect(page.locator("#found-title")).to_have_text("All sentences")
    expect(page.get_by_label("Group (Shop)")).to_have_value("")


def test_the_language_switches_everywhere(journey, open_page):
    page = open_page()
    page.goto(journey.report + "?gap=delivery")
    page.get_by_role("link", name="Polski").click()
    expect(page.locator("html")).to_have_attribute("lang", "pl")
    expect(page.locator("#found-title")).to_have_text(re.compile("Luka"))
    expect(page.get_by_role("heading", name="Przeglądaj")).to_be_visible()
    check(page)
    page.get_by_role("link", name="中文").click()
    expect(page.get_by_role("heading", name="服务差距报告")).to_be_visible()
    expect(page.locator("#found-title")).to_have_text(re.compile("差距"))
    # The choice is kept, and holds for the report's files.
    page.goto(journey.report)
    with page.expect_download(timeout=60_000) as caught:
        page.get_by_role("link", name="HTML 网页").click()
    assert "服务差距报告" in caught.value.path().read_text(encoding="utf-8")


def test_everything_can_be_downloaded(journey, open_page):
    page = open_page()
    page.goto(journey.report)
    saved = {}
    for link in page.locator(".files a").all():
        with page.expect_download() as caught:
            link.click()
        saved[caught.value.suggested_filename] = caught.value.path().read_bytes()
    assert set(saved) == {
        *(f"shop reviews-report.{form}" for form in ("html", "xlsx", "json")),
        *(f"shop reviews-result.{form}" for form in ("csv", "jsonl", "parquet")),
    }
    rows = list(csv.DictReader(saved["shop reviews-result.csv"].decode("utf-8-sig").splitlines()))
    assert [row["id"] for row in rows] == [f"R-{n}" for n in range(6_000)]
    assert json.loads(saved["shop reviews-report.json"])["items"] == 6_000
    assert len(saved["shop reviews-result.jsonl"].splitlines()) == 6_000
    assert saved["shop reviews-report.xlsx"][:2] == b"PK"
    assert saved["shop reviews-result.parquet"][:4] == b"PAR1"
    with page.expect_popup() as caught:
        page.get_by_role("link", name="Open the full report").click()
    report = caught.value
    report.wait_for_load_state()
    assert report.get_by_role("heading", name="Service gap report").is_visible()


def test_a_text_can_be_tried(server, open_page):
    page = open_page()
    page.goto(server.address)
    page.get_by_label("Your text").fill(TEXT)
    page.get_by_role("button", name="Read it").click()
    result = page.locator("#try-result")
    expect(result).to_contain_text("Language: English")
    expect(result.locator(".read > li")).to_have_count(2)
    expect(result.locator(".levels").first).to_contain_text(re.compile(r"Delivery gap\s+Probability \d+%"))
    assert result.locator(".said mark").count() >= 2
    check(page)
    page.get_by_label("Your text").fill("Το δέμα ήρθε πολύ αργά και κανείς δεν απάντησε στα μηνύματά μου.")
    page.get_by_role("button", name="Read it").click()
    expect(result.get_by_role("alert")).to_contain_text("This language is not supported")


def test_a_file_that_cannot_be_used_is_refused_in_words(server, open_page, tmp_path):
    page = open_page(locale="pl-PL")
    page.goto(server.address)
    picture = tmp_path / "photo.png"
    picture.write_bytes(b"\x89PNG")
    page.set_input_files("#file", picture)
    expect(page.get_by_role("alert")).to_contain_text("Takiego pliku nie da się odczytać")
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"PK\x03\x04 not a workbook")
    page.set_input_files("#file", broken)
    expect(page.get_by_role("alert")).to_contain_text("Tak pliku nie da się użyć")
    expect(page.get_by_role("alert")).to_contain_text("broken.xlsx")
    check(page)


def test_a_key_opens_the_pages(keyed, secrets, export, open_page):
    page = open_page()
    page.goto(keyed.address)
    expect(page).to_have_title(re.compile("Sign in"))
    check(page)
    page.get_by_label("Access key").fill("gapnlp_0000000000_wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    page.get_by_label("Access key").fill(secrets["north"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="New report")).to_be_visible()
    kept = {cookie["name"]: cookie for cookie in page.context.cookies()}["gapnlp_key"]
    assert kept["httpOnly"]
    assert kept["sameSite"] == "Strict"
    assert page.evaluate("document.cookie") == ""
    page.set_input_files("#file", export("large.csv", 6000))
    expect(page.get_by_role("alert")).to_contain_text("larger than the 200 kB")
    check(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Access key")).to_be_visible()


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_every_page_passes_axe_in_light_and_dark(server, journey, open_page, options):
    page = open_page(**options)
    for address in ("/", "/page/try", "/page/jobs/" + 32 * "0"):
        page.goto(server.address + address)
        check(page)
    page.goto(journey.report + "?dimension=reliability&polarity=neg&group=Leeds")
    page.locator("summary").first.click()
    check(page)
    for name in ("Tab", "Tab"):
        page.keyboard.press(name)
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
