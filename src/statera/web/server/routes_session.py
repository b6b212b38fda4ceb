"""Who is signed in, signing in by access token, signing out."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from statera._version import __version__
from statera.web.server.described import described_failures
from statera.web.server.failure import Failure
from statera.web.server.rate_limit import client_address, too_many
from statera.web.server.session_cookie import drop_cookie, give_cookie
from statera.web.server.settings import Settings
from statera.web.server.token_bucket import TokenBuckets
from statera.web.server.token_file import TokenFile
from statera.web.server.who import Identity, token_user

__all__ = ["DISCLAIMER", "router"]

DISCLAIMER = "Research software. Not a medical device."

router = APIRouter(prefix="/api/v1", tags=["session"])


class Session(BaseModel):
    """What a page has to know before anything else."""

    user: str | None
    signed_in: bool
    modes: list[str]
    csrf: str
    version: str
    disclaimer: str


class SignIn(BaseModel):
    """An access token."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(min_length=1, max_length=200)]


@router.get("/session", summary="Who is signed in, and how one signs in.")
async def session(request: Request) -> Session:
    """Return the session of whoever asks."""
    settings: Settings = request.app.state.settings
    identity: Identity | None = request.scope.get("identity")
    return Session(
        user=identity.user.name if identity else None,
        signed_in=identity is not None,
        modes=list(settings.modes),
        csrf=identity.csrf if identity else "",
        version=__version__,
        disclaimer=DISCLAIMER,
    )


@router.post(
    "/session",
    summary="Sign in by an access token.",
    status_code=204,
    responses=described_failures(401, 409, 422),
)
async def sign_in(asked: SignIn, request: Request) -> Response:
    """Open a session, told by a cookie."""
    state = request.app.state
    tokens: TokenFile | None = state.tokens
    if tokens is None:
        raise Failure(409, "this server has no sign-in by access token")
    attempts: TokenBuckets = state.attempts
    address = client_address(request.scope)
    seconds = attempts.take(address)
    if seconds:
        raise too_many("there were too many attempts to sign in from this address", seconds)
    found = tokens.user_of(asked.token)
    if found is None:
        await asyncio.to_thread(state.audit.append, "", "failed sign-in", address)
        raise Failure(
            401, "the access token is not known", "token", "Ask whoever runs this server for one."
        )
    user = token_user(found[0])
    cookie = await asyncio.to_thread(state.sessions.open, user, found[1])
    await asyncio.to_thread(state.audit.append, user.id, "sign-in", "token")
    answer = Response(status_code=204)
    give_cookie(answer, request.scope, state.settings, cookie)
    return answer


@router.delete("/session", summary="Sign out.", status_code=204)
async def sign_out(request: Request) -> Response:
    """End the session."""
    state = request.app.state
    identity: Identity | None = request.scope.get("identity")
    answer = Response(status_code=204)
    if identity is not None and identity.session:
        await asyncio.to_thread(state.sessions.end, identity.session)
        await asyncio.to_thread(state.audit.append, identity.user.id, "sign-out")
        drop_cookie(answer, request.scope, state.settings)
    return answer
