from __future__ import annotations

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest

from gapnlp.api.logs import FIELDS, REQUEST_ID, WITHHELD, JsonLines, StandardError, configure_logging

SECRET = "Krystyna hated the soup"


@pytest.fixture
def configured() -> Iterator[None]:
    """Puts everything that configure_logging changes back as it was."""
    names = ["", *(n for n in logging.root.manager.loggerDict if not n.startswith("pytest"))]
    before = {
        n: (lg.level, list(lg.handlers), lg.propagate, lg.disabled) for n in names if (lg := logging.getLogger(n))
    }
    hooks = sys.excepthook, threading.excepthook
    yield
    for name in ["", *logging.root.manager.loggerDict]:
        logger = logging.getLogger(name)
        logger.level, logger.handlers, logger.propagate, logger.disabled = before.get(name, (0, [], True, False))
        logger.manager._clear_cache()
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(False)


@pytest.fixture
def lines(configured, capsys):
    """Configures logging and gives what was written since, as objects."""
    configure_logging("INFO")

    def read() -> list[dict]:
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    return read


def record(name: str = "gapnlp.api.app", level: int = logging.INFO, message: object = "hello", args=(), **extra):
    made = logging.LogRecord(name, level, "/srv/app.py", 7, message, args, None)
    made.__dict__.update(extra)
    return made


def formatted(*args, **kwargs) -> dict:
    return json.loads(JsonLines().format(record(*args, **kwargs)))


def test_a_line_says_when_what_and_from_where():
    line = formatted(message="%d rows of %s", args=(3, "x"), job="a" * 32)
    assert line["message"] == "3 rows of x"
    assert (line["level"], line["logger"], line["job"]) == ("INFO", "gapnlp.api.app", "a" * 32)
    assert line["time"].endswith("+00:00")


def test_only_the_listed_extras_are_written():
    line = formatted(text=SECRET, file=SECRET, query=SECRET, status=200)
    assert line["status"] == 200
    assert SECRET not in json.dumps(line)
    assert not {"text", "file", "query", "path", "body"} & set(FIELDS)


def test_lines_break_nowhere():
    text = JsonLines().format(record(message="two\nlines\u2028three"))
    assert "\n" not in text and "\u2028" not in text


def test_an_exception_is_told_by_its_type_and_places_alone():
    try:
        raise ValueError(SECRET)
    except ValueError:
        made = record(level=logging.ERROR, message="it failed")
        made.exc_info = sys.exc_info()
    text = JsonLines().format(made)
    line = json.loads(text)
    assert line["error"] == "ValueError"
    assert line["places"][0].startswith("test_api_logs.py:")
    assert SECRET not in text


@pytest.mark.parametrize("name", ["dbos", "sqlalchemy.engine", "asyncio", "py.warnings", "gapnlpish"])
def test_messages_of_other_packages_are_withheld_or_cut_to_their_template(name):
    assert formatted(name, message=f"failed at {SECRET}")["message"] == WITHHELD
    line = formatted(name, message="failed at %s", args=(SECRET,))
    assert line["message"] == "failed at %s"
    assert line["where"] == "app.py:7"
    assert formatted(name, message=ValueError(SECRET))["message"] == WITHHELD


def test_the_server_tells_of_its_start_and_stop_but_not_of_errors():
    assert formatted("uvicorn.error", message="Shutting down")["message"] == "Shutting down"
    assert formatted("uvicorn.error", logging.ERROR, f"Traceback ...\n{SECRET}")["message"] == WITHHELD


def test_the_id_of_the_request_is_on_every_line():
    token = REQUEST_ID.set("0123456789abcdef")
    assert formatted()["request_id"] == "0123456789abcdef"
    REQUEST_ID.reset(token)
    assert "request_id" not in formatted()


def test_levels(lines):
    for name in ("gapnlp.service.runs", "uvicorn.error", "dbos", "asyncio", "somebody"):
        logging.getLogger(name).info("info")
        logging.getLogger(name).warning("%s", "warning")
    logging.getLogger("gapnlp.api").debug("debug")
    assert [(line["logger"], line["level"]) for line in lines()] == [
        ("gapnlp.service.runs", "INFO"),
        ("gapnlp.service.runs", "WARNING"),
        ("uvicorn.error", "INFO"),
        ("uvicorn.error", "WARNING"),
        ("dbos", "WARNING"),
        ("asyncio", "WARNING"),
        ("somebody", "WARNING"),
    ]


def test_paths_are_not_logged_by_the_server(lines):
    logging.getLogger("uvicorn.access").info('%s - "%s %s HTTP/%s" %d', "1.2.3.4", "GET", f"/?q={SECRET}", "1.1", 200)
    assert lines() == []


def test_configured_twice_writes_once(lines):
    configure_logging("INFO")
    for name in ("gapnlp", "dbos", "uvicorn.error", "sqlalchemy.engine"):
        logging.getLogger(name).warning("once")
    assert len(lines()) == 4


def test_warnings_and_unexpected_ends_are_lines_without_texts(lines, capsys):
    def fail() -> None:
        raise RuntimeError(SECRET)

    warnings.warn(SECRET, stacklevel=1)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    try:
        fail()
    except RuntimeError as error:
        sys.excepthook(RuntimeError, error, error.__traceback__)
    found = lines()
    assert [line["logger"] for line in found] == ["py.warnings", "gapnlp.api.logs", "gapnlp.api.logs"]
    assert [line.get("error") for line in found] == [None, "RuntimeError", "RuntimeError"]
    assert SECRET not in json.dumps(found)


def test_wrong_arguments_are_not_shown(lines):
    handler = StandardError()
    handler.setFormatter(JsonLines())
    handler.handle(record(message="%d rows", args=(SECRET,)))
    (line,) = lines()
    assert line["level"] == "ERROR"
    assert line["message"].startswith("a log record with wrong arguments, from app.py:7")
    assert SECRET not in json.dumps(line)


def test_a_closed_standard_error_ends_nothing(lines, monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    logging.getLogger("gapnlp.api").warning("nobody reads this")


def test_the_engine_adds_no_handler_of_its_own(lines):
    dbos_logger = pytest.importorskip("dbos._logger")
    dbos_logger.init_logger()
    logging.getLogger("dbos").warning(f"Error serializing object: {SECRET}")
    (line,) = lines()
    assert line["message"] == WITHHELD
