"""Threads over independent pieces of work, with results in the order of the work."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from threading import Lock
from typing import TypeVar, cast

__all__ = ["available_workers", "map_ordered"]

T = TypeVar("T")
R = TypeVar("R")

_MOST = 64
"""Threads kept beside that of the caller; they start when first needed."""


def available_workers() -> int:
    """Return the number of processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    """Return threads that stay: starting them anew costs as much as a thousand subjects."""
    return ThreadPoolExecutor(max_workers=_MOST, thread_name_prefix="statera")


if hasattr(os, "register_at_fork"):
    # a forked process has none of the threads
    os.register_at_fork(after_in_child=_pool.cache_clear)


def map_ordered(work: Callable[[T], R], items: Sequence[T], workers: int = 1) -> list[R]:
    """Apply `work` to every item and return the results in the order of `items`.

    `work` must release the interpreter lock (compiled code) to gain from threads. The thread of
    the caller works as well, so that work may itself call this function: nothing waits for a
    thread that has not begun. Where work fails no further item is begun, and the error of the
    first item that failed is raised.
    """
    if workers <= 1 or len(items) <= 1:
        return [work(item) for item in items]
    results: list[R | None] = [None] * len(items)
    errors: dict[int, BaseException] = {}
    numbers = iter(range(len(items)))
    lock = Lock()

    def take_turns() -> None:
        while True:
            with lock:
                index = None if errors else next(numbers, None)
            if index is None:
                return
            try:
                results[index] = work(items[index])
            except BaseException as error:  # raised again in the caller's thread
                with lock:
                    errors[index] = error

    helpers = [_pool().submit(take_turns) for _ in range(min(workers, len(items)) - 1)]
    take_turns()
    for helper in helpers:
        if not helper.cancel():
            helper.result()
    if errors:
        raise errors[min(errors)]
    return cast(list[R], results)
