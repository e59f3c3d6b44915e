"""Writing files to disk whole: an interruption leaves the old file or the new one, never half of one."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, data: bytes) -> Path:
    """Write through a temporary file beside the target, so that an interruption never leaves half a file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def write_all(
    folder: Path, forms: Iterable[tuple[str, bytes]], *, drawn: Iterable[tuple[str, bytes]], own: str
) -> tuple[Path, ...]:
    """Write documents into a folder, which is made, and charts into its "plots"; own: see `write_plots`."""
    plots = folder / "plots"
    plots.mkdir(parents=True, exist_ok=True)
    written = tuple(write_whole(folder / name, data) for name, data in forms)
    return (*written, *write_plots(plots, drawn, own=own))


def write_plots(folder: Path, drawn: Iterable[tuple[str, bytes]], *, own: str) -> tuple[Path, ...]:
    """Write charts and remove those that an earlier run left and this one has no figures for.

    own: pattern of the names, without ending, that belong to this kind of result; others' charts stay.
    """
    written = tuple(write_whole(folder / name, data) for name, data in drawn)
    for old in {*folder.glob("*.svg"), *folder.glob("*.png")} - set(written):
        if re.fullmatch(own, old.stem):
            old.unlink()
    return written
