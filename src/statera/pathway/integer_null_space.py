"""Whole numbers that a matrix of rationals sends to zero, non-negative ones where there are any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import gcd, lcm

__all__ = ["left_null_space"]

Row = dict[int, Fraction]
_MOST_ROWS = 4000  # of the search for non-negative vectors, which can grow beyond any bound


def left_null_space(rows: Sequence[Mapping[int, Fraction]]) -> list[dict[int, int]]:
    """Return a basis of the vectors y with ``y' M = 0``, with whole numbers.

    Parameters
    ----------
    rows
        The rows of M, each by column; zeros left out.

    Returns
    -------
    Vectors by row of M: as many non-negative ones as are independent, those over few rows first,
    then what lacks for a basis. The largest common divisor of each is 1.

    Notes
    -----
    The non-negative ones are the extreme rays of a cone, found column by column (Schuster and
    Höfer, J Chem Soc Faraday Trans 87, 2561, 1991, doi 10.1039/FT9918702561). Where there are too
    many of them on the way, the basis is that of elimination alone.
    """
    found = []
    for block in _blocks(rows):
        part = [rows[i] for i in block]
        plain = _by_elimination(part)
        if plain:
            rays = sorted(_rays(part), key=lambda ray: (len(ray), sorted(ray)))
            chosen = _independent([*rays, *plain], len(plain))
            found += [{block[i]: value for i, value in vector.items()} for vector in chosen]
    negative = [min(vector.values()) < 0 for vector in found]
    order = sorted(range(len(found)), key=lambda k: (negative[k], len(found[k]), k))
    return [found[k] for k in order]


def _blocks(rows: Sequence[Mapping[int, Fraction]]) -> list[list[int]]:
    """Return rows in groups that share no column with each other, in order of their first row."""
    group = list(range(len(rows)))

    def first(row: int) -> int:
        while group[row] != row:
            group[row] = group[group[row]]
            row = group[row]
        return row

    by_column: dict[int, int] = {}
    for index, row in enumerate(rows):
        for column in row:
            other = by_column.setdefault(column, index)
            low, high = sorted((first(other), first(index)))
            group[high] = low
    blocks: dict[int, list[int]] = {}
    for index in range(len(rows)):
        blocks.setdefault(first(index), []).append(index)
    return list(blocks.values())


def _by_elimination(rows: Sequence[Mapping[int, Fraction]]) -> list[dict[int, int]]:
    """Return a basis by Gaussian elimination of the rows, each with what it is made of."""
    pivots: list[tuple[int, Row, Row]] = []
    basis = []
    for index, row in enumerate(rows):
        left, made = dict(row), {index: Fraction(1)}
        for column, other, of in pivots:
            if column in left:
                factor = -left[column] / other[column]
                left = _sum(left, other, factor)
                made = _sum(made, of, factor)
        if left:
            pivots.append((min(left), left, made))
        else:
            basis.append(_whole(made))
    return basis


def _rays(rows: Sequence[Mapping[int, Fraction]]) -> list[dict[int, int]]:
    """Return the extreme rays of the cone of non-negative solutions; none where there are many."""
    table: list[tuple[Row, Row]] = [(dict(r), {i: Fraction(1)}) for i, r in enumerate(rows)]
    columns = {column for row in rows for column in row}
    while columns:
        column = min(columns, key=lambda c: (_pairs(table, c), c))
        columns.remove(column)
        kept = [pair for pair in table if column not in pair[0]]
        above = [pair for pair in table if pair[0].get(column, 0) > 0]
        below = [pair for pair in table if pair[0].get(column, 0) < 0]
        if len(kept) + len(above) * len(below) > _MOST_ROWS:
            return []
        for first, made in above:
            for second, of in below:
                factor = -first[column] / second[column]
                support = made.keys() | of.keys()
                others = (o for _, o in table if o is not made and o is not of)
                if not any(other.keys() <= support for other in others):
                    kept.append((_sum(first, second, factor), _sum(made, of, factor)))
        table = kept
    return [_whole(made) for _, made in table]


def _pairs(table: Iterable[tuple[Row, Row]], column: int) -> int:
    signs = [row[column] > 0 for row, _ in table if column in row]
    above = sum(signs)
    return above * (len(signs) - above)


def _sum(first: Row, second: Row, factor: Fraction) -> Row:
    total = dict(first)
    for column, value in second.items():
        new = total.get(column, Fraction(0)) + factor * value
        if new:
            total[column] = new
        else:
            total.pop(column, None)
    return total


def _whole(row: Row) -> dict[int, int]:
    scale = lcm(*(value.denominator for value in row.values()))
    whole = {index: int(value * scale) for index, value in sorted(row.items())}
    divisor = gcd(*whole.values())
    sign = -1 if next(iter(whole.values())) < 0 else 1
    return {index: sign * value // divisor for index, value in whole.items()}


def _independent(vectors: Sequence[dict[int, int]], wanted: int) -> list[dict[int, int]]:
    """Return the first vectors that are independent of those before, as many as are wanted."""
    pivots: list[tuple[int, Row]] = []
    chosen: list[dict[int, int]] = []
    for vector in vectors:
        left: Row = {index: Fraction(value) for index, value in vector.items()}
        for column, other in pivots:
            if column in left:
                left = _sum(left, other, -left[column] / other[column])
        if left:
            pivots.append((min(left), left))
            chosen.append(vector)
            if len(chosen) == wanted:
                break
    return chosen
