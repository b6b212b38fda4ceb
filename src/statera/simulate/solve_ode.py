"""Numerical solution of models that are not linear, for many subjects."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp
from numba.core.errors import NumbaExperimentalFeatureWarning
from numpy.typing import NDArray

from statera.data import EventTable
from statera.errors import InputError
from statera.model import Model
from statera.numerics.codegen import CompiledSystem, compile_system
from statera.numerics.expression import evaluate, free_names
from statera.numerics.hoist import hoist
from statera.parallel import map_ordered
from statera.simulate.arrays import Values, input_arrays
from statera.simulate.ode_options import OdeOptions
from statera.simulate.parts import parts
from statera.simulate.questions import Questions, new_measures
from statera.simulate.structure import depends_on_time

__all__ = ["solve_ode"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Compiled:
    """Compiled functions with the names and formulas of their constants, in order of ``p``."""

    system: CompiledSystem
    names: tuple[str, ...]
    constants: dict[str, sp.Expr]


@lru_cache(maxsize=64)
def _compiled(
    dynamics: tuple[sp.Expr, ...], outputs: tuple[sp.Expr, ...], states: tuple[str, ...]
) -> _Compiled:
    lean = hoist([*dynamics, *outputs], states)
    used = frozenset().union(*(free_names(e) for e in lean.expressions))
    names = tuple(sorted(used - set(states) - {"t"}))
    split = len(dynamics)
    system = compile_system(lean.expressions[:split], lean.expressions[split:], states, names)
    return _Compiled(system, names, dict(lean.constants))


@lru_cache(maxsize=1)
def _kernel() -> Any:
    """Import the compiled event loop; numba warns once that function types are experimental."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
        from statera.simulate.ode_kernel import run_ode  # noqa: PLC0415  compiles when imported
    return run_ode


def solve_ode(
    model: Model,
    values: Values,
    events: EventTable,
    windows: Floats,
    n_subjects: int,
    workers: int,
    options: OdeOptions,
    questions: Questions | None = None,
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return rows, window measures and statuses, as `solve_linear` does.

    Raises
    ------
    InputError
        If a record asks for SS=2, which needs a linear system, or for any steady state of
        equations that depend on time.
    """
    if (events.steady_state == 2).any():
        record = int(np.argmax(events.steady_state == 2)) + 1
        raise InputError(
            f"SS=2 adds steady states, which only a linear system allows; {model.id} is not",
            where=f"record {record}",
            hint="Use SS=1, or give the doses one by one.",
        )
    if events.steady_state.any() and depends_on_time(model):
        record = int(np.argmax(events.steady_state > 0)) + 1
        raise InputError(
            f"the equations of {model.id} depend on time: they have no steady state",
            where=f"record {record}",
            hint="Give the doses one by one.",
        )
    code = _compiled(
        tuple(e.expression for e in model.dynamics),
        tuple(o.expression for o in model.outputs),
        model.states,
    )
    system = code.system
    run_ode = _kernel()
    inputs = input_arrays(model, events, values, n_subjects)
    parameters = np.empty((n_subjects, max(1, len(code.names))))
    for i, name in enumerate(code.names):
        formula = code.constants.get(name)
        parameters[:, i] = values[name] if formula is None else evaluate(formula, values)
    initial = np.zeros((n_subjects, len(model.states)))
    for name, expression in model.initial.items():
        initial[:, model.states.index(name)] = evaluate(expression, values)
    n_out = len(model.outputs)
    rows = np.full((n_subjects, events.n_rows, n_out), np.nan)
    measures = new_measures(n_subjects, windows.shape[0], n_out, questions)
    finite = np.isfinite(parameters[:, : len(code.names)]).all(axis=1) & np.isfinite(initial).all(
        axis=1
    )
    statuses = np.where(finite, 0, 4).astype(np.int64)
    breaks = np.unique(windows.ravel())

    def work(part: tuple[int, int]) -> Any:
        run_ode(
            system.rhs, system.outputs, system.step, part[0], part[1], events.offsets,
            events.time, events.evid, events.amount, events.rate, events.interval,
            events.additional, events.steady_state,
            events.key, inputs.key_start, inputs.compartment, inputs.kind,
            inputs.bioavailability, inputs.lag, inputs.duration, inputs.rate, parameters,
            initial, n_out, options.rtol, options.atol, options.max_steps, options.periods,
            options.period_rtol, windows, breaks, events.row, rows, measures, statuses,
        )  # fmt: skip

    map_ordered(work, parts(n_subjects, workers), workers)
    return rows, measures, statuses
