"""What a running job tells, on its way into the database: gathered, and thinned where needed."""

from __future__ import annotations

import json
from typing import Any

from statera.web.server.job import Event

__all__ = ["EventBuffer"]

_LONGEST_DATA = 64 * 1024
_MOST_DATA = 16 * 1024 * 1024


class EventBuffer:
    """Gathers events between writes.

    The first event of an attempt is kept, and every event with data (iterations of a fit are its
    course); of events without data the last before each write is. Beyond 16 MB of data in one
    attempt those with data too give way to the last before each write.
    """

    def __init__(self) -> None:
        self._waiting: list[Event] = []
        self._first: Event | None = None
        self._held = 0
        self.last_number = 0
        """Of the last event that was taken in."""

    def add(self, told: dict[str, Any]) -> None:
        """Take an event from a worker."""
        data = json.dumps(told["data"], ensure_ascii=False, separators=(",", ":"))
        message = str(told["message"])[:1000].replace("\0", "")
        if len(data) > _LONGEST_DATA:  # drawings belong into the result
            data, message = "{}", f"{message} (its data are too large to be shown here)"
        self.last_number = told["number"]
        event = Event(told["time"], told["fraction"], message, data)
        self._held += len(data)
        if self._waiting and self._gives_way(self._waiting[-1]):
            self._waiting.pop()
        self._waiting.append(event)
        self._first = self._first or event

    def _gives_way(self, last: Event) -> bool:
        return last is not self._first and (last.data == "{}" or self._held > _MOST_DATA)

    def take(self) -> list[Event]:
        """Return what is to be written now."""
        found, self._waiting = self._waiting, []
        return found
