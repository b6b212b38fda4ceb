"""Exact second derivatives of a prepared model by random effects.

Solutions are differentiated twice by the fewest quantities that the equations hold (leaves that
differ in more than their sign), and the chain rule through the formulas of these, which are
differentiated symbolically, gives what is wanted: by every random effect and every column.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.numerics.derivative import derivative
from statera.numerics.expression import free_names, symbol
from statera.numerics.vectorised import vectorise
from statera.simulate.gradient_second import all_pairs

if TYPE_CHECKING:
    from statera.simulate.prepared import Prepared

__all__ = ["PreparedBends"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class PreparedBends:
    """States with first and second derivatives of a prepared model.

    Parameters
    ----------
    leaves
        What the solver takes, as formulas over `base`.
    parameters, etas
        Fixed effects, and random effects, all of the subject.
    base
        Names that formulas may hold.
    """

    def __init__(
        self,
        leaves: Sequence[sp.Expr],
        parameters: Sequence[str],
        etas: Sequence[str],
        base: Sequence[str],
    ) -> None:
        wanted = (*parameters, *etas)
        basis: list[sp.Expr] = []
        self.place: list[tuple[int, int, float]] = []  # leaf, basis, sign
        for number, leaf in enumerate(leaves):
            if not free_names(leaf) & set(wanted):
                continue
            if leaf in basis:
                self.place.append((number, basis.index(leaf), 1.0))
            elif -leaf in basis:
                self.place.append((number, basis.index(-leaf), -1.0))
            else:
                self.place.append((number, len(basis), 1.0))
                basis.append(leaf)
        self.n_basis = len(basis)
        self.pairs = all_pairs(self.n_basis)
        self.first: list[tuple[int, int]] = []
        self.second: list[tuple[int, int, int]] = []
        slopes: list[sp.Expr] = []
        bends: list[sp.Expr] = []
        for b, formula in enumerate(basis):
            for c, name in enumerate(wanted):
                slope = derivative(formula, symbol(name))
                if slope == 0:
                    continue
                self.first.append((b, c))
                slopes.append(slope)
                for k, eta in enumerate(etas):
                    bend = derivative(slope, symbol(eta))
                    if bend != 0:
                        self.second.append((b, k, c))
                        bends.append(bend)
        self._slopes = vectorise(slopes, base)
        self._bends = vectorise(bends, base)

    def __call__(
        self, of: Prepared, theta: Floats, etas: Floats, skipped: NDArray[np.bool_]
    ) -> tuple[Floats, Floats, Floats, Ints]:
        """Return states (n_rows, n_states), first, and second derivatives, and statuses.

        First derivatives are by all columns, (n_rows, n_states, n_columns); second ones by every
        random effect and column, (n_rows, n_states, n_etas, n_columns). `of` is the model with any
        records.
        """
        values, leaves = of.leaf_values(theta, etas)
        n, p = leaves.shape[1], of.columns.n_parameters
        q, m = of.columns.n_etas, of.columns.n_parameters + of.columns.n_etas
        own = np.zeros((leaves.shape[0], n, self.n_basis + self.pairs.size))
        for leaf, b, sign in self.place:
            own[leaf, :, b] = sign
        x, found, statuses = of.solver.slopes(of, leaves, own, skipped, self.pairs)
        inner = np.zeros((self.n_basis, n, m))
        for (b, c), slope in zip(self.first, self._slopes(values, n), strict=True):
            inner[b, :, c] = slope
        bent = np.zeros((self.n_basis, n, q, m))
        for (b, k, c), bend in zip(self.second, self._bends(values, n), strict=True):
            bent[b, :, k, c] = bend
        by_one = found[:, :, : self.n_basis]
        by_two = np.empty((*found.shape[:2], self.n_basis, self.n_basis))
        by_two[:, :, self.pairs.one, self.pairs.two] = found[:, :, self.n_basis :]
        by_two[:, :, self.pairs.two, self.pairs.one] = found[:, :, self.n_basis :]
        rows = of.row_system
        pushed = np.ascontiguousarray(inner[:, rows].transpose(1, 0, 2))
        dx = by_one @ pushed
        second = by_one @ bent[:, rows].transpose(1, 0, 2, 3).reshape(
            rows.size, self.n_basis, q * m
        )
        ddx = second.reshape(*found.shape[:2], q, m)
        moved = by_two @ pushed[:, None]
        ddx += pushed[:, None, :, p:].transpose(0, 1, 3, 2) @ moved
        return x, dx, ddx, statuses
