"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

__all__ = ["SignedIn", "User", "signed_in_user"]


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


def signed_in_user(request: Request) -> User:
    """Return the user of a request; middleware has put it there, or the request went no further."""
    user = request.state.user
    assert isinstance(user, User)
    return user


SignedIn = Annotated[User, Depends(signed_in_user)]
"""Argument of a route that only someone signed in may use."""
