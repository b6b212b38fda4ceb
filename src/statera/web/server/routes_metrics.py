"""Figures for whoever watches the server."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from statera.web.server.metrics import Metrics
from statera.web.server.who import SignedIn

__all__ = ["router"]

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    summary="Counts, times and memory, in the text format of Prometheus.",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request, user: SignedIn) -> Response:
    """Return all figures."""
    found: Metrics = request.app.state.metrics
    text = await asyncio.to_thread(found.text)
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
