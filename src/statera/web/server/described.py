"""Answers and failures as the description of the interface (OpenAPI) shows them."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel, Field

__all__ = ["Envelope", "FailureBody", "describe_exactly", "described_failures"]


class ColumnBody(BaseModel):
    """A column of a table."""

    name: str
    unit: str


class TableBody(BaseModel):
    """Numbers that can be copied as CSV."""

    columns: list[ColumnBody]
    rows: list[list[Any]]


class CopiesBody(BaseModel):
    """The same result by other means: a program, and a command where there is one."""

    python: str
    command: str
    why: str


class Envelope(BaseModel):
    """What a task answers."""

    schema_: str = Field(alias="schema", description="Name and version of the layout of `result`.")
    ok: Literal[True]
    result: Any
    tables: dict[str, TableBody]
    copies: CopiesBody | None
    warnings: list[str]
    manifest: dict[str, Any]


class ErrorBody(BaseModel):
    """What could not be done."""

    what: str
    where: str
    hint: str
    kind: str


class FailureBody(BaseModel):
    """How every failure is answered."""

    ok: Literal[False]
    error: ErrorBody


_WORDS = {
    400: "Not understood",
    401: "Not signed in",
    403: "Not meant: sent by another site, or without the token of the session",
    404: "Unknown: a name, a job or an upload",
    408: "The body came too slowly",
    409: "Not in this state",
    412: "Changed since it was read",
    413: "Too large, or more than is kept for one user",
    415: "The body is not said to be JSON",
    421: "Not a name of this server",
    422: "Not as described, or it cannot be computed",
    429: "Too many requests or jobs of this user",
    500: "A bug, under an id that stands in the log too",
    502: "The provider of the sign-in cannot be used",
    503: "Too busy; `Retry-After` says when to try again",
    504: "Stopped at the time limit",
    507: "The disk of the server is full",
}


def described_failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return `responses` of a route."""
    return {status: {"model": FailureBody, "description": _WORDS[status]} for status in statuses}


def describe_exactly(app: FastAPI) -> None:
    """Let the description say that keys of a table which do not fit their pattern are refused."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _close(plain())
        return plain()

    setattr(app, "openapi", openapi)  # noqa: B010  as FastAPI documents it, but types do not know


def _close(schema: Any) -> None:
    if isinstance(schema, dict):
        if "patternProperties" in schema:
            schema.setdefault("additionalProperties", False)
        for part in schema.values():
            _close(part)
    elif isinstance(schema, list):
        for part in schema:
            _close(part)
