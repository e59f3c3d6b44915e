"""Words that stand, in what a classifier reads, for links, addresses, handles and what was blacked out."""

from __future__ import annotations

URL_WORD, EMAIL_WORD, USER_WORD, REDACTED_WORD = STAND_INS = ("URL", "EMAIL", "USER", "REDACTED")
