from __future__ import annotations

import os
import subprocess
import sys
import threading
from threading import Barrier

import pytest

from statera.parallel import available_workers, map_ordered


def test_there_is_at_least_one_worker() -> None:
    assert available_workers() >= 1


@pytest.mark.parametrize("workers", [-1, 0, 1, 2, 7, 100])
def test_results_keep_the_order_of_the_work(workers: int) -> None:
    items = list(range(50))
    assert map_ordered(lambda x: x * x, items, workers) == [x * x for x in items]


def test_nothing_to_do() -> None:
    assert map_ordered(str, [], 4) == []


def test_one_worker_stays_in_the_thread_of_the_caller() -> None:
    here = threading.get_ident()
    assert set(map_ordered(lambda _: threading.get_ident(), [1, 2, 3], 1)) == {here}


def test_workers_run_at_the_same_time() -> None:
    # Each waits for the other: one after the other would never pass.
    together = Barrier(2)
    assert sorted(map_ordered(lambda _: together.wait(timeout=30), ["a", "b"], 2)) == [0, 1]


@pytest.mark.parametrize("workers", [1, 3])
def test_an_error_in_the_work_reaches_the_caller(workers: int) -> None:
    def fail_at_two(x: int) -> int:
        if x == 2:
            raise ValueError("two")
        return x

    with pytest.raises(ValueError, match="two"):
        map_ordered(fail_at_two, [1, 2, 3], workers)


def test_the_error_of_the_first_item_that_failed_is_raised() -> None:
    with pytest.raises(ZeroDivisionError, match="7"):
        map_ordered(_fail_from_seven, list(range(100)), 4)


def _fail_from_seven(x: int) -> None:
    if x >= 7:
        raise ZeroDivisionError(str(x))


def test_work_may_ask_for_threads_itself() -> None:
    def square_all(x: int) -> list[int]:
        return map_ordered(lambda y: x * y, list(range(20)), 8)

    found = map_ordered(square_all, list(range(200)), 100)
    assert found == [[x * y for y in range(20)] for x in range(200)]


def test_threads_are_kept() -> None:
    before = threading.active_count()
    for _ in range(20):
        map_ordered(lambda x: x, list(range(8)), 2)
    assert threading.active_count() <= before + 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_a_forked_process_has_threads_of_its_own() -> None:
    program = (
        "import os\n"
        "from threading import Barrier\n"
        "from statera.parallel import map_ordered\n"
        "def both():\n"
        "    together = Barrier(2)\n"
        "    return len(map_ordered(lambda _: together.wait(timeout=20), [0, 1], 2))\n"
        "both()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(both())\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.strip() == "2"
