"""The time that a task may take."""

from __future__ import annotations

import asyncio
from types import TracebackType

from statera.web.frames import Frame

__all__ = ["TaskClock"]


class TaskClock:
    """A limit that counts only the computing: it starts with the task and stands while it compiles.

    A worker may still be warming up when a question reaches it, and the first question of a new
    installation compiles functions for a minute or more; neither is what the limit is for. They
    have a limit of their own, of all of them together.

    Parameters
    ----------
    seconds
        Of computing.
    other_seconds
        Of waiting for the task to begin and of compiling.

    Raises
    ------
    TimeoutError
        At the end of the block, which is cancelled when the time is over.
    """

    def __init__(self, seconds: float, other_seconds: float) -> None:
        self._left = {"computing": seconds, "other": other_seconds}
        self._now = "other"
        self._since = 0.0
        self._limit = asyncio.timeout(other_seconds)

    async def __aenter__(self) -> TaskClock:
        self._since = asyncio.get_running_loop().time()
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
        match frame[0]["kind"]:
            case "begun" | "compiled":
                self._count("computing")
            case "compiling":
                self._count("other")

    def stop(self) -> None:
        """Let the time of computing be over, now or as soon as what compiles has been compiled."""
        self._left["computing"] = 0.0
        if self._now == "computing":
            self._count("computing")

    def _count(self, what: str) -> None:
        now = asyncio.get_running_loop().time()
        self._left[self._now] -= now - self._since
        self._now, self._since = what, now
        if not self._limit.expired():
            self._limit.reschedule(now + self._left[what])
