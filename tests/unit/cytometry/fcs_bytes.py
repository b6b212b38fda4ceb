"""FCS files made for tests, byte by byte."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def fcs_bytes(
    events: Any,
    names: Sequence[str],
    *,
    version: str = "FCS3.1",
    kind: str = "F",
    bits: Sequence[int] | int = 32,
    little: bool = True,
    keywords: Mapping[str, str] | None = None,
    header_data: tuple[int, int] | None = None,
    text_data: tuple[int, int] | None = None,
    mark: str = "/",
    after: bytes = b"",
    data: bytes | None = None,
) -> bytes:
    """Return a file with events (n_events, n_channels); offsets may be given wrong on purpose."""
    events = np.asarray(events)
    n = len(names)
    widths = [bits] * n if isinstance(bits, int) else list(bits)
    order = "<" if little else ">"
    if data is None:
        types = {"F": f"{order}f4", "D": f"{order}f8"}
        fields = [
            (f"c{i}", types.get(kind, f"{order}u{width // 8}")) for i, width in enumerate(widths)
        ]
        table = np.zeros(len(events), dtype=fields)
        for i in range(n):
            table[f"c{i}"] = events[:, i]
        data = table.tobytes()
    start = 4096
    true = (start, start + len(data) - 1)
    words = {
        "$BEGINDATA": str((text_data or true)[0]),
        "$ENDDATA": str((text_data or true)[1]),
        "$BYTEORD": "1,2,3,4" if little else "4,3,2,1",
        "$DATATYPE": kind,
        "$MODE": "L",
        "$NEXTDATA": "0",
        "$PAR": str(n),
        "$TOT": str(len(events)),
    }
    for i, name in enumerate(names, start=1):
        words |= {f"$P{i}N": name, f"$P{i}B": str(widths[i - 1]), f"$P{i}R": "262144"}
        words |= {f"$P{i}E": "0,0"}
    words |= dict(keywords or {})
    text = mark + "".join(f"{key}{mark}{value}{mark}" for key, value in words.items() if value)
    first, last = header_data or true
    head = f"{version}    {58:>8}{58 + len(text.encode()) - 1:>8}{first:>8}{last:>8}{0:>8}{0:>8}"
    content = (head + text).encode()
    assert len(content) <= start
    return content.ljust(start) + data + after
