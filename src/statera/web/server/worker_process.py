"""A worker process, seen from the server."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from statera.web.frames import Frame, pack, read_frame_async

__all__ = ["WorkerCommand", "WorkerDied", "WorkerProcess"]

_THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
    "POLARS_MAX_THREADS",
)  # fmt: skip
_CHUNK = 1024 * 1024
_END_SECONDS = 2.0
_BEFORE_THE_LAST = ("begun", "compiling", "compiled", "progress", "file")


class WorkerDied(Exception):  # noqa: N818  it is what happened
    """A worker ended without an answer."""


@dataclass(frozen=True)
class WorkerCommand:
    """How workers are started.

    Attributes
    ----------
    catalogue
        Where the tasks are listed: ``"module:name"``.
    warm_up
        What runs before the first request: ``"module:name"``, or empty.
    threads
        Of numeric libraries in one worker.
    nice
        Added to the niceness of the server.
    ahead
        Whether it warms up beyond the first step, while nobody asks for anything.
    """

    catalogue: str
    warm_up: str = ""
    threads: int = 1
    nice: int = 0
    ahead: bool = True

    def arguments(self) -> list[str]:
        """Return the command line."""
        return [
            sys.executable, "-m", "statera.web.worker",
            self.catalogue, self.warm_up, str(os.getpid()), str(self.nice),
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        """Return the environment: that of the server, its search path, and threads."""
        found = dict(os.environ)
        found["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        # arenas of the allocator grow with threads; two are enough for a worker
        found.setdefault("MALLOC_ARENA_MAX", "2")
        return found | dict.fromkeys(_THREADS, str(self.threads))


class WorkerProcess:
    """A running worker. Made by :meth:`start`; one request at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.resident = 0
        """Bytes it held when it last answered."""
        self.spent = False
        """Whether it must not be asked again: what an interrupt, a bug or a lack of memory broke
        off may be half an import, and would fail for everybody who comes after."""

    @classmethod
    async def start(cls, command: WorkerCommand, seconds: float) -> WorkerProcess:
        """Start a worker and wait until it is warm.

        Raises
        ------
        WorkerDied
            If it ends, or is not ready within `seconds`.
        """
        beginning = asyncio.ensure_future(
            asyncio.create_subprocess_exec(
                *command.arguments(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=command.environment(),
                limit=_CHUNK,
                start_new_session=True,  # an interrupt at the terminal is for the server alone
            )
        )
        try:
            worker = cls(await asyncio.shield(beginning))
        except asyncio.CancelledError:
            await cls(await beginning).kill()
            raise
        try:
            frame = await asyncio.wait_for(worker._receive(), seconds)
        except BaseException as failed:
            await worker.kill()
            if isinstance(failed, TimeoutError):
                raise WorkerDied("the worker is not ready in time") from failed
            raise
        worker.resident = frame[0].get("resident", 0)
        return worker

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.returncode is None

    async def run(
        self, head: Mapping[str, Any], body: bytes, told: Callable[[Frame], None] | None = None
    ) -> Frame:
        """Send a request and return the frame that ends it.

        Parameters
        ----------
        head, body
            Of the request.
        told
            Takes frames before the last: what it does (``begun``, ``compiling``, ``compiled``),
            progress and files.

        Raises
        ------
        WorkerDied
            If it ends before it answers.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(pack(head, body))
            await self._process.stdin.drain()
        except ConnectionError as broken:
            raise WorkerDied("the worker is gone") from broken
        while True:
            frame = await self._receive()
            if frame[0]["kind"] in _BEFORE_THE_LAST:
                if told is not None:
                    told(frame)
                continue
            self.resident = frame[0].get("resident", self.resident)
            self.spent = self.spent or _broke_off(frame)
            return frame

    async def warm_up(self) -> Frame:
        """Let it take one more step of warming up; the frame says whether there are ``more``.

        Raises
        ------
        WorkerDied
            If it ends.
        """
        return await self.run({"kind": "warm up"}, b"")

    async def _receive(self) -> Frame:
        assert self._process.stdout is not None
        frame = await read_frame_async(self._process.stdout)
        if frame is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _END_SECONDS)
            await self.kill()  # it closed the pipe, or sends nonsense, and lives on
            raise WorkerDied(_ended(self._process.returncode))
        return frame

    async def wait(self) -> None:
        """Wait until it has ended."""
        await self._process.wait()

    def interrupt(self) -> None:
        """Ask the task that runs to stop."""
        self.spent = True
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGINT)

    async def kill(self) -> None:
        """End it and what it has started, and wait for that even if the caller is cancelled."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # it leads a group of its own
        ending = asyncio.ensure_future(self._process.wait())
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            await ending
            raise


def _broke_off(frame: Frame) -> bool:
    kind = frame[0]["kind"]
    return kind == "bug" or bool(kind == "failure" and frame[0]["error"]["kind"] == "too-large")


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"the worker was ended by {signal.Signals(-code).name}"
    return f"the worker ended with exit code {code}"
