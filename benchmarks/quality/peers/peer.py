"""What a peer is: something that learns from the training split and answers for other segments."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gapnlp.errors import MissingExtra
from gapnlp.records.labels import LANGUAGES

# Probabilities, shape (n_segments, n_labels), columns as records.labels.LABELS.
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer by the place of its function, "module:function".

    With gives_labels the function takes (train: Rows, rows to label: Rows) and returns a list of Labels, one a segment.
    Else it takes (train: Rows, texts) and returns Values, and the peer becomes two rows of the table: probabilities cut
    at one half, as is usual, and cut where F1 is best on a part of train. needs: (module, package that brings it)
    beyond the project's own dependencies. further_sources: modules beside its own that its answers depend on.
    """

    summary: str
    place: str
    gives_labels: bool = False
    languages: tuple[str, ...] = LANGUAGES
    needs: tuple[tuple[str, str], ...] = ()
    further_sources: tuple[str, ...] = ()

    def function(self) -> Callable[..., Any]:
        """Import the peer's module and give its function."""
        module, name = self.place.split(":")
        found: Callable[..., Any] = getattr(import_module(module), name)
        return found

    def source_digest(self) -> str:
        """First digits of the sha256 of the files that define the peer: another text, maybe another answer."""
        content = hashlib.sha256()
        for module in (self.place.split(":")[0], *self.further_sources):
            spec = find_spec(module)
            if spec is None or spec.origin is None:
                raise ModuleNotFoundError(module)
            content.update(Path(spec.origin).read_bytes())
        return content.hexdigest()[:12]


def check_packages(name: str, peer: Peer) -> None:
    """Raise MissingExtra when a package that the peer needs is not installed."""
    missing = [package for module, package in peer.needs if find_spec(module) is None]
    if missing:
        raise MissingExtra(f"peer {name!r}: run pip install {' '.join(missing)}, or leave it out with --peers")
