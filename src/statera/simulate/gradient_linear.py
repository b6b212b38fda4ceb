"""Exact sensitivities of linear models for many subjects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.model import Model
from statera.numerics.modal import decompose
from statera.parallel import map_ordered
from statera.simulate.arrays import Values, input_arrays, linear_arrays
from statera.simulate.gradient_linear_kernel import run_linear_gradient
from statera.simulate.gradient_values import Tangents, input_tangents, linear_tangents
from statera.simulate.parts import parts
from statera.simulate.structure import Structure

__all__ = ["solve_linear_gradient"]

Floats = NDArray[np.float64]


def solve_linear_gradient(
    model: Model,
    structure: Structure,
    values: Values,
    tangents: Tangents,
    events: EventTable,
    shape: tuple[int, int],
    workers: int,
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return rows, their sensitivities and statuses.

    Parameters
    ----------
    shape
        (n_subjects, n_wrt).

    Returns
    -------
    rows : (n_subjects, n_rows, n_outputs) float64
    slopes : (n_subjects, n_rows, n_outputs, n_wrt) float64
    statuses : (n_subjects,) int64
    """
    assert structure.linear is not None
    n_subjects = shape[0]
    inputs = input_arrays(model, events, values, n_subjects)
    d_inputs = input_tangents(model, events, values, tangents, shape)
    system = linear_arrays(model, structure, values, n_subjects)
    d_system = linear_tangents(model, structure, values, tangents, shape)
    lam, right, left, modal = decompose(
        system.matrix, structure.linear.members, structure.linear.bounds
    )
    rows = np.full((n_subjects, events.n_rows, len(model.outputs)), np.nan)
    slopes = np.full((*rows.shape, shape[1]), np.nan)
    finite = np.ones(n_subjects, dtype=bool)
    for array in (system.matrix, system.weights, d_system.matrix, d_system.weights):
        finite &= np.isfinite(array).reshape(n_subjects, -1).all(axis=1)
    statuses = np.where(finite, 0, 4).astype(np.int64)

    def work(part: tuple[int, int]) -> None:
        run_linear_gradient(
            part[0], part[1], events.offsets, events.time, events.evid, events.amount,
            events.rate, events.interval, events.additional, events.steady_state, events.key,
            events.row, inputs.key_start, inputs.compartment, inputs.kind, inputs.bioavailability,
            inputs.lag, inputs.duration, inputs.rate, d_inputs.bioavailability, d_inputs.lag,
            d_inputs.duration, d_inputs.rate, system.matrix, lam, right, left, modal,
            system.endogenous, system.initial, system.weights, system.offset, d_system.matrix,
            d_system.endogenous, d_system.initial, d_system.weights, d_system.offset,
            rows, slopes, statuses,
        )  # fmt: skip

    map_ordered(work, parts(n_subjects, workers), workers)
    return rows, slopes, statuses
