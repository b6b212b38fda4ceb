"""The uploads that a request names, for the user who asks."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from statera.web.samples import SAMPLES
from statera.web.server.failure import Failure
from statera.web.server.named_uploads import named_uploads
from statera.web.server.upload_store import UploadStore

__all__ = ["asked_uploads"]


async def asked_uploads(app: FastAPI, user: str, request: BaseModel) -> dict[str, Any]:
    """Return what a worker has to know of each upload that the request names.

    Raises
    ------
    Failure
        404 if this user has none of that id.
    """
    names = named_uploads(request)
    if not names:
        return {}
    store: UploadStore = app.state.uploads
    known = await asyncio.to_thread(store.uploads_of, user, names)
    samples = str(app.state.settings.folder / "samples")
    found: dict[str, Any] = {}
    for name in names:
        if name in SAMPLES:  # made by the worker where it is not a file of the program
            found[name] = {"samples": samples}
        elif name in known:
            upload = known[name]
            found[name] = {
                "name": upload.name,
                "path": str(upload.path),
                "size": upload.size,
                "sha256": upload.sha256,
            }
        else:
            hint = "It may have been deleted: upload the file again."
            raise Failure(404, "there is no such upload", "upload", hint)
    return found
