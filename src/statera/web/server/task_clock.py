"""The time that a task may take."""

from __future__ import annotations

import asyncio
from types import TracebackType

from statera.web.frames import Frame

__all__ = ["TaskClock"]


class TaskClock:
    """A limit that counts only the computing: it starts with the task and stands while it compiles.

    A worker may still be warming up when a question reaches it, and the first question of a new
    installation compiles functions for a minute or more; neither is what the limit is for.

    Parameters
    ----------
    seconds
        Of computing.
    other_seconds
        That waiting for the task to begin, and each compiling, may take.

    Raises
    ------
    TimeoutError
        At the end of the block, which is cancelled when the time is over.
    """

    def __init__(self, seconds: float, other_seconds: float) -> None:
        self._seconds = seconds
        self._other_seconds = other_seconds
        self._limit = asyncio.timeout(other_seconds)

    async def __aenter__(self) -> TaskClock:
        await self._limit.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._limit.__aexit__(kind, error, at)

    def take(self, frame: Frame) -> None:
        """Follow a worker that tells what it does: ``begun``, ``compiling``, ``compiled``."""
        now = asyncio.get_running_loop().time()
        match frame[0]["kind"]:
            case "begun" | "compiled":
                self._end_at(now + self._seconds)
            case "compiling":
                end = self._limit.when()
                assert end is not None
                self._seconds = end - now
                self._end_at(now + self._other_seconds)

    def _end_at(self, when: float) -> None:
        if not self._limit.expired():
            self._limit.reschedule(when)
