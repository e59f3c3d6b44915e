"""Cursors: opaque to those who get them, checked when they come back."""

from __future__ import annotations

import base64
import binascii

from gapnlp.errors import InputError

_LONGEST = 500


def write_cursor(mark: str) -> str:
    """Make a cursor that fits into a URL."""
    return base64.urlsafe_b64encode(mark.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> str:
    """Read what `write_cursor` was given. Raises InputError."""
    try:
        if not cursor.isascii() or len(cursor) > _LONGEST:
            raise ValueError("no cursor")
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        raise bad_cursor() from None


def bad_cursor() -> InputError:
    """Say that a cursor was not handed out here."""
    return InputError("cursor: this is none that a page came with; ask again without a cursor")
