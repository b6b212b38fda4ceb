"""Who sends a request, and whether they meant to."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from statera.web.server.failure import Failure, refuse
from statera.web.server.origin_check import SAFE_METHODS
from statera.web.server.secret import signature
from statera.web.server.settings import Settings
from statera.web.server.who import LOCAL, Identity

__all__ = ["Authentication"]

_OPEN = ("/api/v1/session", "/api/v1/sign-in")


class Authentication:
    """Middleware that puts the :class:`Identity` into the scope, or refuses the request.

    Open to everybody: the pages of the app (they hold no data), health, and signing in.
    """

    def __init__(self, app: ASGIApp, settings: Settings, secret: bytes) -> None:
        self.app = app
        self.open = settings.modes == ("none",)
        self.local = Identity(LOCAL, "loopback", signature(secret, "csrf", LOCAL.id))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        identity = await self._identity(scope, headers)
        failure = _failure(scope, headers, identity)
        if failure is not None:
            await refuse(send, failure)
            return
        scope["identity"] = identity
        await self.app(scope, receive, send)

    async def _identity(self, scope: Scope, headers: Headers) -> Identity | None:
        return self.local if self.open else None


def _failure(scope: Scope, headers: Headers, identity: Identity | None) -> Failure | None:
    path = scope["path"]
    if identity is None:
        if path.startswith(_OPEN) or not path.startswith(("/api/", "/metrics")):
            return None
        return Failure(401, "you are not signed in", hint="Sign in, and try again.")
    if identity.by == "bearer" or scope["method"] in SAFE_METHODS:
        return None
    if not hmac.compare_digest(headers.get("x-csrf-token", "").encode(), identity.csrf.encode()):
        return Failure(
            403,
            "the request does not repeat the token of this session",
            "X-CSRF-Token",
            "Load the page again; programs read the token from /api/v1/session.",
            "csrf",
        )
    return None
