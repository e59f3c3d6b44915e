"""Logs of the service: one JSON object a line, made so that customers' texts and file names cannot get into them.

Three things hold them back: only FIELDS are taken from a record's extras, an exception is told by its type and places
in the code (its message may quote what was read), and of other packages' messages only the template is kept.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from contextlib import suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import PurePath
from types import TracebackType
from typing import Any

# Id of the request that is being served; also set in the threads that work for it.
REQUEST_ID: ContextVar[str | None] = ContextVar("gapnlp_request_id", default=None)
# Extras of a record that are written; each is a number, or a name from a closed list or from the operator.
FIELDS = (
    "method",
    "route",
    "status",
    "milliseconds",
    "complete",
    "project",
    "key",
    "trace",
    "job",
    "state",
    "stage",
    "rows",
    "seconds",
)
WITHHELD = "a message of another package, withheld because it may hold data"
_UNREADABLE = "a log record with wrong arguments, from"
_OWN = "gapnlp"
# uvicorn's notes of starting and stopping; its errors are treated like any other package's.
_TOLD = "uvicorn.error"
# Packages that bring handlers of their own, which would write what is held back here.
_TAMED = ("dbos", "alembic", "sqlalchemy", "uvicorn", "uvicorn.error", "fastapi", "multipart", "python_multipart")
_MOST_PLACES = 12

log = logging.getLogger(__name__)


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line, without its line break."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        if (request_id := REQUEST_ID.get()) is not None:
            line["request_id"] = request_id
        line |= {name: record.__dict__[name] for name in FIELDS if record.__dict__.get(name) is not None}
        if record.exc_info and record.exc_info[0] is not None:
            line |= {"error": record.exc_info[0].__name__, "places": _places(record.exc_info[2])}
        if record.name.split(".")[0] != _OWN:
            line["where"] = f"{PurePath(record.pathname).name}:{record.lineno}"
        return json.dumps(line, ensure_ascii=True, default=str)


class StandardError(logging.Handler):
    """Writes lines to standard error; what cannot be written is never shown in another way, as logging itself would."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        try:
            line = self.format(record)
        except Exception:  # noqa: BLE001 - wrong arguments of any kind, which may be texts
            what = f"{_UNREADABLE} {PurePath(record.pathname).name}:{record.lineno}"
            line = self.format(logging.LogRecord(log.name, logging.ERROR, "", 0, what, None, None))
        with suppress(OSError, ValueError):
            sys.stderr.write(line + "\n")
            sys.stderr.flush()


def configure_logging(level: str = "INFO") -> None:
    """Send every log of this process to standard error as JSON lines; for the commands that serve.

    level: the least level of gapnlp's own logs; other packages speak from WARNING on. May be called again.
    """
    handler = StandardError()
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
    for name in (_OWN, _TOLD):
        logging.getLogger(name).setLevel(level)
    for name in _TAMED:
        # With a handler of its own it adds no other; propagating as well would write each line twice.
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
    logging.getLogger("uvicorn.access").disabled = True  # paths with query strings; RequestWatch says more with less
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def _places(trace: TracebackType | None) -> list[str]:
    """List where an exception came through, its origin first, without any message or value."""
    frames = traceback.extract_tb(trace)[-_MOST_PLACES:]
    return [f"{PurePath(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames)]


def _message(record: logging.LogRecord) -> str:
    if record.name.split(".")[0] == _OWN or (record.name == _TOLD and record.levelno < logging.ERROR):
        return record.getMessage()
    # With arguments beside it, the message is a template as its author wrote it; without, it may be filled in already.
    return str(record.msg).splitlines()[0] if record.args and isinstance(record.msg, str) else WITHHELD


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    log.critical("ended by an unexpected error", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
        log.error("a thread ended by an unexpected error", exc_info=(args.exc_type, args.exc_value, args.exc_traceback))
