"""Finished pieces of a training run, kept so that a run which was killed goes on where it was."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from gapnlp.errors import StoreError

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Pieces:
    """A folder of finished pieces; None keeps nothing. Its name has to say all that the pieces depend on."""

    folder: Path | None = None

    def keep(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        """Give a piece: as it was kept, or computed and kept. Raises StoreError when it cannot be written."""
        if self.folder is None:
            return compute()
        path = self.folder / f"{name}.safetensors"
        found = _read(path)
        if found is None:
            found = {key: np.ascontiguousarray(value) for key, value in compute().items()}
            _write(path, found)
        return found

    def remove(self) -> None:
        """Remove the folder, once all of it has become a bundle."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _read(path: Path) -> Arrays | None:
    """Read a piece; None when it is not there or not whole."""
    try:
        content = path.read_bytes()
        digest, rest = content[:32], content[32:]
        return load(rest) if hashlib.sha256(rest).digest() == digest else None
    except (OSError, SafetensorError):
        return None


def _write(path: Path, arrays: Arrays) -> None:
    content: bytes = save(dict(arrays))
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(hashlib.sha256(content).digest() + content)
        os.replace(partial, path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror}); check the models folder") from None
