"""The uploads that a request names, for the user who asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from statera.web.server.failure import Failure
from statera.web.server.named_uploads import named_uploads

__all__ = ["asked_uploads"]


async def asked_uploads(app: FastAPI, user: str, request: BaseModel) -> dict[str, Any]:
    """Return what a worker has to know of each upload that the request names.

    Raises
    ------
    Failure
        404 if this user has none of that id.
    """
    found: dict[str, Any] = {}
    known: Mapping[str, Any] = {}
    for name in named_uploads(request):
        if name not in known:
            hint = "It may have been deleted: upload the file again."
            raise Failure(404, "there is no such upload", "upload", hint)
        found[name] = known[name]
    return found
