"""The OpenAPI description: as it was (golden file), complete, and with examples that fit."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from gapnlp.api.app import create_app
from gapnlp.api.problems import KINDS, TYPE_PREFIX
from gapnlp.api.reference import example_of
from gapnlp.settings import read_settings

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).with_name("openapi.json")
# The version of the package stands in the description; it is no part of the contract.
VERSION = "0.0.0"


@pytest.fixture(scope="module")
def description() -> dict:
    made = json.loads(json.dumps(create_app(read_settings()).openapi()))
    made["info"]["version"] = VERSION
    return made


def operations(description):
    return [(path, method, o) for path, methods in description["paths"].items() for method, o in methods.items()]


def test_the_description_is_as_it_was(description, request):
    """After a change that is wanted: python -m pytest tests/api/test_api_openapi.py --write-golden."""
    text = json.dumps(description, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if request.config.getoption("--write-golden"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert GOLDEN.read_text(encoding="utf-8") == text


def test_every_operation_says_what_it_does(description):
    for path, method, operation in operations(description):
        assert operation["summary"], path
        assert operation["description"], path
        assert operation["operationId"] == operation["operationId"].lower(), path
        assert operation["tags"], path
        for parameter in operation.get("parameters", []):
            assert (
                parameter.get("description") or parameter["schema"].get("description") or parameter["in"] == "path"
            ), (
                path,
                method,
                parameter["name"],
            )


def test_every_parameter_and_body_has_an_example(description):
    missing = []
    for path, method, operation in operations(description):
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            told = [schema, *schema.get("anyOf", [])]
            if not ("example" in parameter or any(s.get("examples") or "enum" in s or "default" in s for s in told)):
                missing.append(f"{method} {path}: {parameter['name']}")
        for holder in (operation.get("requestBody", {}), *operation["responses"].values()):
            for media_type, content in holder.get("content", {}).items():
                example = content.get("example", example_of(content.get("schema", {}), schemas(description)))
                if example in (None, {}, []):
                    missing.append(f"{method} {path}: {media_type}")
    assert missing == []


def schemas(description):
    return description["components"]["schemas"]


def test_every_example_fits_its_schema(description):
    wrong = []
    for path, method, operation in operations(description):
        for holder in (operation.get("requestBody", {}), *operation["responses"].values()):
            for media_type, content in holder.get("content", {}).items():
                if not media_type.endswith("json") or "$ref" not in json.dumps(content):
                    continue
                schema = {**content["schema"], "components": description["components"]}
                example = content.get("example", example_of(content["schema"], schemas(description)))
                faults = list(Draft202012Validator(schema).iter_errors(example))
                wrong += [f"{method} {path} {media_type}: {f.json_path} {f.message}" for f in faults]
    assert wrong == []


def test_every_error_is_a_problem(description):
    for path, method, operation in operations(description):
        for status, answer in operation["responses"].items():
            if int(status) < 400:
                continue
            assert list(answer["content"]) == ["application/problem+json"], (path, status)
            example = answer["content"]["application/problem+json"]["example"]
            assert example["status"] == int(status), (path, status)
            assert KINDS[example["type"].removeprefix(TYPE_PREFIX)].status == int(status)
        if "security" in operation and "/webhooks/" not in path:
            assert {"401", "429", "503"} <= set(operation["responses"]), (method, path)


def test_every_way_to_be_refused_is_in_the_docs():
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert [name for name in KINDS if f"`{name}`" not in page] == []


def test_every_address_is_in_the_docs(description):
    pages = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("api.md", "webhooks.md"))
    missing = [
        f"{method.upper()} {path}"
        for path, method, _ in operations(description)
        if not re.search(rf"{method.upper()} {re.escape(path)}(?![\w/{{])", pages)
    ]
    assert missing == []


def test_the_reference_page_names_every_address_and_loads_nothing(description):
    client = TestClient(create_app(read_settings()), base_url="http://127.0.0.1", client=("127.0.0.1", 1))
    client.app.state.keys = Keyless()
    page = client.get("/docs")
    assert page.status_code == 200
    for path, method, _ in operations(description):
        assert f"<b>{method.upper()}</b> {path}</h3>" in page.text
    assert not re.search(r"<script|<link|<img|https?://|\son\w+=", page.text)
    assert "sha256-" in page.headers["Content-Security-Policy"]


class Keyless:
    """No keys."""

    def any(self) -> bool:
        return False
