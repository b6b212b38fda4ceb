"""The course of a reaction network by scipy: slow, simple, and no part of what is tested.

Events follow SBML level 3: a trigger that turns true fires, its delay runs, and of the events due
together the highest priority goes first, after which all triggers are looked at again. Integration
ends at every change of a condition, and goes on a hair later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from statera.numerics.expression import symbol
from statera.pathway.conserved import start_values
from statera.pathway.network import TIME, Event, Network

Floats = NDArray[np.float64]
Formula = Callable[[float, Floats], Any]
_HAIR = 1e-11
_RELATIONS = (sp.StrictLessThan, sp.LessThan, sp.StrictGreaterThan, sp.GreaterThan)


@dataclass
class _Waiting:
    time: float
    event: int
    values: Floats | None


@dataclass
class _Run:
    network: Network
    rates: Formula
    switches: Formula
    triggers: list[Formula]
    assignments: list[Formula]
    delays: list[Formula]
    priorities: list[Formula]
    state: Floats
    before: list[bool]
    waiting: list[_Waiting] = field(default_factory=list)

    def look(self, time: float) -> None:
        """Fire the events whose trigger has turned true."""
        for i, event in enumerate(self.network.events):
            now = bool(self.triggers[i](time, self.state))
            if now and not self.before[i]:
                values = self.assignments[i](time, self.state) if event.values_at_trigger else None
                due = time + float(self.delays[i](time, self.state))
                self.waiting.append(_Waiting(due, i, values))
            if self.before[i] and not now and not event.trigger.persistent:
                self.waiting = [w for w in self.waiting if w.event != i]
            self.before[i] = now

    def happen(self, time: float) -> None:
        """Carry out what is due."""
        self.look(time)
        while due := [w for w in self.waiting if w.time <= time]:
            chosen = max(due, key=lambda w: float(self.priorities[w.event](time, self.state)))
            self.waiting.remove(chosen)
            values = chosen.values
            if values is None:
                values = self.assignments[chosen.event](time, self.state)
            self.state = self.state.copy()
            for name, value in zip(
                self.network.events[chosen.event].assignments, values, strict=True
            ):
                self.state[self.network.states.index(name)] = value
            self.look(time)


def values_of(network: Network) -> dict[sp.Symbol, sp.Expr]:
    """Return the numbers of a network by symbol."""
    return {symbol(name): sp.Float(value) for name, value in network.parameters.items()}


def functions(network: Network, formulas: Sequence[Any]) -> Formula:
    """Return a function of time and states that computes the formulas."""
    values = values_of(network)
    flat = [network.flat(formula).xreplace(values) for formula in formulas]
    states = [symbol(name) for name in network.states]
    compute = sp.lambdify([TIME, states], flat, modules=["scipy", "numpy"], cse=True)
    return lambda t, x: np.array(compute(t, x), dtype=np.float64)


def start(network: Network) -> Floats:
    """Return the states at the start."""
    return np.array(list(start_values(network).values()))


def _switches(network: Network) -> list[Any]:
    """Return the differences whose sign decides a condition."""
    values = values_of(network)
    formulas: list[Any] = [*network.rates]
    formulas += [event.trigger.condition for event in network.events]
    flat = [network.flat(formula).xreplace(values) for formula in formulas]
    relations = sorted({r for f in flat for r in f.atoms(*_RELATIONS)}, key=str)
    return [
        sp.Piecewise((r.lhs - r.rhs, sp.Ne(r.lhs, r.rhs)), (1e-300, r), (-1e-300, True))
        if isinstance(r, sp.StrictGreaterThan | sp.GreaterThan)
        else sp.Piecewise((r.rhs - r.lhs, sp.Ne(r.lhs, r.rhs)), (1e-300, r), (-1e-300, True))
        for r in relations
    ]


def _run(network: Network) -> _Run:
    def each(part: Callable[[Event], Any]) -> list[Formula]:
        return [_single(functions(network, [part(event)])) for event in network.events]

    return _Run(
        network,
        functions(network, network.rates),
        functions(network, _switches(network)),
        each(lambda event: sp.Piecewise((1, event.trigger.condition), (0, True))),
        [functions(network, list(event.assignments.values())) for event in network.events],
        each(lambda event: sp.Integer(0) if event.delay is None else event.delay),
        each(lambda event: -sp.oo if event.priority is None else event.priority),
        start(network),
        [event.trigger.at_start for event in network.events],
    )


def _single(function: Formula) -> Formula:
    return lambda t, x: function(t, x)[0]


def course(network: Network, times: Floats, names: Sequence[str]) -> Floats:
    """Return named quantities at the times, (n_times, n_names)."""
    run = _run(network)
    n_switches = len(run.switches(0.0, run.state))
    shown = functions(network, [symbol(name) for name in names])
    rows: list[Floats] = []
    time = 0.0
    run.happen(time)
    while len(rows) < len(times):
        if times[len(rows)] <= time:
            rows.append(shown(time, run.state))
            continue
        end = min([times[-1], *(w.time for w in run.waiting if w.time > time)])
        time, passed = _advance(run, time, end, times[times > time], n_switches)
        rows += [shown(t, x) for t, x in passed]
        run.happen(time)
    return np.array(rows)


def _advance(
    run: _Run, begin: float, end: float, wanted: Floats, n_switches: int
) -> tuple[float, list[tuple[float, Floats]]]:
    """Integrate to `end` or the next switch; return the time and the rows before it."""
    if not len(run.state):
        run.state = np.empty(0)
    stops = []
    for i in range(n_switches):

        def stop(t: float, x: Floats, i: int = i) -> float:
            return float(run.switches(t, x[:-1])[i])

        stop.terminal = True  # type: ignore[attr-defined]
        stops.append(stop)
    found: Any = solve_ivp(
        lambda t, x: np.append(run.rates(t, x[:-1]), 1.0),  # a clock: there may be no states
        (begin, end),
        np.append(run.state, begin),
        method="LSODA",
        events=stops or None,
        dense_output=True,
        rtol=1e-10,
        atol=1e-13,
    )
    assert found.success, found.message
    time, last = float(found.t[-1]), found.y[:, -1]
    inside = wanted[wanted < time] if time < end or run.waiting else wanted[wanted < end]
    passed = [(float(t), found.sol(t)[:-1]) for t in inside]
    if found.status == 1:  # a switch: on to where the other side holds
        hair = _HAIR * max(1.0, time)
        last = last + hair * np.append(run.rates(time, last[:-1]), 1.0)
        time += hair
    run.state = np.asarray(last[:-1])
    return time, passed
