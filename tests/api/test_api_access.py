"""Who may call: keys, scopes, rates; this machine alone without keys; no other site's page."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from gapnlp.api.access import SESSION_COOKIE, is_loopback
from gapnlp.api.problems import ApiProblem
from gapnlp.api.rates import RateLimiter
from gapnlp.errors import StoreError
from gapnlp.records.service import SCOPES


def client_of(api, host: str, *, base: str = "http://127.0.0.1:8000") -> TestClient:
    """A client elsewhere, on the app that runs already."""
    return TestClient(api.app, base_url=base, client=(host, 5_000))


def test_without_keys_this_machine_may_do_everything(api):
    assert api.client.get("/jobs").status_code == 200
    assert api.client.get("/metrics").status_code == 200


@pytest.mark.parametrize("host", ["192.0.2.7", "2001:db8::7", "testclient"])
def test_without_keys_others_may_do_nothing(api, host):
    answered = client_of(api, host).get("/jobs")
    assert (answered.status_code, answered.headers["content-type"]) == (401, "application/problem+json")


def test_without_keys_a_page_whose_name_was_led_here_may_do_nothing(api):
    assert client_of(api, "127.0.0.1", base="http://rebound.example:8000").get("/jobs").status_code == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json", "/docs"])
def test_some_addresses_are_for_everybody(api, path):
    api.keys.add("s", "shop")
    while not api.app.state.pool.ready:
        pass
    assert client_of(api, "192.0.2.7").get(path).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"X-API-Key": "s1"}, {"Authorization": "Bearer s1"}, {"Authorization": "bearer  s1"}]
)
def test_a_key_comes_as_header_or_bearer(api, headers):
    api.keys.add("s1", "shop")
    assert client_of(api, "192.0.2.7").get("/jobs", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "wrong"},
        {"X-API-Key": "s1" + "a" * 600},
        {"Authorization": "Basic s1"},
        {"Authorization": "s1"},
        {"Cookie": f"{SESSION_COOKIE}=wrong"},
        {"Cookie": 'a="; =,;'},
        {"X-API-Key": "wrong", "Authorization": "Bearer s1"},
    ],
)
def test_with_keys_nothing_goes_without_one(api, headers):
    api.keys.add("s1", "shop")
    answered = api.client.get("/jobs", headers=headers)
    assert answered.status_code == 401
    assert answered.json()["type"] == "urn:gapnlp:problem:unauthorized"
    assert answered.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_unknown_address_is_closed_too(api):
    assert api.client.get("/nothing").status_code == 404
    api.keys.add("s1", "shop")
    assert api.client.get("/nothing").status_code == 401
    assert api.client.get("/nothing", headers={"X-API-Key": "s1"}).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/classify", "classify"),
        ("GET", "/jobs", "jobs"),
        ("POST", "/jobs", "jobs"),
        ("GET", "/metrics", "admin"),
    ],
)
def test_a_key_allows_its_scopes_alone(api, method, path, scope):
    for other in SCOPES:
        api.keys.add(other, "shop", other)
        answered = api.client.request(method, path, headers={"X-API-Key": other})
        if other in (scope, "admin"):
            assert answered.status_code not in (401, 403)
        else:
            assert answered.status_code == 403
            assert scope in answered.json()["detail"]


def test_a_key_is_asked_for_before_the_upload_is_read(api):
    api.keys.add("s1", "shop", "classify")
    read = []

    def body():
        read.append(1)
        yield b"x" * 1000

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert api.client.post("/jobs", content=body(), headers=headers).status_code == 401
    assert api.client.post("/jobs", content=body(), headers={**headers, "X-API-Key": "s1"}).status_code == 403
    assert list(api.settings.data_dir.glob("arrivals/*")) == []


def test_the_session_of_the_page_is_a_key_too(api):
    api.keys.add("s1", "shop")
    headers = {"Cookie": f"{SESSION_COOKIE}=s1"}
    assert api.client.get("/jobs", headers=headers).status_code == 200
    job = api.jobs.add("shop")
    path = f"/jobs/{job.id}"
    for foreign in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
        assert api.client.delete(path, headers={**headers, **foreign}).status_code == 403
    assert path.removeprefix("/jobs/") in api.jobs.kept
    own = {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}
    assert api.client.delete(path, headers={**headers, **own}).status_code == 204


def test_another_sites_page_cannot_use_a_server_without_keys(api):
    job = api.jobs.add("local")
    refused = api.client.delete(f"/jobs/{job.id}", headers={"Origin": "https://evil.example"})
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:gapnlp:problem:forbidden")
    assert job.id in api.jobs.kept


def test_a_database_that_is_away_is_no_open_door(api):
    api.keys.fault = StoreError("the database cannot be reached")
    for headers in ({}, {"X-API-Key": "s1"}):
        answered = api.client.get("/jobs", headers=headers)
        assert (answered.status_code, answered.headers["Retry-After"]) == (503, "5")
        assert "database" not in answered.text


def test_each_key_has_its_own_rate(open_api):
    api = open_api(rate_limit=3)
    for secret in ("s1", "s2"):
        api.keys.add(secret, "shop")
    answers = [api.client.get("/jobs", headers={"X-API-Key": "s1"}) for _ in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert [a.headers["RateLimit-Remaining"] for a in answers] == ["2", "1", "0", "0"]
    assert answers[0].headers["RateLimit-Limit"] == "3"
    assert int(answers[3].headers["Retry-After"]) == 20
    assert answers[3].json()["type"] == "urn:gapnlp:problem:rate-limited"
    assert api.client.get("/jobs", headers={"X-API-Key": "s2"}).status_code == 200


def test_a_rate_comes_back_steadily():
    now = [0.0]
    limiter = RateLimiter(60, clock=lambda: now[0])
    for _ in range(60):
        limiter.take("k")
    with pytest.raises(ApiProblem):
        limiter.take("k")
    now[0] = 2.0
    assert [limiter.take("k")["RateLimit-Remaining"] for _ in range(2)] == ["1", "0"]
    now[0] = 10_000.0
    assert limiter.take("k")["RateLimit-Remaining"] == "59"


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("[::1]", True), ("localhost", True)]
    + [("0.0.0.0", False), ("::", False), ("192.0.2.7", False), ("localhost.example", False), ("", False)],
)
def test_loopback_is_told(host, expected):
    assert is_loopback(host) is expected


def test_no_websocket_is_opened_by_adding_one(api):
    @api.app.websocket("/echo")
    async def echo(socket):
        await socket.accept()

    with pytest.raises(WebSocketDisconnect), api.client.websocket_connect("/echo"):
        pass


def test_answers_carry_security_headers(api):
    for path in ("/jobs", "/nothing", "/docs", "/"):
        headers = api.client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] in ("no-referrer", "same-origin")
        assert headers["X-Frame-Options"] in ("DENY", "SAMEORIGIN")
        assert headers["Cache-Control"] == "no-store"


def test_other_origins_are_let_in_only_when_they_are_named(open_api):
    asks = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    closed = open_api().client
    assert "access-control-allow-origin" not in closed.get("/healthz", headers=asks).headers
    assert closed.options("/classify", headers=asks).status_code == 405
    opened = open_api(cors_origins=("https://shop.example",)).client
    assert opened.options("/classify", headers=asks).headers["access-control-allow-origin"] == "https://shop.example"
    other = {**asks, "Origin": "https://evil.example"}
    assert "access-control-allow-origin" not in opened.get("/healthz", headers=other).headers
