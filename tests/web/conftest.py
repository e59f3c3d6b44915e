"""The real server in processes of its own, Debian's Chromium, and small exports to upload; nothing is faked."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

STARTS_WITHIN = 90
SERVE = (
    "from gapnlp.api.serving import run_server; from gapnlp.settings import read_settings; "
    "run_server(read_settings(), print)"
)
# What customers of an invented shop write, with the points they give; # is a number.
LINES = (
    ("The parcel came # days late and nobody told me why.", 1),
    ("I wrote # emails and your staff never answered.", 1),
    ("The website promised delivery in # hours, which was simply not true.", 1),
    ("Room # was dirty and the towels smelled of smoke.", 2),
    ("They charge a fee of # euros for returns, a rule that makes no sense.", 2),
    ("Lovely shop, the lamp arrived after # days just as promised.", 5),
    ("The lady at desk # was patient and explained everything.", 5),
    ("Paczka przyszła # dni po terminie i nikt mnie nie uprzedził.", 1),
    ("Dzwoniłam # razy i nikt nie odbierał telefonu.", 1),
    ("Obsługa przy stanowisku # bardzo miła i pomocna.", 5),
    ("包裹晚了#天才送到，也没有人通知我。", 1),
    ("打了#次电话都没有人接，太失望了。", 1),
    ("第#号店员很耐心，解释得很清楚。", 5),
)
ROWS = 6_000
NOTE_PROGRESS = """
const rows = document.querySelector("[data-told=rows]");
const left = document.querySelector("[data-told=left]");
const bar = document.getElementById("bar");
const note = () => setTimeout(() => window.note(rows.textContent, left.textContent, bar.value));
new MutationObserver(note).observe(rows, { childList: true, characterData: true, subtree: true });
"""
SHOPS = ("Leeds", "Gdynia", "苏州")


@dataclass(slots=True)
class Server:
    """A running server. data: its folder."""

    address: str
    data: Path
    process: subprocess.Popen[bytes]


def write_export(path: Path, rows: int, *, text: str = "Review text") -> Path:
    """Write an export with columns that are recognised, but for the text's when it has an unusual name."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Id", "Date", "Stars", "Shop", text])
        for n in range(rows):
            line, stars = LINES[(n * 5 + n // 13) % len(LINES)]
            month = f"2026-{1 + n * 3 // max(rows, 1):02d}-{1 + n % 27:02d}"
            writer.writerow([f"R-{n}", month, stars, SHOPS[n % 3], line.replace("#", str(2 + n % 9))])
    return path


@pytest.fixture(scope="session")
def export(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write an export: export(name, rows, text=header of the text)."""
    folder = tmp_path_factory.mktemp("exports")
    return lambda name, rows, **kw: write_export(folder / name, rows, **kw)


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def begin_server(folder: Path, *, port: int | None = None, **settings: object) -> Server:
    """Start what `gapnlp serve` starts, on a free port; it is up once `wait_for` returns."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    given = {"data_dir": folder / "data", "port": port, "quality": "fast", "log_level": "WARNING", **settings}
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GAPNLP_")}
    environment |= {f"GAPNLP_{name.upper()}": str(value) for name, value in given.items()}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-c", SERVE], env=environment, stdout=log, stderr=log, cwd=folder)
    return Server(f"http://127.0.0.1:{port}", folder / "data", process)


def wait_for(server: Server, sign: str = "/readyz") -> None:
    """Wait until a server shows a sign of life: /readyz, that it takes work."""
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end:
        if server.process.poll() is not None:
            break
        try:
            with urlopen(server.address + sign, timeout=5) as answer:  # noqa: S310 - our own server
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the server did not start: {(server.data.parent / 'log').read_text()[-3000:]}")


def end_server(server: Server) -> None:
    server.process.send_signal(signal.SIGTERM)
    try:
        server.process.wait(30)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()


@pytest.fixture
def starting() -> Iterator[Callable[..., Server]]:
    """Start servers of a test's own: starting(folder, port=..., setting=value)."""
    started: list[Server] = []

    def start(folder: Path, **settings: object) -> Server:
        started.append(begin_server(folder, **settings))
        wait_for(started[-1])
        return started[-1]

    yield start
    for server in started:
        end_server(server)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """A server without keys ("open") and one with ("keyed"); both start at the same time."""
    folder = tmp_path_factory.mktemp("servers")
    make_keys(folder / "keyed" / "data")
    found = {"open": begin_server(folder / "open"), "keyed": begin_server(folder / "keyed", upload_bytes=200_000)}
    try:
        yield found
    finally:
        for server in found.values():
            end_server(server)


def make_keys(data: Path) -> None:
    """Make keys of two projects, and one that may only classify; their secrets go beside the data."""
    from gapnlp.service.keys import KeyService
    from gapnlp.settings import read_settings

    service = KeyService(read_settings(data_dir=data))
    scopes = {"north": ("classify", "jobs"), "south": ("classify", "jobs"), "tool": ("classify",)}
    secrets = {name: service.create(name, f"{name}'s key", allowed)[1] for name, allowed in scopes.items()}
    service.close()
    (data.parent / "secrets.json").write_text(json.dumps(secrets))


@pytest.fixture(scope="session")
def server(servers: dict[str, Server]) -> Server:
    """A server without keys, ready."""
    wait_for(servers["open"])
    return servers["open"]


@pytest.fixture(scope="session")
def keyed(servers: dict[str, Server]) -> Server:
    """A server with keys, ready."""
    wait_for(servers["keyed"], "/healthz")
    return servers["keyed"]


@pytest.fixture(scope="session")
def secrets(keyed: Server) -> dict[str, str]:
    """Project -> its key."""
    return dict(json.loads((keyed.data.parent / "secrets.json").read_text()))


def find_chromium() -> str:
    """Find Debian's Chromium, installing it where this may be done."""
    found = shutil.which("chromium")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"], check=True)
        found = shutil.which("chromium")
    if found is None:
        pytest.skip("Chromium is not installed, and only root can: apt-get install chromium")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window; while it is open, no other test of this process can run an event loop."""
    executable = find_chromium()
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        browser.close()


def watch(context: BrowserContext, faults: list[str]) -> None:
    """Note scripts that fail, what the content security policy blocks, and requests to other hosts."""

    def hear(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            faults.append(f"console: {message.text}")

    def see(request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            faults.append(f"request: {request.url}")

    context.on("weberror", lambda error: faults.append(f"script: {error.error}"))
    context.on("console", hear)
    context.on("request", see)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page in a fresh browser profile; at the end nothing may have failed, been blocked or left the server."""
    contexts, faults = [], []

    def opened(**options: object) -> Page:
        context = browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1280, "height": 900}, **options})
        context.set_default_timeout(20_000)
        watch(context, faults)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def upload(page: Page, address: str, file: Path) -> None:
    """Choose a file on the first page, and come to its columns."""
    page.goto(address)
    page.set_input_files("#file", file)
    page.wait_for_url("**/page/uploads/*")


