"""Closed-form solution of linear models for many subjects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.model import Model
from statera.numerics.modal import decompose
from statera.parallel import map_ordered
from statera.simulate.arrays import Values, input_arrays, linear_arrays
from statera.simulate.linear_kernel import run_linear
from statera.simulate.parts import parts
from statera.simulate.structure import Structure
from statera.simulate.windows import N_MEASURES

__all__ = ["solve_linear"]

Floats = NDArray[np.float64]


def solve_linear(
    model: Model,
    structure: Structure,
    values: Values,
    events: EventTable,
    windows: Floats,
    n_subjects: int,
    workers: int,
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return rows, window measures and statuses.

    Returns
    -------
    rows : (n_subjects, n_rows, n_outputs) float64
        Outputs.
    measures : (n_subjects, n_windows, n_outputs, 5) float64
        See `statera.simulate.windows`.
    statuses : (n_subjects,) int64
    """
    assert structure.linear is not None
    inputs = input_arrays(model, events, values, n_subjects)
    system = linear_arrays(model, structure, values, n_subjects)
    lam, right, left, modal = decompose(
        system.matrix, structure.linear.members, structure.linear.bounds
    )
    n_out = system.weights.shape[1]
    rows = np.full((n_subjects, events.n_rows, n_out), np.nan)
    measures = np.full((n_subjects, windows.shape[0], n_out, N_MEASURES), np.nan)
    finite = np.isfinite(system.matrix).all(axis=(1, 2)) & np.isfinite(system.weights).all(
        axis=(1, 2)
    )
    statuses = np.where(finite, 0, 4).astype(np.int64)
    breaks = np.unique(windows.ravel())

    def work(part: tuple[int, int]) -> None:
        run_linear(
            part[0], part[1], events.offsets, events.time, events.evid, events.amount,
            events.rate, events.interval, events.additional, events.steady_state, events.key,
            inputs.key_start, inputs.compartment, inputs.kind, inputs.bioavailability, inputs.lag,
            inputs.duration, inputs.rate, system.matrix, lam, right, left, modal,
            system.endogenous, system.initial, system.weights, system.offset,
            windows, breaks, events.row, rows, measures, statuses,
        )  # fmt: skip

    map_ordered(work, parts(n_subjects, workers), workers)
    return rows, measures, statuses
