"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from statera.web.server.failure import Failure

__all__ = ["LOCAL", "Identity", "SignedIn", "User", "signed_in_user"]


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


def signed_in_user(request: Request) -> User:
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