def drop(page: Page, address: str, file: Path) -> None:
    """Drop a file on the first page, and come to its columns."""
    page.goto(address)
    page.wait_for_selector("html.scripted")
    made = "([name, text]) => { const d = new DataTransfer(); d.items.add(new File([text], name)); return d; }"
    dropped = page.evaluate_handle(made, [file.name, file.read_text(encoding="utf-8")])
    page.dispatch_event(".drop", "dragover", {"dataTransfer": dropped})
    page.dispatch_event(".drop", "drop", {"dataTransfer": dropped})
    page.wait_for_url("**/page/uploads/*")


@pytest.fixture(scope="session")
def dropping() -> Callable[[Page, str, Path], None]:
    return drop


@dataclass(frozen=True, slots=True)
class Journey:
    """A file's way to its report, as it was seen in the browser.

    report: its address. seen: (rows done of all, time left, share of the bar) as the rows went by.
    """

    report: str
    seen: tuple[tuple[str, str, float], ...]


@pytest.fixture(scope="module")
def journey(browser: Browser, server: Server, export: Callable[..., Path]) -> Journey:
    """Upload ROWS comments with groups and months, and watch until the report is there."""
    page = browser.new_page(locale="en-GB")
    seen: list[tuple[str, str, float]] = []
    page.expose_function("note", lambda *told: seen.append(told))
    upload(page, server.address, export("shop reviews.csv", ROWS))
    page.select_option("#column-by", "Shop")
    page.wait_for_selector("th:has-text('Shop') .role")
    page.click("button:has-text('Start the report')")
    page.wait_for_url("**/page/jobs/*")
    page.evaluate(NOTE_PROGRESS)
    page.wait_for_url("**/page/reports/*", timeout=120_000)
    report = page.url
    page.close()
    return Journey(report, tuple(seen))


@pytest.fixture(scope="session")
def report_samples() -> ModuleType:
    """The reports that the renderers are tested with."""
    path = Path(__file__).parents[1] / "reporting" / "report_samples.py"
    spec = importlib.util.spec_from_file_location("report_samples_for_pages", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
