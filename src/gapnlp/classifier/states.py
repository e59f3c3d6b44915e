"""States of a models folder: which file lists its bundles, and which kept copy of that file stands for a state.

A folder that `gapnlp train` and `gapnlp models promote` work on keeps each state of its `manifest.toml` under
`releases/`, with a number. Those files never change, so whoever wants one state for long (a job) reads the kept file.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

MANIFEST = "manifest.toml"
RELEASES = "releases"
CANDIDATES = "candidates"
_ENDING = ".toml"


def manifest_path(models: Path) -> Path:
    """Name the file that lists the bundles: a folder's own, or the given file itself (a kept state, a candidate)."""
    return models if models.suffix == _ENDING and not models.is_dir() else models / MANIFEST


def bundles_folder(manifest: Path) -> Path:
    """Name the folder that holds the bundles which a manifest lists."""
    parent = manifest.parent
    return parent.parent if manifest.name != MANIFEST and parent.name in (RELEASES, CANDIDATES) else parent


def release_path(folder: Path, number: int) -> Path:
    """Name the file that keeps a state of a models folder."""
    return folder / RELEASES / f"{number:04d}{_ENDING}"


def release_paths(folder: Path) -> list[Path]:
    """List the kept states of a models folder, oldest first."""
    found = [p for p in (folder / RELEASES).glob(f"*{_ENDING}") if p.stem.isascii() and p.stem.isdigit()]
    return sorted(found, key=lambda p: int(p.stem))


def kept_state(models: Path | None) -> Path | None:
    """Name the state that a models folder is in by a file that will not change: the kept copy of its manifest.

    A folder without kept states, such as the shipped one (None), is given back as it is.
    """
    if models is None:
        return None
    path = manifest_path(models)
    if path.name != MANIFEST:
        return models
    try:
        content = path.read_bytes()
        number = tomllib.loads(content.decode()).get("state")
        kept = release_path(path.parent, number) if isinstance(number, int) else None
        return kept if kept is not None and kept.read_bytes() == content else models
    except (OSError, ValueError, RecursionError):
        return models  # whoever reads the manifest says what is wrong with it
