"""Warm worker processes that answer requests somebody waits for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statera.web.frames import Frame
from statera.web.server.answer_cache import AnswerCache, question_key
from statera.web.server.failure import Failure
from statera.web.server.fair_queue import FairQueue
from statera.web.server.task_clock import TaskClock
from statera.web.server.worker_process import WorkerCommand, WorkerDied, WorkerProcess
from statera.web.task import Task

__all__ = ["Pool", "PoolLimits", "Question"]

_log = logging.getLogger("statera.web")

_START_SECONDS = 900.0
"""The first worker of a new installation compiles what the others load."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_ABANDONED_SECONDS = 10.0
"""What nobody waits for any more may run so long; then its worker is replaced, which costs as much
as most answers: short work is left to end."""
_DEATHS = 2
"""A question that ended this many workers is given up."""


@dataclass(frozen=True)
class PoolLimits:
    """What a pool holds.

    Attributes
    ----------
    workers
        Processes.
    waiting
        Questions that may wait, of all users.
    cache_bytes
        Of answers that are kept.
    resident_bytes
        A worker that holds more than this after an answer is replaced by a fresh one.
    """

    workers: int = 2
    waiting: int = 512
    cache_bytes: int = 32 * 1024 * 1024
    resident_bytes: int = 1536 * 1024 * 1024


@dataclass(eq=False)
class Question:
    """A request on its way.

    Attributes
    ----------
    user
        Who asks first.
    task
    head, body
        Of the frame for the worker.
    answer
        Where its answer appears.
    asking
        How many wait for it; without any it is dropped if it has not begun.
    deaths
        Of workers that had it.
    clock
        While it is being computed.
    """

    user: str
    task: Task
    head: Mapping[str, Any]
    body: bytes
    answer: asyncio.Future[bytes]
    asking: int = 0
    deaths: int = 0
    clock: TaskClock | None = None


