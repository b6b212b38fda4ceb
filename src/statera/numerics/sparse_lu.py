"""Source text of a sparse factorisation written out for one pattern, and of its solution.

The order of elimination is fixed from the pattern by the rule of Markowitz (1957, doi
10.1287/mnsc.3.3.255): the pivot with the least possible fill-in first, on the diagonal. Without
exchange of rows a small pivot would lose digits; the factorisation then says so, and the caller
takes a dense one with exchange of rows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

__all__ = [
    "LARGEST_WRITTEN_OUT",
    "SMALL_PIVOT",
    "Elimination",
    "columns_source",
    "factor_source",
    "plan",
]

LARGEST_WRITTEN_OUT = 900
"""Factorisations with more entries are not written out: they would compile too slowly."""
SMALL_PIVOT = 1e-5
"""Least size of a pivot relative to the entries below it: digits lost are at most five."""


@dataclass(frozen=True)
class Elimination:
    """The steps of an elimination.

    Attributes
    ----------
    order
        Pivots, each a row and column.
    below, right
        Rows below and columns right of each pivot, in the order of `order`.
    place
        Where each entry of the factors is kept.
    """

    order: tuple[int, ...]
    below: tuple[tuple[int, ...], ...]
    right: tuple[tuple[int, ...], ...]
    place: dict[tuple[int, int], int]


def plan(pattern: Collection[tuple[int, int]], n: int) -> Elimination:
    """Return the elimination of an ``n`` by ``n`` matrix with entries at `pattern` and (i, i)."""
    filled = {*pattern, *((i, i) for i in range(n))}
    left = set(range(n))
    order: list[int] = []
    below: list[tuple[int, ...]] = []
    right: list[tuple[int, ...]] = []
    while left:
        rows = {k: [i for i in left if i != k and (i, k) in filled] for k in left}
        columns = {k: [j for j in left if j != k and (k, j) in filled] for k in left}
        pivot = min(sorted(left), key=lambda k: len(rows[k]) * len(columns[k]))
        left.remove(pivot)
        order.append(pivot)
        below.append(tuple(sorted(rows[pivot])))
        right.append(tuple(sorted(columns[pivot])))
        filled |= {(i, j) for i in below[-1] for j in right[-1]}
    place = {entry: q for q, entry in enumerate(sorted(filled))}
    return Elimination(tuple(order), tuple(below), tuple(right), place)


def factor_source(pattern: list[tuple[int, int]], n: int) -> tuple[str, str, int]:
    """Return the sources of ``factor`` and ``solve``, and the number of entries they keep.

    ``factor(shift, j, lu)`` factors ``shift I - J`` with the entries ``j`` of J at `pattern` and
    returns 0, or 1 where a pivot is small. ``solve(lu, b, base)`` solves for ``b[base:base + n]``
    in place.
    """
    steps = plan(pattern, n)
    if len(steps.place) > LARGEST_WRITTEN_OUT:
        return "def factor(shift, j, lu):\n    return 1", "def solve(lu, b, base):\n    return", 1
    given = {entry: f"-j[{q}]" for q, entry in enumerate(pattern)}
    known = set(given)
    lines = ["def factor(shift, j, lu):"]
    for (row, column), text in given.items():
        lines.append(f"    w_{row}_{column} = {'shift ' if row == column else ''}{text}")
    for i in range(n):
        if (i, i) not in known:
            lines.append(f"    w_{i}_{i} = shift")
            known.add((i, i))
    for k, below, right in zip(steps.order, steps.below, steps.right, strict=True):
        lines += _eliminate(k, below, right, known)
    lines += [f"    lu[{q}] = w_{i}_{j}" for (i, j), q in steps.place.items()]
    lines.append("    return 0")
    return "\n".join(lines), _solve_source(steps), len(steps.place)


def _eliminate(
    k: int, below: tuple[int, ...], right: tuple[int, ...], known: set[tuple[int, int]]
) -> list[str]:
    pivot = f"w_{k}_{k}"
    limit = "0.0"
    for i in below:
        limit = f"abs(w_{i}_{k})" if limit == "0.0" else f"max({limit}, abs(w_{i}_{k}))"
    lines = [f"    if not abs({pivot}) > {SMALL_PIVOT!r}*{limit}:", "        return 1"]
    lines.append(f"    {pivot} = 1.0/{pivot}")  # kept as its reciprocal
    for i in below:
        lines.append(f"    w_{i}_{k} = w_{i}_{k}*{pivot}")
        for j in right:
            before = f"w_{i}_{j} " if (i, j) in known else ""
            lines.append(f"    w_{i}_{j} = {before}-w_{i}_{k}*w_{k}_{j}")
            known.add((i, j))
    return lines


def columns_source(
    pattern: list[tuple[int, int]], n: int, fixed: tuple[int, int] | None = None
) -> str:
    """Return the source of ``solve_columns(lu, b, base, m, first, last)``.

    With the factors of `factor_source` it solves for the columns from `first` to `last` of m, in
    place, entry i of column c standing at ``b[base + i m + c]``. With ``fixed = (m, last)`` the
    loop from column 0 on is written a second time for these numbers.
    """
    steps = plan(pattern, n)
    if len(steps.place) > LARGEST_WRITTEN_OUT:
        return "def solve_columns(lu, b, base, m, first, last):\n    return"
    lines = ["def solve_columns(lu, b, base, m, first, last):"]
    lines += [f"    lu_{q} = lu[{q}]" for q in range(len(steps.place))]
    loop = ["    for c in range(first, last):"]
    loop += [f"    {line}" for line in _solve_lines(steps, "b[base + {}*m + c]", "lu_{}")]
    if fixed is None:
        return "\n".join([*lines, *loop])
    m, last = fixed
    known = _solve_lines(steps, f"b[base + {{}}*{m} + c]", "lu_{}")
    lines.append(f"    if base >= 0 and m == {m} and first == 0 and last == {last}:")
    lines += [f"        for c in range({last}):", *(f"        {line}" for line in known)]
    return "\n".join([*lines, "    else:", *(f"    {line}" for line in loop)])


def _solve_source(steps: Elimination) -> str:
    lines = _solve_lines(steps, "b[base + {}]", "lu[{}]")
    return "\n".join(["def solve(lu, b, base):", *lines])


def _solve_lines(steps: Elimination, entry: str, factor: str) -> list[str]:
    lines = [f"    y_{k} = {entry.format(k)}" for k in sorted(steps.order)]
    for k, below in zip(steps.order, steps.below, strict=True):
        lines += [f"    y_{i} -= {factor.format(steps.place[i, k])}*y_{k}" for i in below]
    for k, right in reversed(list(zip(steps.order, steps.right, strict=True))):
        known = "".join(f" - {factor.format(steps.place[k, j])}*y_{j}" for j in right)
        lines.append(f"    y_{k} = (y_{k}{known})*{factor.format(steps.place[k, k])}")
    return lines + [f"    {entry.format(k)} = y_{k}" for k in sorted(steps.order)]
