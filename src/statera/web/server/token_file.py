"""Access tokens: a file of lines ``name:sha256-of-token``, read again when it changes."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from statera.errors import InputError

__all__ = ["TokenFile", "add_token", "token_hash"]

_LINE = re.compile(r"([A-Za-z0-9._@-]{1,64}):([0-9a-f]{64})")
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")


def token_hash(token: str) -> str:
    """Return what stands for a token in the file: it is long and random, so one hash will do."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class TokenFile:
    """The tokens that are accepted now.

    Parameters
    ----------
    path

    Raises
    ------
    InputError
        If the file cannot be read, holds a line of another form, or others may write to it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._tokens: tuple[tuple[str, str], ...] = ()
        self._tokens = _read(path)
        self._seen = _stamp(path)

    def user_of(self, token: str) -> tuple[str, str] | None:
        """Return the name and the hash that belong to a token; each line is compared."""
        digest = token_hash(token)
        found = None
        for name, known in self._current():
            if hmac.compare_digest(digest, known):
                found = (name, known)
        return found

    def holds(self, name: str, digest: str) -> bool:
        """Return True while a line of the file says so: a session ends with its token."""
        return (name, digest) in self._current()

    def _current(self) -> tuple[tuple[str, str], ...]:
        stamp = _stamp(self._path)
        if stamp != self._seen:
            try:
                self._tokens = _read(self._path)
            except InputError:
                self._tokens = ()  # rather nobody than somebody who was struck out
            self._seen = stamp
        return self._tokens


def add_token(path: Path | None, name: str) -> tuple[str, str]:
    """Make a token, and add its line to the file where there is one.

    Returns
    -------
    The token, which is nowhere else, and its line.

    Raises
    ------
    InputError
        If the name has other characters than letters, digits and ``._@-``, or the file cannot be
        written.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            f"'{name}' cannot name a user",
            where="--new-token",
            hint="Use up to 64 letters, digits and . _ @ -",
        )
    token = f"statera_{secrets.token_urlsafe(32)}"
    line = f"{name}:{token_hash(token)}"
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            with os.fdopen(handle, "r+", encoding="utf-8") as file:
                text = file.read()
                file.write(f"{'' if not text or text.endswith(chr(10)) else chr(10)}{line}\n")
        except OSError as error:
            raise InputError(
                f"cannot write '{path}': {error.strerror}", where="--token-file"
            ) from error
    return token, line


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _read(path: Path) -> tuple[tuple[str, str], ...]:
    hint = "Make one with: statera serve --token-file FILE --new-token NAME"
    try:
        if path.stat().st_mode & 0o022:
            raise InputError(
                f"others may write to '{path}', and so sign in as anybody",
                where="--token-file",
                hint=f"Run: chmod 600 {path}",
            )
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or "it is not text"
        raise InputError(
            f"cannot read '{path}': {said}", where="--token-file", hint=hint
        ) from error
    found = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            raise InputError(
                "a line has the form name:sha256-of-token", where=f"{path}:{number}", hint=hint
            )
        found.append((match[1], match[2]))
    return tuple(found)
