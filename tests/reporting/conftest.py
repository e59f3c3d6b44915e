"""Reports and words for the renderers' tests; the taxonomy's words are stand-ins."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from gapnlp.reporting import words as words_module
from gapnlp.reporting.to_html import render_page
from gapnlp.reporting.words import Words, build_words


def load_beside(name: str) -> ModuleType:
    """Load a module that stands beside this file."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def samples() -> ModuleType:
    """The module report_samples.py beside this file."""
    return load_beside("report_samples")


@pytest.fixture(scope="session")
def words(samples: ModuleType) -> dict[str, Words]:
    return {ui: build_words(ui, samples.make_wording(ui)) for ui in ("en", "pl", "zh")}


@pytest.fixture(scope="session")
def pages(samples: ModuleType, words: dict[str, Words]) -> dict[str, str]:
    """The full report as a page in each language, drawn once."""
    report = samples.make_report()
    return {ui: render_page(report, words[ui]).decode() for ui in words}


@pytest.fixture
def fake_taxonomy(samples: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let load_words() find the stand-in taxonomy."""
    monkeypatch.setattr(words_module, "load_wording", samples.make_wording)
    words_module.load_words.cache_clear()
    yield
    words_module.load_words.cache_clear()


@pytest.fixture(scope="session")
def ledgers() -> ModuleType:
    """The module ledger_samples.py beside this file."""
    return load_beside("ledger_samples")


@pytest.fixture(scope="session")
def parse() -> Callable[[str], Any]:
    """Read a page: its tags, ids, links, attributes, and tags that are not closed in order."""
    return load_beside("page_parser").Page
