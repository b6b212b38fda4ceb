"""How a prepared linear model is solved, and the arrays of inputs that all solvers take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.model import InputProcess, Model
from statera.numerics.expression import symbol
from statera.numerics.modal import decompose
from statera.parallel import map_ordered
from statera.simulate.arrays import formulas_of, kind_of
from statera.simulate.gradient_linear_kernel import run_linear_gradient
from statera.simulate.gradient_values import NO_PAIRS, Pairs
from statera.simulate.linear_kernel import run_linear
from statera.simulate.parts import parts
from statera.simulate.structure import LinearSystem

if TYPE_CHECKING:
    from statera.simulate.prepared import Prepared

__all__ = ["LinearSolver", "Places", "first_statuses"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SKIPPED = 99
"""Status that keeps a subject from being solved."""

_INPUTS = 4


class Places:
    """Where formulas stand among the leaves of a model: those of inputs, and of the solver."""

    def __init__(self) -> None:
        self.used = 0
        self.compartment: list[int] = []
        self.kind: list[int] = []
        self.inputs: list[tuple[int, int, int]] = []
        self.missing: list[tuple[int, int]] = []
        self.key_start = np.zeros(1, dtype=np.int64)

    def process(self, process: InputProcess, amount: float, states: Sequence[str]) -> list[sp.Expr]:
        """Return the formulas of an input process at a dose."""
        number = len(self.kind)
        self.compartment.append(states.index(process.into))
        self.kind.append(kind_of(process))
        found: list[sp.Expr] = []
        for which, formula in enumerate(formulas_of(process)):
            if formula is None:
                self.missing.append((which, number))
                continue
            self.inputs.append((which, number, self.used))
            found.append(formula.xreplace({symbol("AMT"): sp.Float(amount)}))
            self.used += 1
        return found

    def close_keys(self, sizes: Sequence[int]) -> None:
        """Note how many processes each dose key has."""
        self.key_start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    def input_values(self, leaves: Floats) -> list[Floats]:
        """Return bioavailability, lag, duration and rate, (n_systems, n_processes) each."""
        arrays = [np.zeros((leaves.shape[1], len(self.kind))) for _ in range(_INPUTS)]
        for which, number, leaf in self.inputs:
            arrays[which][:, number] = leaves[leaf]
        for which, number in self.missing:
            arrays[which][:, number] = np.nan
        return arrays

    def input_slopes(self, slopes: Floats) -> list[Floats]:
        """Return their derivatives, (n_systems, n_processes, n_columns) each."""
        shape = (slopes.shape[1], len(self.kind), slopes.shape[2])
        arrays = [np.zeros(shape) for _ in range(_INPUTS)]
        for which, number, leaf in self.inputs:
            arrays[which][:, number] = slopes[leaf]
        return arrays

    @property
    def kinds(self) -> tuple[Ints, Ints]:
        """Receiving state and kind of each process."""
        return np.array(self.compartment, dtype=np.int64), np.array(self.kind, dtype=np.int64)


class LinearSolver:
    """Closed form; the leaves are entries of the matrix, production and initial state."""

    how = "solved in closed form"

    def __init__(self, model: Model, linear: LinearSystem) -> None:
        self.model, self.linear = model, linear
        self.n = len(model.states)
        self.entries = list(linear.matrix)
        self.produced = list(linear.constant)
        self.begun = [model.states.index(name) for name in model.initial]

    def leaves(self, places: Places) -> list[sp.Expr]:
        """Return the formulas of the system."""
        found = [*self.linear.matrix.values(), *self.linear.constant.values()]
        found += list(self.model.initial.values())
        places.used += len(found)
        return found

    def arrays(self, leaves: Floats) -> tuple[Floats, Floats, Floats]:
        """Return matrix, production and initial state; trailing axes follow those of leaves."""
        tail = leaves.shape[2:]
        count = leaves.shape[1]
        matrix = np.zeros((count, *tail, self.n, self.n))
        production = np.zeros((count, *tail, self.n))
        initial = np.zeros((count, *tail, self.n))
        k = 0
        for i, j in self.entries:
            matrix[..., i, j] = leaves[k]
            k += 1
        for i in self.produced:
            production[..., i] = leaves[k]
            k += 1
        for i in self.begun:
            initial[..., i] = leaves[k]
            k += 1
        return matrix, production, initial

    def _outputs(self, count: int, m: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Return weights that make the states themselves the outputs, and their derivatives."""
        weights = np.broadcast_to(np.eye(self.n), (count, self.n, self.n)).copy()
        return (
            weights,
            np.zeros((count, self.n)),
            np.zeros((count, m, self.n, self.n)),
            np.zeros((count, m, self.n)),
        )

    def states(
        self, of: Prepared, leaves: Floats, skipped: NDArray[np.bool_]
    ) -> tuple[Floats, Ints]:
        """Return states at observations and statuses, see `Prepared.states`."""
        events, layout, places = of.events, of.layout, of.places
        matrix, production, initial = self.arrays(leaves)
        inputs = places.input_values(leaves)
        statuses = first_statuses(of, skipped, matrix, initial)
        lam, right, left, modal = decompose(matrix, self.linear.members, self.linear.bounds)
        weights, offset, _, _ = self._outputs(matrix.shape[0], 0)
        rows = np.full((*layout.shape, self.n), np.nan)
        none = np.zeros((0, 2))
        measures = np.zeros((events.n_groups, 0, self.n, 5))
        compartment, kind = places.kinds

        def work(part: tuple[int, int]) -> None:
            run_linear(
                part[0], part[1], layout.during, layout.at, events.offsets, events.time,
                events.evid, events.amount, events.rate, events.interval, events.additional,
                events.steady_state, events.key, places.key_start, compartment, kind, *inputs,
                matrix, lam, right, left, modal, production, initial, weights, offset,
                none, none.ravel(), layout.row_of, rows, measures, statuses,
            )  # fmt: skip

        map_ordered(work, parts(events.n_groups, of.workers), of.workers)
        return rows[0], statuses

    def slopes(
        self,
        of: Prepared,
        leaves: Floats,
        slopes: Floats,
        skipped: NDArray[np.bool_],
        pairs: Pairs = NO_PAIRS,
    ) -> tuple[Floats, Floats, Ints]:
        """Return states, derivatives and statuses, see `Prepared.slopes`.

        Parameters
        ----------
        slopes : (n_leaves, n_systems, n_columns) float64
            Derivatives of the leaves; the last columns are second ones by `pairs` of columns.
        """
        events, layout, places = of.events, of.layout, of.places
        matrix, production, initial = self.arrays(leaves)
        d_matrix, d_production, d_initial = self.arrays(slopes)
        inputs, d_inputs = places.input_values(leaves), places.input_slopes(slopes)
        statuses = first_statuses(of, skipped, matrix, initial, d_matrix, d_initial)
        lam, right, left, modal = decompose(matrix, self.linear.members, self.linear.bounds)
        count, m = matrix.shape[0], slopes.shape[2]
        weights, offset, d_weights, d_offset = self._outputs(count, m)
        rows = np.full((*layout.shape, self.n), np.nan)
        found = np.full((*rows.shape, m), np.nan)
        compartment, kind = places.kinds

        def work(part: tuple[int, int]) -> None:
            run_linear_gradient(
                part[0], part[1], pairs.one, pairs.two, layout.during, layout.at,
                events.offsets, events.time, events.evid, events.amount, events.rate,
                events.interval, events.additional, events.steady_state, events.key,
                layout.row_of, places.key_start, compartment, kind, *inputs, *d_inputs, matrix, lam,
                right, left, modal, production, initial, weights, offset, d_matrix, d_production,
                d_initial, d_weights, d_offset, rows, found, statuses,
            )  # fmt: skip

        map_ordered(work, parts(events.n_groups, of.workers), of.workers)
        return rows[0], found[0], statuses


def first_statuses(of: Prepared, skipped: NDArray[np.bool_], *arrays: Floats) -> Ints:
    """Return 0 for subjects to solve, and what keeps others from it."""
    statuses = of.layout.statuses(*arrays)
    statuses[skipped] = SKIPPED
    return statuses
