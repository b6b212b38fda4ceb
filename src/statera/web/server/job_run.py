"""One attempt at one job: a worker computes it, and what becomes of it is written down."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from statera.web import journal
from statera.web.frames import Frame
from statera.web.server.job import Event, Job
from statera.web.server.job_events import EventBuffer
from statera.web.server.job_leases import LEASE_SECONDS, JobLeases
from statera.web.server.pool import bug
from statera.web.server.worker_process import WorkerDied, WorkerProcess
from statera.web.task import Task

__all__ = ["JobRun"]

_log = logging.getLogger("statera.web")

_WRITE_SECONDS = 0.1
_BEAT_SECONDS = 1.0
_RETRIES = 2


class JobRun:
    """Runs a job on a worker.

    Parameters
    ----------
    leases
    job, task
    folder
        Of the job.
    grace_seconds
        How long a task that was asked to stop may take to keep what it has.
    """

    def __init__(
        self, leases: JobLeases, job: Job, task: Task, folder: Path, grace_seconds: float
    ) -> None:
        self._leases = leases
        self._job = job
        self._task = task
        self._folder = folder
        self._grace = grace_seconds
        self._events = EventBuffer()
        self._unsaved: list[Event] = []
        self._files: list[tuple[str, str, int]] = []
        self._heeding = asyncio.Event()
        self._stop = asyncio.Event()
        self._reason = ""
        self._ended = False

    def stop(self, reason: str) -> None:
        """Let the task stop: ``cancel``, ``shutdown``, ``time`` or ``lost``; the first counts."""
        self._reason = self._reason or reason
        self._stop.set()

    def heed(self) -> None:
        """Look into the database at once whether somebody wants the job to stop."""
        self._heeding.set()

    async def run(self, worker: Callable[[], Awaitable[WorkerProcess]]) -> None:
        """Compute; `worker` gives a warm one.

        Raises
        ------
        WorkerDied
            If no worker can be started: the job is back in the queue then.
        """
        await self._write(self._recover)
        keeping = asyncio.create_task(self._keep())
        try:
            try:
                process = await worker()
            except WorkerDied:
                await self._give_back("waiting")
                raise
            outcome = await self._compute(process)
        finally:
            # not cancelled: a write in mid-air would be written again
            self._ended = True
            self._heeding.set()
            await keeping
        await self._write(self._save)
        await self._settle(outcome)

    async def _recover(self) -> None:
        """Write down what attempts before told and a server that ended did not write."""
        missed = EventBuffer()
        for event in await asyncio.to_thread(_unwritten, self._folder, self._job.told):
            missed.add(event)
        told = missed.take()
        if told:
            await asyncio.to_thread(self._leases.tell, self._job, told, missed.last_number)

    async def _compute(self, process: WorkerProcess) -> Frame | WorkerDied:
        head = _head(self._job, self._folder)
        reply = asyncio.ensure_future(process.run(head, self._job.request.encode(), self._take))
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait(
                (reply, stopping), timeout=self._task.seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if not reply.done():
                self.stop("time")
                if self._reason != "lost":
                    process.interrupt()
                    await asyncio.wait((reply,), timeout=self._grace)
            if not reply.done():
                await process.kill()
            return await reply
        except WorkerDied as died:
            return died
        finally:
            stopping.cancel()
            if not reply.done():
                await process.kill()
                reply.cancel()

    def _take(self, frame: Frame) -> None:
        head, _ = frame
        if head["kind"] == "progress":
            self._events.add(head)
        elif head["kind"] == "file":
            self._files.append((head["name"], head["media_type"], head["size"]))

    async def _keep(self) -> None:
        """Write events, prolong the lease, and heed whoever wants the job to stop."""
        beaten = time.monotonic()
        while not self._ended:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._heeding.wait(), _WRITE_SECONDS)
            try:
                await self._save()
                if self._heeding.is_set() or time.monotonic() - beaten > _BEAT_SECONDS:
                    self._heeding.clear()
                    found = await asyncio.to_thread(self._leases.beat, self._job)
                    beaten = time.monotonic()
                    if found != "held":
                        self.stop(found)
            except SQLAlchemyError as error:
                _log.error("job %s: the database fails: %s", self._job.id, type(error).__name__)
                if time.monotonic() - beaten > LEASE_SECONDS:
                    self.stop("lost")  # others may have it by now
                await asyncio.sleep(_BEAT_SECONDS)

    async def _save(self) -> None:
        self._unsaved += self._events.take()
        while self._files:
            await asyncio.to_thread(self._leases.keep_file, self._job, *self._files[0])
            self._files.pop(0)
        if self._unsaved:
            number = self._events.last_number
            held = await asyncio.to_thread(self._leases.tell, self._job, self._unsaved, number)
            self._unsaved = []
            if not held:
                self.stop("lost")

    async def _settle(self, outcome: Frame | WorkerDied) -> None:
        """Write down how it ended; what another server has taken is left to that one."""
        kind = "died" if isinstance(outcome, WorkerDied) else outcome[0]["kind"]
        if self._reason == "lost":
            return
        if kind == "answer":
            await self._end("done", "done")
        elif self._reason == "cancel":
            await self._end("cancelled", "cancelled")
        elif self._reason == "shutdown":
            words = "stopped with the server; it goes on when the server is back"
            await self._give_back(words)
        elif self._reason == "time":
            what = f"this took longer than {self._task.seconds:g} s and was stopped"
            await self._fail(what, "Ask for less, or resume it: it goes on where it was.", "time")
        elif isinstance(outcome, WorkerDied):
            await self._died(outcome)
        elif kind == "failure":
            error = outcome[0]["error"]
            await self._end("failed", str(error["what"])[:1000], error)
        elif kind == "bug":
            found = bug(self._task.name, outcome[0]["trace"])
            await self._fail(found.what, found.hint, "bug")
        else:
            await self._fail("the task stopped by itself", "Resume it.", "bug")

    async def _died(self, died: WorkerDied) -> None:
        _log.error("job %s (%s): %s", self._job.id, self._task.name, died)
        deaths = self._job.deaths + 1
        if deaths <= _RETRIES:
            words = f"the process was ended by the system; tried again ({deaths} of {_RETRIES})"
            await self._give_back(words, death=True)
            return
        what = "the process that computed this was ended by the system, three times"
        hint = "It may need more memory than there is: ask for less."
        await self._fail(what, hint, "worker-died")

    async def _fail(self, what: str, hint: str, kind: str) -> None:
        error = {"what": what, "where": self._task.name, "hint": hint, "kind": kind}
        await self._end("failed", what, error)

    async def _end(self, status: str, message: str, error: dict[str, Any] | None = None) -> None:
        await self._write(
            lambda: asyncio.to_thread(self._leases.end, self._job, status, message, error)
        )

    async def _give_back(self, message: str, *, death: bool = False) -> None:
        await self._write(
            lambda: asyncio.to_thread(self._leases.give_back, self._job, message, death=death)
        )

    async def _write(self, change: Callable[[], Awaitable[None]]) -> None:
        """Change the database, trying for as long as the lease may be believed."""
        until = time.monotonic() + LEASE_SECONDS
        while True:
            try:
                await change()
            except SQLAlchemyError as error:
                _log.error("job %s: the database fails: %s", self._job.id, type(error).__name__)
                if time.monotonic() > until:
                    return  # the lease runs out, and a server with a database takes it up
                await asyncio.sleep(_BEAT_SECONDS)
            else:
                return


def _unwritten(folder: Path, number: int) -> list[dict[str, Any]]:
    return list(journal.read_after(folder, number))


def _head(job: Job, folder: Path) -> dict[str, Any]:
    return {
        "task": job.task,
        "attempt": job.attempt,
        "uploads": json.loads(job.uploads),
        "folder": str(folder),
    }
