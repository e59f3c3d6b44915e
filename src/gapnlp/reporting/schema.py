"""The JSON Schemas of report.json and ledger.json, derived from the records so that they cannot drift apart.

`python -m gapnlp.reporting.schema report > docs/report.schema.json` publishes one, `ledger` the other.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from gapnlp.records.promises import LEDGER_SCHEMA_VERSION, Ledger
from gapnlp.records.report import SCHEMA_VERSION, GapReport

_SCALARS: Mapping[Any, Mapping[str, str]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    date: {"type": "string", "format": "date"},
}
# What is published: name -> (its record, the version of its schema).
PUBLISHED: Mapping[str, tuple[type[Any], str]] = {
    "report": (GapReport, SCHEMA_VERSION),
    "ledger": (Ledger, LEDGER_SCHEMA_VERSION),
}


def build_schema(name: str = "report") -> dict[str, Any]:
    """Build the schema of report.json or ledger.json (JSON Schema 2020-12) from its record and the records in it."""
    cls, version = PUBLISHED[name]
    definitions: dict[str, Any] = {}
    _define(cls, definitions)
    root = definitions.pop(cls.__name__)
    root["properties"]["schema_version"] = {"const": version}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:gapnlp:schema:{name}:{version}",
        "title": f"gapnlp {name} {version}",
    }
    return {**head, **root, "$defs": dict(sorted(definitions.items()))}


def render_schema(name: str = "report") -> bytes:
    """Render a schema as it is published."""
    return (json.dumps(build_schema(name), ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def _define(cls: type[Any], definitions: dict[str, Any]) -> None:
    if cls.__name__ in definitions:
        return
    definitions[cls.__name__] = {}
    hints = get_type_hints(cls)
    names = [field.name for field in fields(cls)]
    definitions[cls.__name__] = {
        "description": " ".join((cls.__doc__ or "").split()),
        "type": "object",
        "properties": {name: _of(hints[name], definitions) for name in names},
        "required": names,
        "additionalProperties": False,
    }


def _of(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin, args = get_origin(hint), get_args(hint)
    if origin is UnionType:
        chosen = next(arg for arg in args if arg is not NoneType)
        return {"anyOf": [_of(chosen, definitions), {"type": "null"}]}
    if origin is tuple and args[-1] is Ellipsis:
        return {"type": "array", "items": _of(args[0], definitions)}
    if origin is tuple:
        entries = [_of(arg, definitions) for arg in args]
        return {"type": "array", "prefixItems": entries, "items": False, "minItems": len(args)}
    if origin is Mapping:
        return {"type": "object", "additionalProperties": _of(args[1], definitions)}
    if is_dataclass(hint) and isinstance(hint, type):
        _define(hint, definitions)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    return dict(_SCALARS[hint])


if __name__ == "__main__":
    sys.stdout.buffer.write(render_schema(*sys.argv[1:2]))
