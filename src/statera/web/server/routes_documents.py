"""Documents: a user's own saved state, told apart by random ids."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from statera.web.server.described import described_failures
from statera.web.server.document_store import DocumentStore, StoredDocument
from statera.web.server.failure import Failure
from statera.web.server.who import SignedIn

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/documents", tags=["documents"])

_KIND = "^[a-z][a-z0-9-]{0,39}$"
_TAG = r'^(\*|(W/)?"[0-9]{1,9}")?$'
_ETAG = {"headers": {"ETag": {"description": "The version.", "schema": {"type": "string"}}}}

DocumentKey = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


class NewDocument(BaseModel):
    """A document to be kept."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    kind: Annotated[str, Field(pattern=_KIND)]
    body: Any


class ChangedDocument(BaseModel):
    """What a document becomes; its kind stays, and may be repeated."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    kind: Annotated[str, Field(pattern=_KIND)] | None = None
    body: Any


class DocumentListed(BaseModel):
    """A document without its body."""

    id: str
    kind: str
    version: int
    created: str
    changed: str


class DocumentBody(DocumentListed):
    """A document."""

    body: Any


@router.post(
    "",
    status_code=201,
    summary="Save a document.",
    response_model=DocumentListed,
    responses={201: _ETAG, **described_failures(422)},
)
async def create(asked: NewDocument, request: Request, user: SignedIn) -> Response:
    """Save a document of the user."""
    store: DocumentStore = request.app.state.documents
    found = await asyncio.to_thread(store.create, user.id, asked.kind, _text(asked.body))
    await _audited(request, user.id, "save document", found.id)
    return _answer(found, with_body=False, status=201)


@router.get("", summary="Your documents, newest first.", responses=described_failures(422))
async def listed(
    request: Request,
    user: SignedIn,
    kind: Annotated[str, Query(pattern="^([a-z][a-z0-9-]{0,39})?$")] = "",
) -> list[DocumentListed]:
    """Return the user's documents of a kind, without their bodies."""
    store: DocumentStore = request.app.state.documents
    found = await asyncio.to_thread(store.listed, user.id, kind)
    return [DocumentListed(**_told(each)) for each in found]


@router.get(
    "/{document_id}",
    summary="One document.",
    response_model=DocumentBody,
    responses={200: _ETAG, **described_failures(404, 422)},
)
async def read(document_id: DocumentKey, request: Request, user: SignedIn) -> Response:
    """Return a document of the user."""
    store: DocumentStore = request.app.state.documents
    found = await asyncio.to_thread(store.find, user.id, document_id)
    if found is None:
        raise Failure(404, "there is no such document", "document_id")
    return _answer(found, with_body=True)


@router.put(
    "/{document_id}",
    summary="Change a document; `If-Match` refuses where it was changed elsewhere.",
    response_model=DocumentListed,
    responses={200: _ETAG, **described_failures(404, 409, 412, 422)},
)
async def change(
    document_id: DocumentKey,
    asked: ChangedDocument,
    request: Request,
    user: SignedIn,
    if_match: Annotated[str, Header(description="The ETag that was read.", pattern=_TAG)] = "",
) -> Response:
    """Replace the body of a document."""
    store: DocumentStore = request.app.state.documents
    version = _version(if_match)
    body = _text(asked.body)
    found = await asyncio.to_thread(
        store.change, user.id, document_id, asked.kind or "", body, version
    )
    if found is None:
        raise Failure(404, "there is no such document", "document_id")
    await _audited(request, user.id, "save document", found.id)
    return _answer(found, with_body=False)


@router.delete(
    "/{document_id}",
    status_code=204,
    summary="Delete a document.",
    responses=described_failures(404, 422),
)
async def delete(document_id: DocumentKey, request: Request, user: SignedIn) -> Response:
    """Delete a document of the user."""
    store: DocumentStore = request.app.state.documents
    if not await asyncio.to_thread(store.delete, user.id, document_id):
        raise Failure(404, "there is no such document", "document_id")
    await _audited(request, user.id, "delete document", document_id)
    return Response(status_code=204)


def _version(header: str) -> int | None:
    found = re.search("[0-9]+", header)
    return None if found is None else int(found[0])


def _text(body: Any) -> str:
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":"))
    except ValueError:
        raise Failure(422, "a number of the document is not finite", "body") from None
    except RecursionError:
        raise Failure(422, "the document is nested too deeply", "body") from None


def _told(found: StoredDocument) -> dict[str, Any]:
    return {key: value for key, value in vars(found).items() if key != "body"}


def _answer(found: StoredDocument, *, with_body: bool, status: int = 200) -> Response:
    told = json.dumps(_told(found))
    if with_body:
        told = f'{told[:-1]}, "body": {found.body}}}'
    headers = {"ETag": f'"{found.version}"'}
    return Response(told, status, headers, "application/json")


async def _audited(request: Request, user: str, action: str, document_id: str) -> None:
    await asyncio.to_thread(request.app.state.audit.append, user, action, document_id)
