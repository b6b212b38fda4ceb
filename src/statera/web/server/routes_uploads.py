"""Uploads: a body of any kind, streamed to the disk."""

from __future__ import annotations

import asyncio
import errno
import re
from dataclasses import asdict
from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import BaseModel

from statera.web.server.described import described_failures
from statera.web.server.failure import Failure
from statera.web.server.upload_store import Incoming, StoredUpload, UploadStore
from statera.web.server.who import SignedIn

__all__ = ["router", "shown_name"]

router = APIRouter(prefix="/api/v1/uploads", tags=["uploads"])

_CHUNK = 1 << 20
_LONGEST_NAME = 200
_UNSHOWABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")

UploadKey = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


class UploadBody(BaseModel):
    """What is told of an upload."""

    id: str
    name: str
    size: int
    sha256: str
    created: str


def shown_name(header: str) -> str:
    """Return the name of a file as it may be shown: one line, no folders, nothing invisible."""
    name = unquote(header, errors="replace").replace("\\", "/").rpartition("/")[2]
    return _UNSHOWABLE.sub("", name).strip()[:_LONGEST_NAME] or "upload"


@router.post(
    "",
    status_code=201,
    summary="Upload a file: its bytes are the body.",
    responses=described_failures(422, 507),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/octet-stream": {
                    "schema": {"type": "string", "format": "binary", "minLength": 1}
                }
            },
        }
    },
)
async def upload(
    request: Request,
    user: SignedIn,
    x_file_name: Annotated[
        str, Header(description="Name to be shown, percent-encoded.", max_length=2000)
    ] = "",
) -> UploadBody:
    """Keep a file."""
    store: UploadStore = request.app.state.uploads
    incoming, promised = None, 0
    try:
        incoming = await asyncio.to_thread(store.begin, user.id)
        pending = bytearray()
        async for chunk in request.stream():
            pending += chunk
            if len(pending) >= _CHUNK:
                promised += await _take(store, user.id, incoming, pending)
        promised += await _take(store, user.id, incoming, pending)
        if not incoming.size:
            raise Failure(422, "the file is empty", "body", "Choose another file.")
        found = await asyncio.to_thread(store.keep, user.id, shown_name(x_file_name), incoming)
        incoming = None
    except OSError as error:
        raise _no_room(error) from error
    finally:
        if incoming is not None:
            await asyncio.shield(asyncio.to_thread(incoming.discard))
        await asyncio.shield(asyncio.to_thread(store.promise, user.id, -promised))
    await _audited(request, user.id, "upload", found)
    return UploadBody(**asdict(found))


@router.get("", summary="Your uploads, newest first.")
async def uploads(request: Request, user: SignedIn) -> list[UploadBody]:
    """Return what the user has."""
    store: UploadStore = request.app.state.uploads
    found = await asyncio.to_thread(store.listed, user.id)
    return [UploadBody(**asdict(each)) for each in found]


@router.get("/{upload_id}", summary="One upload.", responses=described_failures(404, 422))
async def one_upload(upload_id: UploadKey, request: Request, user: SignedIn) -> UploadBody:
    """Return what is told of an upload."""
    store: UploadStore = request.app.state.uploads
    found = await asyncio.to_thread(store.find, user.id, upload_id)
    if found is None:
        raise Failure(404, "there is no such upload", "upload_id")
    return UploadBody(**asdict(found))


@router.delete(
    "/{upload_id}",
    status_code=204,
    summary="Delete an upload.",
    responses=described_failures(404, 422),
)
async def delete_upload(upload_id: UploadKey, request: Request, user: SignedIn) -> Response:
    """Delete an upload, and its content unless another upload has the same."""
    store: UploadStore = request.app.state.uploads
    found = await asyncio.to_thread(store.delete, user.id, upload_id)
    if found is None:
        raise Failure(404, "there is no such upload", "upload_id")
    await _audited(request, user.id, "delete upload", found)
    return Response(status_code=204)


async def _take(store: UploadStore, user: str, incoming: Incoming, pending: bytearray) -> int:
    """Write what has come in, and return how much that was."""
    chunk = bytes(pending)
    pending.clear()

    def write() -> None:
        store.promise(user, len(chunk))
        try:
            incoming.write(chunk)
        except BaseException:
            store.promise(user, -len(chunk))
            raise

    await asyncio.to_thread(write)
    return len(chunk)


def _no_room(error: OSError) -> Failure:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Failure(507, "the disk of the server is full", hint="Tell whoever runs this server.")
    raise error


async def _audited(request: Request, user: str, action: str, found: StoredUpload) -> None:
    content = f"sha256:{found.sha256}"
    await asyncio.to_thread(request.app.state.audit.append, user, action, found.id, content)
