"""A job keeps the models that it began with: the state of the models folder is noted in the job's folder.

A promotion in the middle of a job, or while its server is down, then changes nothing for it. Only folders that keep
their states (docs/models.md) can give an earlier one back.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from gapnlp.classifier.bundle import read_manifest, read_verified
from gapnlp.classifier.states import RELEASES, kept_state, manifest_path
from gapnlp.errors import ModelError
from gapnlp.service.folders import JobFolder

_LOG = logging.getLogger(__name__)


def models_of(folder: JobFolder, models: Path | None) -> Path | None:
    """Give the models that a job is scored with: at its first run those of now, which are noted, later the same.

    models: as the settings say. When the noted state is gone or was changed, the job takes those of now, from its first
    row on.
    """
    now = kept_state(models)
    if models is None or now is None or now == models:
        return models
    noted = _noted(folder, models)
    if noted is not None and (noted == now or _is_whole(noted)):
        return noted
    if folder.pin.exists():
        _LOG.warning("the models that a job began with are gone; it is scored anew with those of now")
        folder.pin.unlink(missing_ok=True)
    return _note(folder, models, now)


def _noted(folder: JobFolder, models: Path) -> Path | None:
    try:
        number = folder.pin.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return manifest_path(models).parent / RELEASES / f"{number}.toml" if number.isdigit() else None


def _note(folder: JobFolder, models: Path, state: Path) -> Path | None:
    """Note a state; when another run was faster, its note counts."""
    draft = folder.pin.with_name(f"{folder.pin.name}.{uuid4().hex}")
    with suppress(OSError):  # the folder may be about to be deleted: the run finds out by itself
        draft.write_text(state.stem, encoding="ascii")
        try:
            os.link(draft, folder.pin)
        except FileExistsError:
            pass
        except OSError:  # a disk without links
            os.replace(draft, folder.pin)
        draft.unlink(missing_ok=True)
    return _noted(folder, models) or state


def _is_whole(state: Path) -> bool:
    try:
        for info in read_manifest(state):
            read_verified(info)
    except ModelError:
        return False
    return True
