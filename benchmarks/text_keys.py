"""Texts compared by their letters alone, so that copies which differ in case, space or punctuation are found equal."""

from __future__ import annotations

from training.auxiliary import text_key

# Texts that agree in so many letters from their start are taken as equal: some recipes cut long texts off.
_COMPARED = 100
_WIDE = ("\u3400", "\u9fff")


def compared_key(text: str) -> str:
    """Give the letters that decide whether two texts are the same."""
    return text_key(text)[:_COMPARED]


def letters(key: str) -> int:
    """Count a key's letters; a Chinese character says as much as two of them."""
    return len(key) + sum(_WIDE[0] <= c <= _WIDE[1] for c in key)
