"""A control stream cut into records, with the lines they stand on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["KNOWN", "Problem", "Record", "cut"]

KNOWN = (
    "PROBLEM", "INPUT", "DATA", "SUBROUTINES", "MODEL", "PK", "PRED", "DES", "ERROR", "THETA",
    "OMEGA", "SIGMA", "ESTIMATION", "COVARIANCE", "TABLE", "SIZES", "SCATTERPLOT", "ABBREVIATED",
    "PRIOR", "MIX", "MSFI", "SIMULATION", "INFN", "AES", "AESINITIAL", "TOL", "CONTR", "LEVEL",
    "BIND", "OMIT", "THETAP", "THETAPV", "OMEGAP", "OMEGAPD", "SIGMAP", "SIGMAPD", "NONPARAMETRIC",
    "WARNINGS", "ETAS", "PHIS", "DEFAULT", "CHAIN", "RCOV", "RCOVI", "DESIGN", "ANNEAL", "SUBS",
    "ESTM", "SUPER",
)  # fmt: skip
"""Names of records; a stream may cut them to three letters or more."""

_SAME = {"SUBS": "SUBROUTINES", "ESTM": "ESTIMATION"}


@dataclass(frozen=True, order=True)
class Problem:
    """What cannot be translated on a line."""

    line: int
    what: str


@dataclass(frozen=True)
class Record:
    """One record.

    Attributes
    ----------
    name
        Its full name, or as written where it is not known.
    line
        Line of the ``$``.
    lines
        Number and text of each line without comments, the name taken off.
    comments
        Comment of a line, by its number.
    """

    name: str
    line: int
    lines: list[tuple[int, str]] = field(default_factory=list)
    comments: dict[int, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The whole record in one line."""
        return " ".join(text for _, text in self.lines)


def cut(stream: str) -> list[Record]:
    """Return the records in order; what stands before the first ``$`` is left out."""
    found: list[Record] = []
    for number, raw in enumerate(stream.splitlines(), start=1):
        text, _, comment = raw.partition(";")
        match = re.match(r"\s*\$(\w+)(.*)", text)
        if match:
            found.append(Record(_full(match[1].upper()), number))
            text = match[2]
        if not found:
            continue
        if text.strip():
            found[-1].lines.append((number, text.strip()))
        if comment.strip():
            found[-1].comments[number] = comment.strip()
    return found


def _full(name: str) -> str:
    if name in KNOWN:
        return _SAME.get(name, name)
    whole = [known for known in KNOWN if known.startswith(name)] if len(name) >= 3 else []
    return _SAME.get(whole[0], whole[0]) if whole else name
