"""The packages that only the service needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gapnlp.errors import MissingExtra


@contextmanager
def needs_service() -> Iterator[None]:
    """Turn a package that is not installed into the command that installs it. Raises MissingExtra."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "gapnlp":
            raise
        raise MissingExtra(f"the service needs {error.name}; run: pip install 'gapnlp[api]'") from None
