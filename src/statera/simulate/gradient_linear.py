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
from statera.simulate.segments import Segments, lay_out
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
    segments: Segments | None = None,
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return rows, their sensitivities and statuses.

    Parameters
    ----------
    values, tangents
        By subject; by row of `segments` where they are given.
    shape
        (n_subjects, n_wrt).
    segments
        Where covariates change within subjects: result rows are then those of all subjects one
        after the other.

    Returns
    -------
    rows : (n_subjects, n_rows, n_outputs) float64
        ``(1, n_observations, n_outputs)`` with `segments`.
    slopes : (n_subjects, n_rows, n_outputs, n_wrt) float64
    statuses : (n_subjects,) int64
    """
    assert structure.linear is not None
    layout = lay_out(events, shape[0], segments)
    n, wide = layout.n_systems, (layout.n_systems, shape[1])
    inputs = input_arrays(model, events, values, n)
    d_inputs = input_tangents(model, events, values, tangents, wide)
    system = linear_arrays(model, structure, values, n)
    d_system = linear_tangents(model, structure, values, tangents, wide)
    lam, right, left, modal = decompose(
        system.matrix, structure.linear.members, structure.linear.bounds
    )
    rows = np.full((*layout.shape, len(model.outputs)), np.nan)
    slopes = np.full((*rows.shape, shape[1]), np.nan)
    statuses = layout.statuses(system.matrix, system.weights, d_system.matrix, d_system.weights)

    def work(part: tuple[int, int]) -> None:
        run_linear_gradient(
            part[0], part[1], layout.during, layout.at, events.offsets, events.time, events.evid,
            events.amount, events.rate, events.interval, events.additional, events.steady_state,
            events.key, layout.row_of, inputs.key_start, inputs.compartment, inputs.kind,
            inputs.bioavailability, inputs.lag, inputs.duration, inputs.rate,
            d_inputs.bioavailability, d_inputs.lag, d_inputs.duration, d_inputs.rate,
            system.matrix, lam, right, left, modal, system.endogenous, system.initial,
            system.weights, system.offset, d_system.matrix, d_system.endogenous, d_system.initial,
            d_system.weights, d_system.offset, rows, slopes, statuses,
        )  # fmt: skip

    map_ordered(work, parts(shape[0], workers), workers)
    return rows, slopes, statuses
