"""One subject of a linear model, solved again and again with as little around it as possible.

Formulas are evaluated as plain numbers, and one gather puts them where the solver reads matrices,
inputs and their derivatives. The places are found once, by laying out numbered leaves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from statera.numerics.modal import Modes, decompose
from statera.numerics.modal_kernel import substitute
from statera.simulate.gradient_linear_kernel import run_linear_gradient
from statera.simulate.gradient_second import all_pairs
from statera.simulate.gradient_values import NO_PAIRS
from statera.simulate.prepared import Prepared
from statera.simulate.prepared_solvers import LinearSolver

__all__ = ["SingleStates"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class SingleStates:
    """States of one subject with derivatives by its random effects.

    Parameters
    ----------
    of
        A prepared linear model with one subject.
    second
        Whether second derivatives are wanted as well.
    """

    def __init__(self, of: Prepared, *, second: bool) -> None:
        assert isinstance(of.solver, LinearSolver)
        self.of, self.solver = of, of.solver
        self.formulas = of.formulas.single(second=second)
        self.n_effects = of.columns.n_etas
        self.pairs = all_pairs(self.n_effects) if second else NO_PAIRS
        self.m = self.n_effects + self.pairs.size
        self.n_systems = of.system_subject.size
        self._lay_out()

    def _lay_out(self) -> None:
        """Find where each number goes; of a single system this is known from the model alone."""
        known = self.formulas.layouts
        key = (self.n_effects, self.pairs.size) if self.n_systems == 1 else None
        if key is None or key not in known:
            found = self._places()
            if key is not None:
                known[key] = found
        else:
            found = known[key]
        self.gather, shapes = found
        self.buffer = np.empty(self.gather.size)
        self.arrays, start = [], 0
        for shape in shapes:
            end = start + math.prod(shape)
            self.arrays.append(self.buffer[start:end].reshape(shape))
            start = end
        n, of = self.n_systems, self.of
        size = self.solver.n
        self.modes = (np.empty((n, size)), np.empty((n, size, size)), np.empty((n, size, size)),
                      np.empty(n, dtype=bool))  # fmt: skip
        self.widest = int(np.diff(self.solver.linear.bounds).max(initial=0))
        self.outputs = self.solver._outputs(n, self.m)
        self.fixed = (of.layout.during, of.layout.at, of.events.offsets, of.events.time,
                      of.events.evid, of.events.amount, of.events.rate, of.events.interval,
                      of.events.additional, of.events.steady_state, of.events.key,
                      of.layout.row_of, of.places.key_start, *of.places.kinds)  # fmt: skip

    def _places(self) -> tuple[Ints, tuple[tuple[int, ...], ...]]:
        """Return where each number of the solver's arrays comes from, and their shapes."""
        of, count, n = self.of, self.formulas.function.count, self.n_systems
        number = np.arange(2.0, 2.0 + count * n).reshape(count, n)
        leaves: Floats = number[: len(of.leaves)]
        slopes = np.zeros((len(of.leaves), n, self.m))
        rows = np.arange(n)
        place = {
            name: np.zeros(n, dtype=np.int64)
            + (of.columns.of(name, of.occasion) - of.columns.n_parameters)
            for name in of.model.random_effects
        }
        first, second = self.formulas.first, self.formulas.second
        for k, (leaf, name) in enumerate(first, start=len(of.leaves)):
            slopes[leaf, rows, place[name]] = number[k]
        pair = np.zeros((self.n_effects, self.n_effects), dtype=np.int64)
        pair[self.pairs.one, self.pairs.two] = np.arange(self.pairs.size)
        for k, (leaf, name, other) in enumerate(second, start=len(of.leaves) + len(first)):
            low, high = np.minimum(place[name], place[other]), np.maximum(place[name], place[other])
            slopes[leaf, rows, self.n_effects + pair[low, high]] = number[k]
        arrays = [*self.solver.arrays(leaves), *of.places.input_values(leaves)]
        arrays += [*self.solver.arrays(slopes), *of.places.input_slopes(slopes)]
        flat = np.concatenate([a.ravel() for a in arrays])
        gather = np.where(np.isnan(flat), 1.0, flat).astype(np.int64)
        return gather, tuple(a.shape for a in arrays)

    def __call__(self, values: Sequence[Sequence[float]]) -> tuple[Floats, Floats, bool]:
        """Return states (n_rows, n_states), derivatives (.., n_columns), and whether all is well.

        The columns are random effects, then pairs of them. The arrays are the caller's.

        Parameters
        ----------
        values
            Parameters, random effects and covariates of each system, in the order of formulas.

        Raises
        ------
        ArithmeticError, ValueError, TypeError
            Where a formula is not defined.
        """
        found = [self.formulas.function(v) for v in values]
        if len(found) == 1:
            numbers = np.array([0.0, np.nan, *found[0]])
        else:
            flat = np.array(found, dtype=np.float64).T.ravel()
            numbers = np.concatenate([[0.0, np.nan], flat])
        np.take(numbers, self.gather, out=self.buffer)
        matrix, production, initial, f, lag, duration, rate, *slopes = self.arrays
        d_matrix, d_production, d_initial, *d_inputs = slopes
        lam, right, left, modal = self._decomposed(matrix)
        weights, offset, d_weights, d_offset = self.outputs
        n_rows = self.of.row_time.size
        rows = np.empty((1, n_rows, self.solver.n))
        by = np.empty((1, n_rows, self.solver.n, self.m))
        statuses = np.zeros(1, dtype=np.int64)
        run_linear_gradient(
            0, 1, self.pairs.one, self.pairs.two, *self.fixed, f, lag, duration, rate, *d_inputs,
            matrix, lam, right, left, modal, production, initial, weights, offset, d_matrix,
            d_production, d_initial, d_weights, d_offset, rows, by, statuses,
        )  # fmt: skip
        return rows[0], by[0], bool(statuses[0] == 0 and np.isfinite(numbers[2:]).all())

    def _decomposed(self, matrix: Floats) -> Modes:
        linear = self.solver.linear
        if self.widest > 2:
            return decompose(matrix, linear.members, linear.bounds, self.modes)
        for array in self.modes:
            array.fill(0)
        substitute(matrix, linear.members, linear.bounds, *self.modes)
        return self.modes
