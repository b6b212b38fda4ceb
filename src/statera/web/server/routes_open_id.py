"""Sign-in by OpenID Connect: out to the provider, and back."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from statera.web.server.described import described_failures
from statera.web.server.failure import Failure
from statera.web.server.open_id import OpenIdProvider
from statera.web.server.rate_limit import client_address, too_many
from statera.web.server.secret import signature
from statera.web.server.session_cookie import give_cookie, is_https
from statera.web.server.token_bucket import TokenBuckets

__all__ = ["BACK", "router"]

BACK = "/api/v1/session/oidc/callback"
_COOKIE = "statera_sign_in"
_SECONDS = 600
_PAGE = {"content": {"text/html": {"schema": {"type": "string"}}}}

router = APIRouter(prefix="/api/v1/session/oidc", tags=["session"])


@router.get(
    "",
    status_code=303,
    summary="Go to the provider to sign in.",
    response_class=RedirectResponse,
    responses={**described_failures(404, 422, 429, 502)},
)
async def begin(
    request: Request,
    to: Annotated[
        str, Query(alias="return", description="Page to come back to.", max_length=2000)
    ] = "/",
) -> Response:
    """Send the browser to the provider; a person who cannot be sent there is told on a page."""
    try:
        return await _begin(request, to)
    except Failure as failure:
        if "text/html" not in request.headers.get("accept", ""):
            raise
        return _told(failure)


async def _begin(request: Request, to: str) -> Response:
    state = request.app.state
    provider = _provider(request)
    seconds = state.attempts.take(client_address(request.scope))
    if seconds:
        raise too_many("there were too many attempts to sign in from this address", seconds)
    started: dict[str, Any] = {
        "state": secrets.token_urlsafe(24),
        "nonce": secrets.token_urlsafe(24),
        "verifier": secrets.token_urlsafe(48),
        "return": _own_page(to),
        "until": time.time() + _SECONDS,
    }
    address = await provider.address(started["state"], started["nonce"], started["verifier"])
    answer = RedirectResponse(address, 303)
    text = json.dumps(started).encode().hex()
    answer.set_cookie(
        _COOKIE,
        f"{text}.{signature(state.secret, 'sign-in', text)}",
        max_age=_SECONDS,
        path=BACK,
        secure=is_https(request.scope, state.settings),
        httponly=True,
        samesite="lax",  # the provider leads back here from its own pages
    )
    return answer


@router.get(
    "/callback",
    status_code=303,
    summary="Come back from the provider.",
    response_class=RedirectResponse,
    responses={200: _PAGE, **dict.fromkeys((400, 403, 404, 429, 502), _PAGE)},
)
async def come_back(
    request: Request,
    code: Annotated[str, Query(max_length=4000)] = "",
    state: Annotated[str, Query(max_length=400)] = "",
    error: Annotated[str, Query(max_length=400)] = "",
) -> Response:
    """Open a session for whom the provider vouches, or say on a page why not."""
    address = client_address(request.scope)
    attempts: TokenBuckets = request.app.state.attempts
    answer: Response
    try:
        if seconds := attempts.wait(address):
            raise too_many("there were too many attempts to sign in from this address", seconds)
        answer = await _finish(request, code, state, error)
    except Failure as failure:
        if failure.status == 403:
            attempts.take(address)
            await asyncio.to_thread(request.app.state.audit.append, "", "failed sign-in", address)
        answer = _told(failure)
    answer.delete_cookie(_COOKIE, path=BACK)
    return answer


async def _finish(request: Request, code: str, state: str, error: str) -> Response:
    provider = _provider(request)
    started = _started(request)
    if not hmac.compare_digest(state.encode(), started["state"].encode()):
        raise Failure(403, "the sign-in was begun elsewhere", hint="Begin again.")
    if error or not code:
        raise Failure(403, "the provider did not let you sign in", hint="Begin again.")
    person = await provider.person(code, started["nonce"], started["verifier"])
    user = provider.user(person)
    shared = request.app.state
    cookie = await asyncio.to_thread(shared.sessions.open, user)
    await asyncio.to_thread(shared.audit.append, user.id, "sign-in", f"oidc {person.name}")
    answer = RedirectResponse(started["return"], 303)
    give_cookie(answer, request.scope, shared.settings, cookie)
    return answer


def _provider(request: Request) -> OpenIdProvider:
    provider: OpenIdProvider | None = request.app.state.provider
    if provider is None:
        raise Failure(404, "this server has no sign-in by OpenID Connect")
    return provider


def _started(request: Request) -> dict[str, Any]:
    """Return what this browser began with, as this server signed it."""
    text, _, signed = request.cookies.get(_COOKIE, "").partition(".")
    expected = signature(request.app.state.secret, "sign-in", text)
    if not text or not hmac.compare_digest(signed.encode(), expected.encode()):
        raise Failure(403, "the sign-in was not begun in this browser", hint="Begin again.")
    started: dict[str, Any] = json.loads(bytes.fromhex(text))
    if time.time() > float(started["until"]):
        raise Failure(403, "the sign-in took too long", hint="Begin again.")
    return started


def _own_page(to: str) -> str:
    """Return a path of this server: an address that would lead elsewhere becomes the first page."""
    if not to.startswith("/") or to.startswith(("//", "/\\", "/api/")) or not to.isprintable():
        return "/"
    return to


def _told(failure: Failure) -> Response:
    """Return a page that says why somebody is not signed in."""
    headers = {"Retry-After": str(failure.retry_after)} if failure.retry_after else None
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>Sign-in: Statera</title>"
        '<main style="max-width:36rem;margin:4rem auto;padding:0 1rem;font:1rem/1.5 sans-serif">'
        f"<h1>Not signed in</h1><p>{escape(failure.what[:1].upper() + failure.what[1:])}.</p>"
        f'<p>{escape(failure.hint)}</p><p><a href="/">To the first page</a></p></main></html>'
    )
    return HTMLResponse(page, failure.status, headers)
