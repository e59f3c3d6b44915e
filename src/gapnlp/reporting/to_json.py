"""Report or ledger <-> JSON: their published form (docs/*.schema.json), read back without loss."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from gapnlp.errors import InputError
from gapnlp.records.report import SCHEMA_VERSION, GapReport

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Turn records into JSON's own types: fields in their order, keys of mappings sorted, dates as ISO strings."""
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: to_plain(value[key]) for key in sorted(value)}
    if isinstance(value, tuple | list):
        return [to_plain(entry) for entry in value]
    return value.isoformat() if isinstance(value, date) else value


def render_json(report: Any, ui: str = "en") -> bytes:
    """Render a report or ledger as JSON; the same one always gives the same bytes, whatever the UI language.

    Lone surrogates, which UTF-8 cannot hold, are written as JSON escapes. Raises ValueError on NaN or infinity.
    """
    text = json.dumps(to_plain(report), ensure_ascii=False, allow_nan=False, indent=2)
    return (text + "\n").encode("utf-8", "backslashreplace")


def from_json(data: bytes) -> GapReport:
    """Read a report back. Raises InputError when it is no report or one of another schema."""
    return read_json(GapReport, data, name="report", version=SCHEMA_VERSION)


def read_json(cls: type[T], data: bytes, *, name: str, version: str) -> T:
    """Read a record back from its JSON: `name` is what it is called, `version` the schema that can be read.

    Raises InputError when the data hold something else.
    """
    try:
        plain = json.loads(data)
    except ValueError as error:
        raise InputError(f"this is not a {name}.json: it holds no JSON; make the {name} again") from error
    given = plain.get("schema_version") if isinstance(plain, dict) else None
    if str(given).partition(".")[0] != version.partition(".")[0]:
        raise InputError(f"{name} schema {given} cannot be read, only {version}; make the {name} again")
    return _record(cls, plain, name)


def _record(cls: type[T], plain: Any, where: str) -> T:
    if not isinstance(plain, dict):
        raise _mismatch(where, "an object")
    hints = get_type_hints(cls)
    missing = hints.keys() ^ plain.keys()
    if missing:
        raise _mismatch(where, f"other fields ({', '.join(sorted(missing))})")
    return cls(**{name: _value(hint, plain[name], f"{where}.{name}") for name, hint in hints.items()})


def _value(hint: Any, plain: Any, where: str) -> Any:
    """Read one value as its type hint says."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is UnionType:
        chosen = next(arg for arg in args if arg is not NoneType)
        return None if plain is None else _value(chosen, plain, where)
    if origin is tuple:
        return _sequence(args, plain, where)
    if origin is Mapping:
        if not isinstance(plain, dict):
            raise _mismatch(where, "an object")
        return {key: _value(args[1], entry, f"{where}.{key}") for key, entry in plain.items()}
    return _record(cast(Any, hint), plain, where) if is_dataclass(hint) else _scalar(hint, plain, where)


def _sequence(args: tuple[Any, ...], plain: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(plain, list):
        raise _mismatch(where, "a list")
    hints = [args[0]] * len(plain) if args[-1] is Ellipsis else list(args)
    if len(hints) != len(plain):
        raise _mismatch(where, f"{len(hints)} entries")
    return tuple(_value(hint, entry, f"{where}[{i}]") for i, (hint, entry) in enumerate(zip(hints, plain, strict=True)))


def _scalar(hint: type[Any], plain: Any, where: str) -> Any:
    if hint is date and isinstance(plain, str):
        try:
            return date.fromisoformat(plain)
        except ValueError:
            raise _mismatch(where, "an ISO date") from None
    if hint is float and isinstance(plain, int) and not isinstance(plain, bool):
        return float(plain)
    if type(plain) is not hint:
        raise _mismatch(where, hint.__name__)
    return cast(Any, plain)


def _mismatch(where: str, expected: str) -> InputError:
    name = where.partition(".")[0]
    return InputError(f"this is not a {name}.json of this version: {where} is not {expected}; make it again")
