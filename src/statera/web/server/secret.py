"""The server's own secret: signs what it hands to a browser and wants back unchanged."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

__all__ = ["open_secret", "signature"]

_BYTES = 32


def open_secret(folder: Path) -> bytes:
    """Return the secret of a data folder, made at first use and readable by its owner only."""
    path = folder / "secret"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        found = path.read_bytes()
        if len(found) >= _BYTES:
            return found
        path.unlink()  # left half written by a crash
        return open_secret(folder)
    with os.fdopen(handle, "wb") as file:
        found = secrets.token_bytes(_BYTES)
        file.write(found)
        file.flush()
        os.fsync(file.fileno())
    return found


def signature(secret: bytes, purpose: str, text: str) -> str:
    """Return the hexadecimal HMAC of a text; signatures for one purpose are no use for another."""
    return hmac.new(secret, f"{purpose}\n{text}".encode(), hashlib.sha256).hexdigest()
