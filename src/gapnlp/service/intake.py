"""Taking an upload in: whether it is within the limits, what its columns are, whether the options can be used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from gapnlp.classifier.bundle import QUALITIES
from gapnlp.errors import GapnlpError, InputError
from gapnlp.ingest.counting import estimate_rows
from gapnlp.ingest.intake import recognise
from gapnlp.ingest.items import plain_text
from gapnlp.ingest.limits import check_packing, check_rows, check_table
from gapnlp.ingest.readers import sniff_file
from gapnlp.records.feedback import Recognition
from gapnlp.records.periods import PERIODS
from gapnlp.records.service import JobOptions
from gapnlp.service.folders import shown_name
from gapnlp.service.runs import column_options, upload_limits
from gapnlp.settings import Settings
from gapnlp.taxonomy.catalogue import UI_LANGUAGES

# Up to so many unpacked bytes all cells are checked before the upload is answered; larger ones when the job runs.
_CHECKED_AT_ONCE = 32_000_000
_LONGEST_COLUMN = 1_000


@dataclass(frozen=True, slots=True)
class Understood:
    """What an upload was found to be. rows: how many, or about how many; None when that is not known yet."""

    recognition: Recognition
    rows: int | None


def understand(path: Path, file: str, options: JobOptions, settings: Settings) -> Understood:
    """Check an upload and recognise its columns.

    path: with the ending of `file`, the name that the user gave. Raises InputError; it names `file`, not `path`.
    """
    limits = upload_limits(settings)
    with _named(path, file):
        unpacked = check_packing(path, limits)
        layout = check_table(path, limits)
        recognition = recognise(path, column_options(options))
        if unpacked <= _CHECKED_AT_ONCE:
            rows: int | None = check_rows(path, layout, limits, keep_on=lambda: None)
        else:
            rows = estimate_rows((path,))
    return Understood(replace(recognition, file=shown_name(file)), rows)


def read_first_rows(path: Path, file: str, limit: int, settings: Settings) -> tuple[tuple[str, ...], ...]:
    """Read the header and the first rows as texts. Raises InputError."""
    limits = upload_limits(settings)
    with _named(path, file):
        check_packing(path, limits)
        check_table(path, limits)
        sniffed = sniff_file(path)
    return sniffed.layout.columns, *(tuple(map(plain_text, cells)) for cells in sniffed.head[:limit])


def check_options(options: JobOptions) -> None:
    """Raise InputError for an option that cannot be used."""
    if options.period is not None and options.period not in PERIODS:
        raise InputError(f"period: choose one of {', '.join(PERIODS)}")
    if options.ui not in UI_LANGUAGES:
        raise InputError(f"ui: choose one of {', '.join(UI_LANGUAGES)}")
    if options.quality not in QUALITIES:
        raise InputError(f"quality: choose one of {', '.join(QUALITIES)}")
    for role, column in asdict(column_options(options)).items():
        if column is not None and not 0 < len(column) <= _LONGEST_COLUMN:
            raise InputError(f"{role}: give the name of a column, of at most {_LONGEST_COLUMN} characters")


def fingerprint(upload: Path, file: str, options: JobOptions) -> str:
    """Digest of all that makes a request for a job; the same request gives the same one."""
    with upload.open("rb") as stream:
        content = hashlib.file_digest(stream, "sha256").hexdigest()
    told = json.dumps([content, file, asdict(options)], sort_keys=True)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


@contextmanager
def _named(path: Path, file: str) -> Iterator[None]:
    """Have errors name the file as the user does, and no folder of the server."""
    try:
        yield
    except GapnlpError as error:
        words = str(error).replace(str(path), path.name).replace(path.name, shown_name(file))
        raise type(error)(words) from None
