"""How many requests a user may send, and an address may try to sign in."""

from __future__ import annotations

import ipaddress
import math

from starlette.types import ASGIApp, Receive, Scope, Send

from statera.web.server.failure import Failure, refuse
from statera.web.server.settings import Limits
from statera.web.server.token_bucket import TokenBuckets
from statera.web.server.who import Identity

__all__ = ["RateLimit", "client_address", "sign_in_buckets", "too_many"]


class RateLimit:
    """Middleware that answers 429 to a user who asks more than the limit of the interface."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self.buckets = TokenBuckets(limits.requests_per_minute, limits.requests_per_minute / 6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        identity = scope.get("identity")
        if isinstance(identity, Identity) and scope["path"].startswith("/api/"):
            seconds = self.buckets.take(identity.user.id)
            if seconds:
                await refuse(send, too_many("there were too many requests", seconds))
                return
        await self.app(scope, receive, send)


def sign_in_buckets(limits: Limits) -> TokenBuckets:
    """Return the buckets of attempts to sign in, one an address."""
    return TokenBuckets(limits.sign_ins_per_minute, limits.sign_ins_per_minute / 2)


def too_many(what: str, seconds: float) -> Failure:
    """Return the failure that says when to try again."""
    whole = math.ceil(seconds)
    return Failure(429, what, hint=f"Try again in {whole} s.", retry_after=whole)


def client_address(scope: Scope) -> str:
    """Return where a request comes from; of IPv6 the network that one household has."""
    client = scope.get("client")
    if not client:
        return ""
    try:
        address = ipaddress.ip_address(client[0])
    except ValueError:
        return str(client[0])[:60]
    if address.version == 6 and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
