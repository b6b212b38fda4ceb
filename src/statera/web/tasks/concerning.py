"""Errors that name the field of a form."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from statera.errors import StateraError

__all__ = ["concerning"]


@contextmanager
def concerning(where: str) -> Iterator[None]:
    """Give errors the field that they concern as their place."""
    try:
        yield
    except StateraError as error:
        error.where = where
        raise
