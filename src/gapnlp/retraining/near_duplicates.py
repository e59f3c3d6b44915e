"""Signatures of texts that show which ones are near-identical, without keeping the texts (min-hashing: Broder 1997).

The share of places in which two signatures agree estimates the share of character 5-grams that both texts have.
"""

from __future__ import annotations

import re
import zlib

import numpy as np
from numpy.typing import NDArray

from gapnlp.classifier.features import fold

Signature = NDArray[np.uint64]

# Numbers in a signature. Texts with at least ALIKE of them in common are near-identical: unlike ones share one in ten.
HASHES = 16
ALIKE = 8
_LENGTH = 5
# Odd factors: each shuffles the 32-bit hashes in another way.
_FACTORS = np.random.default_rng(0).integers(2**30, 2**32, HASHES, dtype=np.uint64) | np.uint64(1)
_MASK = np.uint64(0xFFFF_FFFF)
_APART = re.compile(r"[\W_]+|0+")


def signature(text: str) -> Signature:
    """Give the text's signature, shape (HASHES,); case, diacritics, digits and marks do not count."""
    plain = _APART.sub(" ", fold(text)).strip()
    grams = {plain[i : i + _LENGTH] for i in range(max(1, len(plain) - _LENGTH + 1))}
    hashes = np.fromiter((zlib.crc32(g.encode("utf-8", "replace")) for g in grams), np.uint64, count=len(grams))
    mixed: Signature = (hashes[:, None] * _FACTORS) & _MASK
    least: Signature = mixed.min(axis=0)
    return least
