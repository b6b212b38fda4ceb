"""Where a request comes from: the host it names, and the page that sent it."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from statera.web.server.failure import Failure, refuse
from statera.web.server.settings import Settings, is_loopback

__all__ = ["SAFE_METHODS", "OriginCheck"]

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_PROBES = ("/healthz", "/readyz")
_OF_PROXIES = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


class OriginCheck:
    """Middleware against pages of other sites that speak to this server through a browser.

    Without sign-in whoever reaches the server is its user: the name in the ``Host`` header must
    then be one of this machine (a foreign name may be made to lead here), and no proxy may stand
    between. Requests that change something must come from the server's own pages, or from no page.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.open = settings.modes == ("none",)
        self.public = urlsplit(settings.public_url).netloc.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] != "http":  # no address here speaks anything else
            await send({"type": "websocket.close", "code": 1000})
        else:
            failure = self._failure(scope, Headers(scope=scope))
            if failure is not None:
                await refuse(send, failure)
            else:
                await self.app(scope, receive, send)

    def _failure(self, scope: Scope, headers: Headers) -> Failure | None:
        host = headers.get("host", "").lower()
        if scope["path"] not in _PROBES:
            if self.open and not is_loopback(_host_name(host)):
                return Failure(
                    421,
                    "this server answers to names of this machine only",
                    "Host",
                    "Open it as http://localhost, or start it with sign-in.",
                    "forbidden",
                )
            if self.open and any(name in headers for name in _OF_PROXIES):
                return Failure(
                    403,
                    "the request came through a proxy, and this server has no sign-in",
                    hint="Start it with --token-file or --oidc-issuer.",
                )
            if self.public and host != self.public and not is_loopback(_host_name(host)):
                return Failure(421, "this server has another name", "Host", kind="forbidden")
        if scope["method"] in SAFE_METHODS:
            return None
        origin = headers.get("origin")
        known = (host, self.public) if self.public else (host,)
        foreign = origin is not None and urlsplit(origin).netloc.lower() not in known
        if foreign or headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return Failure(
                403,
                "the request was sent by a page of another site",
                "Origin",
                "Use the pages of this server.",
            )
        return None


def _host_name(host: str) -> str:
    """Return a ``Host`` header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host
