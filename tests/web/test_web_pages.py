"""The pages over HTTP, without a script: forms, tenants, tokens, headers, and texts that would like to be code."""

from __future__ import annotations

import json
import re
import time
from html.parser import HTMLParser

import httpx
import pytest

from gapnlp.api.web.pages import ADDRESSES

NOBODY = "0" * 32
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)"> {{ 7*7 }}'


class Visitor:
    """A browser without scripts: keeps cookies, sends forms with the token that the page gave."""

    def __init__(self, address: str, key: str | None = None) -> None:
        self.client = httpx.Client(base_url=address, timeout=60)
        if key:
            self.send("/page/sign-in", {"key": key}, seen=self.client.get("/page/sign-in"))

    def get(self, path, **kw):
        return self.client.get(path, **kw)

    def send(self, path, fields=None, *, seen=None, files=None, **kw):
        """Send a form of a page that was seen (the first page, if none is named)."""
        page = seen if seen is not None else self.client.get("/")
        token = re.search(r'name="form_token" value="([^"]+)"', page.text)
        given = {"form_token": token[1] if token else "", **(fields or {})}
        return self.client.post(path, data=given, files=files, **kw)

    def upload(self, path, name=None):
        """Upload a file and give the address of its columns."""
        answer = self.send("/page/uploads", files={"file": (name or path.name, path.read_bytes())})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def start(self, columns, **fields):
        """Start an upload; gives the job's id."""
        answer = self.send(columns, {"action": "start", **fields}, seen=self.get(columns))
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].rpartition("/")[2]

    def wait(self, job):
        """Wait for a job's report."""
        end = time.monotonic() + 120
        while (answer := self.get(f"/page/jobs/{job}")).status_code == 200 and time.monotonic() < end:
            assert "http-equiv" in answer.text, answer.text
            time.sleep(0.3)
        assert answer.headers["location"] == f"/page/reports/{job}"


def elements(html):
    """Every element of a page, with its attributes."""
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))
    parser.feed(html)
    return found


@pytest.fixture(scope="module")
def north(keyed, secrets):
    return Visitor(keyed.address, secrets["north"])


@pytest.fixture(scope="module")
def south(keyed, secrets):
    return Visitor(keyed.address, secrets["south"])


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """An export whose every cell would like to be code."""
    path = tmp_path_factory.mktemp("hostile") / "x.csv"
    lines = [f"The parcel number {n} came late and nobody answered {HOSTILE}" for n in range(24)]
    quoted = [f'"{line.replace(chr(34), chr(34) * 2)}"' for line in lines]
    group = '"' + HOSTILE.replace('"', '""') + '"'
    path.write_text("text,shop\n" + "".join(f"{line},{group}\n" for line in quoted), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def job(north, hostile):
    """North's finished job over the hostile export, started without a script."""
    columns = north.upload(hostile, name=f"{HOSTILE.replace('/', '')}.csv")
    page = north.get(columns)
    assert HOSTILE not in page.text
    assert "&lt;script&gt;" in page.text
    checked = north.send(columns, {"action": "check", "column_by": "shop"}, seen=page)
    assert checked.status_code == 200
    assert '<span class="role">group</span>' in checked.text
    job = north.start(columns, column_by="shop")
    # A form that is sent twice starts nothing new.
    again = north.send(columns, {"action": "start", "column_by": "shop"}, seen=page)
    assert again.headers["location"] == f"/page/jobs/{job}"
    north.wait(job)
    return job


def test_texts_and_names_stay_texts(north, job):
    for path in ("/", f"/page/reports/{job}", f"/page/reports/{job}?gap=delivery&group={HOSTILE}"):
        page = north.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    assert "{{ 7*7 }}" in page.text
    files = north.get(f"/page/jobs/{job}/files/report.html?open")
    assert "script-src" not in files.headers["content-security-policy"]
    assert "default-src 'none'" in files.headers["content-security-policy"]
    assert "sandbox" in files.headers["content-security-policy"]


def test_pages_keep_to_their_policy(north, job):
    pages = ["/", "/page/try", "/page/sign-in", f"/page/reports/{job}", f"/page/jobs/{NOBODY}"]
    for path in pages:
        page = north.get(path, follow_redirects=True)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["cache-control"] == "no-store"
        for tag, attributes in elements(page.text):
            assert tag != "style"
            assert tag != "script" or attributes["src"].startswith("/static/")
            assert not [name for name in attributes if name == "style" or name.startswith("on")]
            # No address of another server, and none that is code.
            addresses = [attributes.get(name) for name in ("src", "href", "action") if name in attributes]
            assert all(re.match(r"/(?!/)|#|\?", address) for address in addresses), addresses


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda a: f"{a.method} {a.path}")
def test_no_page_shows_or_does_anything_without_signing_in(keyed, address, job):
    visitor = Visitor(keyed.address)
    path = address.path.format(job_id=job, token=NOBODY, name="report.json")
    seen = visitor.get("/page/sign-in")
    files = {"file": ("a.csv", b"text\nhello\n")} if address.takes_file else None
    answer = visitor.get(path) if address.method == "GET" else visitor.send(path, seen=seen, files=files)
    if path == "/page/sign-in":
        assert answer.status_code == (200 if address.method == "GET" else 401)
    else:
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/page/sign-in")


