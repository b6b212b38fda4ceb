"""Smooth courses of a problem's observables, with what was measured and bands of what is not known.

The courses are simulated like the data: every group of measurements that share observable,
condition and placeholders is asked for at many times instead of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError
from statera.pathway.engine import Engine
from statera.pathway.objective import Objective
from statera.pathway.petab_grid import with_time_grid
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
    engine: Engine | None = None,
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
        What solves the networks, as `statera.pathway.objective.Objective` takes it.
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
    grid = with_time_grid(problem, points)
    dense = Objective(grid, engine=engine)
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
    return _courses(problem, grid, values, low, high)


def _key(number: int, m: Measurement) -> _Key:
    return (number, m.observable, m.condition, m.preequilibration, m.observable_values,
            m.noise_values)  # fmt: skip


def _simulated(dense: Objective, theta: Floats) -> Floats:
    column = dense.simulations(theta)["simulation"]
    return column.to_numpy().astype(np.float64)


def _courses(
    problem: PetabProblem,
    grid: PetabProblem,
    values: Floats,
    low: Floats | None,
    high: Floats | None,
) -> tuple[ObservedCourse, ...]:
    """Cut the simulated rows into their groups, and set the measured ones beside them."""
    measured: dict[_Key, list[Measurement]] = {}
    for number, part in enumerate(problem.parts):
        for m in part.measurements:
            measured.setdefault(_key(number, m), []).append(m)
    rows: dict[_Key, list[tuple[int, float]]] = {}
    order = ((n, m) for n, part in enumerate(grid.parts) for m in part.measurements)
    for at, (number, m) in enumerate(order):
        rows.setdefault(_key(number, m), []).append((at, m.time))
    return tuple(
        _course(problem, key, rows[key], group, values, low, high)
        for key, group in measured.items()
    )


def _course(
    problem: PetabProblem, key: _Key, rows: list[tuple[int, float]], group: list[Measurement],
    values: Floats, low: Floats | None, high: Floats | None,
) -> ObservedCourse:  # fmt: skip
    at, times = [r for r, _ in rows], np.array([t for _, t in rows])
    end = times[np.isfinite(times)].max(initial=0.0)
    times = np.where(np.isfinite(times), times, end)
    seen = np.array([m.time for m in group])
    observable = problem.parts[key[0]].observables[key[1]]
    return ObservedCourse(
        part=key[0] + 1,
        observable=observable.name or observable.id,
        condition=_label(problem, key),
        times=times,
        values=values[at],
        low=None if low is None else low[at],
        high=None if high is None else high[at],
        measured_times=np.where(np.isfinite(seen), seen, end),
        measured=np.array([m.value for m in group]),
    )


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
