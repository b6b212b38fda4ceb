"""Whether the server is alive, and ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Whether the server is alive.")
async def healthz() -> dict[str, bool]:
    """Answer; nothing more."""
    return {"ok": True}


@router.get("/readyz", summary="Whether the server can do its work.")
async def readyz(request: Request) -> JSONResponse:
    """Ask the database, and every part that registered in ``app.state.readiness``."""
    parts: dict[str, Callable[[], bool]] = request.app.state.readiness
    found = {name: bool(ready()) for name, ready in parts.items()}
    found["database"] = await asyncio.to_thread(_answers, request.app.state.engine)
    ready = all(found.values())
    return JSONResponse({"ok": ready, "parts": found}, 200 if ready else 503)


def _answers(engine: Engine) -> bool:
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True
