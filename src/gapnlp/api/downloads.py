"""Files as answers: under a name of ours, with ranges, and problems where Starlette would send plain text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from fastapi import Request
from starlette.responses import FileResponse

from gapnlp.api.headers import REPORT_POLICY
from gapnlp.api.problems import ApiProblem
from gapnlp.errors import NotFound

MEDIA_TYPES: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def send_file(request: Request, path: Path, *, name: str) -> FileResponse:
    """Answer with a file, or the range of it that is asked for; a report in HTML opens, all else is saved.

    Raises NotFound when it was deleted meanwhile, ApiProblem "range-not-satisfiable".
    """
    try:
        stat = path.stat()
    except FileNotFoundError:
        raise NotFound("the file was deleted meanwhile") from None
    _check_range(request, stat.st_size)
    kind = path.suffix.removeprefix(".")
    opens = kind == "html"
    return FileResponse(
        path,
        stat_result=stat,
        media_type=MEDIA_TYPES[kind],
        filename=name,
        content_disposition_type="inline" if opens else "attachment",
        headers={"Content-Security-Policy": REPORT_POLICY} if opens else None,
    )


def _check_range(request: Request, size: int) -> None:
    """Leave to Starlette what it can do, refuse what it cannot, ignore what is no range (RFC 9110, section 14.2)."""
    asked = request.headers.get("range")
    if asked is None:
        return
    found = _RANGE.fullmatch(asked.replace(" ", ""))
    first, last = found.groups() if found else ("", "")
    if not found or not (first or last) or (first and last and int(first) > int(last)):
        headers = [(name, value) for name, value in request.scope["headers"] if name != b"range"]
        request.scope["headers"] = headers
    elif (first and int(first) >= size) or (not first and int(last) == 0):
        headers_told = {"Content-Range": f"bytes */{size}"}
        raise ApiProblem("range-not-satisfiable", f"the file has {size:,} bytes", headers=headers_told)
