"""The course of a reaction network by scipy: slow, simple, and no part of what is tested.

Steps end where a condition on the time alone changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from statera.numerics.expression import symbol
from statera.pathway.network import TIME, Network

Floats = NDArray[np.float64]


def _values(network: Network) -> dict[sp.Symbol, sp.Expr]:
    return {symbol(name): sp.Float(value) for name, value in network.parameters.items()}


def functions(network: Network, formulas: Sequence[sp.Expr]) -> Callable[[float, Floats], Floats]:
    """Return a function of time and states that computes the formulas."""
    values = _values(network)
    flat = [network.flat(formula).xreplace(values) for formula in formulas]
    states = [symbol(name) for name in network.states]
    compute = sp.lambdify([TIME, states], flat, modules="numpy", cse=True)
    return lambda t, x: np.array(compute(t, x), dtype=np.float64)


def start(network: Network) -> Floats:
    """Return the states at the start."""
    values = _values(network)
    return np.array(
        [
            float(network.flat(network.initial[name]).xreplace({**values, TIME: 0}))
            for name in network.states
        ]
    )


def switching_times(network: Network, until: float) -> list[float]:
    """Return the times at which a condition on the time alone changes."""
    values = _values(network)
    found: set[float] = set()
    for formula in (*network.rates, *network.assigned.values()):
        for relation in network.flat(formula).xreplace(values).atoms(sp.core.relational.Relational):
            if relation.free_symbols == {TIME}:
                roots: Any = sp.solveset(relation.lhs - relation.rhs, TIME, sp.S.Reals)
                found.update(float(root) for root in roots)
    return sorted(time for time in found if 0.0 < time < until)


def _within(rates: Callable[[float, Floats], Floats], begin: float, end: float) -> Any:
    """Return the rates with each switch seen from inside the interval."""
    low, high = np.nextafter(begin, np.inf), np.nextafter(end, -np.inf)
    return lambda t, x: rates(min(max(t, low), high), x)


def course(network: Network, times: Floats, names: Sequence[str], method: str = "LSODA") -> Floats:
    """Return named quantities at the times, (n_times, n_names)."""
    rates = functions(network, network.rates)
    state = start(network)
    breaks = [0.0, *switching_times(network, times[-1]), times[-1]]
    rows = np.empty((len(times), len(state)))
    rows[times <= 0.0] = state
    for begin, end in pairwise(breaks):
        inside = (times > begin) & (times <= end)
        wanted = np.unique([*times[inside], end])
        found = solve_ivp(
            _within(rates, float(begin), float(end)),
            (begin, end),
            state,
            method=method,
            t_eval=wanted,
            rtol=1e-10,
            atol=1e-13,
        )
        assert found.success, found.message
        rows[inside] = found.y[:, np.isin(wanted, times[inside])].T
        state = found.y[:, -1]
    shown = functions(network, [symbol(name) for name in names])
    return np.array([shown(t, x) for t, x in zip(times, rows, strict=True)])
