"""The data folder: one folder a job, named by its id. Names that users give are shown and never used as paths."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gapnlp.errors import InputError, StoreError
from gapnlp.ingest.readers import ENDINGS

INDEX_NAME = "segments.sqlite"
_LONGEST_NAME = 200
PRIVATE = 0o700
_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
# Another process may be about to write into a folder that is removed: so often it is tried again.
_REMOVALS = 5


@dataclass(frozen=True, slots=True)
class JobFolder:
    """Where the files of one job are.

    work: finished chunks of scoring. out: results, report and index, there only when whole.
    """

    path: Path

    @property
    def upload(self) -> Path:
        """The upload. Raises StoreError when it is gone."""
        found = next(self.path.glob("upload.*"), None)
        if found is None:
            raise StoreError("the job's upload is not in the data folder any more; submit it again")
        return found

    @property
    def work(self) -> Path:
        """The work file; copies of it have a number in their names."""
        return self.path / "work.sqlite"

    @property
    def pin(self) -> Path:
        """The note of the models that the job is scored with: see pinning.py."""
        return self.path / "models.txt"

    @property
    def out(self) -> Path:
        """The folder of all that the job makes."""
        return self.path / "out"

    @property
    def index(self) -> Path:
        """The index of segments."""
        return self.out / INDEX_NAME

    def result(self, form: str) -> Path:
        """Name the file of the results in a format of RESULT_FORMATS."""
        return self.out / result_name(form)

    def report(self, form: str, ui: str) -> Path:
        """Name the file of the report in a format of REPORT_FORMATS."""
        return self.out / report_name(form, ui)

    def drop_inputs(self) -> None:
        """Delete what is not needed once a job has ended: the upload, finished chunks, half-made results."""
        for entry in [*self.path.glob("upload.*"), *self.path.glob("work*.sqlite*"), *self.path.glob("models.txt*")]:
            entry.unlink(missing_ok=True)
        self.drop_drafts()

    def drop_drafts(self) -> None:
        """Delete results that a run did not finish."""
        for draft in self.path.glob("out-*"):
            shutil.rmtree(draft, ignore_errors=True)

    def remove(self) -> None:
        """Delete everything. Raises StoreError when that cannot be done."""
        for _ in range(_REMOVALS):
            shutil.rmtree(self.path, ignore_errors=True)
            if not self.path.exists():
                return
            time.sleep(0.05)
        raise StoreError("a job's folder cannot be deleted; check the permissions of the data folder")


class DataFolder:
    """The folder that GAPNLP_DATA_DIR names."""

    def __init__(self, root: Path) -> None:
        """Take a folder, which `make` makes; arrivals: where uploads are received."""
        self.root = root.absolute()
        self._jobs, self._passing, self.workers = self.root / "jobs", self.root / "tmp", self.root / "workers"
        self.arrivals = self.root / "arrivals"

    def make(self) -> None:
        """Make what is missing and try to write. Raises StoreError when that cannot be done."""
        try:
            for folder in (self.root, self._jobs, self._passing, self.workers, self.arrivals):
                folder.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._passing) as probe:
                probe.write(b"\0")
        except OSError as error:
            raise StoreError(f"the data folder cannot be written to ({error.strerror}); see GAPNLP_DATA_DIR") from None

    def job(self, job_id: str) -> JobFolder:
        """Name the folder of a job, which need not be there."""
        if not _ID.fullmatch(job_id):
            raise ValueError("no job id")
        return JobFolder(self._jobs / job_id)

    def take(self, job_id: str, upload: Path, file: str) -> JobFolder:
        """Make a job's folder and move the upload into it. Raises InputError for a kind of file that is not read."""
        name = f"upload{ending_of(file)}"
        folder = self.job(job_id)
        folder.path.mkdir(mode=PRIVATE)
        shutil.move(upload, folder.path / name)
        return folder

    @contextmanager
    def borrowed(self, upload: Path, file: str) -> Iterator[Path]:
        """Give an upload a name with the right ending for a while; it stays where it is."""
        ending = ending_of(file)
        with tempfile.TemporaryDirectory(dir=self._passing) as passing:
            path = Path(passing) / f"upload{ending}"
            try:
                os.link(upload, path)
            except OSError:  # another file system
                shutil.copyfile(upload, path)
            yield path

    def strays(self, *, older: float) -> Iterator[str]:
        """Ids of folders that nothing was added to for so many seconds."""
        for folder in self._old(self._jobs, older):
            if _ID.fullmatch(folder.name):
                yield folder.name

    def drop_passing(self, *, older: float) -> None:
        """Delete what killed processes left among the files in passing."""
        for entry in (*self._old(self._passing, older), *self._old(self.arrivals, older)):
            shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink(missing_ok=True)

    def _old(self, folder: Path, seconds: float) -> Iterator[Path]:
        for entry in sorted(folder.iterdir()):
            with suppress(FileNotFoundError):
                if time.time() - entry.stat().st_mtime > seconds:
                    yield entry


def result_name(form: str) -> str:
    """Name the file of the results in a format of RESULT_FORMATS."""
    return f"results.{form}"


def report_name(form: str, ui: str) -> str:
    """Name the file of the report in a format of REPORT_FORMATS; JSON is the same in every language."""
    return "report.json" if form == "json" else f"report.{ui}.{form}"


def ending_of(file: str) -> str:
    """Find the ending of a file's name, such as ".csv.gz". Raises InputError for one that is not read."""
    name = file.lower()
    found = [ending for ending in ENDINGS if name.endswith(ending)]
    if not found:
        raise InputError(f"{shown_name(file)}: this kind of file cannot be read; give one of {', '.join(ENDINGS)}")
    return max(found, key=len)


def shown_name(file: str) -> str:
    """Make a given file name fit to be shown: without folders, without characters that are not seen."""
    name = re.split(r"[/\\]", file)[-1]
    seen = "".join(c for c in name if unicodedata.category(c)[0] != "C").strip()
    return seen[-_LONGEST_NAME:] or "upload"
