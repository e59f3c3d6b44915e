"""The review queue in a real browser: by keys, by clicks, on a phone, and what is kept of it."""

from __future__ import annotations

import json
import re
from urllib.request import Request, urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
AXE = Axe()


@pytest.fixture(scope="module")
def report(browser, server, export):
    """A finished report's job."""
    page = browser.new_page(locale="en-GB")
    page.goto(server.address)
    page.set_input_files("#file", export("to review.csv", 60))
    page.wait_for_url("**/page/uploads/*")
    page.click("button:has-text('Start the report')")
    page.wait_for_url("**/page/reports/*", timeout=120_000)
    job = page.url.rpartition("/")[2]
    page.close()
    return job


def corrections(server, job):
    with urlopen(f"{server.address}/corrections.jsonl") as answer:  # noqa: S310 - our own server
        lines = [json.loads(line) for line in answer.read().decode().splitlines()]
    return [line for line in lines if line["job"] == job]


def given(line):
    return {label for label, value in line["given"].items() if value}


def check(page):
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = AXE.run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [f"{v['id']}: {node['html'][:120]}" for v in found for node in v["nodes"]] == [], scheme
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_keys_label_save_and_take_back(server, report, open_page):
    page = open_page()
    page.goto(f"{server.address}/page/reports/{report}")
    page.get_by_role("link", name="Correct labels").click()
    page.wait_for_selector("html.scripted")
    check(page)
    text = page.locator(".review-text strong").inner_text()
    # A clean slate by keys: the model's own labels are there to begin with.
    while page.locator("input[name=empathy]:checked").get_attribute("value") != "pos":
        page.keyboard.press("4")
    for key, name in zip("qwert", ("customer", "knowledge", "policy", "delivery", "communication"), strict=True):
        box = page.locator(f"input[name=gap_{name}]")
        before = box.is_checked()
        page.keyboard.press(key)
        assert box.is_checked() is not before
        if box.is_checked() != (name == "policy"):
            page.keyboard.press(key)
    for key, name in zip("asdf", ("neg", "neu", "pos", "mixed"), strict=True):
        page.keyboard.press(key)
        expect(page.locator(f"input[name=sentiment][value={name}]")).to_be_checked()
    page.keyboard.press("Enter")
    page.wait_for_url("**kept=*")
    expect(page.locator(".basis")).to_contain_text(re.compile(r"2 of \d+"))
    (line,) = corrections(server, report)
    assert (line["text"], line["annotator"]) == (text, "local")
    assert {"sentiment:mixed", "dimension:empathy:pos", "gap:policy"} <= given(line)
    assert {label for label in given(line) if label.startswith("gap:")} == {"gap:policy"}
    assert line["model_version"]
    assert line["created"]
    check(page)
    page.keyboard.press("u")
    expect(page.locator(".review-text strong")).to_have_text(text)
    page.wait_for_selector("html.scripted")  # the keys of the page that came are heard
    assert corrections(server, report) == []
    page.keyboard.press("?")
    expect(page.get_by_text("Change the judgement of a dimension")).to_be_visible()
    check(page)
    page.get_by_label("Use single keys").uncheck()
    page.locator("main").focus()
    shown = page.locator("input[name=sentiment]:checked").get_attribute("value")
    for key in "asdf":
        page.keyboard.press(key)
    assert page.locator("input[name=sentiment]:checked").get_attribute("value") == shown != "mixed"


def test_a_phone_and_a_browser_without_scripts_can_review_to_the_end(server, report, open_page):
    page = open_page(**PHONE, java_script_enabled=False, locale="pl-PL")
    page.goto(f"{server.address}/page/review/{report}")
    expect(page.get_by_role("heading", name="Popraw etykiety")).to_be_visible()
    length = int(re.search(r"1 z (\d+)", page.locator(".basis").inner_text())[1])
    assert length >= 10
    page.goto(f"{server.address}/page/review/{report}?at={length - 1}")
    page.get_by_label("Brak wzmianki").first.check()
    page.get_by_role("button", name="Zapisz i przejdź dalej").click()
    expect(page.get_by_text("To była ostatnia.")).to_be_visible()
    (line,) = corrections(server, report)
    assert "presence:reliability" not in given(line)
    page.get_by_role("button", name="Cofnij").click()
    assert corrections(server, report) == []


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_it_passes_axe_on_a_phone(server, report, open_page, locale):
    page = open_page(**PHONE, locale=locale)
    page.goto(f"{server.address}/page/review/{report}")
    check(page)


def choose(page, name):
    """Label a sentiment by its key, and save."""
    page.wait_for_selector("html.scripted")
    page.keyboard.press(dict(neg="a", neu="s", pos="d", mixed="f")[name])
    page.keyboard.press("Enter")
    page.wait_for_url("**kept=*")


def sentiment(page):
    return page.locator("input[name=sentiment]:checked").get_attribute("value")


def take_all_back(server, job):
    while lines := corrections(server, job):  # one that is taken back lets the one before it count again
        for line in lines:
            urlopen(Request(f"{server.address}/corrections/{line['id']}", method="DELETE")).close()  # noqa: S310


def test_the_way_back_shows_what_was_saved_and_never_puts_it_on_another_statement(server, report, open_page):
    page = open_page()
    page.goto(f"{server.address}/page/review/{report}")
    first = page.locator(".review-text").inner_text()
    others = "pos" if sentiment(page) == "mixed" else "mixed"
    choose(page, others)
    second = page.locator(".review-text").inner_text()
    of_second = sentiment(page)
    page.go_back()
    expect(page.locator(".review-text")).to_have_text(first)
    assert sentiment(page) == others
    expect(page.get_by_text("You have corrected this statement before")).to_be_visible()
    choose(page, "neu")
    # On from there to what nobody has corrected yet, with the model's labels.
    expect(page.locator(".review-text")).to_have_text(second)
    assert sentiment(page) == of_second
    (line,) = corrections(server, report)
    assert "sentiment:neu" in given(line)
    take_all_back(server, report)


def test_statements_can_be_skipped_and_come_again(server, report, open_page):
    page = open_page()
    page.goto(f"{server.address}/page/review/{report}")
    page.wait_for_selector("html.scripted")
    first = page.locator(".review-text").inner_text()
    page.keyboard.press("n")
    page.wait_for_url("**at=1")
    expect(page.locator(".basis")).to_contain_text("2 of")
    length = int(re.search(r"2 of (\d+)", page.locator(".basis").inner_text())[1])
    page.goto(f"{server.address}/page/review/{report}?at={length - 1}")
    page.get_by_role("link", name="Skip", exact=True).click()
    expect(page.get_by_text("That was the last one.")).to_be_visible()
    page.get_by_role("link", name=f"{length} statements are still open").click()
    expect(page.locator(".review-text")).to_have_text(first)
    assert corrections(server, report) == []


def test_what_others_have_corrected_meanwhile_is_passed_over(server, report, open_page):
    page, other = open_page(), open_page()
    page.goto(f"{server.address}/page/review/{report}")
    other.goto(f"{server.address}/page/review/{report}?at=1")
    choose(other, "neg")
    choose(page, "neg")
    expect(page.locator(".basis")).to_contain_text("3 of")
    again = page.context.new_page()
    again.goto(page.url)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".basis")).to_contain_text("1 of")
    # The same button in a tab that is behind leads to the same statement.
    again.get_by_role("button", name="Undo").click()
    expect(again.locator(".basis")).to_contain_text("1 of")
    take_all_back(server, report)
