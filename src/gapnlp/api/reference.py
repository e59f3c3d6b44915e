"""The OpenAPI description as one page for people: no script, nothing from outside, made when it is asked for."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_TEMPLATES = "templates"


def render_reference(description: Mapping[str, Any]) -> str:
    """Write the page."""
    environment = Environment(
        loader=PackageLoader("gapnlp.api", _TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=False
    )
    schemas = description["components"]["schemas"]
    found = list(_operations(description, schemas))
    tags = [{**tag, "operations": [o for o in found if tag["name"] in o["tags"]]} for tag in description["tags"]]
    page = environment.get_template("reference.html.j2")
    shown = [tag for tag in tags if tag["operations"]]
    return page.render(info=description["info"], tags=shown, style=Markup(_style()))  # noqa: S704 - our own file


def reference_policy() -> str:
    """Give a content security policy that lets in this page's own style and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def _style() -> str:
    return files("gapnlp.api").joinpath(_TEMPLATES, "reference.css").read_text(encoding="utf-8")


def _operations(description: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield {
                "path": path,
                "method": method.upper(),
                "operationId": operation["operationId"],
                "summary": operation["summary"],
                "description": operation.get("description", ""),
                "tags": operation["tags"],
                "access": [name for one in operation.get("security", []) for name in one],
                "parameters": [_parameter(p) for p in operation.get("parameters", [])],
                "bodies": list(_contents(operation.get("requestBody", {}), schemas)),
                "answers": [_answer(s, a, schemas) for s, a in operation["responses"].items()],
            }


def _parameter(parameter: Mapping[str, Any]) -> dict[str, Any]:
    schema = parameter["schema"]
    example = parameter.get("example", next(iter(schema.get("examples", [])), None))
    return {
        "name": parameter["name"],
        "in": parameter["in"],
        "required": parameter.get("required", False),
        "description": parameter.get("description", ""),
        "schema": {"description": schema.get("description", "")},
        "examples": "" if example is None else str(example),
    }


def _answer(status: str, answer: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    shown = next(iter(_contents(answer, schemas)), {"example": ""})
    return {
        "status": status,
        "description": answer["description"],
        "headers": list(answer.get("headers", {})),
        "example": shown["example"],
    }


def _contents(holder: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for media_type, content in holder.get("content", {}).items():
        schema = content.get("schema", {})
        example = content.get("example", example_of(schema, schemas))
        shown = example if isinstance(example, str) else json.dumps(example, indent=1, ensure_ascii=False)
        yield {"media_type": media_type, "example": shown}


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """Make an example of a schema out of the examples of its parts."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for told in ("example", "const", "default"):
        if told in schema:
            return schema[told]
    if schema.get("examples"):
        return schema["examples"][0]
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return example_of(choices[0], schemas)
    if schema.get("type") == "object" and "properties" in schema:
        return {name: example_of(part, schemas) for name, part in schema["properties"].items()}
    if schema.get("type") == "array":
        return [example_of(schema["items"], schemas)]
    return schema.get("enum", [None])[0]
