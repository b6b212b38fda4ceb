from __future__ import annotations

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
