"""What a task told, beside the job: a server that ends before it is written down loses nothing.

One line of JSON an event, of all attempts; their numbers go on from one attempt to the next, so
that what is written down already is known by the last number.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["append", "begin", "read_after"]

_NAME = "told.jsonl"


def begin(folder: Path) -> int:
    """Begin an attempt: close a line that was cut off, and return the last number."""
    path = folder / _NAME
    if not path.exists():
        return 0
    with path.open("rb+") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
    return max((event["number"] for event in read_after(folder, 0)), default=0)


def append(folder: Path, event: Mapping[str, Any]) -> None:
    """Add an event."""
    line = json.dumps(event, allow_nan=False, separators=(",", ":"))
    with (folder / _NAME).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def read_after(folder: Path, number: int) -> Iterator[dict[str, Any]]:
    """Yield the events after `number`; lines that were cut off are left out."""
    try:
        text = (folder / _NAME).read_text("utf-8", "replace")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        try:
            event: dict[str, Any] = json.loads(line)
        except ValueError:  # a process that was ended, or an interrupt, in the middle of a line
            continue
        if event["number"] > number:
            yield event
