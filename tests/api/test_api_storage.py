"""Uploads by URL: below the allowed prefixes and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from gapnlp.api.problems import ApiProblem
from gapnlp.api.storage import check_url, fetch

PREFIXES = ("s3://bucket/in/", "file:///srv/exports")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("s3://bucket/in/a.csv", "a.csv"),
        ("s3://bucket/in/2026/b.csv.gz", "b.csv.gz"),
        ("file:///srv/exports/c.csv", "c.csv"),
    ],
)
def test_a_file_below_a_prefix_is_let_in(url, name):
    assert check_url(url, PREFIXES) == name


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.csv",
        "s3://bucket/in",
        "s3://bucket/in/../secret.csv",
        "s3://bucket/in/%2e%2e/secret.csv",
        "s3://bucket/in//a.csv",
        "s3://bucket/in/./a.csv",
        "s3://bucket/inside/a.csv",
        "s3://other/in/a.csv",
        "s3://user@bucket/in/a.csv",
        "s3://bucket/in/a.csv?versionId=1",
        "s3://bucket/in/a.csv#b",
        "s3://bucket/in/a b.csv",
        "s3://bucket/in/\u202ea.csv",
        "S3://bucket/in/a.csv",
        "http://bucket/in/a.csv",
        "file:///srv/exports/../../etc/passwd.csv",
        "file:///srv/exports2/a.csv",
        "file://host/srv/exports/a.csv",
        "file:///etc/passwd",
        "file:/srv/exports/a.csv",
    ],
)
def test_anything_else_is_refused(url):
    with pytest.raises(ApiProblem) as refused:
        check_url(url, PREFIXES)
    assert refused.value.kind == "forbidden"


def test_without_prefixes_nothing_is_let_in():
    with pytest.raises(ApiProblem):
        check_url("s3://bucket/in/a.csv", ())


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    folder = tmp_path / "storage"
    folder.mkdir()
    (folder / "a.csv").write_bytes(b"id,review\n1,late\n")
    return folder


def take(storage: Path, name: str, to: Path, *, most_bytes: int = 1_000) -> None:
    fetch(f"file://{storage}/{name}", to, prefixes=[f"file://{storage}/"], most_bytes=most_bytes)


def test_a_file_is_fetched(storage, tmp_path):
    take(storage, "a.csv", tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == b"id,review\n1,late\n"


@pytest.mark.parametrize(
    ("name", "most", "kind"),
    [("b.csv", 1_000, "unusable-upload"), ("a.csv", 5, "too-large"), ("", 9, "unusable-upload")],
)
def test_what_cannot_be_fetched_leaves_nothing(storage, tmp_path, name, most, kind):
    with pytest.raises(ApiProblem) as refused:
        take(storage, name, tmp_path / "got", most_bytes=most)
    assert refused.value.kind == kind
    assert not (tmp_path / "got").exists()


def test_a_link_leads_no_further_than_the_prefixes(storage, tmp_path):
    (tmp_path / "secret.csv").write_bytes(b"id,review\n1,secret\n")
    (storage / "out.csv").symlink_to(tmp_path / "secret.csv")
    (storage / "in.csv").symlink_to(storage / "a.csv")
    with pytest.raises(ApiProblem, match="forbidden"):
        take(storage, "out.csv", tmp_path / "got")
    take(storage, "in.csv", tmp_path / "got")


def test_a_job_is_made_of_an_allowed_url(open_api, storage):
    api = open_api(storage_prefixes=(f"file://{storage}/",))
    answered = api.client.post("/jobs", files={"url": (None, f"file://{storage}/a.csv")})
    assert (answered.status_code, answered.json()["file"]) == (202, "a.csv")
    assert api.jobs.received[0][1] == b"id,review\n1,late\n"
    assert (storage / "a.csv").exists()
    both = {"url": (None, f"file://{storage}/a.csv"), "file": ("b.csv", b"id,review\n")}
    assert api.client.post("/jobs", files=both).status_code == 422
    assert api.client.post("/jobs", files={"url": (None, "file:///etc/passwd")}).status_code == 403
    assert list(api.settings.data_dir.glob("arrivals/*")) == []


def test_no_url_is_read_unless_the_settings_say_so(api, storage):
    assert api.client.post("/jobs", files={"url": (None, f"file://{storage}/a.csv")}).status_code == 403
