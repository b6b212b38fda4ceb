"""Who sends a request, and whether they meant to."""

from __future__ import annotations

import asyncio
import hmac

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from statera.web.server.audit import AuditTrail
from statera.web.server.failure import Failure, refuse
from statera.web.server.origin_check import SAFE_METHODS
from statera.web.server.rate_limit import client_address, too_many
from statera.web.server.secret import signature
from statera.web.server.session_cookie import session_cookie
from statera.web.server.session_store import KnownSession, SessionStore
from statera.web.server.settings import Settings
from statera.web.server.token_bucket import TokenBuckets
from statera.web.server.token_file import TokenFile
from statera.web.server.who import LOCAL, Identity, token_user

__all__ = ["Authentication"]

_OPEN = ("/api/v1/session", "/api/v1/session/oidc", "/api/v1/session/oidc/callback")


class Authentication:
    """Middleware that puts the :class:`Identity` into the scope, or refuses the request.

    Open to everybody: the pages of the app (they hold no data), health, and signing in.

    Parameters
    ----------
    app
    settings
    secret
        Of the server.
    tokens
        None where nobody signs in by token.
    attempts
        How often an address may try.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        secret: bytes,
        tokens: TokenFile | None,
        attempts: TokenBuckets,
    ) -> None:
        self.app = app
        self.settings = settings
        self.secret = secret
        self.tokens = tokens
        self.attempts = attempts
        self.local = Identity(LOCAL, "loopback", signature(secret, "csrf", LOCAL.id))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            identity = await self._identity(scope, headers)
            _check(scope, headers, identity)
        except Failure as failure:
            await refuse(send, failure)
            return
        scope["identity"] = identity
        await self.app(scope, receive, send)

    async def _identity(self, scope: Scope, headers: Headers) -> Identity | None:
        if self.settings.modes == ("none",):
            return self.local
        if not scope["path"].startswith(("/api/", "/metrics")):
            return None  # pages and health are the same for everybody
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.tokens is not None:
            return await self._bearer(scope, token.strip(), self.tokens)
        cookie = session_cookie(scope, self.settings)
        if not cookie:
            return None
        sessions: SessionStore = scope["app"].state.sessions
        found = sessions.recall(cookie) or await asyncio.to_thread(sessions.find, cookie)
        if found is None or not self._still_allowed(found):
            return None
        return Identity(found.user, "session", signature(self.secret, "csrf", found.key), found.key)

    async def _bearer(self, scope: Scope, token: str, tokens: TokenFile) -> Identity:
        address = client_address(scope)
        seconds = self.attempts.wait(address)
        if seconds:
            raise too_many("there were too many attempts to sign in from this address", seconds)
        found = tokens.user_of(token)
        if found is None:
            self.attempts.take(address)
            audit: AuditTrail = scope["app"].state.audit
            await asyncio.to_thread(audit.append, "", "failed sign-in", address)
            raise Failure(401, "the access token is not known", "Authorization")
        return Identity(token_user(found[0]), "bearer")

    def _still_allowed(self, session: KnownSession) -> bool:
        """Return False where the token of a session was struck out, or its kind of sign-in."""
        if not session.credential:
            return self.settings.open_id is not None
        return self.tokens is not None and self.tokens.holds(session.user.name, session.credential)


def _check(scope: Scope, headers: Headers, identity: Identity | None) -> None:
    """Refuse a request whose sender must be known and is not, or who may not have meant it."""
    path = scope["path"]
    if identity is None:
        if path in _OPEN or not path.startswith(("/api/", "/metrics")):
            return
        raise Failure(401, "you are not signed in", hint="Sign in, and try again.")
    if identity.by == "bearer" or scope["method"] in SAFE_METHODS:
        return
    if not hmac.compare_digest(headers.get("x-csrf-token", "").encode(), identity.csrf.encode()):
        raise Failure(
            403,
            "the request does not repeat the token of this session",
            "X-CSRF-Token",
            "Load the page again; programs read the token from /api/v1/session.",
            "csrf",
        )
