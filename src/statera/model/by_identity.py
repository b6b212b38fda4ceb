"""Models as keys of caches: they hold arrays and cannot be hashed, but never change."""

from __future__ import annotations

from statera.model.model import Model

__all__ = ["ByIdentity"]


class ByIdentity:
    """A model as a key, equal to itself alone; it keeps the model alive."""

    __slots__ = ("model",)

    def __init__(self, model: Model) -> None:
        self.model = model

    def __hash__(self) -> int:
        return id(self.model)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ByIdentity) and other.model is self.model
