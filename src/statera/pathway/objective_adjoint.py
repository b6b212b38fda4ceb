"""When the gradient of an objective goes the way back, and how it comes to theta.

Forward sensitivities cost a column for each parameter that a condition depends on; the way back
(`statera.pathway.adjoint`) costs the same for any number of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, UnknownNameError
from statera.pathway.engine import AdjointEngine, Engine, Seeds, WayBack
from statera.pathway.petab_mapping import Ints

__all__ = ["ADJOINT_COLUMNS", "GRADIENTS", "by_theta", "chooses_adjoint"]

Floats = NDArray[np.float64]

ADJOINT_COLUMNS = 14
"""Columns a condition from which the way back is faster, as measured in docs/pathway-solver.md."""
GRADIENTS = ("auto", "forward", "adjoint")


def chooses_adjoint(
    gradient: str, engine: Engine, network: object, widths: Ints, label: str
) -> bool:
    """Return whether the gradient of a part goes the way back.

    Parameters
    ----------
    gradient
        ``forward``, ``adjoint``, or ``auto``: the way back where there is one, and conditions have
        `ADJOINT_COLUMNS` columns or more on average.
    engine, network
        What solves, and the model as it is solved.
    widths : (n_conditions,) int64
        Columns of each condition.
    label
        Name of the model, for the message.

    Raises
    ------
    UnknownNameError
        If `gradient` is none of these.
    InputError
        If the way back is asked for, and there is none.
    """
    if gradient not in GRADIENTS:
        raise UnknownNameError("gradient", gradient, GRADIENTS)
    if gradient == "forward":
        return False
    if isinstance(engine, AdjointEngine):
        obstacle = engine.no_way_back(network)
    else:
        obstacle = "the engine has forward sensitivities alone"
    if gradient == "auto":
        return not obstacle and widths.size > 0 and bool(widths.mean() >= ADJOINT_COLUMNS)
    if obstacle:
        raise InputError(
            f"the gradient cannot be found by the adjoint: {obstacle}",
            where=label,
            hint="Choose gradient='auto' or 'forward'.",
        )
    return True


def by_theta(
    back: WayBack,
    weights: Sequence[Floats],
    seeds: Seeds,
    steady: tuple[Floats, Floats] | None,
    columns: Ints,
    n_theta: int,
) -> Floats:
    """Return the derivatives of a number by theta, (n_theta,) float64.

    Parameters
    ----------
    back
        The way back of the simulations with times.
    weights
        For each of them (n_times, n_states): derivatives of the number by the states.
    seeds
        Derivatives of their parameters and starts by the columns.
    steady
        For steady states that were measured, if any: derivatives of the number by them
        (n_steady, n_states), and their own by the columns (n_steady, n_states, n_columns).
    columns : (n_simulations, n_columns) int64
        Position in theta of each column, of simulations with times and then of steady states; -1
        for one that is not used.
    n_theta
        Number of estimated parameters.
    """
    by_values, by_initial = back(weights)
    found = np.einsum("cp,cpk->ck", by_values, seeds[0])
    found += np.einsum("cs,csk->ck", by_initial, seeds[1])
    if steady is not None:
        found = np.concatenate([found, np.einsum("cs,csk->ck", *steady)])
    used = columns >= 0
    total = np.zeros(n_theta)
    np.add.at(total, columns[used], found[used])
    return total
