"""Initial states of a network for given parameters, with their derivatives."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.pathway.compiled_network import CompiledNetwork

__all__ = ["initial_states"]

Floats = NDArray[np.float64]


def initial_states(
    compiled: CompiledNetwork,
    values: Floats,
    seeds: Floats | None = None,
    *,
    start: float = 0.0,
) -> tuple[Floats, Floats]:
    """Return what the network's initial formulas give.

    Parameters
    ----------
    compiled
        See `statera.pathway.compile_network`.
    values : (n_conditions, n_parameters) float64
        Parameters.
    seeds : (n_conditions, n_parameters, n_columns) float64
        Derivatives of the parameters; no columns where absent.
    start
        Time of the start.

    Returns
    -------
    states : (n_conditions, n_states) float64
        NaN where a state has no initial value.
    slopes : (n_conditions, n_states, n_columns) float64
        Their derivatives.
    """
    n, n_p = len(compiled.states), len(compiled.parameters)
    values = np.ascontiguousarray(values, dtype=np.float64)
    count = values.shape[0]
    width = 0 if seeds is None else seeds.shape[2]
    states, slopes = np.empty((count, n)), np.zeros((count, n, width))
    out = np.empty(n + compiled.start_rows.size)
    given = np.empty(n_p + compiled.flags)
    nowhere = np.zeros(n)
    for c in range(count):
        given[:n_p] = values[c]
        compiled.start(start, nowhere, 0, given, out, 0)
        states[c] = out[:n]
        if width and seeds is not None and compiled.start_rows.size:
            by_parameter = compiled.start_columns < n_p  # those by time stay out
            rows = compiled.start_rows[by_parameter]
            entries = out[n:][by_parameter]
            np.add.at(
                slopes[c], rows,
                entries[:, None] * seeds[c, compiled.start_columns[by_parameter]],
            )  # fmt: skip
    return states, slopes
