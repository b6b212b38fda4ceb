"""When a process compiles functions: that is nobody's computation, and no limit should count it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["watch_compiling"]


def watch_compiling(told: Callable[[bool], None]) -> None:
    """Call `told` with True when compiling begins and with False when it has ended.

    The calls take turns, whatever threads compile: compiling within compiling, or beside it, is
    told once. Where numba has not been loaded there is nothing to watch. Called in the thread that
    compiles, with what was compiled already kept on disk.
    """
    if "numba" not in sys.modules:
        return
    from numba.core import event  # noqa: PLC0415  processes without numba do not load it

    class Listener(event.Listener):
        def __init__(self) -> None:
            self._lock = threading.RLock()
            self._depth = 0

        # An interrupt may be raised before `told` knows that compiling begins, and after it knows
        # that it has ended: the depth is right at both.
        def on_start(self, _: Any) -> None:
            with self._lock:
                if self._depth == 0:
                    told(True)
                self._depth += 1

        def on_end(self, _: Any) -> None:
            with self._lock:
                self._depth -= 1
                if self._depth == 0:
                    told(False)

    numba: Any = event  # it has no types
    numba.register("numba:compiler_lock", Listener())
