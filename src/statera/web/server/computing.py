"""The computing half of the server: workers, jobs and their routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from statera.web.named import load
from statera.web.server.job_leases import JobLeases
from statera.web.server.job_store import JobStore
from statera.web.server.job_supervisor import JobSupervisor
from statera.web.server.pool import Pool, PoolLimits
from statera.web.server.routes_jobs import job_routes
from statera.web.server.routes_tasks import task_routes
from statera.web.server.server_name import new_server_name
from statera.web.server.settings import Settings
from statera.web.server.worker_process import WorkerCommand

__all__ = ["add_computing", "computing"]

_NICE = 10
"""Jobs give way to requests that somebody waits for."""


def add_computing(app: FastAPI, settings: Settings) -> None:
    """Add the routes of all tasks and jobs."""
    catalogue = load(settings.catalogue)
    for routes in (task_routes(catalogue), job_routes(catalogue)):
        app.include_router(routes, prefix="/api/v1")


@asynccontextmanager
async def computing(app: FastAPI, settings: Settings) -> AsyncIterator[None]:
    """Start the workers, and end them after the block."""
    state = app.state
    command = WorkerCommand(settings.catalogue, settings.warm_up)
    pool = Pool(command, PoolLimits(workers=settings.workers))
    store = JobStore(state.engine, settings.limits.jobs, settings.limits.kept_jobs)
    supervisor = JobSupervisor(
        JobLeases(state.engine, new_server_name()),
        store,
        load(settings.catalogue),
        WorkerCommand(settings.catalogue, settings.warm_up, nice=_NICE, ahead=False),
        settings,
    )
    state.pool, state.jobs, state.supervisor = pool, store, supervisor
    state.readiness["workers"] = lambda: pool.ready > 0
    state.metrics.add_gauge(
        "statera_workers",
        "Workers that are warm, and questions that wait for one",
        lambda: {"ready": pool.ready, "waiting": pool.waiting},
        "what",
    )
    state.metrics.add_gauge(
        "statera_answers",
        "What became of questions since the start",
        lambda: pool.counts,
        "what",
    )
    state.metrics.add_gauge("statera_jobs", "Jobs by state", store.counts, "status")
    pool.start()
    await supervisor.start()
    try:
        yield
    finally:
        await supervisor.stop()
        await pool.stop()
