"""Failures as the interface answers them: what, where, what to do."""

from __future__ import annotations

import json
from dataclasses import dataclass

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.types import Send

from statera.web.plain_words import plain_words
from statera.web.server.allowed_methods import allowed_methods

__all__ = [
    "Failure",
    "answer_failure",
    "answer_refusal",
    "answer_validation",
    "failure_body",
    "refuse",
]

_KINDS = {
    400: "usage", 401: "signed-out", 403: "forbidden", 404: "unknown", 405: "usage",
    408: "time-limit", 409: "conflict", 412: "conflict", 413: "too-large", 415: "usage",
    421: "forbidden", 422: "input", 429: "too-many", 502: "provider", 503: "busy",
    504: "time-limit", 507: "disk-full",
}  # fmt: skip


@dataclass(eq=False)  # not frozen: raising an exception sets its traceback
class Failure(Exception):  # noqa: N818  the word on every screen
    """Something that could not be done.

    Attributes
    ----------
    status
        Of HTTP.
    what, where, hint
        As in :class:`statera.errors.StateraError`.
    kind
        One word for programs; from the status unless given.
    retry_after
        Seconds after which it may be tried again; 0 for none.
    """

    status: int
    what: str
    where: str = ""
    hint: str = ""
    kind: str = ""
    retry_after: int = 0


def failure_body(failure: Failure) -> bytes:
    """Return the JSON of a failure."""
    error = {
        "what": failure.what,
        "where": failure.where,
        "hint": failure.hint,
        "kind": failure.kind or _KINDS.get(failure.status, "bug"),
    }
    return _json({"ok": False, "error": error})


def _json(body: object) -> bytes:
    # what a user sent may stand in it, and that need not be encodable
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


def answer_failure(_: Request, failure: Exception) -> Response:
    """Answer a :class:`Failure`."""
    assert isinstance(failure, Failure)
    headers = {"Retry-After": str(failure.retry_after)} if failure.retry_after else {}
    return Response(failure_body(failure), failure.status, headers, "application/json")


def answer_refusal(request: Request, refusal: Exception) -> Response:
    """Answer what the framework refuses: unknown addresses, wrong methods."""
    assert isinstance(refusal, HTTPException)
    if refusal.status_code == 405:
        return _answer_method(request)
    if refusal.status_code == 400:  # so the framework calls bytes that are no text
        return answer_failure(request, Failure(422, "the body is not JSON that can be read"))
    words = {404: "there is nothing at this address"}
    what = words.get(refusal.status_code, str(refusal.detail))
    answer = answer_failure(request, Failure(refusal.status_code, what))
    answer.headers.update(refusal.headers or {})
    return answer


def _answer_method(request: Request) -> Response:
    """Answer a method that an address does not take, with all that it takes."""
    path = request.scope["path"]
    methods = allowed_methods(request.app, path)
    if not methods and path.startswith("/api/"):
        return answer_failure(request, Failure(404, "there is nothing at this address"))
    answer = answer_failure(request, Failure(405, "this address takes another method"))
    answer.headers["Allow"] = ", ".join(methods or ("GET", "HEAD"))
    return answer


def answer_validation(request: Request, found: Exception) -> Response:
    """Answer a request that does not fit its description: each key with what is wrong."""
    assert isinstance(found, RequestValidationError)
    places = []
    for error in found.errors():
        # the first part says body, path or query; what the user wrote is not repeated
        place = ".".join(str(part) for part in error["loc"][1:]) or "the request"
        places.append({"where": place, "what": plain_words(error)})
    first = places[0] if places else {"where": "the request", "what": "not as described"}
    more = f" ({len(places) - 1} more)" if len(places) > 1 else ""
    body = {
        "ok": False,
        "error": {
            "what": first["what"] + more,
            "where": first["where"],
            "hint": "The description of the interface is at /openapi.json.",
            "kind": "input",
            "all": places,
        },
    }
    return Response(_json(body), 422, media_type="application/json")


async def refuse(send: Send, failure: Failure) -> None:
    """Answer a failure from a layer below the framework."""
    body = failure_body(failure)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    if failure.retry_after:
        headers.append((b"retry-after", str(failure.retry_after).encode()))
    await send({"type": "http.response.start", "status": failure.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
