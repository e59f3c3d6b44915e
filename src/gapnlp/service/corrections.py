"""Corrections of labels: taken in, handed out for training, taken back; every call names the project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from gapnlp.errors import Conflict, InputError
from gapnlp.records.corrections import Correction, GivenLabels
from gapnlp.records.service import StoredSegment
from gapnlp.service.opening import open_database
from gapnlp.settings import Settings
from gapnlp.store.job_rows import plain_text
from gapnlp.store.service_corrections import ServiceCorrections
from gapnlp.store.service_database import Duplicate

_LONGEST_WHO, _LONGEST_ID, _LONGEST_TEXT = 100, 200, 1_000_000


def new_correction(project: str, who: str, given: GivenLabels, *, text: str, ticket: str | None = None) -> Correction:
    """Make the correction of a text that is sent along; ticket: what it belongs to, the text by itself when None.

    Raises InputError when nothing was judged or there is no text.
    """
    if not given.judged():
        raise InputError("labels: nothing is judged; give at least one of sentiment, dimensions, gaps and so on")
    content = plain_text(text, longest=_LONGEST_TEXT)
    if not content.strip():
        raise InputError("text: there is no word in it")
    name = plain_text(ticket, longest=_LONGEST_ID) if ticket else hashlib.sha256(content.encode()).hexdigest()[:32]
    shown = plain_text(who, longest=_LONGEST_WHO)
    return Correction(uuid4().hex, project, shown, datetime.now(UTC), content, name, given)


def of_segment(correction: Correction, job_id: str, segment: StoredSegment) -> Correction:
    """Say that a correction is about a job's segment: with what the model said of it."""
    return replace(
        correction,
        job=job_id,
        segment=segment.place,
        row=segment.row,
        language=segment.language,
        model_labels=segment.labels,
        model_version=segment.model_version or None,
    )


class CorrectionService:
    """The corrections of a server. All methods can be called from any thread."""

    def __init__(self, settings: Settings) -> None:
        """Open the database, migrations included. Raises StoreError."""
        self._database = open_database(settings)
        self._corrections = ServiceCorrections(self._database)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def add(self, correction: Correction, idempotency_key: str | None = None) -> tuple[Correction, bool]:
        """Keep a correction; the same again with the same key gives the first one: (correction, whether it was there).

        Raises NotFound when its job is not there, Conflict when the key was used for another correction.
        """
        digest = _fingerprint(correction)
        known = self._known(correction.project, idempotency_key, digest)
        if known is not None:
            return known, True
        try:
            self._corrections.insert(correction, fingerprint=digest, idempotency_key=idempotency_key)
        except Duplicate:  # the same request came twice at the same time
            known = self._known(correction.project, idempotency_key, digest)
            if known is None:
                raise
            return known, True
        return correction, False

    def take_back(self, project: str, correction_id: str) -> None:
        """Delete a correction. Raises NotFound."""
        self._corrections.delete(project, plain_text(correction_id, longest=33))

    def corrected(self, project: str, job_id: str) -> frozenset[int]:
        """Places of a job's segments that somebody has corrected; of records.service.StoredSegment.place."""
        return self._corrections.segments_of(project, job_id)

    def given(self, project: str, who: str, job_id: str, place: int) -> GivenLabels | None:
        """Give the labels that somebody gave to a job's segment last; None when they have not corrected it."""
        found = self._corrections.last_of(project, plain_text(who, longest=_LONGEST_WHO), job=job_id, segment=place)
        return found.given if found else None

    def lines(self, project: str) -> Iterator[str]:
        """Give a project's corrections as JSON Lines in the form of records.tickets.LabelledTicket, oldest first.

        Of several corrections of the same text by the same person the last one counts. Each line also says when it was
        given, and what the model said then.
        """
        for corrections in self._corrections.latest(project):
            yield "".join(json.dumps(tell_correction(c), ensure_ascii=False) + "\n" for c in corrections)

    def _known(self, project: str, idempotency_key: str | None, digest: str) -> Correction | None:
        known = self._corrections.of_key(project, idempotency_key) if idempotency_key is not None else None
        if known is None:
            return None
        if known[1] != digest:
            raise Conflict("the idempotency key was used for another request; use a new key for each new request")
        return known[0]


def tell_correction(correction: Correction) -> dict[str, Any]:
    """Make a correction's line of the export."""
    return asdict(correction.labelled()) | {
        "created": correction.created.isoformat(),
        "job": correction.job,
        "segment": correction.segment,
        "model_labels": asdict(correction.model_labels) if correction.model_labels else None,
        "model_version": correction.model_version,
    }


def _fingerprint(correction: Correction) -> str:
    """Digest what was asked for: not when, nor what the server added by itself."""
    asked = asdict(replace(correction, id="", created=datetime.min))
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()
