"""What a solution shows of itself: values that are not numbers, and amounts below zero."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.model import Model
from statera.simulate.structure import accumulating
from statera.units import same_dimension

__all__ = ["doubtful_values", "steady_state_remarks"]

Floats = NDArray[np.float64]
_AMOUNTS = ("mg", "mg/L", "nmol", "nmol/L")


def doubtful_values(model: Model, rows: Floats, solved: Floats, rtol: float) -> list[str]:
    """Return sentences about outputs of solved subjects that cannot be right.

    Parameters
    ----------
    rows : (..., n_outputs) float64
        Outputs of an ODE solver.
    solved : (...) bool
        Rows of subjects that were solved.
    rtol
        Tolerance of a step. An amount or a concentration further below zero than this part of
        the largest value says that it was too loose.
    """
    found = []
    for k, output in enumerate(model.outputs):
        values = rows[..., k][solved]
        finite = np.isfinite(values)
        if not finite.all():
            found.append(f"{output.name} is not a finite number in {int((~finite).sum())} rows")
        values = values[finite]
        if not values.size or not _is_amount(output.unit):
            continue
        lowest, size = float(values.min()), float(np.abs(values).max())
        if lowest < -rtol * size:
            found.append(
                f"{output.name} falls to {lowest:.2g} {output.unit}, below zero: the tolerance "
                f"of {rtol:g} is too loose, or the equations allow it"
            )
    return found


def steady_state_remarks(model: Model, events: EventTable) -> list[str]:
    """Return what a reader must know of a steady state that a solver sought."""
    if not events.steady_state.any():
        return []
    found = []
    names = [n for n, alone in zip(model.states, accumulating(model), strict=True) if alone]
    if names:
        found.append(
            f"{', '.join(names)} only accumulates: at a steady state it is as at the start"
        )
    if (events.steady_state == 2).any() and model.initial:
        found.append(
            f"SS=2 adds what the dose changes in {model.id}: the steady state of the dose less the "
            "initial state"
        )
    return found


@lru_cache(maxsize=64)
def _is_amount(unit: str) -> bool:
    return bool(unit) and any(same_dimension(unit, known) for known in _AMOUNTS)
