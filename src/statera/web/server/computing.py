"""The computing half of the server: workers, jobs and their routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from statera.web.server.pool import Pool, PoolLimits
from statera.web.server.routes_tasks import task_routes
from statera.web.server.settings import Settings
from statera.web.server.worker_process import WorkerCommand
from statera.web.worker import load

__all__ = ["add_computing", "computing"]


def add_computing(app: FastAPI, settings: Settings) -> None:
    """Add the routes of all tasks."""
    catalogue = load(settings.catalogue)
    app.include_router(task_routes(catalogue), prefix="/api/v1")


@asynccontextmanager
async def computing(app: FastAPI, settings: Settings) -> AsyncIterator[None]:
    """Start the workers, and end them after the block."""
    command = WorkerCommand(settings.catalogue, settings.warm_up)
    pool = Pool(command, PoolLimits(workers=settings.workers))
    app.state.pool = pool
    app.state.readiness["workers"] = lambda: pool.ready > 0
    pool.start()
    try:
        yield
    finally:
        await pool.stop()
