"""The exception tree of Statera.

::

    StateraError
    ├── UsageError      (exit 2)  the call itself is wrong
    ├── InputError      (exit 3)  a file or value given by the user is wrong
    │   └── UnknownNameError      a name is not known; the nearest known names are given
    ├── NumericalError  (exit 4)  a computation could not be completed
    └── DomainError     (exit 5)  outside the range where a model or label may be used

Every error says what is wrong, where, and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "DomainError",
    "InputError",
    "NumericalError",
    "Place",
    "StateraError",
    "UnknownNameError",
    "UsageError",
    "concerning",
]


@dataclass(frozen=True)
class Place:
    """Where in a file something stands; prints as ``file:line:column``."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)


class StateraError(Exception):
    """Base of all errors that Statera raises on purpose.

    Parameters
    ----------
    what
        One sentence: what is wrong.
    where
        The place it concerns: a file position or the name of an argument.
    hint
        What to do next.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: Place | str | None = None, hint: str = "") -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(what)

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where is not None else self.what
        return f"{head}\n  {self.hint}" if self.hint else head


class UsageError(StateraError):
    """The call is wrong: an option, argument or combination of them."""

    exit_code = 2


class InputError(StateraError):
    """A file or a value given by the user is wrong."""

    exit_code = 3


class UnknownNameError(InputError):
    """A name is not known.

    Parameters
    ----------
    kind
        What was looked for, such as ``"drug"``.
    name
        The name that was given.
    known
        All names that would have been accepted; the nearest are offered.
    """

    def __init__(
        self, kind: str, name: str, known: Iterable[str], *, where: Place | str | None = None
    ) -> None:
        names = sorted(set(known))
        by_lower = {n.lower(): n for n in names}
        close = difflib.get_close_matches(name.lower(), list(by_lower), n=3, cutoff=0.5)
        self.kind = kind
        self.name = name
        self.nearest = tuple(by_lower[c] for c in close)
        if self.nearest:
            hint = f"Nearest: {', '.join(self.nearest)}."
        else:
            shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
            hint = f"Known: {shown}." if names else f"No {kind} is known here."
        super().__init__(f"no {kind} is called '{name}'", where=where, hint=hint)


class NumericalError(StateraError):
    """A computation could not be completed."""

    exit_code = 4


class DomainError(StateraError):
    """Outside the range where a model or a label may be used."""

    exit_code = 5


@contextmanager
def concerning(place: str) -> Iterator[None]:
    """Let an error raised inside, that names no place, name `place`."""
    try:
        yield
    except StateraError as error:
        if error.where is None:
            error.where = place
        raise
