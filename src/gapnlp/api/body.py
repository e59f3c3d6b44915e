"""How many bytes a request's body may have, where no route reads it as a stream."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Routes that bound their bodies themselves: uploads, and forms of pages.
STREAMED = ("/jobs", "/previews")
STREAMED_BELOW = "/page/"


class BodyLimit:
    """Refuses larger bodies: at once when their length is declared, else as soon as they are."""

    def __init__(self, app: ASGIApp, *, most_bytes: int) -> None:
        self.app, self.most_bytes = app, most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body counted."""
        if scope["type"] != "http" or scope["path"] in STREAMED or scope["path"].startswith(STREAMED_BELOW):
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        too_large = declared.isdecimal() and (len(declared) > 18 or int(declared) > self.most_bytes)
        received = 0

        async def counted() -> Message:
            nonlocal received
            message: Message = {} if too_large else await receive()
            received += len(message.get("body", b""))
            # An HTTPException, because FastAPI takes anything else for a body that cannot be parsed.
            if too_large or received > self.most_bytes:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)
