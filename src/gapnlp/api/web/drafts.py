"""Uploads that wait for their columns to be confirmed; the next one deletes what has waited for an hour."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from gapnlp.errors import InputError, NotFound
from gapnlp.ingest.readers import ENDINGS

KEPT_SECONDS = 3600.0
_ARRIVING = ".arriving"
_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Draft:
    """One upload before its job. file: its name as given, to show only. path: where its bytes are."""

    token: str
    project: str
    file: str
    path: Path


@dataclass(frozen=True, slots=True)
class Drafts:
    """The folder of uploads that wait; a folder each, named by a random token."""

    folder: Path

    def place(self) -> Path:
        """Name a new file for an upload that is about to arrive; what waited too long is deleted first."""
        self.purge(KEPT_SECONDS)
        self.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        return self.folder / f"{secrets.token_hex(16)}{_ARRIVING}"

    def begin(self, project: str, file: str, arrived: Path) -> Draft:
        """Take an upload that has arrived at its `place`.

        Raises InputError when the name's ending stands for nothing that can be read.
        """
        ending = next((e for e in ENDINGS if file.lower().endswith(e)), None)
        if ending is None:
            raise InputError(f"this kind of file cannot be read; give one of {', '.join(ENDINGS)}")
        token = arrived.stem
        draft = Draft(token, project, file, self._home(token) / f"upload{ending}")
        draft.path.parent.mkdir(mode=0o700)
        arrived.rename(draft.path)
        self._tell(draft)
        return draft

    def get(self, project: str, token: str) -> Draft:
        """Find a project's draft. Raises NotFound, also for another project's."""
        told = self._told(token)
        path = next(self._home(token).glob("upload.*"), None)
        if told.get("project") != project or path is None:
            raise _gone()
        return Draft(token, project, told["file"], path)

    def discard(self, draft: Draft) -> None:
        """Delete a draft and its bytes."""
        shutil.rmtree(self._home(draft.token), ignore_errors=True)

    def finish(self, draft: Draft, job: str) -> None:
        """Delete a draft's bytes and remember the job that was made of it, for a form that is sent twice."""
        draft.path.unlink(missing_ok=True)
        self._tell(draft, job=job)

    def job_of(self, project: str, token: str) -> str | None:
        """Give the job that a project's draft became, if it did."""
        told = self._told(token)
        return told.get("job") if told.get("project") == project else None

    def purge(self, seconds: float) -> None:
        """Delete what was begun longer ago; other uploads in the folder are not touched."""
        if not self.folder.is_dir():
            return
        before = time.time() - seconds
        for entry in self.folder.iterdir():
            if _begun(entry) >= before:
                continue
            if (entry / "draft.json").exists():
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.suffix == _ARRIVING:
                entry.unlink(missing_ok=True)

    def _tell(self, draft: Draft, **more: str) -> None:
        told = {"project": draft.project, "file": draft.file, **more}
        (self._home(draft.token) / "draft.json").write_text(json.dumps(told), encoding="utf-8")

    def _told(self, token: str) -> dict[str, str]:
        """Read what was told of a draft; nothing when it is gone."""
        try:
            told = json.loads((self._home(token) / "draft.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return dict(told)

    def _home(self, token: str) -> Path:
        if not _TOKEN.fullmatch(token):
            raise _gone()
        return self.folder / token


def _begun(entry: Path) -> float:
    try:
        return entry.stat().st_mtime
    except OSError:
        return 0.0


def _gone() -> NotFound:
    return NotFound("there is no such upload; upload the file again")
