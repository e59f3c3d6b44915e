"""From a request to a checked upload on disk: received or fetched, within its limits, and how it would be read."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import anyio
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from gapnlp.api.deps import Server
from gapnlp.api.multipart import Form, receive_form, shown_name
from gapnlp.api.problems import ApiProblem
from gapnlp.api.schemas_jobs import JobForm
from gapnlp.api.storage import check_url, fetch
from gapnlp.errors import InputError
from gapnlp.ingest.footprint import check_footprint
from gapnlp.ingest.limits import check_packing
from gapnlp.ingest.readers import ENDINGS
from gapnlp.records.service import JobOptions
from gapnlp.service.runs import upload_limits

T = TypeVar("T")

URL_FIELD = "url"
_LONGEST_DETAIL = 2_000


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that was checked: where it lies, its name as sent, and what is asked for."""

    path: Path
    file: str
    options: JobOptions


class UploadGate:
    """Bounds how many uploads are received, and how many are checked, at a time: disk and processor are finite.

    No project holds more than half of the places.
    """

    def __init__(self, *, receiving: int = 16, checking: int = 2) -> None:
        self.receiving = receiving
        self.held: Counter[str] = Counter()
        self._checking = anyio.CapacityLimiter(checking)

    @asynccontextmanager
    async def room(self, project: str = "") -> AsyncIterator[None]:
        """Hold a place. project: empty for those who are not known yet. Raises ApiProblem "busy"."""
        if self.held.total() >= self.receiving or self.held[project] >= max(1, self.receiving // 2):
            raise ApiProblem("busy", "too many uploads at once; try again in 5 s", headers={"Retry-After": "5"})
        self.held[project] += 1
        try:
            yield
        finally:
            self.held[project] -= 1
            self.held += Counter()  # drops those who hold none

    async def run(self, work: Callable[[], T]) -> T:
        """Do work that reads a whole upload, in a thread."""
        return await anyio.to_thread.run_sync(work, limiter=self._checking)


@asynccontextmanager
async def receive_upload(request: Request, server: Server, project: str) -> AsyncIterator[Upload]:
    """Receive the upload of a request and check it; what is left of it is deleted at the end.

    Raises ApiProblem that says what is wrong with it, RequestValidationError for its options.
    """
    gate: UploadGate = request.app.state.uploads
    arrived = _arrivals(server) / secrets.token_hex(16)
    async with gate.room(project):
        try:
            form = await receive_form(request, arrived, most_bytes=server.settings.upload_bytes)
            file, options = await gate.run(lambda: _source(form, arrived, server)), _options(form, server)
            path = arrived.rename(arrived.with_name(arrived.name + _ending_of(file)))
            arrived = path
            with told(path, file):
                await gate.run(lambda: _check(path, server))
            yield Upload(path, file, options)
        finally:
            arrived.unlink(missing_ok=True)


@contextmanager
def told(path: Path, file: str) -> Iterator[None]:
    """Turn what is wrong with an upload into a problem that calls it by the name that was sent."""
    try:
        yield
    except InputError as error:
        # A message may list all columns of the file, which may be anything.
        words = str(error).replace(path.name, file)
        short = words if len(words) <= _LONGEST_DETAIL else f"{words[:_LONGEST_DETAIL]} ..."
        raise ApiProblem("unusable-upload", short) from None


def _check(path: Path, server: Server) -> None:
    limits = upload_limits(server.settings)
    check_packing(path, limits)
    check_footprint(path, limits)


def _ending_of(file: str) -> str:
    """Give the ending that a name has, of those that can be read. Raises ApiProblem "unsupported-media-type"."""
    found = [e for e in ENDINGS if file.lower().endswith(e)]
    if not found:
        known = ", ".join(ENDINGS)
        raise ApiProblem("unsupported-media-type", f"the kind of file is told by its name's ending; send {known}")
    return max(found, key=len)


def _arrivals(server: Server) -> Path:
    folder = server.settings.data_dir / "arrivals"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _source(form: Form, arrived: Path, server: Server) -> str:
    """Give the upload's name; a URL's file is fetched."""
    url = form.fields.get(URL_FIELD)
    if form.file is not None and url is None:
        _ending_of(form.file)
        return form.file
    if url is None or form.file is not None:
        fault = ("body.file", "send either the upload as `file`, or its `url`")
        raise ApiProblem("invalid-request", "there has to be one upload", errors=[fault])
    prefixes = server.settings.storage_prefixes
    file = shown_name(check_url(url, prefixes))
    _ending_of(file)
    arrived.unlink()
    fetch(url, arrived, prefixes=prefixes, most_bytes=server.settings.upload_bytes)
    return file


def _options(form: Form, server: Server) -> JobOptions:
    fields = {name: value for name, value in form.fields.items() if name != URL_FIELD}
    try:
        sent = JobForm.model_validate(fields)
    except ValidationError as error:
        faults = [{**e, "loc": ("body", *e["loc"])} for e in error.errors(include_url=False, include_input=False)]
        raise RequestValidationError(faults) from None
    given = sent.model_dump()
    given["redact"] = sent.redact == "true"
    given["quality"] = sent.quality or server.settings.quality
    return replace(JobOptions(), **given)