@pytest.mark.parametrize("address", [a for a in ADDRESSES if "{" in a.path], ids=lambda a: f"{a.method} {a.path}")
def test_nobody_sees_or_touches_anothers(north, south, address, job, export):
    columns = north.upload(export("of north.csv", 5))
    path = address.path.format(job_id=job, token=columns.rpartition("/")[2], name="report.json")
    answer = south.get(path) if address.method == "GET" else south.send(path, {"action": "start"})
    assert answer.status_code == 404
    assert "parcel" not in answer.text
    assert north.get(columns).status_code == 200
    assert north.get(f"/page/reports/{job}").status_code == 200
    assert job not in south.get("/").text
    assert job in north.get("/").text


@pytest.mark.parametrize("address", [a for a in ADDRESSES if a.method == "POST"], ids=lambda a: a.path)
def test_a_form_needs_its_token_and_its_own_page(north, address, job):
    path = address.path.format(job_id=job, token=NOBODY)
    files = {"file": ("a.csv", b"text\nhello\n")} if address.takes_file else None
    north.get("/")
    for token in ("", "x" * 43):
        answer = north.client.post(path, data={"form_token": token, "key": "k"}, files=files)
        assert answer.status_code == 403, token
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert north.send(path, files=files, headers=headers).status_code == 403
    assert north.get(f"/page/reports/{job}").status_code == 200


def test_a_key_that_may_only_classify_tries_texts_and_sees_no_jobs(keyed, secrets, job):
    tool = Visitor(keyed.address, secrets["tool"])
    assert "scope “jobs”" in tool.get("/").text
    for path in ("/", f"/page/reports/{job}", f"/page/jobs/{job}/files/result.csv"):
        assert tool.get(path).status_code == 403
    page = tool.get("/page/try")
    answer = tool.send("/page/try", {"text": "Nobody answered my emails."}, seen=page)
    assert "Nobody" in answer.text
    assert re.search(r"Delivery gap|Responsiveness", answer.text)


def test_signing_in_leads_only_to_this_server(keyed, secrets):
    for then in ("https://evil.example/", "//evil.example", "/\\evil.example", "/page//evil", "page"):
        visitor = Visitor(keyed.address)
        seen = visitor.get("/page/sign-in")
        answer = visitor.send("/page/sign-in", {"key": secrets["north"], "next": then}, seen=seen)
        assert answer.headers["location"] == "/"
    answer = visitor.get("/page/sign-in?next=/page/try")
    assert answer.headers["location"] == "/page/try"
    visitor.send("/page/sign-out")
    assert visitor.get("/page/try").headers["location"] == "/page/sign-in?next=/page/try"


