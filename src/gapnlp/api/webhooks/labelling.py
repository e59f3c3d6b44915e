"""A ticket's text -> labels, and the tags that a support tool can put on it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gapnlp.api.answers import answer
from gapnlp.api.batching import Ask
from gapnlp.api.deps import Server
from gapnlp.api.schemas import Told
from gapnlp.api.schemas_classify import Answer, Classified
from gapnlp.api.webhooks.payloads import Ticket
from gapnlp.records.feedback import Feedback, Part, Source
from gapnlp.records.labels import LANGUAGES


class WebhookAnswer(Told):
    """What a webhook is answered: tags to put on the ticket, and the labels they come from."""

    ticket_id: str | None = Field(default=None, examples=["4711"])
    status: Literal["labelled", "not_labelled", "ignored"] = Field(
        description="not_labelled: see result.error; ignored: the event holds no message of a customer",
        examples=["labelled"],
    )
    tags: list[str] = Field(
        description="letters, digits and underscores", examples=[["gap_communication", "reliability_neg"]]
    )
    cut: bool = Field(default=False, description="the text was too long, and only its beginning was labelled")
    result: Answer | None = None


async def label(server: Server, ticket: Ticket | None) -> WebhookAnswer:
    """Label a ticket. Raises ApiProblem "busy" when the queue is full."""
    if ticket is None or not (ticket.text.strip() or ticket.subject.strip()):
        return WebhookAnswer(ticket_id=ticket.id if ticket else None, status="ignored", tags=[])
    item, cut = _feedback(ticket, server.settings.classify_characters)
    [outcome] = await server.pool.classify([Ask(item)])
    result = answer(outcome, id=ticket.id, offset_unit="codepoint", all_labels=False)
    if not isinstance(result, Classified):
        return WebhookAnswer(ticket_id=ticket.id, status="not_labelled", tags=[], cut=cut, result=result)
    return WebhookAnswer(ticket_id=ticket.id, status="labelled", tags=tags_of(result), cut=cut, result=result)


def tags_of(result: Classified) -> list[str]:
    """Name what a text was labelled with as tags; nothing to act on unread gets `needs_reading` instead of gaps."""
    tags = [f"sentiment_{result.sentiment}", *(f"{d.dimension}_{d.polarity}" for d in result.dimensions)]
    tags += ["needs_reading"] if result.abstained else []
    tags += [f"gap_{g.gap}" for g in result.gaps]
    tags += [f"expectation_{result.expectation}"] if result.expectation != "none" else []
    return tags + (["churn_risk"] if result.churn.present else [])


def _feedback(ticket: Ticket, most: int) -> tuple[Feedback, bool]:
    """Join subject and text, as ingest joins a title and a body."""
    subject, text = ticket.subject.strip(), ticket.text.strip()
    whole = f"{subject}\n{text}" if subject and text else subject or text
    cut = whole[:most]
    border = min(len(subject), len(cut))
    parts = (Part("title", 0, border), Part("body", min(border + 1, len(cut)), len(cut))) if subject and text else ()
    language = (ticket.language or "").strip().lower()
    hint = language if language in LANGUAGES else None
    return Feedback(ticket.id, cut, Source("webhook", 1), parts=parts, language=hint), len(cut) < len(whole)
