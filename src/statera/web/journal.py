"""What a task told, beside the job: a server that ends before it has written it down loses nothing.

One line of JSON an event, of the last attempt that told something.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["append", "read_after"]

_NAME = "told.jsonl"


def append(folder: Path, event: Mapping[str, Any], *, first: bool) -> None:
    """Add an event; the first of an attempt begins the file anew."""
    line = json.dumps(event, allow_nan=False, separators=(",", ":"))
    with (folder / _NAME).open("w" if first else "a", encoding="utf-8") as file:
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
