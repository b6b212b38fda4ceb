"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer

from statera.web.server.failure import Failure

__all__ = ["LOCAL", "Identity", "SignedIn", "User", "signed_in_user", "token_user"]


@dataclass(frozen=True)
class User:
    """A person who is signed in.

    Attributes
    ----------
    id
        Stands beside everything that is theirs.
    name
        To be shown.
    """

    id: str
    name: str


@dataclass(frozen=True)
class Identity:
    """A user, and how it is known that it is them.

    Attributes
    ----------
    user
    by
        ``loopback``, ``session`` (a cookie) or ``bearer`` (an access token in the header).
    csrf
        What an unsafe request has to repeat; empty for ``bearer``, which no page can send unasked.
    session
        Key of the session in the database; empty without one.
    """

    user: User
    by: str
    csrf: str = ""
    session: str = ""


LOCAL = User("local", "local")
"""Whoever sits at this machine, where there is no sign-in."""


def token_user(name: str) -> User:
    """Return the user whom the file of tokens calls so."""
    return User(f"token:{name}", name)


_BEARER = HTTPBearer(scheme_name="token", description="An access token.", auto_error=False)
_COOKIE = APIKeyCookie(
    name="statera_session",
    scheme_name="session",
    description="Given by POST /api/v1/session; `__Host-statera_session` under https. Unsafe "
    "methods repeat `csrf` of GET /api/v1/session in the header X-CSRF-Token.",
    auto_error=False,
)


def signed_in_user(
    request: Request,
    _bearer: Annotated[object, Security(_BEARER)] = None,  # for the description of the interface:
    _cookie: Annotated[object, Security(_COOKIE)] = None,  # middleware has looked at both
) -> User:
    """Return the user of a request.

    Raises
    ------
    Failure
        With status 401 where nobody is signed in.
    """
    identity = request.scope.get("identity")
    if not isinstance(identity, Identity):
        raise Failure(401, "you are not signed in", hint="Sign in, and try again.")
    return identity.user


SignedIn = Annotated[User, Depends(signed_in_user)]
"""Argument of a route that only someone signed in may use."""
