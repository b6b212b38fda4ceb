"""Published models of the library, and model files of a user."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path

from statera.errors import InputError, UnknownNameError
from statera.library.paths import Root, data_root, files_in
from statera.library.read import read_document
from statera.model import SCHEMA, Model, SpecError, build_model

__all__ = ["load_model", "model_ids", "models_of", "read_model"]


def read_model(path: str | Path | Traversable) -> Model:
    """Read a model file.

    Raises
    ------
    InputError
        If the file is not TOML or does not describe a model: file, line and column are given.
    """
    document = read_document(path, SCHEMA)
    try:
        return build_model(document.data)
    except SpecError as error:
        raise InputError(
            f"{error.where}: {error.what}" if error.where else error.what,
            where=document.place(*error.path),
            hint=error.hint,
        ) from error


def _files(root: Traversable) -> Iterator[tuple[str, Traversable]]:
    folder = root / "models"
    if not folder.is_dir():
        return
    for drug in sorted((f for f in folder.iterdir() if f.is_dir()), key=lambda f: f.name):
        for file in files_in(folder, drug.name):
            yield f"{drug.name}/{file.name.removesuffix('.toml')}", file


def model_ids(root: Root | None = None) -> tuple[str, ...]:
    """Return the ids of all models, such as ``baricitinib/Decker_2024``."""
    return tuple(name for name, _ in _files(data_root(root)))


def models_of(drug: str, root: Root | None = None) -> tuple[str, ...]:
    """Return the ids of a drug's models."""
    return tuple(name for name in model_ids(root) if name.startswith(f"{drug}/"))


def load_model(name: str, root: Root | None = None) -> Model:
    """Return a model by its id, or from a file where `name` ends in ``.toml``.

    Raises
    ------
    UnknownNameError
        If no model has this id; the nearest are given.
    InputError
        If the file is wrong.
    """
    if name.endswith(".toml"):
        return read_model(Path(name))
    if root is None:
        return _shipped(name)
    return _find(name, data_root(root))


def library_model(name: str) -> Model:
    """Return a model of the library by its id; a path of a file is no id.

    For names from outside, which may not open files.

    Raises
    ------
    UnknownNameError
        If no model has this id; the nearest are given.
    """
    return _shipped(name)


@lru_cache(maxsize=64)
def _shipped(name: str) -> Model:
    return _find(name, data_root())


def _find(name: str, root: Traversable) -> Model:
    known = dict(_files(root))
    by_lower = {key.lower(): key for key in known}
    wanted = by_lower.get(name.strip().lower())
    if wanted is None:
        raise UnknownNameError("model", name, known)
    return read_model(known[wanted])
