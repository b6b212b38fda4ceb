"""Initial states of simulations, and their derivatives by theta."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.errors import InputError
from statera.numerics.expression import free_names, symbol
from statera.numerics.vectorised import vectorise
from statera.pathway.network import Network
from statera.pathway.observable_formulas import flat_assigned, slope_of
from statera.pathway.petab_mapping import Ints, Source, Table

__all__ = ["InitialStates", "initial_formulas"]

Floats = NDArray[np.float64]


def initial_formulas(network: Network, given: frozenset[str]) -> dict[str, sp.Expr]:
    """Return the states at the start over parameters and the symbols of the given states.

    Parameters
    ----------
    given
        States whose start is set from outside; other starts may refer to them.

    Raises
    ------
    InputError
        If starts need each other in a circle.
    """
    flat = flat_assigned(network)
    found: dict[sp.Symbol, sp.Expr] = {}
    waiting = {n: sp.sympify(network.initial[n]).xreplace(flat) for n in network.states
               if n not in given}  # fmt: skip
    states = frozenset(network.states) - given
    while waiting:
        ready = [n for n, f in waiting.items() if not free_names(f) & states & frozenset(waiting)]
        if not ready:
            raise InputError(
                f"the starts of {', '.join(sorted(waiting))} need each other",
                where=network.id,
                hint="Set one of them without the others.",
            )
        for name in ready:
            found[symbol(name)] = waiting.pop(name).xreplace(found).xreplace(flat).xreplace(found)
    return {key.name: formula.xreplace({symbol("t"): sp.Integer(0)})
            for key, formula in found.items()}  # fmt: skip


class InitialStates:
    """Initial states of simulations that set the same states from outside.

    Parameters
    ----------
    network
        The model.
    states
        Names in the order of the states.
    parameters
        Names in the order of the columns of `table`.
    table
        Where the parameters of all simulations come from.
    rows
        Which simulations these are.
    given
        What each of them sets, by state.
    """

    def __init__(
        self,
        network: Network,
        states: Sequence[str],
        parameters: Sequence[str],
        table: Table,
        rows: Sequence[int],
        given: Sequence[Mapping[str, Source]],
    ) -> None:
        self.rows = np.array(rows, dtype=np.int64)
        overridden = sorted(given[0])
        self._parameters = tuple(parameters)
        self._given = Table([[one[name] for name in overridden] for one in given], len(overridden))
        self._names = (*parameters, *overridden)
        self._places = np.array([states.index(n) for n in overridden], dtype=np.int64)
        formulas = initial_formulas(network, frozenset(overridden))
        self._formula_places = np.array([states.index(n) for n in formulas], dtype=np.int64)
        self._values = vectorise(list(formulas.values()), self._names)
        source = np.hstack([table.source[self.rows], self._given.source])
        entries = [
            (states.index(n), self._names.index(name), slope_of(formula, name))
            for n, formula in formulas.items()
            for name in sorted(free_names(formula))
            if (source[:, self._names.index(name)] >= 0).any()
        ]
        self._slopes = vectorise([e for _, _, e in entries], self._names)
        self._entries = tuple((i, source[:, q]) for i, q, _ in entries)
        self._direct = tuple(
            (int(place), self._given.source[:, k])
            for k, place in enumerate(self._places)
            if (self._given.source[:, k] >= 0).any()
        )
        needed = {*self._values.names, *self._slopes.names}
        self._used = [(n, i) for i, n in enumerate(parameters) if n in needed]
        self._fixed: Floats | None = None  # kept where theta does not enter
        self.theta = self._theta_of_rows()

    def _theta_of_rows(self) -> tuple[frozenset[int], ...]:
        """Return which parts of theta the start of each simulation depends on."""
        return tuple(
            frozenset(int(s[r]) for _, s in (*self._entries, *self._direct) if s[r] >= 0)
            for r in range(len(self.rows))
        )

    def fill(
        self,
        linear: Floats,
        grows: Floats | None,
        table: Floats,
        position: Ints,
        initial: Floats,
        slopes: Floats | None,
    ) -> None:
        """Write the initial states of these simulations, and their derivatives.

        Parameters
        ----------
        linear, grows : (n_theta,) float64
            Linear values of theta, and their derivatives by theta; None for no derivatives.
        table : (n_simulations, n_parameters) float64
            Parameters of all simulations.
        position : (n_simulations, n_theta) int64
            Column of each part of theta.
        initial : (n_simulations, n_states) float64
            Written to.
        slopes : (n_simulations, n_states, n_columns) float64
            Written to; zero before.
        """
        if self._fixed is not None:
            initial[self.rows] = self._fixed
            return
        given = self._given.fill(linear)
        mine = table[self.rows]
        values = {n: mine[:, i] for n, i in self._used}
        values |= {n: given[:, i] for i, n in enumerate(self._names[len(self._parameters) :])}
        n = len(self.rows)
        if len(self._formula_places):
            initial[self.rows[:, None], self._formula_places] = self._values(values, n).T
        if len(self._places):
            initial[self.rows[:, None], self._places] = given
        if not self._entries and not self._direct:
            self._fixed = initial[self.rows]
        if slopes is None or grows is None:
            return
        for (state, source), by in zip(self._entries, self._slopes(values, n), strict=True):
            used = source >= 0
            rows, theta = self.rows[used], source[used]
            slopes[rows, state, position[rows, theta]] += by[used] * grows[theta]
        for state, source in self._direct:
            used = source >= 0
            rows, theta = self.rows[used], source[used]
            slopes[rows, state, position[rows, theta]] += grows[theta]
