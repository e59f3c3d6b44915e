"""Whether a process lives, told by a lock that the operating system lets go of when it dies, however it dies."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl


class Lifeline:
    """A lock file in the data folder that this process holds for as long as it lives."""

    def __init__(self, folder: Path, worker: str) -> None:
        """Take the lock. Raises OSError when the folder cannot be written to."""
        self._path = _path(folder, worker)
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if sys.platform != "win32":
            fcntl.flock(self._handle, fcntl.LOCK_EX)

    def let_go(self) -> None:
        """Let go of the lock, as dying would; the file stays for others to see that."""
        os.close(self._handle)


def is_gone(folder: Path, worker: str) -> bool | None:
    """Tell whether a process is gone for certain; None when it cannot be told (no lock file, no locks here)."""
    if sys.platform == "win32":
        return None
    try:
        handle = os.open(_path(folder, worker), os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def clear(folder: Path, worker: str) -> None:
    """Remove the lock file of a process that is gone."""
    with suppress(OSError):
        _path(folder, worker).unlink()


def _path(folder: Path, worker: str) -> Path:
    return folder / f"{worker}.lock"
