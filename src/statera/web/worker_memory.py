"""Memory of this process: how much it holds, and a limit on how much more it may take."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["limited_memory", "resident_bytes"]

_PAGE = resource.getpagesize()


def resident_bytes() -> int:
    """Return the resident memory of this process; 0 where the system does not tell."""
    return _page_counts()[1] * _PAGE


def _page_counts() -> list[int]:
    try:
        found = [int(count) for count in Path("/proc/self/statm").read_text("ascii").split()]
    except OSError:
        return [0] * 7
    return found


@contextmanager
def limited_memory(extra: int) -> Iterator[None]:
    """Let allocations fail (:class:`MemoryError`) beyond `extra` bytes more than are held now.

    Only Linux counts private memory this way; elsewhere the block runs without a limit.
    """
    if sys.platform != "linux":
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = _page_counts()[5] * _PAGE + extra
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
