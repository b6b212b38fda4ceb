"""Write a text file whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from statera.errors import InputError

__all__ = ["write_text_atomically"]


def write_text_atomically(path: str | os.PathLike[str], text: str) -> Path:
    """Write `text` as UTF-8 so that `path` holds either all of it or what it held before.

    The text goes to a temporary file in the same directory, which then takes the name of the
    target in one step. A symbolic link is followed. A target that is neither a file nor a
    directory (a terminal, a pipe) is written to directly, because it cannot be replaced.

    Parameters
    ----------
    path
        Where to write.
    text
        What to write.

    Returns
    -------
    Path
        The file written, with links resolved.

    Raises
    ------
    InputError
        If the directory does not exist or cannot be written, or the target is a directory.
    """
    asked = Path(path)
    target = Path(os.path.realpath(asked))
    _check(asked, target)
    try:
        if target.exists() and not target.is_file():
            target.write_text(text, encoding="utf-8", newline="\n")
        else:
            _replace(target, text)
    except OSError as error:
        raise InputError(
            f"cannot write '{asked}': {error.strerror or error}",
            hint="Choose a place that you may write to; nothing was left behind.",
        ) from error
    return target


def _check(asked: Path, target: Path) -> None:
    """Say in words what would stop the writing."""
    hint = "Give the name of a file in a directory that exists."
    if not asked.name or target.is_dir():
        raise InputError(f"cannot write '{asked}': it is a directory", hint=hint)
    parent = target.parent
    if parent.is_dir():
        return
    if os.path.lexists(parent):
        raise InputError(f"cannot write '{asked}': '{parent}' is not a directory", hint=hint)
    raise InputError(f"cannot write '{asked}': there is no directory '{parent}'", hint=hint)


def _replace(target: Path, text: str) -> None:
    """Write beside `target` and rename; the temporary file never outlives a failure."""
    # The suffix is short and the name of the target is not repeated, so that a name of the
    # greatest length the file system allows can still be written.
    handle, name = tempfile.mkstemp(prefix=".statera-", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, _mode(target))
        os.replace(name, target)
    except BaseException:  # also when interrupted: nothing half-written may stay
        Path(name).unlink(missing_ok=True)
        raise


def _mode(target: Path) -> int:
    """Permissions of the file replaced, or those any new file would get."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    # The only portable way to read the mask is to set it.
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
