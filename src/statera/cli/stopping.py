"""Ctrl-C as a wish to stop: the running step ends first, so that what was done is not lost."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["asked_to_stop"]


@contextmanager
def asked_to_stop(said: str) -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether Ctrl-C was pressed; a second press raises at once.

    Parameters
    ----------
    said
        Written to standard error at the first press.
    """
    asked = False
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # only the main thread may change what a signal does
        return

    def take(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        os.write(2, f"{said}\n".encode())  # a handler may not wait for the stream it interrupts

    before = signal.signal(signal.SIGINT, take)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
