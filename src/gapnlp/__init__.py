"""Find where a service falls short, from customers' own words.

>>> import gapnlp
>>> analyses = gapnlp.load().analyze(["The parcel came five days late and nobody answered the phone."])
>>> report = gapnlp.report(frame, text="review", date="day", by="store")
>>> gapnlp.write_report(report, folder)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gapnlp.errors import GapnlpError, InputError, MissingExtra, ModelError, StoreError
    from gapnlp.jobs import report
    from gapnlp.records.analysis import Analysis
    from gapnlp.records.report import GapReport, Reference
    from gapnlp.reporting.render import write_report
    from gapnlp.scoring.loading import load

__all__ = [
    "Analysis",
    "GapReport",
    "GapnlpError",
    "InputError",
    "MissingExtra",
    "ModelError",
    "Reference",
    "StoreError",
    "load",
    "report",
    "write_report",
]

_HOMES = {
    "Analysis": "gapnlp.records.analysis",
    "GapReport": "gapnlp.records.report",
    "GapnlpError": "gapnlp.errors",
    "InputError": "gapnlp.errors",
    "MissingExtra": "gapnlp.errors",
    "ModelError": "gapnlp.errors",
    "Reference": "gapnlp.records.report",
    "StoreError": "gapnlp.errors",
    "load": "gapnlp.scoring.loading",
    "report": "gapnlp.jobs",
    "write_report": "gapnlp.reporting.render",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use: `import gapnlp` and `gapnlp --help` stay quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gapnlp' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the public API."""
    return __all__
