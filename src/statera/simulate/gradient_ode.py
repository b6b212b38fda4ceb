"""Sensitivities of models that are not linear, by their variational equations."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
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
from statera.numerics.expression import evaluate, free_names
from statera.numerics.hoist import hoist
from statera.numerics.sensitivity import CompiledVariational, compile_variational
from statera.parallel import map_ordered
from statera.simulate.arrays import Values, input_arrays
from statera.simulate.gradient_values import Tangents, input_tangents, push_forward
from statera.simulate.ode_options import OdeOptions
from statera.simulate.parts import parts
from statera.simulate.structure import depends_on_time

__all__ = ["solve_ode_gradient"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Compiled:
    """Compiled functions with the names and formulas of their constants, in order of ``p``."""

    system: CompiledVariational
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
    system = compile_variational(lean.expressions[:split], lean.expressions[split:], states, names)
    return _Compiled(system, names, dict(lean.constants))


@lru_cache(maxsize=1)
def _kernel() -> Any:
    """Import the compiled event loop; numba warns once that function types are experimental."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
        from statera.simulate.gradient_ode_kernel import (  # noqa: PLC0415  compiles when imported
            run_ode_gradient,
        )
    return run_ode_gradient


def _check_steady_states(model: Model, events: EventTable) -> None:
    steady, added = events.steady_state > 0, events.steady_state == 2
    if added.any():
        wanted, sentence = added, "SS=2 adds steady states, which only a linear system allows"
    elif steady.any() and depends_on_time(model):
        wanted, sentence = steady, "the equations depend on time: they have no steady state"
    else:
        return
    raise InputError(
        f"{model.id}: {sentence}",
        where=f"record {int(np.argmax(wanted)) + 1}",
        hint="Give the doses one by one.",
    )


def solve_ode_gradient(
    model: Model,
    values: Values,
    tangents: Tangents,
    events: EventTable,
    weights: Sequence[float],
    shape: tuple[int, int],
    workers: int,
    options: OdeOptions,
) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return rows, their sensitivities and statuses, as `solve_linear_gradient` does.

    Parameters
    ----------
    weights
        Factor of the absolute tolerance of the sensitivities to each name.

    Raises
    ------
    InputError
        If a record asks for a steady state that the model does not have.
    """
    _check_steady_states(model, events)
    n_subjects = shape[0]
    code = _compiled(
        tuple(e.expression for e in model.dynamics),
        tuple(o.expression for o in model.outputs),
        model.states,
    )
    run = _kernel()
    inputs = input_arrays(model, events, values, n_subjects)
    d_inputs = input_tangents(model, events, values, tangents, shape)
    constants = np.empty((n_subjects, len(code.names)))
    d_constants = np.zeros((n_subjects, len(code.names), shape[1]))
    for c, name in enumerate(code.names):
        formula = code.constants.get(name, sp.Symbol(name, real=True))
        constants[:, c] = evaluate(formula, values)
        d_constants[:, c] = push_forward(formula, values, tangents, shape)
    initial = np.zeros((n_subjects, len(model.states)))
    d_initial = np.zeros((*initial.shape, shape[1]))
    for name, expression in model.initial.items():
        index = model.states.index(name)
        initial[:, index] = evaluate(expression, values)
        d_initial[:, index] = push_forward(expression, values, tangents, shape)
    rows = np.full((n_subjects, events.n_rows, len(model.outputs)), np.nan)
    slopes = np.full((*rows.shape, shape[1]), np.nan)
    finite = np.ones(n_subjects, dtype=bool)
    for array in (constants, d_constants, initial, d_initial):
        finite &= np.isfinite(array).reshape(n_subjects, -1).all(axis=1)
    statuses = np.where(finite, 0, 4).astype(np.int64)
    factors = np.asarray(weights, dtype=np.float64)

    def work(part: tuple[int, int]) -> None:
        run(
            code.system.rhs, code.system.outputs, part[0], part[1], events.offsets, events.time,
            events.evid, events.amount, events.rate, events.interval, events.additional,
            events.steady_state, events.key, events.row, inputs.key_start, inputs.compartment,
            inputs.kind, inputs.bioavailability, inputs.lag, inputs.duration, inputs.rate,
            d_inputs.bioavailability, d_inputs.lag, d_inputs.duration, d_inputs.rate,
            constants, d_constants, initial, d_initial, factors, options.rtol, options.atol,
            options.max_steps, options.periods, options.period_rtol, rows, slopes, statuses,
        )  # fmt: skip

    map_ordered(work, parts(n_subjects, workers), workers)
    return rows, slopes, statuses
