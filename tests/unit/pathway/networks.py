"""Small networks for tests, from formulas as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.numerics.expression import parse
from statera.pathway.compiled_network import CompiledNetwork, compile_network
from statera.pathway.initial_states import initial_states
from statera.pathway.network import Event, Network
from statera.pathway.solve import Courses, Doses, PathwayOptions, Seeds, solve

TIGHT = PathwayOptions(rtol=1e-10, atol=1e-13)


def network(
    rates: Mapping[str, str],
    parameters: Mapping[str, float],
    initial: Mapping[str, str],
    events: Sequence[Event] = (),
    assigned: Mapping[str, str] | None = None,
) -> Network:
    """Return a network over text formulas."""
    rules = assigned or {}
    names = {*rates, *parameters, *rules, "t"}

    def read(text: str) -> sp.Expr:
        return parse(text, names)

    return Network(
        id="small",
        states=tuple(rates),
        rates=tuple(read(e) for e in rates.values()),
        initial={s: read(e) for s, e in initial.items()},
        parameters=dict(parameters),
        assigned={s: read(e) for s, e in rules.items()},
        events=tuple(events),
    )


def run(
    compiled: CompiledNetwork,
    times: Sequence[float],
    values: Mapping[str, float] | None = None,
    *,
    options: PathwayOptions = TIGHT,
    doses: Doses | None = None,
) -> Courses:
    """Solve one condition with derivatives by every parameter."""
    given = compiled.values.copy()
    for name, value in (values or {}).items():
        given[compiled.index(name)] = value
    seeds = np.eye(given.size)[None]
    start, slopes = initial_states(compiled, given[None], seeds)
    return solve(
        compiled, given[None], start, [np.asarray(times, dtype=float)],
        seeds=Seeds(seeds, slopes), options=options, doses=doses,
    )  # fmt: skip


def differences(
    compiled: CompiledNetwork,
    times: Sequence[float],
    step: float = 1e-5,
    *,
    doses: Doses | None = None,
) -> NDArray[np.float64]:
    """Return central differences of the states by every parameter: (times, states, parameters)."""
    columns = []
    for name, value in zip(compiled.parameters, compiled.values, strict=True):
        h = step * max(1.0, abs(value))
        up = run(compiled, times, {name: value + h}, doses=doses).states[0]
        down = run(compiled, times, {name: value - h}, doses=doses).states[0]
        columns.append((up - down) / (2 * h))
    return np.stack(columns, axis=2)


def compiled(
    rates: Mapping[str, str],
    parameters: Mapping[str, float],
    initial: Mapping[str, str],
    events: Sequence[Event] = (),
    assigned: Mapping[str, str] | None = None,
) -> CompiledNetwork:
    """Return `network` compiled."""
    return compile_network(network(rates, parameters, initial, events, assigned))
