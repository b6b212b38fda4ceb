"""How a result was made: versions, seed, time and content hashes of the inputs.

A manifest names no person, machine or folder, so that it can be published with the result.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib import metadata
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from statera._version import __version__
from statera.errors import InputError

__all__ = ["VERSION", "content_hash", "manifest"]

VERSION = __version__

# Packages whose version can change a number or a drawing.
_PACKAGES = (
    "jinja2",
    "llvmlite",
    "matplotlib",
    "numba",
    "numpy",
    "pint",
    "polars",
    "scipy",
    "sympy",
)
_HASH = re.compile(r"sha256:[0-9a-f]{64}")


def content_hash(content: str | bytes) -> str:
    """Return ``sha256:`` and the hexadecimal SHA-256 of `content` (text as UTF-8)."""
    data = content.encode() if isinstance(content, str) else content
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def manifest(
    inputs: Mapping[str, str | bytes] | None = None, seed: int | None = None, **extra: Any
) -> dict[str, Any]:
    """Describe how a result was made.

    Parameters
    ----------
    inputs
        Content of each input under its name; a content hash is taken as it is. Of a name that
        is a path only the last part is kept.
    seed
        Seed of the random streams, where there was one.
    extra
        Further entries, such as the options of the run.

    Returns
    -------
    dict
        ``statera``, ``python``, ``platform``, ``packages``, ``created`` (UTC; taken from
        SOURCE_DATE_EPOCH where that is set), ``seed``, ``inputs`` and the further entries.

    Raises
    ------
    InputError
        If SOURCE_DATE_EPOCH is not a whole number of seconds.
    """
    return {
        "statera": VERSION,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": dict(_versions()),
        "created": _created(),
        "seed": seed,
        "inputs": {_base_name(name): _hashed(text) for name, text in (inputs or {}).items()},
        **extra,
    }


def _hashed(content: str | bytes) -> str:
    if isinstance(content, str) and _HASH.fullmatch(content):
        return content
    return content_hash(content)


def _base_name(name: str) -> str:
    """Drop folders from a name: they say where somebody keeps files."""
    return PureWindowsPath(name).name if "\\" in name else PurePosixPath(name).name


@lru_cache(maxsize=1)
def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _created() -> str:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        moment = datetime.now(UTC)
    else:
        try:
            moment = datetime.fromtimestamp(int(epoch), UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise InputError(
                f"SOURCE_DATE_EPOCH is '{epoch}', which is not a moment in time",
                where="environment",
                hint="Set it to whole seconds since 1970, or unset it.",
            ) from error
    return moment.replace(microsecond=0).isoformat().replace("+00:00", "Z")
