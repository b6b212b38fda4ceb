"""Write a text file as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from statera.errors import InputError, Place

__all__ = ["write_whole"]


def write_whole(text: str, path: str | Path) -> None:
    """Write a file in UTF-8; one that is there is replaced at once, when all is written.

    Raises
    ------
    InputError
        If the file cannot be written; nothing is left behind.
    """
    target = Path(path)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(
            f"cannot write the file: {error.strerror or error}", where=Place(str(target))
        ) from error
