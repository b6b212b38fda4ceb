"""Threads over independent pieces of work, with results in the order of the work."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["available_workers", "map_ordered"]

T = TypeVar("T")
R = TypeVar("R")


def available_workers() -> int:
    """Return the number of processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def map_ordered(work: Callable[[T], R], items: Sequence[T], workers: int = 1) -> list[R]:
    """Apply `work` to every item and return the results in the order of `items`.

    `work` must release the interpreter lock (compiled code) to gain from threads.
    """
    if workers <= 1 or len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(max_workers=min(workers, len(items))) as pool:
        return list(pool.map(work, items))
