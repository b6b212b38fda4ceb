"""Smooth courses of a problem's observables, with what was measured and bands of what is not known.

The courses are simulated like the data: every group of measurements that share observable,
condition and placeholders is asked for at many times instead of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError
from statera.pathway.engine import Engine
from statera.pathway.objective import Objective
from statera.pathway.petab_measurements import Measurement
from statera.pathway.petab_problem import PetabProblem

__all__ = ["ObservedCourse", "observed_courses"]

Floats = NDArray[np.float64]
_Key = tuple[int, str, str, str, tuple[float | str, ...], tuple[float | str, ...]]


@dataclass(frozen=True)
class ObservedCourse:
    """One observable under one condition.

    Attributes
    ----------
    part
        Number of the model, from 1.
    observable, condition
        Names to show.
    times, values : (n_times,) float64
        The course.
    low, high : (n_times,) float64, optional
        Band of the course (not of measurements).
    measured_times, measured : (n_measured,) float64
        The data; those at steady state stand at the end of the course.
    """

    part: int
    observable: str
    condition: str
    times: Floats
    values: Floats
    low: Floats | None
    high: Floats | None
    measured_times: Floats
    measured: Floats


def observed_courses(
    problem: PetabProblem,
    theta: ArrayLike,
    engine: Engine,
    *,
    draws: ArrayLike | None = None,
    level: float = 0.9,
    points: int = 101,
) -> tuple[ObservedCourse, ...]:
    """Simulate all observables at many times.

    Parameters
    ----------
    problem
        As read.
    theta : (n_theta,) float64
        Parameters of the curves, on their scales.
    engine
        What solves the networks.
    draws : (n_draws, n_theta) float64, optional
        Parameters drawn from their posterior; bands are quantiles over them.
    level
        Of the bands.
    points
        Times of each course.

    Raises
    ------
    InputError
        If a simulation at `theta` fails, or all of those at the draws.
    """
    groups = _groups(problem)
    grids = {key: _grid(rows, points) for key, rows in groups.items()}
    dense = Objective(_dense(problem, groups, grids), engine=engine)
    values = _simulated(dense, np.asarray(theta, dtype=np.float64))
    if not np.isfinite(values).all():
        message = dense.evaluate(theta).message
        raise InputError(f"the courses cannot be simulated: {message or 'not finite'}")
    low = high = None
    if draws is not None:
        drawn = np.array([_simulated(dense, row) for row in np.atleast_2d(draws)])
        solved = drawn[np.isfinite(drawn).all(axis=1)]
        if not len(solved):
            raise InputError("no draw of the parameters could be simulated")
        low, high = np.quantile(solved, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return _courses(problem, groups, grids, values, low, high)


def _groups(problem: PetabProblem) -> dict[_Key, list[Measurement]]:
    found: dict[_Key, list[Measurement]] = {}
    for number, part in enumerate(problem.parts):
        for m in part.measurements:
            key = (number, m.observable, m.condition, m.preequilibration, m.observable_values,
                   m.noise_values)  # fmt: skip
            found.setdefault(key, []).append(m)
    return found


def _grid(rows: list[Measurement], points: int) -> Floats:
    finite = [m.time for m in rows if np.isfinite(m.time)]
    last = max(finite, default=0.0)
    first = min(0.0, *finite) if finite else 0.0
    if last <= first:
        return np.array([first]) if finite else np.array([np.inf])
    return np.linspace(first, last, points)


def _dense(
    problem: PetabProblem,
    groups: Mapping[_Key, list[Measurement]],
    grids: Mapping[_Key, Floats],
) -> PetabProblem:
    parts = []
    for number, part in enumerate(problem.parts):
        rows = [
            replace(groups[key][0], time=float(t))
            for key, grid in grids.items()
            if key[0] == number
            for t in grid
        ]
        parts.append(replace(part, measurements=tuple(rows)))
    return replace(problem, parts=tuple(parts))


def _simulated(dense: Objective, theta: Floats) -> Floats:
    column = dense.simulations(theta)["simulation"]
    return column.to_numpy().astype(np.float64)


def _courses(
    problem: PetabProblem,
    groups: Mapping[_Key, list[Measurement]],
    grids: Mapping[_Key, Floats],
    values: Floats,
    low: Floats | None,
    high: Floats | None,
) -> tuple[ObservedCourse, ...]:
    found, begin = [], 0
    ordered = sorted(grids, key=lambda key: key[0])  # as the parts stand; else as they came
    for key in ordered:
        grid, part = grids[key], problem.parts[key[0]]
        inside = slice(begin, begin + grid.size)
        begin += grid.size
        times = np.array([m.time for m in groups[key]])
        observable = part.observables[key[1]]
        found.append(
            ObservedCourse(
                part=key[0] + 1,
                observable=observable.name or observable.id,
                condition=_label(problem, key),
                times=grid,
                values=values[inside],
                low=None if low is None else low[inside],
                high=None if high is None else high[inside],
                measured_times=np.where(np.isfinite(times), times, grid[-1]),
                measured=np.array([m.value for m in groups[key]]),
            )
        )
    return tuple(found)


def _label(problem: PetabProblem, key: _Key) -> str:
    """Name the condition; placeholders only where two groups share the rest."""
    number, observable, condition, before, values, _ = key
    part = problem.parts[number]
    name = part.conditions[condition].name or condition
    said = f"{name}, after {part.conditions[before].name or before}" if before else name
    several = {
        m.observable_values
        for m in part.measurements
        if (m.observable, m.condition, m.preequilibration) == (observable, condition, before)
    }
    if len(several) > 1:
        said += f" ({', '.join(str(v) for v in values)})"
    return said
