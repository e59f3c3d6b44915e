"""schemathesis over the whole OpenAPI description, all checks, against the real server: no failure, no error 500."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(served, *arguments: str, **env: str) -> str:
    """Run the command; gives what it says. Fails when it finds anything."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{served.server.address}/openapi.json"]
    command += ["--no-color", "--continue-on-failure", "--seed", "4", "-H", f"X-API-Key: {served.secret}", *arguments]
    told = os.environ | {"SCHEMATHESIS_HOOKS": "tests.api.schemathesis_hooks", "PYTHONPATH": str(ROOT), **env}
    ran = subprocess.run(command, env=told, cwd=ROOT, capture_output=True, text=True, timeout=1500)
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-2_000:]
    return ran.stdout


def count_operations(said: str) -> tuple[int, int]:
    """(operations that were tested, operations that there are)."""
    found = re.search(r"Selected: \d+/(\d+)\s+Tested: (\d+)", said)
    assert found, said
    return int(found[2]), int(found[1])


def clean(served) -> None:
    """Delete the jobs that were made, and see that the server is well."""
    with served.client as client:
        while jobs := client.get("/jobs", params={"limit": 200}).json()["items"]:
            for job in jobs:
                client.delete(f"/jobs/{job['id']}")
        assert client.get("/readyz").status_code == 200


def test_examples_and_first_cases_find_nothing(served):
    said = run(served, "--checks", "all", "--phases", "examples,fuzzing", "--max-examples", "3")
    assert "Test cases:" in said
    count, all_of_them = count_operations(said)
    assert count == all_of_them >= 20
    clean(served)


@pytest.mark.heavy
def test_all_phases_find_nothing(served):
    said = run(served, "--checks", "all", "--max-examples", "60")
    count, all_of_them = count_operations(said)
    assert count == all_of_them >= 20
    assert int(re.search(r"Test cases:\s+(\d+) generated", said)[1]) > 1_000
    clean(served)


@pytest.mark.heavy
def test_signed_webhooks_find_nothing(served):
    """Signatures are added to every request, also to those that check that they are asked for, so that check is out."""
    arguments = ("--include-path-regex", "^/webhooks/", "--checks", "all", "--exclude-checks", "ignored_auth")
    said = run(served, *arguments, "--phases", "examples,coverage,fuzzing", "--max-examples", "100", SIGN_WEBHOOKS="1")
    assert count_operations(said)[0] == 3
    assert "Authentication failed" not in said
    clean(served)
