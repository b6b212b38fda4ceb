"""The same experiments on a grid of times, for curves and bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.pathway.petab_measurements import Measurement
from statera.pathway.petab_problem import PetabPart, PetabProblem

__all__ = ["with_time_grid"]


def with_time_grid(problem: PetabProblem, points: int = 101) -> PetabProblem:
    """Return a problem whose rows are a grid of times in the place of the measurements.

    Each observable is asked for wherever it was measured: for each of its conditions and values of
    placeholders, from the start to its last finite time. Steady states stay as they are. Its
    `simulations` are curves; its values of the likelihood mean nothing.

    Parameters
    ----------
    problem
        The problem.
    points
        Times of a curve.

    Raises
    ------
    UsageError
        If fewer than two points are asked for.
    """
    if points < 2:
        raise UsageError(f"a curve of {points} points is no curve", where="points")
    return replace(problem, parts=tuple(_part(part, points) for part in problem.parts))


def _part(part: PetabPart, points: int) -> PetabPart:
    groups: dict[tuple[object, ...], list[Measurement]] = {}
    for m in part.measurements:
        key = (m.observable, m.preequilibration, m.condition, m.observable_values, m.noise_values)
        groups.setdefault(key, []).append(m)
    rows: list[Measurement] = []
    for group in groups.values():
        start = part.starts.get(group[0].condition, 0.0)
        rows += [replace(group[0], time=float(t)) for t in _times(group, start, points)]
    return replace(part, measurements=tuple(rows))


def _times(group: Sequence[Measurement], start: float, points: int) -> NDArray[np.float64]:
    finite = [m.time for m in group if np.isfinite(m.time)]
    grid = np.linspace(start, max(finite), points) if finite else np.empty(0)
    return np.append(grid, np.inf) if len(finite) < len(group) else grid
