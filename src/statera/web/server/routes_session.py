"""Who is signed in, and how one signs in."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel

from statera._version import __version__
from statera.web.server.settings import Settings
from statera.web.server.who import Identity

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


def describe(settings: Settings, identity: Identity | None) -> Session:
    """Describe the session of an identity."""
    return Session(
        user=identity.user.name if identity else None,
        signed_in=identity is not None,
        modes=list(settings.modes),
        csrf=identity.csrf if identity else "",
        version=__version__,
        disclaimer=DISCLAIMER,
    )


@router.get("/session", summary="Who is signed in, and how one signs in.")
async def session(request: Request) -> Session:
    """Return the session of whoever asks."""
    return describe(request.app.state.settings, request.scope.get("identity"))
