"""Simulations that run side by side: their parameters, starts, and columns of derivatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.numerics.expression import free_names
from statera.pathway.network import Network
from statera.pathway.observable_formulas import flat_assigned
from statera.pathway.petab_arms import Arm
from statera.pathway.petab_initial import InitialStates
from statera.pathway.petab_mapping import Ints, Table

__all__ = ["Stage", "dynamic_parameters"]

Floats = NDArray[np.float64]


class Stage:
    """Simulations that run side by side.

    Parameters
    ----------
    network
        The model.
    states, parameters
        Names in the order of the model as it is solved.
    arms
        What is simulated.
    n_theta
        Number of estimated parameters.
    before
        Pre-equilibrations that they start from.

    Attributes
    ----------
    used
        Parts of theta that each simulation depends on.
    columns : (n_simulations, n_columns) int64
        Position in theta of each column, those in use first; -1 behind them.
    """

    def __init__(
        self,
        network: Network,
        states: tuple[str, ...],
        parameters: tuple[str, ...],
        arms: tuple[Arm, ...],
        n_theta: int,
        before: Stage | None,
    ) -> None:
        self.size = len(arms)
        self._shape = (self.size, len(states))
        self._table = Table([a.parameters for a in arms], len(parameters))
        self._starts = _starts(network, states, parameters, arms, self._table)
        used = _theta_of(arms, self._table, self._starts)
        self._linked = np.array([r for r, a in enumerate(arms) if a.before >= 0], dtype=np.int64)
        self._link = np.array([arms[r].before for r in self._linked], dtype=np.int64)
        self._before = before
        if before is not None:
            for row, link in zip(self._linked, self._link, strict=True):
                used[row] |= before.used[link]
        self.used: list[set[int]] = used
        width = max(map(len, used), default=0)
        self.columns: Ints = np.full((self.size, width), -1, dtype=np.int64)
        self._position = np.full((self.size, n_theta), -1, dtype=np.int64)
        for row, theta in enumerate(used):
            self.columns[row, : len(theta)] = sorted(theta)
            self._position[row, sorted(theta)] = np.arange(len(theta))
        rows, places = np.nonzero(self._table.source >= 0)
        theta_of = self._table.source[rows, places]
        self._seeds = (rows, places, self._position[rows, theta_of], theta_of)
        self._overrides = [
            (row, states.index(name), source)
            for row, arm in enumerate(arms)
            if arm.before >= 0
            for name, source in arm.overrides
        ]

    def prepare(
        self, linear: Floats, grows: Floats | None, link: tuple[Floats, Floats | None] | None
    ) -> tuple[Floats, Floats, tuple[Floats, Floats] | None]:
        """Return parameters, starts, and the derivatives of both by the columns."""
        values = self._table.fill(linear)
        initial = np.empty(self._shape)
        by_values = by_initial = None
        if grows is not None:
            width = self.columns.shape[1]
            by_values = np.zeros((*values.shape, width))
            by_initial = np.zeros((*self._shape, width))
            rows, places, columns, theta = self._seeds
            by_values[rows, places, columns] = grows[theta]
        for group in self._starts:
            group.fill(linear, grows, values, self._position, initial, by_initial)
        if link is not None:
            self._take_over(linear, grows, link, initial, by_initial)
        if by_values is None or by_initial is None:
            return values, initial, None
        return values, initial, (by_values, by_initial)

    def _take_over(
        self,
        linear: Floats,
        grows: Floats | None,
        link: tuple[Floats, Floats | None],
        initial: Floats,
        by_initial: Floats | None,
    ) -> None:
        """Start from the pre-equilibrated states, but for what the condition sets."""
        found, slopes = link
        initial[self._linked] = found[self._link]
        if by_initial is not None and slopes is not None and self._before is not None:
            for row, before in zip(self._linked, self._link, strict=True):
                theta = self._before.columns[before]
                used = theta >= 0
                by_initial[row][:, self._position[row, theta[used]]] = slopes[before][:, used]
        for row, state, (theta_of, number) in self._overrides:
            initial[row, state] = number if theta_of < 0 else linear[theta_of]
            if by_initial is not None and grows is not None:
                by_initial[row, state] = 0.0
                if theta_of >= 0:
                    by_initial[row, state, self._position[row, theta_of]] = grows[theta_of]


def dynamic_parameters(network: Network) -> tuple[frozenset[str], Mapping[str, frozenset[str]]]:
    """Return the parameters that rates and events hold, and those of the start of each state."""
    flat = flat_assigned(network)
    constants = frozenset(network.parameters)

    def held(formula: Any) -> frozenset[str]:
        return free_names(sp.sympify(formula).xreplace(flat)) & constants

    formulas: list[Any] = list(network.rates)
    for event in network.events:
        formulas += [event.trigger.condition, event.delay, event.priority]
        formulas += list(event.assignments.values())
    always = frozenset().union(*(held(f) for f in formulas if f is not None))
    return always, {name: held(formula) for name, formula in network.initial.items()}


def _starts(
    network: Network,
    states: Sequence[str],
    parameters: Sequence[str],
    arms: Sequence[Arm],
    table: Table,
) -> list[InitialStates]:
    groups: dict[frozenset[str], list[int]] = {}
    for row, arm in enumerate(arms):
        if arm.before < 0:
            groups.setdefault(frozenset(n for n, _ in arm.overrides), []).append(row)
    return [
        InitialStates(
            network, states, parameters, table, rows, [dict(arms[r].overrides) for r in rows]
        )
        for rows in groups.values()
    ]


def _theta_of(arms: Sequence[Arm], table: Table, starts: Sequence[InitialStates]) -> list[set[int]]:
    """Return the parts of theta that each simulation depends on."""
    found: list[set[int]] = []
    for row, arm in enumerate(arms):
        used = {int(s) for s in table.source[row] if s >= 0}
        if arm.before >= 0:
            used |= {s for _, (s, _) in arm.overrides if s >= 0}
        found.append(used)
    for group in starts:
        for row, theta in zip(group.rows, group.theta, strict=True):
            found[row] |= theta
    return found