class Pool:
    """A queue of questions and the workers that answer them.

    Parameters
    ----------
    command
        How workers are started.
    limits
    """

    def __init__(self, command: WorkerCommand, limits: PoolLimits) -> None:
        self._command = command
        self._limits = limits
        self._queue: FairQueue[Question] = FairQueue(limits.waiting)
        self._cache = AnswerCache(limits.cache_bytes)
        self._shared: dict[bytes, Question] = {}
        self._lanes: list[asyncio.Task[None]] = []
        self._workers: dict[int, WorkerProcess | None] = {}
        self._compiled = asyncio.Event()
        self._turn = asyncio.Event()
        """Set while no worker warms up: one after the other, so that the others can answer."""
        self._turn.set()
        self._warms_up = bool(command.warm_up) and command.ahead
        self.counts = {"answers": 0, "from_cache": 0, "shared": 0, "dropped": 0, "deaths": 0}

    def start(self) -> None:
        """Start the workers; returns before they are warm."""
        for lane in range(self._limits.workers):
            self._workers[lane] = None
            self._lanes.append(asyncio.create_task(self._serve(lane), name=f"worker {lane}"))

    async def stop(self) -> None:
        """End the workers; whoever still waits gets a failure."""
        for lane in self._lanes:
            lane.cancel()
        await asyncio.gather(*self._lanes, return_exceptions=True)
        self._lanes.clear()
        while len(self._queue):
            _fail(await self._queue.get(), _stopping())

    @property
    def ready(self) -> int:
        """How many workers are warm."""
        return sum(worker is not None and worker.alive for worker in self._workers.values())

    @property
    def waiting(self) -> int:
        """How many questions wait for a worker."""
        return len(self._queue)

    @property
    def pids(self) -> list[int]:
        """Numbers of the processes."""
        return [worker.pid for worker in self._workers.values() if worker is not None]

    async def ask(
        self, user: str, task: Task, body: bytes, uploads: Mapping[str, Any], *, public: bool
    ) -> bytes:
        """Return the answer of a task as JSON.

        Parameters
        ----------
        user
            Takes turns with other users.
        task, body
            The canonical request.
        uploads
            What the request names, by its id.
        public
            Whether the answer may be kept and given to anybody.

        Raises
        ------
        Failure
            In words, for every way in which it can fail.
        """
        key = question_key(task.name, body) if public else b""
        if key:
            kept = self._cache.get(key)
            if kept is not None:
                self.counts["from_cache"] += 1
                return kept
        question = self._shared.get(key) if key else None
        if question is None:
            question = self._put(user, task, body, uploads)
            if key:
                self._shared[key] = question
                question.answer.add_done_callback(lambda _: self._keep(key, question))
        else:
            self.counts["shared"] += 1
        question.asking += 1
        try:
            return await asyncio.shield(question.answer)
        finally:
            question.asking -= 1
            if not question.asking:
                self._abandon(question)

    def _abandon(self, question: Question) -> None:
        """Drop what has not begun; stop what goes on for long."""
        if self._queue.drop(question.user, question):
            self.counts["dropped"] += 1
            question.answer.cancel()
        elif question.clock is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(_ABANDONED_SECONDS, self._give_up, question)

    def _give_up(self, question: Question) -> None:
        if question.clock is not None and not question.asking:
            for key in [key for key, shared in self._shared.items() if shared is question]:
                del self._shared[key]  # who asks from now on begins anew
            question.clock.stop()

    def _put(self, user: str, task: Task, body: bytes, uploads: Mapping[str, Any]) -> Question:
        if not self._lanes:
            raise _stopping()
        if self._queue.is_full:
            raise Failure(
                503,
                "too many requests wait for an answer",
                hint="Try again in a moment.",
                retry_after=2,
            )
        head = {"task": task.name, "uploads": uploads}
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        question = Question(user, task, head, body, answer)
        self._queue.put(user, question)
        return question

    def _keep(self, key: bytes, question: Question) -> None:
        if self._shared.get(key) is question:
            del self._shared[key]
        done = question.answer
        if not done.cancelled() and done.exception() is None:
            self._cache.put(key, done.result())

    async def _serve(self, lane: int) -> None:
        """Keep one worker alive and give it question after question."""
        pause = _FIRST_PAUSE
        if lane:
            await self._compiled.wait()
        while True:
            try:
                worker = await WorkerProcess.start(self._command, _START_SECONDS)
            except (WorkerDied, OSError) as failed:
                _log.error("a worker could not be started: %s", failed)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            self._compiled.set()
            self._workers[lane] = worker
            try:
                await self._employ(worker)
            finally:
                self._workers[lane] = None
                await worker.kill()

    async def _employ(self, worker: WorkerProcess) -> None:
        """Give a worker questions, and time to warm up, for as long as it can be used."""
        cold = self._warms_up
        while worker.alive:
            cold = cold and self._warms_up
            question = await self._next(worker, cold)
            if question is not None:
                await self._answer(worker, question)
                if not self._fit(worker):
                    return
            elif cold and worker.alive and self._turn.is_set():
                cold = await self._warm_up(worker)

    async def _warm_up(self, worker: WorkerProcess) -> bool:
        """Warm a worker up until all others are busy and somebody waits; True if more is left."""
        self._turn.clear()
        try:
            while not self._queue:
                head, _ = await asyncio.wait_for(worker.warm_up(), _START_SECONDS)
                if head["kind"] != "warmed":
                    raise WorkerDied(str(head.get("trace", "")))
                if not head["more"]:
                    return False
        except (WorkerDied, TimeoutError) as failed:
            # the tasks load what they need themselves; another try would fail as well
            _log.error("workers are not warmed up any more: %s", failed or "it took too long")
            self._warms_up = False
            await worker.kill()
            return False
        finally:
            self._turn.set()
        return True

    def _fit(self, worker: WorkerProcess) -> bool:
        """Whether a worker may be asked again."""
        small = worker.resident <= self._limits.resident_bytes
        return worker.alive and not worker.spent and small

    async def _next(self, worker: WorkerProcess, cold: bool) -> Question | None:
        """Return the next question; None if the worker ends, or it is its turn to warm up."""
        asked = asyncio.ensure_future(self._queue.get())
        others: list[asyncio.Future[Any]] = [asyncio.ensure_future(worker.wait())]
        if cold:
            others.append(asyncio.ensure_future(self._turn.wait()))
        try:
            await asyncio.wait((asked, *others), return_when=asyncio.FIRST_COMPLETED)
            return asked.result() if asked.done() else None
        except asyncio.CancelledError:
            if asked.done():  # whoever stops the pool finds it in the queue
                self._queue.put(asked.result().user, asked.result(), first=True)
            raise
        finally:
            asked.cancel()
            for other in others:
                other.cancel()

    async def _answer(self, worker: WorkerProcess, question: Question) -> None:
        seconds = question.task.seconds
        try:
            async with TaskClock(seconds, _START_SECONDS) as clock:
                question.clock = clock
                frame = await worker.run(question.head, question.body, clock.take)
        except TimeoutError:
            await worker.kill()
            _fail(question, _too_long(seconds))
        except WorkerDied as died:
            self._died(question, died)
        except asyncio.CancelledError:
            _fail(question, _stopping())
            raise
        except Exception as error:  # one question must not end what answers all others
            await worker.kill()
            _fail(question, bug(question.task.name, f"{type(error).__name__} beside the worker"))
        else:
            self.counts["answers"] += 1
            _settle(question, frame)
        finally:
            question.clock = None

    def _died(self, question: Question, died: WorkerDied) -> None:
        self.counts["deaths"] += 1
        question.deaths += 1
        _log.error("task %s: %s", question.task.name, died)
        if question.deaths < _DEATHS and question.asking:
            # most tasks are innocent: the system may have ended the worker for memory
            self._queue.put(question.user, question, first=True)
            return
        what = "the process that computed this was ended by the system, twice"
        hint = "It may need more memory than there is: ask for less."
        _fail(question, Failure(500, what, question.task.name, hint, "worker-died"))


def _settle(question: Question, frame: Frame) -> None:
    head, body = frame
    match head["kind"]:
        case "answer":
            if not question.answer.done():
                question.answer.set_result(body)
        case "failure":
            error = head["error"]
            failure = Failure(head["status"], error["what"], error["where"], error["hint"])
            _fail(question, failure_with_kind(failure, error["kind"]))
        case "cancelled":
            _fail(question, _stopping())
        case _:
            _fail(question, bug(question.task.name, head.get("trace", "")))


def failure_with_kind(failure: Failure, kind: str) -> Failure:
    """Return a failure with its word for programs."""
    return Failure(failure.status, failure.what, failure.where, failure.hint, kind)


def bug(task: str, trace: str) -> Failure:
    """Log a bug under an id, and return the failure that tells the id and nothing else."""
    name = secrets.token_hex(6)
    _log.error("bug %s in task %s: %s", name, task, trace)
    hint = f"Tell whoever runs this server the number {name}: its log has the place in the code."
    return Failure(500, "this is a bug in Statera", task, hint, "bug")


def _fail(question: Question, failure: Failure) -> None:
    with contextlib.suppress(asyncio.InvalidStateError):
        question.answer.set_exception(failure)
        question.answer.exception()  # whoever asked may have gone: that is no error


def _too_long(seconds: float) -> Failure:
    return Failure(
        504,
        f"this took longer than {seconds:g} s and was stopped",
        hint="Ask for less, or start it as a job.",
    )


def _stopping() -> Failure:
    return Failure(503, "the server is stopping", hint="Try again in a minute.", retry_after=10)
