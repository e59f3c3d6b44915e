"""The bodies that support tools send, and the customer's text in them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gapnlp.api.problems import ApiProblem
from gapnlp.api.webhooks.markup import plain_text

_AUTHORS = ("user", "lead", "contact")


@dataclass(frozen=True, slots=True)
class Ticket:
    """What is to be labelled: a ticket's or conversation's id, and what the customer wrote. text may be empty."""

    id: str
    subject: str
    text: str
    language: str | None = None


@runtime_checkable
class Payload(Protocol):
    """A body of one of the tools."""

    def ticket(self) -> Ticket | None:
        """Find the customer's text; None when the event is about something else."""


class _Body(BaseModel):
    """A body made by someone else: unknown fields are left alone."""

    model_config = ConfigDict(frozen=True, strict=True)


class ZendeskBody(_Body):
    """The body of a Zendesk trigger, as docs/webhooks.md gives it."""

    ticket_id: str | int = Field(examples=["4711"])
    subject: str = Field(default="", examples=["Where is my parcel?"])
    text: str = Field(examples=["You promised next-day delivery. It took nine days."])
    language: str | None = Field(default=None, description="en, pl or zh; others are ignored", examples=["en"])

    def ticket(self) -> Ticket | None:
        """Zendesk sends plain text."""
        return Ticket(str(self.ticket_id), self.subject, self.text, self.language)


class FreshdeskBody(_Body):
    """The body of a Freshdesk automation, as docs/webhooks.md gives it."""

    ticket_id: str | int = Field(examples=["4711"])
    subject: str = Field(default="", examples=["Where is my parcel?"])
    text: str = Field(description="HTML or plain text", examples=["<div>It took nine days.</div>"])
    language: str | None = Field(default=None, description="en, pl or zh; others are ignored", examples=["en"])

    def ticket(self) -> Ticket | None:
        """Freshdesk's description is HTML."""
        return Ticket(str(self.ticket_id), plain_text(self.subject), plain_text(self.text), self.language)


class IntercomAuthor(_Body):
    """Who wrote a message."""

    type: str = Field(default="", examples=["user"])


class IntercomPart(_Body):
    """A message of a conversation."""

    body: str | None = Field(default=None, examples=["<p>Nobody answers.</p>"])
    author: IntercomAuthor = Field(default_factory=IntercomAuthor)


class IntercomSource(IntercomPart):
    """The message that opened a conversation."""

    subject: str | None = Field(default=None, examples=[""])


class IntercomParts(_Body):
    """The messages after the first."""

    conversation_parts: list[IntercomPart] = Field(default_factory=list)


class IntercomItem(_Body):
    """What the event is about."""

    type: str = Field(default="", examples=["conversation"])
    id: str | int | None = Field(default=None, examples=["1234"])
    source: IntercomSource | None = None
    conversation_parts: IntercomParts | None = None


class IntercomData(_Body):
    """The event's content."""

    item: IntercomItem


class IntercomBody(_Body):
    """A notification of Intercom, of the topics conversation.user.created and conversation.user.replied."""

    type: str = Field(default="notification_event", examples=["notification_event"])
    id: str | None = Field(default=None, examples=["notif_2d9a1c70"])
    topic: str = Field(examples=["conversation.user.created"])
    created_at: float = Field(description="Unix time of the event", examples=[1_772_366_400])
    data: IntercomData

    def ticket(self) -> Ticket | None:
        """Take the customer's last message: the reply, or what opened the conversation."""
        item = self.data.item
        if item.type != "conversation" or not self.topic.startswith("conversation.user."):
            return None
        source = item.source or IntercomSource()
        parts = item.conversation_parts.conversation_parts if item.conversation_parts else []
        replies = [p for p in parts if p.author.type in _AUTHORS and p.body]
        if self.topic.endswith("replied") and replies:
            return Ticket(str(item.id or ""), "", plain_text(replies[-1].body or ""))
        return Ticket(str(item.id or ""), plain_text(source.subject or ""), plain_text(source.body or ""))


T = TypeVar("T", bound=BaseModel)


def read_body(body: bytes, model: type[T]) -> T:
    """Read a body; line breaks inside strings are let through, as templates put them there.

    Raises ApiProblem "bad-request" for what is no JSON, RequestValidationError for another shape.
    """
    try:
        content: Any = json.loads(body, strict=False)
        return model.model_validate(content)
    except ValidationError as error:
        faults = [{**e, "loc": ("body", *e["loc"])} for e in error.errors(include_url=False, include_input=False)]
        raise RequestValidationError(faults) from None
    except (ValueError, RecursionError):
        raise ApiProblem(
            "bad-request", "the body is no JSON; quotation marks in placeholders have to be escaped"
        ) from None
