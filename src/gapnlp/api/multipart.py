"""Forms with a file, written to disk as they arrive: never in memory, never under a name that was sent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from gapnlp.api.problems import ApiProblem

FILE_FIELD = "file"
_MOST_FIELDS = 30
_MOST_FIELD_BYTES = 4_000
# Bytes of a form around its file: boundaries, headers and fields.
_AROUND = 300_000
_LONGEST_NAME = 200
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Form:
    """A form that was received: its fields, and its file's name as sent (to show and to tell the format by)."""

    fields: Mapping[str, str]
    file: str | None


@dataclass(slots=True)
class _Part:
    headers: dict[str, bytes] = field(default_factory=dict)
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    name: str = ""
    is_file: bool = False
    content: bytearray = field(default_factory=bytearray)


class _Reader:
    """Callbacks of the parser; `pending` is what has to be written to the file before more is read."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.file: str | None = None
        self.pending = bytearray()
        self.ended = False
        self._part = _Part()

    def callbacks(self) -> dict[str, object]:
        """Name the callbacks as the parser wants them."""
        names = ("part_begin", "part_data", "part_end", "header_field", "header_value", "header_end")
        return {f"on_{n}": getattr(self, n) for n in (*names, "headers_finished", "end")}

    def part_begin(self) -> None:
        self._part = _Part()

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.header += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.value += data[start:end]

    def header_end(self) -> None:
        part = self._part
        part.headers[part.header.decode("latin-1").lower()] = bytes(part.value)
        part.header.clear()
        part.value.clear()

    def headers_finished(self) -> None:
        part = self._part
        _, options = parse_options_header(part.headers.get("content-disposition", b""))
        if b"name" not in options:
            raise _unreadable("a part of the form has no name")
        part.name = options[b"name"].decode("utf-8", errors="replace")
        part.is_file = part.name == FILE_FIELD
        if part.is_file:
            if self.file is not None:
                raise _unreadable(f"the form has more than one part called {FILE_FIELD}; send one file a job")
            self.file = shown_name(options.get(b"filename", b"").decode("utf-8", errors="replace"))
        elif part.name in self.fields or len(self.fields) >= _MOST_FIELDS:
            raise _unreadable("the form has a field twice, or too many of them")

    def part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.is_file:
            self.pending += data[start:end]
            return
        self._part.content += data[start:end]
        if len(self._part.content) > _MOST_FIELD_BYTES:
            raise _unreadable(f"a field of the form is longer than {_MOST_FIELD_BYTES} bytes")

    def part_end(self) -> None:
        if not self._part.is_file:
            self.fields[self._part.name] = self._part.content.decode("utf-8", errors="replace")

    def end(self) -> None:
        self.ended = True


async def receive_form(request: Request, path: Path, *, most_bytes: int) -> Form:
    """Read a multipart form, its file into `path`; nothing is left there when this fails.

    most_bytes: of the file. Raises ApiProblem "unsupported-media-type", "bad-request" or "too-large".
    """
    boundary = _boundary(request)
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most_bytes + _AROUND:
        raise _too_large(most_bytes)
    reader = _Reader()
    try:
        with path.open("xb") as target:
            parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
            await _receive(request, (reader, parser), target, most_bytes)
    except FormParserError:
        path.unlink(missing_ok=True)
        raise _unreadable("the form breaks off or is no multipart/form-data") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Form(reader.fields, reader.file)


async def _receive(
    request: Request, reading: tuple[_Reader, MultipartParser], target: BinaryIO, most_bytes: int
) -> None:
    reader, parser = reading
    received = written = 0
    async for block in _patiently(request):
        received += len(block)
        parser.write(block)
        written += len(reader.pending)
        if written > most_bytes or received - written > _AROUND:
            raise _too_large(most_bytes)
        if reader.pending:
            await run_in_threadpool(target.write, bytes(reader.pending))
            reader.pending.clear()
    parser.finalize()
    if not reader.ended:
        raise _unreadable("the form breaks off before its end")


async def _patiently(request: Request) -> AsyncIterator[bytes]:
    """Give what arrives; a sender who stops sending does not hold a place for ever."""
    stream = request.stream()
    while True:
        try:
            yield await asyncio.wait_for(anext(stream), _PATIENCE_SECONDS)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise _unreadable(f"nothing of the form arrived for {_PATIENCE_SECONDS:g} s") from None


def shown_name(sent: str) -> str:
    """Cut a file's name to what can be shown: the last part of a path, printable, its ending kept."""
    name = re.split(r"[/\\]", sent)[-1]
    name = "".join(letter for letter in name if letter.isprintable()).strip()
    return name[-_LONGEST_NAME:] or "upload"


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type", "").encode("latin-1", errors="replace"))
    if kind != b"multipart/form-data":
        raise ApiProblem("unsupported-media-type", "send a form: multipart/form-data with the upload as its file")
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= 200:
        raise _unreadable("the form's Content-Type names no boundary")
    return boundary


def _too_large(most_bytes: int) -> ApiProblem:
    return ApiProblem("too-large", f"the upload is larger than {most_bytes:,} bytes; split it, or send fewer columns")


def _unreadable(detail: str) -> ApiProblem:
    return ApiProblem("bad-request", detail)
