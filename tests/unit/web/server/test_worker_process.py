"""A worker that is interrupted, disturbed or broken at the worst moments."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from statera.web.frames import Frame
from statera.web.server.worker_process import WorkerCommand, WorkerDied, WorkerProcess

from .run_alone import run_alone

_SMALL = "tests.unit.web.server.small_tasks"
_COMMAND = WorkerCommand(f"{_SMALL}:TASKS", f"{_SMALL}:load_numba")


def with_worker(
    test: Callable[[WorkerProcess], Awaitable[None]], command: WorkerCommand = _COMMAND
) -> None:
    async def whole() -> None:
        worker = await WorkerProcess.start(command, 60)
        try:
            await asyncio.wait_for(test(worker), 60)
        finally:
            await worker.kill()

    run_alone(whole())


def head(task: str, folder: Path | None = None) -> dict[str, Any]:
    if folder is None:
        return {"task": task}
    for part in ("work", "files"):
        (folder / part).mkdir(exist_ok=True)
    return {"task": task, "folder": str(folder)}


def text(text: str = "", seconds: float = 0.0) -> bytes:
    return json.dumps({"text": text, "seconds": seconds}).encode()


def test_interrupts_break_no_frame_off(tmp_path: Path) -> None:
    moments = random.Random(1)
    kinds = []

    async def test(worker: WorkerProcess) -> None:
        for _ in range(25):  # each tells more than a pipe holds, to a server that reads slowly
            running = asyncio.ensure_future(
                worker.run(head("loud", tmp_path), text(), lambda _: time.sleep(0.002))
            )
            await asyncio.sleep(moments.random() * 0.04)
            assert not worker.spent or kinds
            worker.interrupt()
            kinds.append((await running)[0]["kind"])
            assert worker.spent
        frame = await worker.run(head("echo"), text("still here"))
        assert json.loads(frame[1])["result"]["text"] == "still here"

    with_worker(test)
    assert set(kinds) <= {"cancelled", "answer"}
    assert "cancelled" in kinds


def test_interrupts_while_it_compiles_wait_and_are_not_forgotten() -> None:
    told: list[str] = []

    async def test(worker: WorkerProcess) -> None:
        for moment in (0.0, 0.05, 0.1):
            told.clear()
            running = asyncio.ensure_future(
                worker.run(head("compiles"), text("20", 0.3), _kinds_into(told))
            )
            while "compiling" not in told:
                await asyncio.sleep(0.005)
            await asyncio.sleep(moment)
            for _ in range(5):
                worker.interrupt()
            began = time.monotonic()
            assert (await running)[0]["kind"] == "cancelled"
            assert time.monotonic() - began < 10
            assert told == ["begun", "compiling", "compiled"]
        kept = json.loads((await worker.run(head("compiles"), text()))[1])["result"]["compiled"]
        assert kept == [0.3, 0.3, 0.3, 0.0]

    with_worker(test)


def test_threads_that_compile_beside_each_other_are_told_in_turn() -> None:
    told: list[str] = []

    async def test(worker: WorkerProcess) -> None:
        frame = await worker.run(head("compiles-beside"), text(), _kinds_into(told))
        assert frame[0]["kind"] == "answer"

    with_worker(test)
    assert told[0] == "begun"
    assert told[1::2] == ["compiling"] * (len(told) // 2)
    assert told[2::2] == ["compiled"] * (len(told) // 2)


def _kinds_into(told: list[str]) -> Callable[[Frame], None]:
    return lambda frame: told.append(frame[0]["kind"])


@pytest.mark.parametrize(
    "said",
    [
        b"Segmentation fault, or whatever a library prints",
        b"\x00\x00\x00\x05\x00\x00\x00\x00hello",
        b"\x00\x00\x00\x02\x00\x00\x00\x00[]",
        b"\x00\x00\x00\x02\x00\x00\x00\x00{}",
        b"\xff\xff\xff\xff\xff\xff\xff\xff",
    ],
)
def test_a_worker_that_talks_nonsense_is_ended(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        f"import sys, time; sys.stdout.buffer.write({said!r}); sys.stdout.flush(); time.sleep(60)"
    )
    monkeypatch.setattr(WorkerCommand, "arguments", lambda _: [sys.executable, "-c", program])
    monkeypatch.setattr("statera.web.server.worker_process._END_SECONDS", 0.2)

    async def whole() -> None:
        with pytest.raises(WorkerDied):
            await WorkerProcess.start(_COMMAND, 30)

    began = time.monotonic()
    run_alone(whole())
    assert time.monotonic() - began < 20