def test_the_state_of_a_job_is_told_in_the_visitors_language(north, job):
    told = north.get(f"/page/jobs/{job}/state?ui=pl").json()
    assert (told["state"], told["badge"], told["go"]) == ("succeeded", "Gotowy", f"/page/reports/{job}")
    events = north.get(f"/page/jobs/{job}/events?ui=pl")
    assert events.headers["content-type"].startswith("text/event-stream")
    assert json.loads(events.text.removeprefix("data: ")) == told


def test_files_have_the_uploads_name_and_no_other_file_is_there(north, job):
    saved = north.get(f"/page/jobs/{job}/files/result.csv")
    name = saved.headers["content-disposition"]
    assert name.startswith("attachment;")
    assert "<" not in name
    assert "-result.csv" in name
    for wrong in ("report.csv", "result.html", "segments.sqlite", "..%2Fupload.csv", "report."):
        assert north.get(f"/page/jobs/{job}/files/{wrong}").status_code == 404


def test_what_cannot_be_used_is_answered_in_words(north, tmp_path):
    cases = {
        "large.csv": (b"text\n" + b"hello there\n" * 30_000, 413, "larger than the 200"),
        "empty.csv": (b"", 422, "No file was chosen"),
        "photo.png": (b"\x89PNG", 422, "cannot be read"),
        "broken.parquet": (b"PAR1 and nothing more", 422, "cannot be used"),
    }
    for name, (content, status, said) in cases.items():
        answer = north.send("/page/uploads", files={"file": (name, content)})
        assert (answer.status_code, said in answer.text) == (status, True), name
        assert "text/html" in answer.headers["content-type"]
    columns = north.upload(_written(tmp_path / "two.csv", "voice,mood\nIt came late.,bad\n"))
    page = north.get(columns)
    assert page.status_code == 422
    refused = north.send(columns, {"action": "start"}, seen=page)
    assert refused.status_code == 422
    assert "No column is known to hold" in refused.text
    wrong = north.send(columns, {"action": "start", "column_text": "nowhere"}, seen=page)
    assert "is not one of its columns" in wrong.text
    assert north.send(columns + "/discard").status_code == 303
    assert north.get(columns).status_code == 404


def test_a_job_can_be_cancelled_and_its_texts_deleted(north, keyed, export):
    job = north.start(north.upload(export("short.csv", 1500)))
    assert north.send(f"/page/jobs/{job}/cancel").status_code in (303, 409)
    page = north.get(f"/page/jobs/{job}", follow_redirects=True)
    assert "Delete" in page.text
    assert north.send(f"/page/jobs/{job}/delete").headers["location"] == "/?deleted"
    assert north.get(f"/page/jobs/{job}").status_code == 404
    end = time.monotonic() + 30
    while (left := [p for p in keyed.data.rglob("*") if job in p.name]) and time.monotonic() < end:
        time.sleep(0.2)
    assert left == []


def test_static_files_are_kept_by_version_and_there_are_no_others(north):
    page = north.get("/").text
    for address in re.findall(r'"(/static/[^"]+)"', page):
        answer = north.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        bare = north.get(address.partition("?")[0])
        assert bare.headers["cache-control"] == "no-cache"
        again = north.get(address.partition("?")[0], headers={"if-none-match": bare.headers["etag"]})
        assert again.status_code == 304
    for wrong in ("..%2fpages.py", "%2e%2e%2fpages.py", "layout.html.j2", ""):
        assert north.get(f"/static/{wrong}").status_code == 404


def test_a_visitors_language_is_kept(north):
    visitor = Visitor(str(north.client.base_url))
    assert "Logowanie" in visitor.get("/page/sign-in?ui=pl").text
    assert '<html lang="pl">' in visitor.get("/page/sign-in").text
    assert "登录" in visitor.get("/page/sign-in?ui=zh").text
    assert '<html lang="zh-Hans">' in visitor.get("/page/sign-in").text


def _written(path, content):
    path.write_text(content, encoding="utf-8")
    return path
