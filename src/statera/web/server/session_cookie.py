"""The cookie of a session: out of reach of scripts, and never sent by a page of another site."""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Scope

from statera.web.server.settings import Settings

__all__ = ["drop_cookie", "give_cookie", "is_https", "session_cookie"]

_PLAIN = "statera_session"
_SECURE = f"__Host-{_PLAIN}"  # browsers keep this name to this very host, and to https


def is_https(scope: Scope, settings: Settings) -> bool:
    """Return True where the browser speaks https, if only to a proxy before this server."""
    return settings.public_url.startswith("https:") or scope.get("scheme") == "https"


def session_cookie(scope: Scope, settings: Settings) -> str:
    """Return the cookie of a request; empty for none."""
    name = _SECURE if is_https(scope, settings) else _PLAIN
    return HTTPConnection(scope).cookies.get(name, "")


def give_cookie(response: Response, scope: Scope, settings: Settings, value: str) -> None:
    """Let the browser keep a session."""
    https = is_https(scope, settings)
    response.set_cookie(
        _SECURE if https else _PLAIN,
        value,
        max_age=int(settings.session_seconds),
        path="/",
        secure=https,
        httponly=True,
        samesite="strict",
    )


def drop_cookie(response: Response, scope: Scope, settings: Settings) -> None:
    """Let the browser forget the session."""
    https = is_https(scope, settings)
    response.delete_cookie(
        _SECURE if https else _PLAIN, path="/", secure=https, httponly=True, samesite="strict"
    )
