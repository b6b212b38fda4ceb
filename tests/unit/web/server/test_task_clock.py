"""The time of a task counts its computing alone."""

from __future__ import annotations

import asyncio

from statera.web.server.task_clock import TaskClock

from .run_alone import run_alone


def seconds_until_over(*steps: tuple[float, str], limit: float = 0.3, other: float = 5.0) -> float:
    """Tell a clock what a worker does, each after a pause, and return when it lost patience."""

    async def whole() -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with TaskClock(limit, other) as clock:
                for pause, kind in steps:
                    await asyncio.sleep(pause)
                    clock.take(({"kind": kind}, b""))
                await asyncio.sleep(20)
        except TimeoutError:
            return loop.time() - began
        raise AssertionError("it was patient for 20 s")

    return run_alone(whole())


def test_it_begins_with_the_task() -> None:
    assert 0.8 <= seconds_until_over((0.5, "begun")) < 1.5


def test_it_stands_while_something_is_compiled() -> None:
    steps = [(0.0, "begun"), (0.1, "compiling"), (0.6, "compiled"), (0.1, "progress")]
    assert 0.9 <= seconds_until_over(*steps) < 1.5


def test_compiling_told_twice_gives_no_time() -> None:
    steps = [(0.0, "begun"), (0.1, "compiling"), (0.1, "compiling"), (0.1, "compiled")]
    assert 0.5 <= seconds_until_over(*steps) < 1.5


def test_compiled_without_compiling_gives_no_time() -> None:
    assert 0.3 <= seconds_until_over((0.0, "begun"), (0.2, "compiled")) < 0.45


def test_waiting_and_all_compiling_have_a_limit_too() -> None:
    again = [(0.1, "compiling"), (0.2, "compiled")] * 4
    assert 0.6 <= seconds_until_over((0.2, "begun"), *again, limit=9.0, other=0.5) < 1.2
    assert 0.2 <= seconds_until_over(other=0.2) < 1.0


def test_what_ends_in_time_is_left_in_peace() -> None:
    async def whole() -> str:
        async with TaskClock(0.3, 5.0) as clock:
            clock.take(({"kind": "begun"}, b""))
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.4)
        return "done"

    assert run_alone(whole()) == "done"
