"""The decorator of all compiled functions, with a cache that cannot go stale.

numba keeps machine code by the time stamp of the one file that defines a function and does not
see changes in what it calls. Here the cache directory carries a hash of every source file that
holds compiled functions, so that any change of any of them compiles anew.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba
from numba import config, njit
from numba.core import typeinfer
from numba.core.caching import FunctionCache

__all__ = ["cache_directory", "compiled", "generated", "kernel_key"]

_PACKAGE = Path(__file__).resolve().parent.parent
_FOLDERS = ("numerics", "simulate", "tdm")
_APART: dict[str, tuple[str, ...]] = {"cytometry": (), "pathway": ("numerics",)}
"""Packages that no other's compiled functions call, and the folders that theirs call: a change in
such a package leaves the rest as it is."""

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


class _Cache(FunctionCache):
    """numba's cache, but what cannot be read, or is another function's, is compiled anew.

    numba replaces files whole, so that a reader never sees half of one. A full disk or a lost
    machine may still leave one, which numba would fail on; and two processes that compile a
    function for different arguments at the same time may give both the same file.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return what was kept for a signature, or None."""
        arguments = getattr(sig, "args", sig)
        inherited: Any = super()
        repair: Any = self.flush
        try:
            found = inherited.load_overload(sig, target_context)
        except Exception:  # whatever broken bytes lead to
            repair()
            return None
        if found is not None and tuple(found.signature.args) != tuple(arguments):
            repair()
            return None
        return found


@lru_cache(maxsize=1)
def cache_directory() -> Path:
    """Return a directory for machine code and generated code that can be written to.

    ``STATERA_CACHE_DIR`` if it is set, else ``~/.cache/statera``, else a temporary directory.
    """
    chosen = os.environ.get("STATERA_CACHE_DIR")
    base = Path(chosen) if chosen else Path.home() / ".cache" / "statera"
    try:
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=base):
            return base
    except OSError:
        return Path(tempfile.mkdtemp(prefix="statera-"))


@lru_cache(maxsize=4)
def kernel_key(package: str = "") -> str:
    """Return a hash of numba's version and of every source file with compiled functions.

    Parameters
    ----------
    package
        One that stands apart, such as ``cytometry``; all others together by default.
    """
    digest = hashlib.sha256(numba.__version__.encode())
    if package:
        digest.update(Path(__file__).read_bytes())
    for folder in (package, *_APART[package]) if package else _FOLDERS:
        for file in sorted((_PACKAGE / folder).glob("*.py")):
            source = file.read_bytes()
            if b"compiled" in source:
                digest.update(file.name.encode())
                digest.update(source)
    return digest.hexdigest()[:16]


def compiled(target: Any) -> Any:
    """Compile a function, lazily or for the given signature.

    Without Python objects, without the interpreter lock, without checks for division by zero
    (finiteness is checked per step instead), and kept on disk.
    """
    if callable(target) and not isinstance(target, numba.types.Type):
        return _decorate(target)
    signature = target

    def decorate(function: Callable[..., Any]) -> Any:
        return _decorate(function, signature)

    return decorate


def _decorate(function: Callable[..., Any], signature: Any = None) -> Any:
    settings: Any = config
    before = settings.CACHE_DIR
    own = [name for name in _APART if function.__module__.startswith(f"statera.{name}.")]
    settings.CACHE_DIR = str(cache_directory() / f"kernels-{kernel_key(*own)}")
    try:
        return _compile(function, signature)
    finally:
        settings.CACHE_DIR = before


def _compile(function: Callable[..., Any], signature: Any) -> Any:
    dispatcher = njit(**_OPTIONS)(function)
    cache: Any = _Cache
    dispatcher._cache = cache(function)
    if signature is not None:
        with typeinfer.register_dispatcher(dispatcher):
            dispatcher.compile(signature)
        dispatcher.disable_compile()
    return dispatcher


def generated(signature: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function of a generated file for a signature; machine code is kept beside it."""

    def decorate(function: Callable[..., Any]) -> Any:
        return _compile(function, signature)

    return decorate
