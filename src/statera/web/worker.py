"""The program of a worker process, ``python -m statera.web.worker``; see :func:`main`.

It reads requests from standard input and writes answers to what was standard output when it began.
Whatever libraries print goes nowhere: it may hold what a user sent, and logs may not.
"""

from __future__ import annotations

import _thread
import ctypes
import faulthandler
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

from statera.errors import DomainError, NumericalError, StateraError, UsageError
from statera.web.compiling import watch_compiling
from statera.web.frames import Frame, pack, read_frame
from statera.web.named import load
from statera.web.task import Task
from statera.web.worker_memory import limited_memory, resident_bytes
from statera.web.worker_work import WorkerWork

__all__ = ["Worker", "main"]

_KINDS = ((DomainError, "domain"), (NumericalError, "numerical"), (UsageError, "usage"))
_OVER = object()
_TOO_LARGE = {
    "what": "this needs more memory than one request may use",
    "where": "the request",
    "hint": "Ask for less: fewer subjects, a shorter time, a coarser grid or a smaller file.",
    "kind": "too-large",
}


class Worker:
    """Runs one task after the other in the main thread, where interrupts arrive.

    Parameters
    ----------
    catalogue
        Tasks by name.
    send
        Takes frames.
    """

    def __init__(self, catalogue: dict[str, Task], send: Callable[[bytes], None]) -> None:
        self._catalogue = catalogue
        self._send = send
        self._busy = False
        self._compiling = False
        self._telling = False
        self._unwanted = False

    def interrupt(self, _: int, __: FrameType | None) -> None:
        """Cancel the task that runs; without one, do nothing (the signal came too late).

        What compiles goes on until that is done and kept: whoever asks next needs it too. A frame
        is sent to its end: half of one would make nonsense of all that follow.
        """
        if self._busy and (self._compiling or self._telling):
            self._unwanted = True
        elif self._busy:
            self._busy = False  # one interrupt is enough: what cleans up is left in peace
            raise KeyboardInterrupt

    def compiles(self, begins: bool) -> None:
        """Tell the server, whose clock stands meanwhile."""
        self._compiling = True
        if self._busy:
            self._tell(pack({"kind": "compiling" if begins else "compiled"}))
        self._compiling = begins
        self._heed()

    def _tell(self, frame: bytes) -> None:
        """Send a frame of a task that goes on."""
        if threading.current_thread() is not threading.main_thread():
            self._send(frame)  # no interrupt arrives here
            return
        self._telling = True
        try:
            self._send(frame)
        finally:
            self._telling = False
        self._heed()

    def _heed(self) -> None:
        """Let an interrupt that had to wait arrive in the main thread."""
        if self._unwanted and not self._compiling:
            self._unwanted = False
            _thread.interrupt_main()

    def answer(self, head: dict[str, Any], body: bytes) -> None:
        """Run one task and send its answer or its failure."""
        try:
            try:
                self._busy = True
                self._tell(pack({"kind": "begun"}))
                answer = self._run(head, body)
            finally:
                self._busy = self._unwanted = False
        except KeyboardInterrupt:
            self._send(pack({"kind": "cancelled"}))
        except MemoryError:
            self._fail(422, _TOO_LARGE)
        except StateraError as error:
            self._fail(422, _in_words(error))
        except Exception as error:
            self._bug(error)
        else:
            self._send(pack({"kind": "answer", "resident": resident_bytes()}, answer))

    def warm_up(self, steps: Iterator[None]) -> None:
        """Take one step, and say whether there are more."""
        try:
            more = next(steps, _OVER) is not _OVER
        except Exception as error:
            self._bug(error)
        else:
            self._send(pack({"kind": "warmed", "more": more, "resident": resident_bytes()}))

    def _run(self, head: dict[str, Any], body: bytes) -> bytes:
        task = self._catalogue[head["task"]]
        run = load(task.run)
        request = task.request.model_validate_json(body)
        with (
            WorkerWork(head, self._tell) as work,
            limited_memory(task.memory_mb * 1024 * 1024),
        ):
            answer: bytes = run(request, work).to_json()
            return work.keep_result(answer)

    def _fail(self, status: int, error: dict[str, str]) -> None:
        self._send(
            pack(
                {"kind": "failure", "status": status, "error": error, "resident": resident_bytes()}
            )
        )

    def _bug(self, error: Exception) -> None:
        # places in the code, but not the words of the exception: they may hold what a user sent
        places = [
            f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        trace = f"{type(error).__name__} at " + " < ".join(reversed(places[-12:]))
        self._send(pack({"kind": "bug", "trace": trace, "resident": resident_bytes()}))


def _in_words(error: StateraError) -> dict[str, str]:
    kind = next((word for of, word in _KINDS if isinstance(error, of)), "input")
    where = "" if error.where is None else str(error.where)
    return {"what": error.what, "where": where, "hint": error.hint, "kind": kind}


def _read(stream: BinaryIO, frames: queue.Queue[Frame]) -> None:
    """Hand frames to the main thread; end the process when the server is gone."""
    while (frame := read_frame(stream)) is not None:
        frames.put(frame)
    os._exit(0)


def _end_with(parent: int) -> None:
    """End with the server even while native code holds the interpreter (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(0)


def main(catalogue: str, warm_up: str, parent: str, nice: str) -> None:
    """Serve until the server closes the pipe.

    Parameters
    ----------
    catalogue
        Where the tasks are listed: ``"module:name"``.
    warm_up
        A generator function: what comes before its first ``yield`` is done before the first
        request, the rest step by step as the server says. Empty for none.
    parent
        Number of the process of the server.
    nice
        Added to the niceness.
    """
    os.nice(int(nice))
    _end_with(int(parent))
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    faulthandler.enable(os.fdopen(os.dup(2), "w"))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    lock = threading.Lock()

    def send(frame: bytes) -> None:
        with lock:
            answers.write(frame)
            answers.flush()

    worker = Worker(load(catalogue), send)
    signal.signal(signal.SIGINT, worker.interrupt)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    steps: Iterator[None] = load(warm_up)() if warm_up else iter(())
    next(steps, None)
    watch_compiling(worker.compiles)
    frames: queue.Queue[Frame] = queue.Queue()
    threading.Thread(target=_read, args=(requests, frames), daemon=True).start()
    send(pack({"kind": "ready", "resident": resident_bytes()}))
    while True:
        head, body = frames.get()
        if head.get("kind") == "warm up":
            worker.warm_up(steps)
        else:
            worker.answer(head, body)


if __name__ == "__main__":
    main(*sys.argv[1:])
