"""Ledger <-> JSON: the published form of the ledger (docs/ledger.schema.json), read back without loss."""

from __future__ import annotations

from gapnlp.records.promises import LEDGER_SCHEMA_VERSION, Ledger
from gapnlp.reporting.to_json import read_json, render_json


def render_ledger_json(ledger: Ledger, ui: str = "en") -> bytes:
    """Render the ledger as JSON; the same ledger always gives the same bytes, whatever the UI language."""
    return render_json(ledger, ui)


def ledger_from_json(data: bytes) -> Ledger:
    """Read a ledger back. Raises InputError when it is no ledger or one of another schema."""
    return read_json(Ledger, data, name="ledger", version=LEDGER_SCHEMA_VERSION)
