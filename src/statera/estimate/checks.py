"""What may be wrong with a fit although its search ended: told in sentences, never in silence."""

from __future__ import annotations

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.data import EventTable, FitData
from statera.errors import InputError
from statera.estimate.problem import Observed, Problem
from statera.estimate.result import FitResult
from statera.estimate.status import Code, fit_notices
from statera.model import Model
from statera.numerics.expression import symbol
from statera.simulate import full_formula

__all__ = ["check_doses", "fit_warnings", "on_natural_scale"]

Floats = NDArray[np.float64]

_TIED = 1e-7
"""Smallest eigenvalue of the scaled outer products of gradients, below which parameters cannot be
told apart. Between an identifiable and an unidentifiable model lie many powers of ten."""
_OF_SEARCH = {Code.NO_PROGRESS, Code.ITERATIONS, Code.STOPPED, Code.NOT_CONVERGED}


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


def on_natural_scale(model: Model, data: Observed) -> Observed:
    """Return data whose observed values are not logarithms.

    Raises
    ------
    InputError
        If DV holds logarithms and a residual error is not on the log scale.
    """
    if not isinstance(data, FitData) or data.dv_scale != "log":
        return data
    other = [name for name, residual in model.residuals.items() if not residual.lognormal]
    if other:
        raise InputError(
            f"DV holds logarithms, and the residual error of {other[0]} is not on the log scale",
            where="DV",
            hint=f'Write scale = "log" in [residual.{other[0]}], or give DV as it was measured.',
        )
    return data.to_natural()


def fit_warnings(result: FitResult, rows: Floats) -> tuple[str, ...]:
    """Return what a reader of a fit must know, beyond how its search ended.

    Parameters
    ----------
    rows : (n_subjects, n_free) float64
        Gradient of each subject by free numbers near the end.
    """
    notices = [str(n) for n in fit_notices(result) if n.code not in _OF_SEARCH]
    return (*notices, *_not_identified(result.problem, rows))


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
