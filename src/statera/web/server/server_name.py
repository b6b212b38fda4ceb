"""Names of servers that share a database, and which of them are known to have ended."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

__all__ = ["ended_servers", "new_server_name"]


def new_server_name() -> str:
    """Return a name that says where this process can be looked for."""
    return f"{_place()}/{os.getpid()}/{secrets.token_hex(8)}"


def ended_servers(names: Iterable[str], own: str) -> list[str]:
    """Return those of `names` that ran where this process could see them, and are gone.

    Of servers elsewhere (another machine or container) nothing is known.
    """
    return [name for name in names if name != own and _has_ended(name)]


def _has_ended(name: str) -> bool:
    place, _, rest = name.partition("/")
    number = rest.partition("/")[0]
    if not place or place != _place() or not number.isdecimal():
        return False
    if int(number) == os.getpid():
        return True  # the number is this process's now
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _place() -> str:
    """Return what processes that can see each other share; empty where the system does not tell."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}-{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""
