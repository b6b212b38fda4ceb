"""What may be wrong with a fit although its search ended: told in sentences, never in silence."""

from __future__ import annotations

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.data import EventTable
from statera.errors import InputError
from statera.estimate.inner import ARRIVED, NOT_SOLVED
from statera.estimate.laplace import Expansion
from statera.estimate.problem import Problem
from statera.model import Model
from statera.numerics.expression import symbol
from statera.simulate import full_formula

__all__ = ["check_doses", "fit_warnings"]

Floats = NDArray[np.float64]

_NO_INFORMATION = 0.99
"""Share of a random effect's variance that remains after the data, above which they say nothing:
its variance has gone to 0, or no observation depends on it."""
_TIED = 1e-7
"""Smallest eigenvalue of the scaled outer products of gradients, below which parameters cannot be
told apart. Between an identifiable and an unidentifiable model lie many powers of ten."""
_SHOWN = 5


def check_doses(model: Model, events: EventTable) -> None:
    """Refuse records without doses where the model stays at 0 without one.

    Raises
    ------
    InputError
        If every prediction would be that of empty states.
    """
    if np.isin(events.evid, (1, 4)).any() or model.initial:
        return
    empty = {symbol(name): sp.Integer(0) for name in model.states}
    if all(full_formula(model, e.expression).xreplace(empty) == 0 for e in model.dynamics):
        raise InputError(
            "the data hold no dose, and without one all states of the model stay at 0",
            where="AMT",
            hint="Look at the columns AMT and EVID: their names, and whether AMT is 0 throughout.",
        )


def fit_warnings(problem: Problem, u: Floats, at: Expansion, rows: Floats) -> tuple[str, ...]:
    """Return what a reader of a fit must know.

    Parameters
    ----------
    u : (n_free,) float64
        Free numbers at the end.
    at
        Modes of the random effects at the end, and half the second derivatives there.
    rows : (n_subjects, n_free) float64
        Gradient of each subject by free numbers near the end.
    """
    theta, omega, _ = problem.unpack(u)
    return (
        *_subjects(problem, at),
        *_at_bounds(problem, theta),
        *_without_information(problem, omega, at),
        *_not_identified(problem, rows),
    )


def _subjects(problem: Problem, at: Expansion) -> list[str]:
    ids = problem.individuals.prepared.events.subject_ids
    statuses = at.inner.statuses
    found = []
    for chosen, what in (
        (statuses == NOT_SOLVED, "could not be solved"),
        ((statuses != ARRIVED) & (statuses != NOT_SOLVED), "have no mode of their random effects"),
    ):
        names = [ids[i] for i in np.flatnonzero(chosen)]
        if names:
            more = ", ..." if len(names) > _SHOWN else ""
            found.append(
                f"{len(names)} subjects {what} at the end: {', '.join(names[:_SHOWN])}{more}. "
                "Look at their records, or give other initial values"
            )
    return found


def _at_bounds(problem: Problem, theta: Floats) -> list[str]:
    found = []
    for i in problem.theta.free:
        parameter = list(problem.model.parameters.values())[i]
        for end in parameter.bounds or ():
            size = max(abs(parameter.value), 1e-8)
            if end is not None and abs(theta[i] - end) < 1e-4 * size:
                found.append(
                    f"{parameter.name} has reached its bound {end:g}: widen the bound, or fix it"
                )
    return found


def _without_information(problem: Problem, omega: Floats, at: Expansion) -> list[str]:
    """Return a sentence for each variance that is free and of which the data say nothing."""
    half = at.half
    if half.shape[1] == 0 or not np.isfinite(half).all():
        return []
    places = problem.omega.places
    names = list(problem.model.random_effects)
    found = []
    for block in problem.omega.free:
        for i in block.members:
            if not omega[i, i] > 0.0:
                continue
            # the data add to 1/omega: where they add nothing, the variance remains
            own = np.stack([half[:, k, k] for k in places[i]])
            remains = 1.0 / np.maximum(own * omega[i, i], 1e-300)
            if len(block.members) == 1 and np.median(remains) > _NO_INFORMATION:
                found.append(
                    f"the variance of {names[i]} ({omega[i, i]:.2g}) is at its boundary 0, or the "
                    f"data say nothing about it: leave {names[i]} out, or fix its variance"
                )
    return found


def _not_identified(problem: Problem, rows: Floats) -> list[str]:
    """Return a sentence where parameters have no effect, or only one together with others."""
    names = problem.free_names
    if not np.isfinite(rows).all() or not rows.size:
        return []
    size = np.sqrt((rows**2).sum(axis=0))
    found = []
    idle = size <= 1e-9 * max(1.0, float(size.max()))
    if idle.any():
        listed = ", ".join(names[i] for i in np.flatnonzero(idle))
        found.append(
            f"the objective does not depend on {listed}: the data do not determine it. "
            "Fix it, or leave it out"
        )
    moved = np.flatnonzero(~idle)
    if moved.size == 0 or rows.shape[0] <= moved.size:  # too few subjects: always singular
        return found
    scaled = rows[:, moved] / size[moved]
    values, vectors = np.linalg.eigh(scaled.T @ scaled)
    if values[0] < _TIED:
        together = moved[np.abs(vectors[:, 0]) > 0.2]
        listed = ", ".join(names[i] for i in together)
        found.append(
            f"the data cannot tell {listed} apart: the model is not identifiable as it stands. "
            "Fix one of them, or write the model with fewer parameters"
        )
    return found
