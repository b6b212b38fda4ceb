"""The pool of workers: answers, failures, limits, turns, cache."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from statera.web.server.answer_cache import canonical_json
from statera.web.server.failure import Failure
from statera.web.server.pool import Pool, PoolLimits
from statera.web.server.worker_process import WorkerCommand

from .run_alone import run_alone
from .small_tasks import TASKS, Text

_SMALL = "tests.unit.web.server.small_tasks"
_COMMAND = WorkerCommand(f"{_SMALL}:TASKS")
_COMPILING = WorkerCommand(f"{_SMALL}:TASKS", f"{_SMALL}:load_numba")
_SLOW_TO_WARM = WorkerCommand(f"{_SMALL}:TASKS", f"{_SMALL}:slow_warm_up")


@asynccontextmanager
async def running(command: WorkerCommand = _COMMAND, **limits: int) -> AsyncIterator[Pool]:
    pool = Pool(command, PoolLimits(**{"workers": 1} | limits))
    pool.start()
    try:
        yield pool
    finally:
        await pool.stop()


async def ask(pool: Pool, name: str, text: str = "", seconds: float = 0.0, user: str = "a") -> Any:
    task = TASKS[name]
    body = canonical_json(Text(text=text, seconds=seconds))
    answer = await pool.ask(user, task, body, {}, public=task.cacheable)
    return json.loads(answer)["result"]


def run(
    test: Callable[[Pool], Awaitable[None]], command: WorkerCommand = _COMMAND, **limits: int
) -> None:
    async def whole() -> None:
        async with running(command, **limits) as pool:
            await asyncio.wait_for(test(pool), 60)

    run_alone(whole())


def test_answers_come_through_unread() -> None:
    async def test(pool: Pool) -> None:
        assert (await ask(pool, "echo", "Σ"))["text"] == "Σ"
        assert pool.ready == 1

    run(test)


@pytest.mark.parametrize(
    ("text", "status", "kind", "word"),
    [
        ("unknown", 422, "input", "no model is called 'decker'"),
        ("domain", 422, "domain", "outside"),
        ("memory", 422, "too-large", "more memory"),
        ("bug", 500, "bug", "bug in Statera"),
        ("killed", 500, "worker-died", "ended by the system"),
        ("exit", 500, "worker-died", "ended by the system"),
    ],
)
def test_failures_are_told_in_words(
    text: str, status: int, kind: str, word: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def test(pool: Pool) -> None:
        with pytest.raises(Failure) as failed:
            await ask(pool, "fail", text)
        assert (failed.value.status, failed.value.kind) == (status, kind)
        assert word in failed.value.what
        assert "ZeroDivision" not in failed.value.what + failed.value.hint
        assert (await ask(pool, "echo", "still here"))["text"] == "still here"

    run(test)
    assert "secret" not in caplog.text
    assert ("small_tasks.py" in caplog.text) == (text == "bug")


def test_a_worker_past_its_time_is_replaced() -> None:
    async def test(pool: Pool) -> None:
        before = (await ask(pool, "echo"))["pid"]
        with pytest.raises(Failure, match="504") as failed:
            await ask(pool, "echo", seconds=30)
        assert failed.value.kind == ""
        assert (await ask(pool, "echo"))["pid"] != before

    run(test)


def test_compiling_is_not_counted_and_is_not_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(pool: Pool) -> None:
        pid = (await ask(pool, "compiles", seconds=1.5))["pid"]  # three times its limit
        with pytest.raises(Failure, match="504"):
            await ask(pool, "compiles", "5", seconds=0.7)
        replaced = await ask(pool, "compiles")
        assert replaced["pid"] != pid
        monkeypatch.setattr("statera.web.server.pool._ABANDONED_SECONDS", 0.2)
        left = asyncio.create_task(ask(pool, "compiles", "30", seconds=1.5))
        await asyncio.sleep(0.3)
        begun = asyncio.get_running_loop().time()
        left.cancel()  # given up soon, but only when it has compiled
        after = await ask(pool, "compiles")
        assert after["pid"] != replaced["pid"]
        assert 1.0 < asyncio.get_running_loop().time() - begun < 20.0

    run(test, _COMPILING)


def test_a_worker_that_still_warms_up_is_waited_for() -> None:
    async def test(pool: Pool) -> None:
        assert (await ask(pool, "echo", seconds=0.1))["text"] == ""

    run(test, _SLOW_TO_WARM)


def test_a_question_survives_the_death_of_one_worker() -> None:
    async def test(pool: Pool) -> None:
        pid = (await ask(pool, "echo"))["pid"]
        waiting = asyncio.create_task(ask(pool, "echo", "again", seconds=0.3))
        await asyncio.sleep(0.1)
        os.kill(pid, signal.SIGKILL)
        answer = await waiting
        assert answer["text"] == "again"
        assert answer["pid"] != pid

    run(test)


def test_a_worker_that_dies_while_it_compiles_is_replaced_and_compiles_again() -> None:
    async def test(pool: Pool) -> None:
        await ask(pool, "compiles")
        [pid] = pool.pids
        waiting = asyncio.create_task(ask(pool, "compiles", seconds=1.2))
        await asyncio.sleep(0.4)
        os.kill(pid, signal.SIGKILL)
        answer = await waiting
        assert answer["pid"] != pid
        assert answer["compiled"] == [1.2]
        assert pool.counts["deaths"] == 1

    run(test, _COMPILING)


def test_what_nobody_waits_for_is_dropped() -> None:
    async def test(pool: Pool) -> None:
        await ask(pool, "echo")
        first = asyncio.create_task(ask(pool, "echo", "running", seconds=0.3))
        await asyncio.sleep(0.1)
        old = [asyncio.create_task(ask(pool, "echo", str(n), seconds=1)) for n in range(5)]
        await asyncio.sleep(0)
        assert pool.waiting == 5
        for task in old:
            task.cancel()
        newest = asyncio.create_task(ask(pool, "echo", "newest"))
        await asyncio.gather(*old, return_exceptions=True)
        assert pool.waiting == 1
        assert pool.counts["dropped"] == 5
        assert [(await first)["text"], (await newest)["text"]] == ["running", "newest"]

    run(test)


def test_users_take_turns() -> None:
    async def test(pool: Pool) -> None:
        await ask(pool, "echo")
        order: list[str] = []

        async def one(user: str, number: int) -> None:
            await ask(pool, "echo", user, 0.02, user)
            order.append(f"{user}{number}")

        waiting = [one(user, n) for user, n in [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2)]]
        await asyncio.gather(*waiting)
        assert order == ["a1", "b1", "a2", "b2", "a3"]

    run(test)


def test_a_full_queue_is_told() -> None:
    async def test(pool: Pool) -> None:
        await ask(pool, "echo")
        waiting = [asyncio.create_task(ask(pool, "echo", str(n), 0.1)) for n in range(3)]
        await asyncio.sleep(0.02)
        waiting += [asyncio.create_task(ask(pool, "echo", "more", 0.1)) for _ in range(2)]
        found = await asyncio.gather(*waiting, return_exceptions=True)
        refused = [failure for failure in found if isinstance(failure, Failure)]
        assert refused
        assert all(failure.status == 503 and failure.retry_after for failure in refused)

    run(test, waiting=3)


def test_equal_questions_share_an_answer_and_it_is_kept() -> None:
    async def test(pool: Pool) -> None:
        await ask(pool, "echo")
        found = await asyncio.gather(*(ask(pool, "kept", "same", 0.1, u) for u in "abc"))
        assert len({answer["pid"] for answer in found}) == 1
        assert pool.counts["shared"] == 2
        await ask(pool, "kept", "same", 0.1)
        assert pool.counts["from_cache"] == 1
        assert pool.counts["answers"] == 2

    run(test)


def test_one_of_those_who_share_may_leave() -> None:
    async def test(pool: Pool) -> None:
        first = asyncio.create_task(ask(pool, "kept", "same", 0.2))
        second = asyncio.create_task(ask(pool, "kept", "same", 0.2))
        await asyncio.sleep(0.01)
        first.cancel()
        assert (await second)["text"] == "same"

    run(test)


def test_a_worker_that_holds_too_much_is_replaced() -> None:
    async def test(pool: Pool) -> None:
        pids = {(await ask(pool, "echo"))["pid"] for _ in range(2)}
        assert len(pids) == 2

    run(test, resident_bytes=1)


def test_long_work_that_nobody_waits_for_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statera.web.server.pool._ABANDONED_SECONDS", 0.5)

    async def test(pool: Pool) -> None:
        pid = (await ask(pool, "kept"))["pid"]
        left = asyncio.create_task(ask(pool, "kept", "left", seconds=60))
        await asyncio.sleep(0.1)
        left.cancel()
        answer = await asyncio.wait_for(ask(pool, "echo", "next"), 20)
        assert answer["text"] == "next"
        assert answer["pid"] != pid
        assert pool.counts["deaths"] == 0
        assert not pool._shared

    run(test)


def test_who_comes_back_in_time_gets_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statera.web.server.pool._ABANDONED_SECONDS", 0.3)

    async def test(pool: Pool) -> None:
        pid = (await ask(pool, "kept"))["pid"]
        left = asyncio.create_task(ask(pool, "kept", "wanted", seconds=1.0))
        await asyncio.sleep(0.1)
        left.cancel()
        await asyncio.sleep(0)
        assert (await ask(pool, "kept", "wanted", seconds=1.0))["pid"] == pid
        assert pool.counts["shared"] == 1

    run(test)


@pytest.mark.parametrize(("text", "again"), [("bug", False), ("memory", False), ("domain", True)])
def test_a_worker_whose_work_was_broken_off_is_not_trusted_again(text: str, again: bool) -> None:
    async def test(pool: Pool) -> None:
        pid = (await ask(pool, "echo"))["pid"]
        with pytest.raises(Failure):
            await ask(pool, "fail", text)
        assert ((await ask(pool, "echo"))["pid"] == pid) is again

    run(test)


def test_a_worker_that_ends_while_it_waits_is_replaced_at_once() -> None:
    async def test(pool: Pool) -> None:
        pid = (await ask(pool, "echo"))["pid"]
        os.kill(pid, signal.SIGKILL)
        while pool.pids in ([], [pid]):
            await asyncio.sleep(0.02)
        assert (await ask(pool, "echo"))["pid"] != pid
        assert pool.counts["deaths"] == 0

    run(test)


def test_questions_end_with_the_pool() -> None:
    async def whole() -> list[Any]:
        async with running() as pool:
            await ask(pool, "echo")
            asked = [asyncio.create_task(ask(pool, "echo", str(n), 1)) for n in range(3)]
            await asyncio.sleep(0.1)
        return await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 5)

    found = run_alone(whole())
    assert [(f.status, f.retry_after > 0) for f in found] == [(503, True)] * 3


def test_a_worker_goes_on_warming_up_while_nobody_asks() -> None:
    async def whole(ahead: bool) -> list[Any]:
        here = "tests.unit.web.server.small_tasks"
        command = WorkerCommand(f"{here}:TASKS", f"{here}:warm_up", ahead=ahead)
        pool = Pool(command, PoolLimits(workers=1))
        pool.start()
        try:
            found = [await ask(pool, "warm")]
            await asyncio.sleep(0.2)
            return [*found, await ask(pool, "warm")]
        finally:
            await pool.stop()

    cold, warm = run_alone(whole(ahead=True))
    assert cold[0] == 0
    assert warm == [0, 1, 2]
    assert run_alone(whole(ahead=False)) == [[0], [0]]


def test_while_one_warms_up_the_other_answers() -> None:
    async def test(pool: Pool) -> None:
        while pool.ready < 2:
            await asyncio.sleep(0.02)
        begun = asyncio.get_running_loop().time()
        for _ in range(5):
            await ask(pool, "echo")
        assert asyncio.get_running_loop().time() - begun < 2.0  # a step takes 3 s
        assert pool.counts["deaths"] == 0

    run(test, _SLOW_TO_WARM, workers=2)


def test_a_warm_up_that_fails_is_logged_and_not_tried_for_ever(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test(pool: Pool) -> None:
        while "not warmed up" not in caplog.text:
            await asyncio.sleep(0.02)
        answers = [await ask(pool, "echo") for _ in range(3)]
        assert len({answer["pid"] for answer in answers}) == 1

    run(test, WorkerCommand(f"{_SMALL}:TASKS", f"{_SMALL}:broken_warm_up"))
    assert caplog.text.count("not warmed up") == 1
    assert "ZeroDivisionError" in caplog.text
    assert "secret" not in caplog.text
