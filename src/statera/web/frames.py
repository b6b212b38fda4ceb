"""How the server and a worker talk: frames of a head (JSON) and a body (bytes) over pipes.

A frame is two lengths (four bytes each, big endian), the head and the body. The body is what a user
sent or gets; it is passed on unread.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Mapping
from typing import Any, BinaryIO

__all__ = ["LONGEST_BODY", "Frame", "pack", "read_frame", "read_frame_async"]

Frame = tuple[dict[str, Any], bytes]
"""Head and body."""

LONGEST_BODY = 256 * 1024 * 1024
_LONGEST_HEAD = 4 * 1024 * 1024
_LENGTHS = struct.Struct("!II")


def pack(head: Mapping[str, Any], body: bytes = b"") -> bytes:
    """Return a frame as bytes."""
    written = json.dumps(head, separators=(",", ":"), allow_nan=False).encode()
    return _LENGTHS.pack(len(written), len(body)) + written + body


def read_frame(stream: BinaryIO) -> Frame | None:
    """Read a frame; None at the end of the stream."""
    lengths = stream.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    of_head, of_body = _checked(lengths)
    head, body = stream.read(of_head), stream.read(of_body)
    if len(head) < of_head or len(body) < of_body:
        return None
    return json.loads(head), body


async def read_frame_async(stream: asyncio.StreamReader) -> Frame | None:
    """Read a frame; None at the end of the stream, or of what can be understood."""
    try:
        of_head, of_body = _checked(await stream.readexactly(_LENGTHS.size))
        head = await stream.readexactly(of_head)
        body = await stream.readexactly(of_body) if of_body else b""
        return _read_head(head), body
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _read_head(head: bytes) -> dict[str, Any]:
    """Read what a worker says of a frame."""
    try:
        found = json.loads(head)
    except ValueError:
        found = None
    if not isinstance(found, dict) or "kind" not in found:
        raise ConnectionError("the other side does not speak in frames")
    return found


def _checked(lengths: bytes) -> tuple[int, int]:
    of_head, of_body = _LENGTHS.unpack(lengths)
    if of_head > _LONGEST_HEAD or of_body > LONGEST_BODY:
        raise ConnectionError("the other side does not speak in frames")
    return of_head, of_body
