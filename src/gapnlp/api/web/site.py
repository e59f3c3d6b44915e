"""What the pages ask of the server: its jobs, its keys, its scorers, its settings, and its bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from gapnlp.api.batching import Ask, Outcome, ScoringPool
from gapnlp.api.events import Streams
from gapnlp.api.uploads import UploadGate
from gapnlp.api.web.drafts import Drafts
from gapnlp.records.feedback import Feedback, Source
from gapnlp.records.service import StoredSegment
from gapnlp.service.corrections import CorrectionService
from gapnlp.service.evidence import explain_segments
from gapnlp.service.jobs import JobService
from gapnlp.service.keys import KeyService
from gapnlp.settings import Settings


@dataclass(frozen=True, slots=True)
class Site:
    """The server as the pages see it."""

    jobs: JobService
    keys: KeyService
    pool: ScoringPool
    settings: Settings
    corrections: CorrectionService
    gate: UploadGate
    streams: Streams

    @property
    def drafts(self) -> Drafts:
        """Uploads whose columns are not confirmed yet; the service's housekeeping looks after their folder too."""
        return Drafts(self.settings.data_dir / "arrivals")

    async def read_text(self, text: str, language: str | None) -> Outcome:
        """Score one text with evidence, in the queue of /classify. Raises ApiProblem "busy" when that is full."""
        [outcome] = await self.pool.classify([Ask(Feedback("text", text, Source("text", 1), language=language))])
        return outcome

    async def explain(self, segments: Sequence[StoredSegment]) -> Sequence[StoredSegment]:
        """Add to each segment the words that speak for its labels. Raises ApiProblem "busy"."""
        if not segments:
            return ()
        return await self.pool.call(lambda scorer: explain_segments(scorer, segments))


def site_of(request: Request) -> Site:
    """Find the server's parts where the app factory left them."""
    state = request.app.state
    settings, corrections = state.settings, state.corrections
    return Site(state.jobs, state.keys, state.pool, settings, corrections, state.uploads, state.streams)
