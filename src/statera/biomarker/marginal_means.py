"""Estimated marginal means: what a model says of each combination of levels.

The reference grid holds every combination of the levels of all factors of the formula, numbers
standing at their mean over the samples; a mean over factors that are not named gives each level
the same weight, however many samples it has.

Methods
-------
Searle, Speed and Milliken, Am Stat 1980;34:216-221, doi 10.1080/00031305.1980.10483031.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.design import Design, Factor, build_design, parse_formula
from statera.errors import InputError, UnknownNameError

__all__ = ["MarginalMeans", "Pair", "contrast_of_text", "marginal_means", "pairs_of"]

Floats = NDArray[np.float64]
Columns = Mapping[str, Floats | Factor]


@dataclass(frozen=True)
class MarginalMeans:
    """Means of combinations of levels, as weights of the columns of a design.

    Attributes
    ----------
    names : tuple of str
        Factors whose levels are combined.
    cells : tuple of tuple of str
        Levels of each mean, the last factor running fastest.
    weights : (g, p) float64
        A mean is its weights times the coefficients.
    """

    names: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    weights: Floats


@dataclass(frozen=True)
class Pair:
    """The later of two means less the earlier: its words, weights (p,) and means compared."""

    said: str
    weights: Floats
    within: int


def marginal_means(
    formula: str, columns: Columns, design: Design, names: Sequence[str]
) -> MarginalMeans:
    """Return the means of every combination of the levels of the factors `names`.

    Raises
    ------
    UnknownNameError
        If a name is not in the formula.
    InputError
        If it is a number and has no levels.
    """
    used = tuple(dict.fromkeys(name for term in parse_formula(formula)[1] for name in term))
    factors = [name for name in used if isinstance(columns[name], Factor)]
    for name in names:
        if name not in used:
            raise UnknownNameError("factor", name, factors, where="marginal means")
        if name not in factors:
            raise InputError(
                f"{name} holds numbers and so has no levels to compare",
                where="marginal means",
                hint=f"Make it a factor. The formula has: {', '.join(factors) or 'none'}.",
            )
    levels = {name: columns[name].levels for name in factors}  # type: ignore[union-attr]
    grid = list(itertools.product(*levels.values()))
    rows = _rows(formula, columns, design, factors, grid)
    places = [factors.index(name) for name in names]
    cells = tuple(itertools.product(*(levels[name] for name in names)))
    weights = np.array(
        [
            rows[[tuple(point[i] for i in places) == cell for point in grid]].mean(axis=0)
            for cell in cells
        ]
    )
    return MarginalMeans(tuple(names), cells, weights)


def _rows(
    formula: str,
    columns: Columns,
    design: Design,
    factors: Sequence[str],
    grid: Sequence[tuple[str, ...]],
) -> Floats:
    """Return the rows (g, p) of the design at the points of the grid."""
    longer: dict[str, Floats | Factor] = {}
    for name in dict.fromkeys(name for term in parse_formula(formula)[1] for name in term):
        column = columns[name]
        if isinstance(column, Factor):
            own = tuple(point[factors.index(name)] for point in grid)
            longer[name] = Factor((*column.labels, *own), column.levels)
        else:
            longer[name] = np.concatenate([column, np.full(len(grid), column.mean())])
    return build_design(formula, longer, design.coding).matrix[-len(grid) :]


def pairs_of(means: MarginalMeans, by: Sequence[str] = ()) -> tuple[Pair, ...]:
    """Return all pairs of means, the later less the earlier; with `by`, within its levels.

    Raises
    ------
    UnknownNameError
        If a name of `by` is none of the factors.
    """
    for name in by:
        if name not in means.names:
            raise UnknownNameError("factor", name, means.names, where="pairs")
    held = [means.names.index(name) for name in by]
    families: dict[tuple[str, ...], list[int]] = {}
    for place, cell in enumerate(means.cells):
        families.setdefault(tuple(cell[i] for i in held), []).append(place)
    found = []
    for own in families.values():
        for i, j in itertools.combinations(own, 2):
            said = f"{' '.join(means.cells[j])} - {' '.join(means.cells[i])}"
            found.append(Pair(said, means.weights[j] - means.weights[i], len(own)))
    return tuple(found)


_CELL = re.compile(r"\s*([+-]?)\s*(\d+(?:\.\d*)?|\.\d+)?\s*\*?\s*\[([^\[\]]*)\]\s*")


def contrast_of_text(
    text: str, formula: str, columns: Columns, design: Design
) -> tuple[str, Floats]:
    """Return the name and the weights (p,) of a contrast such as ``late = [week=12] - [week=0]``.

    A bracket is the mean of the levels it names, over all levels of factors it does not; numbers
    before it are its weights, as in ``[week=12] - 0.5 [week=0] - 0.5 [week=4]``.

    Raises
    ------
    InputError
        If the text is not understood, or its weights do not sum to 0.
    UnknownNameError
        If there is no such factor or level.
    """
    name, _, body = text.partition("=") if _named(text) else ("", "", text)
    total, weights = 0.0, np.zeros(design.matrix.shape[1])
    place = 0
    while place < len(body.rstrip()):
        found = _CELL.match(body, place)
        if found is None or (place and not found.group(1)):
            raise InputError(
                f"the contrast '{text}' is not understood",
                where="contrast",
                hint="Write late = [week=12] - [week=0], with weights before brackets if wanted.",
            )
        weight = float(found.group(2) or 1.0) * (-1.0 if found.group(1) == "-" else 1.0)
        weights = weights + weight * _cell(found.group(3), formula, columns, design)
        total += weight
        place = found.end()
    if not place or abs(total) > 1e-9:
        raise InputError(
            f"the weights of the contrast '{text}' sum to {total:g}",
            where="contrast",
            hint="A contrast compares means: its weights sum to 0.",
        )
    return (name.strip() or body.strip()), weights


def _named(text: str) -> bool:
    """Return whether a name and ``=`` stand before the first bracket."""
    return "=" in text.split("[", 1)[0]


def _cell(text: str, formula: str, columns: Columns, design: Design) -> Floats:
    wanted: dict[str, str] = {}
    for part in text.split(","):
        name, sign, level = (piece.strip() for piece in part.partition("="))
        if not sign or not level:
            raise InputError(
                f"'[{text}]' names no levels", where="contrast", hint="Write [arm=active, week=12]."
            )
        wanted[name] = level
    means = marginal_means(formula, columns, design, tuple(wanted))
    cell = tuple(wanted.values())
    for name, level in wanted.items():
        column = columns[name]
        if isinstance(column, Factor) and level not in column.levels:
            raise UnknownNameError(f"level of {name}", level, column.levels, where="contrast")
    return np.asarray(means.weights[means.cells.index(cell)])
