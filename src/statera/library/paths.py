"""Where the library's data files lie: inside the installed package, or in a user's directory."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from statera.errors import InputError, Place

__all__ = ["Root", "data_root", "files_in"]

Root = str | Path | Traversable
"""A directory laid out as the shipped one: ``facts/``, ``labels/``, ``references.json``, ..."""


def data_root(root: Root | None = None) -> Traversable:
    """Return the directory of the data files: `root`, or the one shipped with the package.

    Raises
    ------
    InputError
        If `root` is given and is not a directory.
    """
    if root is None:
        return files("statera.library") / "data"
    place = Path(root) if isinstance(root, str) else root
    if not place.is_dir():
        raise InputError(
            "this is not a directory of library files",
            where=Place(str(root)),
            hint="Give a directory with facts/, labels/ and references.json.",
        )
    return place


def files_in(root: Traversable, folder: str, suffix: str = ".toml") -> Iterator[Traversable]:
    """Yield the files of `folder` that end in `suffix`, by name; nothing if there is no folder."""
    place = root / folder
    if place.is_dir():
        yield from sorted(
            (f for f in place.iterdir() if f.name.endswith(suffix)), key=lambda f: f.name
        )
