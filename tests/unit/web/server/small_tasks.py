"""Tasks for tests: small, and wrong in ways that tests need."""

from __future__ import annotations

import importlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, Field

from statera.errors import DomainError, UnknownNameError
from statera.web.answer import Answer
from statera.web.task import Request, Task, UploadId
from statera.web.work import Work


class Text(Request):
    text: str = ""
    seconds: float = 0.0
    schema_: Annotated[str, Field(alias="schema")] = "text/1"


class Inner(BaseModel):
    file: UploadId
    more: dict[str, UploadId] = {}


class Files(Request):
    first: UploadId | None = None
    rest: list[UploadId] = []  # noqa: RUF012  pydantic copies defaults
    inner: Inner | None = None
    pair: tuple[UploadId, Annotated[str, "a label"]] | None = None


def echo(request: Text, work: Work) -> Answer:
    print("what a library prints must not reach the frames")
    time.sleep(request.seconds)
    return Answer("test/1", {"text": request.text, "pid": os.getpid(), "attempt": work.attempt})


def fail(request: Text, work: Work) -> Answer:
    match request.text:
        case "unknown":
            raise UnknownNameError("model", "decker", ["Decker_2024"], where="model")
        case "domain":
            raise DomainError("outside", where="age", hint="Choose another model.")
        case "bug":
            raise ZeroDivisionError(f"secret {request.text}")
        case "memory":
            return Answer("test/1", len(bytearray(200_000_000)))
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            os._exit(3)
    return Answer("test/1", None)


def files(request: Files, work: Work) -> Answer:
    names = [request.first, *request.rest]
    return Answer("test/1", [work.upload(name).name for name in names if name])


class Steps(Request):
    """A task that counts, keeps where it was, and may meet an accident."""

    steps: int = 5
    seconds: float = 0.02
    gate: int = -1
    """A step before which it waits until a file ``go`` is in its folder."""
    accident: str = ""
    at: int = -1
    attempts: int = 1
    """How many attempts the accident happens in."""


def steps(request: Steps, work: Work) -> Answer:
    kept = work.folder / "step"
    begin = int(kept.read_text("ascii")) if kept.exists() else 0
    for step in range(begin, request.steps):
        if step == request.at and work.attempt <= request.attempts:
            _accident(request.accident)
        try:
            while step == request.gate and not (work.folder / "go").exists():
                time.sleep(0.01)
            time.sleep(request.seconds)
        except KeyboardInterrupt:
            if request.accident != "deaf":
                raise
            time.sleep(60)
        part = kept.with_suffix(".part")
        part.write_text(str(step + 1), "ascii")
        part.replace(kept)  # whole or not at all: the process may be killed in between
        work.progress((step + 1) / request.steps, f"step {step + 1}", iteration=step + 1)
    work.save("counted.txt", str(request.steps).encode(), "text/plain; charset=utf-8")
    return Answer("test/1", {"begin": begin, "attempt": work.attempt})


def _accident(kind: str) -> None:
    match kind:
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "bug":
            raise ZeroDivisionError("secret")
        case "input":
            raise DomainError("outside", where="at", hint="Elsewhere.")
        case "memory":
            bytearray(500_000_000)


def chatter(request: Text, work: Work) -> Answer:
    for number in range(2000):
        work.progress(number / 2000, f"part {number}")
    return Answer("test/1", None)


def loud(request: Text, work: Work) -> Answer:
    """Tell more than a pipe holds, again and again."""
    for number in range(20):
        work.progress(None, f"part {number}", drawing="x" * 300_000)
    return Answer("test/1", None)


def load_numba() -> Iterator[None]:
    importlib.import_module("numba")
    yield


def slow_warm_up() -> Iterator[None]:
    yield
    time.sleep(3.0)  # longer than "echo" may take
    yield


def broken_warm_up() -> Iterator[None]:
    yield
    raise ZeroDivisionError("secret")


def compiles(request: Text, work: Work) -> Answer:
    """Pretend to compile for a while, then compute for as long as `text` says."""
    event = importlib.import_module("numba.core.event")
    for name in ("numba:compiler_lock", "numba:compiler_lock"):
        event.start_event(name)
    time.sleep(request.seconds)
    _KEPT.append(request.seconds)
    for name in ("numba:compiler_lock", "numba:compiler_lock"):
        event.end_event(name)
    time.sleep(float(request.text or 0))
    return Answer("test/1", {"pid": os.getpid(), "compiled": _KEPT})


def compiles_beside(request: Text, work: Work) -> Answer:
    """Pretend to compile in several threads."""
    lock: Any = importlib.import_module("numba.core.compiler_lock").global_compiler_lock

    def compile_much() -> None:
        for _ in range(200):
            with lock:
                pass

    threads = [threading.Thread(target=compile_much) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Answer("test/1", None)


_KEPT: list[float] = []


def warm_up() -> Iterator[None]:
    for step in range(3):
        _WARM.append(step)
        yield


_WARM: list[int] = []


def warm(request: Text, work: Work) -> Answer:
    return Answer("test/1", list(_WARM))


_HERE = "tests.unit.web.server.small_tasks"

TASKS = {
    task.name: task
    for task in (
        Task("echo", Text, f"{_HERE}:echo", "Gives back.", seconds=2.0),
        Task("kept", Text, f"{_HERE}:echo", "Gives back, and is kept.", cacheable=True),
        Task("fail", Text, f"{_HERE}:fail", "Fails.", memory_mb=100),
        Task("files", Files, f"{_HERE}:files", "Opens files.", cacheable=True),
        Task("steps", Steps, f"{_HERE}:steps", "Counts.", job=True, memory_mb=200),
        Task("short-steps", Steps, f"{_HERE}:steps", "Counts.", job=True, seconds=0.5),
        Task("chatter", Text, f"{_HERE}:chatter", "Tells much.", job=True),
        Task("loud", Text, f"{_HERE}:loud", "Tells at length.", job=True),
        Task("compiles", Text, f"{_HERE}:compiles", "Compiles.", seconds=0.5),
        Task("compiles-beside", Text, f"{_HERE}:compiles_beside", "Compiles."),
        Task("warm", Text, f"{_HERE}:warm", "Tells how warm it is."),
        Task("long", Text, f"{_HERE}:echo", "Takes long.", job=True),
    )
}
