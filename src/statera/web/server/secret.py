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
    """Return the secret of a data folder, made at first use and readable by its owner only.

    It appears under its name as a whole: servers that start at once on one folder find the same.
    """
    path = folder / "secret"
    part = folder / f".secret.{secrets.token_hex(8)}"
    while True:
        try:
            found = path.read_bytes()
        except FileNotFoundError:
            found = b""
        else:
            if len(found) >= _BYTES:
                return found
            path.unlink(missing_ok=True)  # left half written by an older version
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, path)
        except FileExistsError:
            pass  # another server was faster
        except OSError:  # a file system without links
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def signature(secret: bytes, purpose: str, text: str) -> str:
    """Return the hexadecimal HMAC of a text; signatures for one purpose are no use for another."""
    return hmac.new(secret, f"{purpose}\n{text}".encode(), hashlib.sha256).hexdigest()
