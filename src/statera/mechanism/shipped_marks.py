"""Marks that come with the program: what Janus kinases catalyse in published networks."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from statera.errors import UnknownNameError
from statera.pathway.jak_inhibition import JakMarks, read_jak_marks

__all__ = ["load_marks", "marks_names"]


def _folder() -> Traversable:
    return files("statera.mechanism") / "marks"


def marks_names() -> tuple[str, ...]:
    """Return the names of the marks that come with the program, sorted."""
    found = (file.name for file in _folder().iterdir())
    return tuple(sorted(n.removesuffix(".toml") for n in found if n.endswith(".toml")))


def load_marks(name: str) -> JakMarks:
    """Return marks by their name.

    Raises
    ------
    UnknownNameError
        If none of that name come with the program.
    """
    if name not in marks_names():
        raise UnknownNameError("marks", name, marks_names())
    return read_jak_marks(_folder() / f"{name}.toml")
