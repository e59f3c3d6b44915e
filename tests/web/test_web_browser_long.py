"""What takes minutes: a killed server under an open page, cancelling, and every page in every language."""

from __future__ import annotations

import re
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

pytestmark = pytest.mark.heavy


def start_report(page, address, file):
    page.goto(address)
    page.set_input_files("#file", file)
    page.wait_for_url("**/page/uploads/*")
    page.get_by_role("button", name="Start the report").click()
    page.wait_for_url("**/page/jobs/*")


def rows_done(page):
    return int(page.locator("[data-told=rows]").inner_text().split()[0].replace(",", ""))


def test_an_open_page_survives_the_death_of_its_server(starting, tmp_path, export, open_page):
    server = starting(tmp_path / "mortal", takeover_seconds=3, heartbeat_seconds=1)
    page = open_page()
    start_report(page, server.address, export("long.csv", 20_000))
    end = time.monotonic() + 120
    while rows_done(page) < 1_000 and time.monotonic() < end:
        time.sleep(0.2)
    before = rows_done(page)
    assert before >= 1_000
    server.process.kill()
    server.process.wait()
    starting(tmp_path / "mortal", port=int(server.address.rpartition(":")[2]), takeover_seconds=3, heartbeat_seconds=1)
    page.wait_for_url("**/page/reports/*", timeout=480_000)
    expect(page.locator(".tiles")).to_contain_text("20,000")


def test_a_running_job_can_be_cancelled(server, export, open_page):
    page = open_page()
    start_report(page, server.address, export("too long.csv", 20_000))
    expect(page.locator("[data-told=rate]")).to_contain_text("rows a second", timeout=120_000)
    expect(page.locator("[data-told=left]")).to_contain_text(re.compile("about [0-9]+ (second|minute)s?"))
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#headline")).to_have_text("The report was cancelled.")
    page.goto(server.address)
    line = page.locator(".jobs > li", has_text="too long.csv")
    expect(line.locator(".state")).to_have_text("Cancelled")


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("ui", ["en", "pl", "zh"])
def test_every_page_in_every_language_passes_axe(server, journey, export, open_page, ui, width):
    page = open_page(viewport={"width": width, "height": 800})
    axe = Axe()

    def check():
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
            assert [(v["id"], [node["html"][:100] for node in v["nodes"]]) for v in found] == [], (page.url, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url

    for address in (f"/?ui={ui}", "/page/try", "/page/uploads/" + 32 * "0"):
        page.goto(server.address + address)
        check()
    page.goto(server.address)
    page.locator(".sure summary").first.click()
    check()
    page.goto(server.address + "/page/try")
    page.locator("#text").fill("Nobody answered my emails. The room was clean and bright.")
    page.locator("#try-form button").click()
    page.wait_for_selector(".levels")
    check()
    for query in ("", "?gap=delivery", "?dimension=empathy&polarity=pos&period=2026-01", "?group=nobody"):
        page.goto(journey.report + query)
        closed = page.locator("details:not([open]) > summary")
        while closed.count():
            closed.first.click()
        check()
    page.goto(server.address)
    page.set_input_files("#file", export(f"odd {ui} {width}.csv", 12, text="Voice"))
    page.wait_for_url("**/page/uploads/*")
    check()
