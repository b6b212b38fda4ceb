"""A queue in which users take turns."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from typing import Generic, TypeVar

__all__ = ["FairQueue"]

Item = TypeVar("Item")


class FairQueue(Generic[Item]):
    """First in, first out for each user; the users take turns.

    Parameters
    ----------
    longest
        How many may wait.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._waiting: OrderedDict[str, deque[Item]] = OrderedDict()
        self._count = 0
        self._some = asyncio.Event()

    def __len__(self) -> int:
        return self._count

    @property
    def is_full(self) -> bool:
        """Whether nothing more may wait."""
        return self._count >= self._longest

    def put(self, user: str, item: Item, *, first: bool = False) -> None:
        """Let `item` wait; with `first`, before the others of its user."""
        mine = self._waiting.setdefault(user, deque())
        if first:
            mine.appendleft(item)
        else:
            mine.append(item)
        self._count += 1
        self._some.set()

    def drop(self, user: str, item: Item) -> bool:
        """Take `item` out; False if it no longer waits."""
        mine = self._waiting.get(user)
        if mine is None or item not in mine:
            return False
        mine.remove(item)
        self._left(user, mine)
        return True

    async def get(self) -> Item:
        """Return the next item of the user whose turn it is."""
        while not self._count:
            self._some.clear()
            await self._some.wait()
        user, mine = next(iter(self._waiting.items()))
        item = mine.popleft()
        self._waiting.move_to_end(user)
        self._left(user, mine)
        return item

    def _left(self, user: str, mine: deque[Item]) -> None:
        self._count -= 1
        if not mine:
            del self._waiting[user]
