"""Output files: checked before the work, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from statera.errors import InputError

__all__ = ["check_folder", "check_target", "write_bytes_atomically"]


def check_target(path: Path, suffixes: tuple[str, ...]) -> None:
    """Say before a long computation that its result could not be written to `path`.

    Parameters
    ----------
    path
        Where the result is to go.
    suffixes
        File name endings that are understood, such as ``.html``.

    Raises
    ------
    InputError
        If the name has another ending, or the place cannot be written to.
    """
    if path.suffix.lower() not in suffixes:
        raise InputError(
            f"'{path}' does not end in {' or '.join(suffixes)}",
            where="--out",
            hint="The ending of the file name chooses the format.",
        )
    if path.exists() and not path.is_file():
        raise InputError(
            f"'{path}' is there already and is not a file",
            where="--out",
            hint="Choose another name.",
        )
    folder = path.parent
    if not folder.is_dir():
        raise InputError(
            f"the folder '{folder}' does not exist",
            where="--out",
            hint="Make the folder first, or choose another.",
        )
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise InputError(
            f"'{path}' cannot be written: permission denied",
            where="--out",
            hint="Choose a place that you may write to.",
        )


def check_folder(path: Path) -> None:
    """Say before a long computation that results could not be written into the folder `path`.

    A folder that is not there is made later; its parent must be there and writable.

    Raises
    ------
    InputError
        If it is no folder or cannot be written to.
    """
    if path.exists() and not path.is_dir():
        raise InputError(
            f"'{path}' is there already and is not a folder",
            where="--out",
            hint="Choose another name.",
        )
    if not path.exists() and not path.parent.is_dir():
        raise InputError(
            f"the folder '{path.parent}' does not exist",
            where="--out",
            hint="Make the folder first, or choose another.",
        )
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise InputError(
            f"'{path}' cannot be written to: permission denied",
            where="--out",
            hint="Choose a place that you may write to.",
        )


def write_bytes_atomically(path: Path, content: bytes) -> None:
    """Write `content` so that `path` holds either all of it or what it held before.

    Raises
    ------
    InputError
        If the file cannot be written; nothing is left behind.
    """
    # A link is followed, so that what it points to is replaced and not the link.
    target = path.resolve()
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".statera-", suffix=".part")
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            part.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
            part.replace(target)
        except BaseException:  # also when interrupted: nothing half-written may stay
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(
            f"'{path}' cannot be written: {error.strerror or error}",
            where="--out",
            hint="Choose a place that you may write to and that has room.",
        ) from error


def _umask() -> int:
    """Return the permissions that new files do not get; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
