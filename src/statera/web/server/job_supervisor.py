"""Runs jobs one after the other in worker processes of their own, apart from those of requests."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from statera.web.server.job import Job
from statera.web.server.job_leases import JobLeases
from statera.web.server.job_run import JobRun
from statera.web.server.job_store import JobStore
from statera.web.server.server_name import ended_servers
from statera.web.server.settings import Settings
from statera.web.server.worker_process import WorkerCommand, WorkerDied, WorkerProcess
from statera.web.task import Task

__all__ = ["JobSupervisor", "job_folder"]

_log = logging.getLogger("statera.web")

_LOOK_SECONDS = 1.0
_IDLE_SECONDS = 300.0
_START_SECONDS = 900.0
_WATCH_SECONDS = 3.0
_SWEEP_SECONDS = 3600.0
_RESIDENT = 1024 * 1024 * 1024


def job_folder(folder: Path, job: str) -> Path:
    """Return where the files of a job lie, below the folder of the server."""
    return folder / "jobs" / job


class JobSupervisor:
    """Takes jobs while there are any.

    Parameters
    ----------
    leases, store
    catalogue
    command
        How workers are started.
    settings
        Where files lie (servers that share a database share the folder too), how many jobs run at
        once, how long they may take to stop, and how long they are kept.
    """

    def __init__(
        self,
        leases: JobLeases,
        store: JobStore,
        catalogue: Mapping[str, Task],
        command: WorkerCommand,
        settings: Settings,
    ) -> None:
        self._leases = leases
        self._store = store
        self._catalogue = catalogue
        self._command = command
        self._folder = settings.folder
        self._settings = settings
        self._runs: dict[str, JobRun] = {}
        self._lanes: list[asyncio.Task[None]] = []
        self._watching: asyncio.Task[None] | None = None
        self._new = asyncio.Event()
        self._stopping = False
        self.workers: dict[int, WorkerProcess] = {}
        """The processes that are there now."""

    async def start(self) -> None:
        """Take back what a server before this one has left, and begin."""
        await asyncio.to_thread(self._take_back)
        self._lanes = [
            asyncio.create_task(self._serve(lane)) for lane in range(self._settings.job_workers)
        ]
        self._watching = asyncio.create_task(self._watch())

    def _take_back(self) -> None:
        self._leases.take_back(ended_servers(self._leases.holders(), self._leases.server))

    async def stop(self) -> None:
        """Put running jobs back in the queue, with what their tasks have kept."""
        self._stopping = True
        self._new.set()
        for run in self._runs.values():
            run.stop("shutdown")
        if self._watching is not None:
            self._watching.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)
        for worker in self.workers.values():
            await worker.kill()
        self.workers.clear()

    def look(self, job: str = "") -> None:
        """Look at once for new jobs, or whether somebody wants `job` to stop."""
        self._new.set()
        if job in self._runs:
            self._runs[job].heed()

    async def _serve(self, lane: int) -> None:
        idle_since = time.monotonic()
        while not self._stopping:
            try:
                self._new.clear()
                job = await asyncio.to_thread(self._leases.take)
                if job is not None:
                    await self._run(lane, job)
                    idle_since = time.monotonic()
                    continue
                if time.monotonic() - idle_since > _IDLE_SECONDS:
                    await self._end_worker(lane)
            except WorkerDied as died:
                _log.error("a worker for jobs could not be started: %s", died)
            except SQLAlchemyError as error:
                _log.error("jobs: the database fails: %s", type(error).__name__)
            except Exception:  # one job must not end what runs all others
                _log.exception("jobs: a bug in what runs them")
                await self._end_worker(lane)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._new.wait(), _LOOK_SECONDS)

    async def _run(self, lane: int, job: Job) -> None:
        task = self._catalogue.get(job.task)
        if task is None:
            what = f"this server has no task called '{job.task}' any more"
            error = {"what": what, "where": job.task, "hint": "Start it anew.", "kind": "unknown"}
            await asyncio.to_thread(self._leases.end, job, "failed", what, error)
            return
        folder = job_folder(self._folder, job.id)
        for part in ("work", "files"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        run = JobRun(self._leases, job, task, folder, self._settings.stop_seconds)
        self._runs[job.id] = run
        if self._stopping:
            run.stop("shutdown")
        try:
            await run.run(lambda: self._worker(lane))
        finally:
            del self._runs[job.id]

    async def _worker(self, lane: int) -> WorkerProcess:
        worker = self.workers.get(lane)
        if worker is None or not worker.alive or worker.spent or worker.resident > _RESIDENT:
            await self._end_worker(lane)
            worker = await WorkerProcess.start(self._command, _START_SECONDS)
            self.workers[lane] = worker
        return worker

    async def _end_worker(self, lane: int) -> None:
        worker = self.workers.pop(lane, None)
        if worker is not None:
            await worker.kill()

    async def _watch(self) -> None:
        """Look for servers beside this one that have ended, and for jobs that are old."""
        swept = -_SWEEP_SECONDS
        while True:
            try:
                if self._settings.job_days and time.monotonic() - swept > _SWEEP_SECONDS:
                    await asyncio.to_thread(self._sweep)
                    swept = time.monotonic()
                await asyncio.sleep(_WATCH_SECONDS)
                await asyncio.to_thread(self._take_back)
            except SQLAlchemyError as error:
                _log.error("jobs: the database fails: %s", type(error).__name__)

    def _sweep(self) -> None:
        for job in self._store.delete_older(self._settings.job_days * 86400.0):
            shutil.rmtree(job_folder(self._folder, job), ignore_errors=True)
