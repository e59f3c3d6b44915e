"""Reading what a form sends, never more than is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.types import Message

from gapnlp.api.multipart import receive_form
from gapnlp.api.problems import ApiProblem
from gapnlp.reporting.formats import Formats

# Bytes of a form without a file: names of columns, a text to try.
FIELD_BYTES = 500_000
_MOST_FIELDS = 50


@dataclass(frozen=True, slots=True)
class Form:
    """What a form sent. file: name of its file as sent, to show only. path: where the file's bytes are."""

    fields: Mapping[str, str]
    file: str | None = None
    path: Path | None = None


async def read_fields(request: Request) -> Form:
    """Read a form without a file. Raises ApiProblem "too-large" beyond FIELD_BYTES."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > FIELD_BYTES:
            raise ApiProblem("too-large", f"the form is larger than {FIELD_BYTES:,} bytes")
        return message

    form = await Request(request.scope, counted).form(max_files=0, max_fields=_MOST_FIELDS, max_part_size=FIELD_BYTES)
    return Form({name: value for name, value in form.items() if isinstance(value, str)})


async def read_upload(request: Request, path: Path, most_bytes: int) -> Form:
    """Read a form with a file, which goes to `path`. Raises ApiProblem."""
    form = await receive_form(request, path, most_bytes=most_bytes)
    return Form(form.fields, form.file, path)


def write_size(count: int, formats: Formats) -> str:
    """Write a number of bytes as people say it: 200 MB."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.3g}".replace(".", formats.decimal) + f"\u00a0{unit}"
    return f"{count}\u00a0B"
