"""How large and how slow the body of a request may be, whatever its headers say of it."""

from __future__ import annotations

import asyncio
import math
import time

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from statera.web.server.failure import Failure, refuse
from statera.web.server.settings import Limits

__all__ = ["UPLOADS", "BodyLimit"]

UPLOADS = "/api/v1/uploads"


class BodyLimit:
    """Middleware that counts a body while it comes in.

    Parameters
    ----------
    app
    limits
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        uploads = scope["path"].rstrip("/") == UPLOADS
        most = self.limits.upload_bytes if uploads else self.limits.request_bytes
        silence = self.limits.silence_seconds
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isascii() or not declared.isdigit():
            await refuse(send, Failure(400, "the length of the body is not a number"))
            return
        if len(declared) > 15 or int(declared) > most:
            await refuse(send, Failure(413, too_large(most)))
            return
        count, complete = 0, False
        latest = time.monotonic() + (math.inf if uploads else 2 * silence)

        async def receive_counted() -> Message:
            nonlocal count, complete
            if complete:  # what follows is the end of the connection: it may take its time
                return await receive()
            try:
                within = min(silence, latest - time.monotonic())
                message = await asyncio.wait_for(receive(), max(within, 0.001))
            except TimeoutError:
                raise HTTPException(408, "the request came too slowly") from None
            count += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if count > most:
                raise HTTPException(413, too_large(most))
            return message

        await self.app(scope, receive_counted, send)


def too_large(most: int) -> str:
    """Say how large a body may be."""
    return f"the body is larger than {most:,} bytes"
