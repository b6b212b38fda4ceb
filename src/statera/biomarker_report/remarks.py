"""Analytes with a status other than ok, listed by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from statera.report.document import Block, Inline, Table

__all__ = ["remarks"]

_NAMED = 20


def remarks(
    caption: str, heading: str, statuses: Sequence[str], names: Sequence[str]
) -> list[Block]:
    """Return a table of statuses with those that have them; nothing where all are ok."""
    counts = Counter(status for status in statuses if status != "ok")
    rows: list[tuple[Inline, ...]] = []
    for status, count in counts.most_common():
        own = [n for n, s in zip(names, statuses, strict=True) if s == status]
        rest = f" and {count - _NAMED} more" if count > _NAMED else ""
        rows.append((status, str(count), ", ".join(own[:_NAMED]) + rest))
    if not rows:
        return []
    return [Table(caption, ("Status", heading, "Names"), tuple(rows), numeric=(1,))]
