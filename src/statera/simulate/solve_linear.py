"""Closed-form solution of linear models for many subjects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.model import Model
from statera.numerics.modal import decompose
from statera.parallel import map_ordered
from statera.simulate.arrays import Values, input_arrays, linear_arrays
from statera.simulate.event_windows import EventWindows, by_windows
from statera.simulate.linear_kernel import run_linear
from statera.simulate.parts import parts
from statera.simulate.questions import Questions, new_measures
from statera.simulate.segments import Segments, lay_out
from statera.simulate.structure import Structure

__all__ = ["solve_linear"]

Floats = NDArray[np.float64]


def solve_linear(
    model: Model,
    structure: Structure,
    values: Values,
    events: EventTable,
    windows: Floats | EventWindows,
    n_subjects: int,
    workers: int,
    questions: Questions | None = None,
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
    measures : (n_subjects, n_windows, n_outputs, 5 and more) float64
        See `statera.simulate.windows`; behind them those of `questions`.
    statuses : (n_subjects,) int64
    """
    assert structure.linear is not None
    layout = lay_out(events, n_subjects, segments)
    n_systems = layout.n_systems
    inputs = input_arrays(model, events, values, n_systems)
    system = linear_arrays(model, structure, values, n_systems)
    members, bounds = structure.linear.members, structure.linear.bounds
    n, n_out = system.weights.shape[2], system.weights.shape[1]
    lam, modal = np.empty((n_systems, n)), np.empty(n_systems, dtype=np.bool_)
    right, left = np.empty((n_systems, n, n)), np.empty((n_systems, n, n))
    rows = np.empty((*layout.shape, n_out))
    if events.n_groups > 1:  # groups may differ in their number of rows
        rows[:] = np.nan
    measures = new_measures(n_subjects, windows.shape[0], n_out, questions)
    statuses = layout.statuses(system.matrix, system.weights)

    def work(part: tuple[int, int]) -> None:
        # modes and memory of the rows belong to the threads as well
        here = layout.systems(part)
        out = (lam[here], right[here], left[here], modal[here])
        decompose(system.matrix[here], members, bounds, out)
        for first, last, spans, breaks in by_windows(windows, part):
            run_linear(
                first, last, layout.during, layout.at, events.offsets, events.time, events.evid,
                events.amount, events.rate, events.interval, events.additional, events.steady_state,
                events.key, inputs.key_start, inputs.compartment, inputs.kind,
                inputs.bioavailability, inputs.lag, inputs.duration, inputs.rate, system.matrix,
                lam, right, left, modal,
                system.endogenous, system.initial, system.weights, system.offset,
                spans, breaks, layout.row_of, rows, measures, statuses,
            )  # fmt: skip

    map_ordered(work, parts(n_subjects, workers), workers)
    if segments is None:
        rows[statuses != 0] = np.nan
    return rows, measures, statuses
