"""Bodies of the interface are JSON, but for uploads: anything else is refused by its type."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from statera.web.server.body_limit import UPLOADS
from statera.web.server.failure import Failure, refuse
from statera.web.server.origin_check import SAFE_METHODS

__all__ = ["MediaType"]


class MediaType:
    """Middleware that answers 415 to a body that does not say it is JSON.

    Forms of other sites can send text and form data without being asked for leave, but not JSON.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and _is_foreign(scope):
            await refuse(
                send,
                Failure(
                    415,
                    "the body is not said to be JSON",
                    "Content-Type",
                    "Send Content-Type: application/json.",
                ),
            )
            return
        await self.app(scope, receive, send)


def _is_foreign(scope: Scope) -> bool:
    path = scope["path"]
    if scope["method"] in SAFE_METHODS or not path.startswith("/api/") or path == UPLOADS:
        return False
    headers = Headers(scope=scope)
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return False  # there is none
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind != "application/json"
