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
from statera.simulate.segments import Segments
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
    segments: Segments | None = None,
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return rows, window measures and statuses.

    Parameters
    ----------
    values
        By subject; by row of `segments` where they are given.
    segments
        Where covariates come with the records: result rows are then those of all subjects one
        after the other.

    Returns
    -------
    rows : (n_subjects, n_rows, n_outputs) float64
        Outputs; ``(1, n_observations, n_outputs)`` with `segments`.
    measures : (n_subjects, n_windows, n_outputs, 5) float64
        See `statera.simulate.windows`.
    statuses : (n_subjects,) int64
    """
    assert structure.linear is not None
    n_systems = n_subjects if segments is None else segments.subject.size
    inputs = input_arrays(model, events, values, n_systems)
    system = linear_arrays(model, structure, values, n_systems)
    lam, right, left, modal = decompose(
        system.matrix, structure.linear.members, structure.linear.bounds
    )
    n_out = system.weights.shape[1]
    finite = np.isfinite(system.matrix).all(axis=(1, 2)) & np.isfinite(system.weights).all(
        axis=(1, 2)
    )
    if segments is None:
        during = at = np.zeros(0, dtype=np.int64)
        row_of = events.row
        rows = np.full((n_subjects, events.n_rows, n_out), np.nan)
    else:
        during, at = segments.during, segments.at
        row_of = events.flat_row
        rows = np.full((1, int(row_of.max(initial=-1)) + 1, n_out), np.nan)
        finite = np.logical_and.reduceat(finite, segments.start)
    measures = np.full((n_subjects, windows.shape[0], n_out, N_MEASURES), np.nan)
    statuses = np.where(finite, 0, 4).astype(np.int64)
    breaks = np.unique(windows.ravel())

    def work(part: tuple[int, int]) -> None:
        run_linear(
            part[0], part[1], during, at, events.offsets, events.time, events.evid, events.amount,
            events.rate, events.interval, events.additional, events.steady_state, events.key,
            inputs.key_start, inputs.compartment, inputs.kind, inputs.bioavailability, inputs.lag,
            inputs.duration, inputs.rate, system.matrix, lam, right, left, modal,
            system.endogenous, system.initial, system.weights, system.offset,
            windows, breaks, row_of, rows, measures, statuses,
        )  # fmt: skip

    map_ordered(work, parts(n_subjects, workers), workers)
    return rows, measures, statuses
