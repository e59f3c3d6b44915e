"""Texts that a spreadsheet would run: written with an apostrophe before them, which is taken off when read back."""

from __future__ import annotations

# A cell that begins with one of these is a formula to a spreadsheet (OWASP, "CSV injection").
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
