"""How often something may happen: buckets that fill steadily, and are taken from."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

__all__ = ["TokenBuckets"]

_KEPT = 20_000


class TokenBuckets:
    """One bucket a key.

    Parameters
    ----------
    per_minute
        What flows in.
    burst
        What a bucket holds.
    clock
        Seconds.
    """

    def __init__(
        self, per_minute: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = per_minute / 60.0
        self._burst = max(burst, 1.0)
        self._clock = clock
        self._levels: dict[Hashable, tuple[float, float]] = {}

    def wait(self, key: Hashable) -> float:
        """Return how many seconds it takes until one may be taken; 0 for now."""
        level = self._level(key)
        return 0.0 if level >= 1.0 else (1.0 - level) / self._rate

    def take(self, key: Hashable) -> float:
        """Take one and return 0, or take none and return the seconds to wait."""
        level = self._level(key)
        if level < 1.0:
            return (1.0 - level) / self._rate
        self._levels.pop(key, None)
        if len(self._levels) >= _KEPT:
            self._forget()
        self._levels[key] = (level - 1.0, self._clock())
        return 0.0

    def _level(self, key: Hashable) -> float:
        level, then = self._levels.get(key, (self._burst, self._clock()))
        return min(self._burst, level + (self._clock() - then) * self._rate)

    def _forget(self) -> None:
        """Drop the quarter that was taken from longest ago: those are the fullest."""
        for key in list(self._levels)[: _KEPT // 4]:
            del self._levels[key]
