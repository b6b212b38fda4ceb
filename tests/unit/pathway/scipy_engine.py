"""A plain second solver: scipy's integrator on formulas walked by sympy, slopes included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from statera.numerics.expression import symbol
from statera.pathway.network import TIME, Network
from statera.pathway.observable_formulas import flat_assigned

Floats = NDArray[np.float64]
Seeds = tuple[Floats, Floats]


@dataclass(frozen=True)
class Plain:
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    rhs: Any
    by_states: Any
    by_parameters: Any


class ScipyEngine:
    """Solves one condition after the other by LSODA or Radau at tight tolerances."""

    def __init__(self, rtol: float = 1e-10, atol: float = 1e-12, method: str = "LSODA") -> None:
        self.rtol, self.atol, self.method = rtol, atol, method
        self.conditions = 0

    def compile(self, network: Network) -> Plain:
        flat = flat_assigned(network)
        parameters = tuple(network.parameters)
        rates = sp.Matrix([sp.sympify(r).xreplace(flat) for r in network.rates])
        x, p = [symbol(n) for n in network.states], [symbol(n) for n in parameters]
        arguments = [TIME, x, p]
        return Plain(
            tuple(network.states),
            parameters,
            sp.lambdify(arguments, list(rates), "math", cse=True),
            sp.lambdify(arguments, rates.jacobian(x).tolist(), "math", cse=True),
            sp.lambdify(arguments, rates.jacobian(p).tolist(), "math", cse=True) if p else None,
        )

    def course(
        self, compiled: Plain, values: Floats, initial: Floats,
        times: Sequence[Floats], seeds: Seeds | None, start: Floats,
    ) -> tuple[list[Floats], list[Floats] | None, Mapping[int, str]]:  # fmt: skip
        states, slopes, failed = [], [], {}
        for i, t in enumerate(times):
            self.conditions += 1
            one = None if seeds is None else (seeds[0][i], seeds[1][i])
            x, by, fine = self._one(compiled, values[i], initial[i], t, one, float(start[i]))
            states.append(x)
            slopes.append(by)
            if not fine:
                failed[i] = "the integration failed"
        return states, None if seeds is None else slopes, failed

    def steady(
        self, compiled: Plain, values: Floats, initial: Floats, seeds: Seeds | None
    ) -> tuple[Floats, Floats | None, Mapping[int, str]]:
        times = [np.array([1e4])] * len(values)
        states, slopes, failed = self.course(
            compiled, values, initial, times, seeds, np.zeros(len(times))
        )
        found = np.concatenate(states)
        return found, None if slopes is None else np.concatenate(slopes), failed

    def _one(self, c: Plain, p: Floats, x0: Floats, t: Floats, seeds: Seeds | None,
        start: float) -> Any:  # fmt: skip
        n = len(x0)
        m = 0 if seeds is None else seeds[0].shape[1]

        def rhs(time: float, y: Floats) -> Floats:
            x = y[:n]
            f = np.asarray(c.rhs(time, x, p), dtype=float).ravel()
            if not m:
                return f
            assert seeds is not None
            s = y[n:].reshape(n, m)
            ds = np.asarray(c.by_states(time, x, p), dtype=float) @ s
            ds += np.asarray(c.by_parameters(time, x, p), dtype=float) @ seeds[0]
            return np.concatenate([f, ds.ravel()])

        y0 = x0 if not m or seeds is None else np.concatenate([x0, seeds[1].ravel()])
        end = float(t[-1])
        shape = (len(t), n, m)
        if end == start:
            y, fine = np.tile(y0, (len(t), 1)).T, True
        else:
            run = solve_ivp(
                rhs, (start, end), y0, self.method, t_eval=t, rtol=self.rtol, atol=self.atol
            )
            y, fine = run.y, run.success
            if not fine:
                return np.full((len(t), n), np.nan), np.full(shape, np.nan), False
        return y[:n].T.copy(), y[n:].T.reshape(shape).copy(), fine
