"""Lists in pages: a cursor that no page came with names a page that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gapnlp.api.problems import ApiProblem
from gapnlp.errors import InputError


@contextmanager
def paged() -> Iterator[None]:
    """Turn what is wrong with a cursor, all else being checked by the schema, into "not-found"."""
    try:
        yield
    except InputError as error:
        raise ApiProblem("not-found", str(error)) from None
