"""When a process compiles functions: that is nobody's computation, and no limit should count it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["watch_compiling"]


def watch_compiling(told: Callable[[bool], None]) -> None:
    """Call `told` with True when compiling begins and with False when it has ended.

    Compiling within compiling is told once. Where numba has not been loaded there is nothing to
    watch. Called in the thread that compiles, with what was compiled already kept on disk.
    """
    if "numba" not in sys.modules:
        return
    from numba.core import event  # noqa: PLC0415  processes without numba do not load it

    class Listener(event.Listener):
        def __init__(self) -> None:
            self._lock = threading.Lock()
            self._depth = 0

        def on_start(self, _: Any) -> None:
            with self._lock:
                self._depth += 1
                first = self._depth == 1
            if first:
                told(True)

        def on_end(self, _: Any) -> None:
            with self._lock:
                self._depth -= 1
                last = self._depth == 0
            if last:
                told(False)

    numba: Any = event  # it has no types
    numba.register("numba:compiler_lock", Listener())
