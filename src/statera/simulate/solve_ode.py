"""Numerical solution of models that are not linear, for many subjects."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import sympy as sp
from numba.core.errors import NumbaExperimentalFeatureWarning
from numpy.typing import NDArray

from statera.data import EventTable
from statera.errors import InputError
from statera.model import Model
from statera.numerics.codegen import CompiledSystem, StiffSystem, compile_stiff, compile_system
from statera.numerics.expression import evaluate, free_names, symbol
from statera.numerics.hoist import hoist
from statera.numerics.transit import TransitInput
from statera.parallel import map_ordered
from statera.simulate.arrays import Values, input_arrays
from statera.simulate.event_windows import EventWindows, by_windows
from statera.simulate.ode_options import OdeOptions
from statera.simulate.parts import parts, stretches_of
from statera.simulate.questions import Questions, new_measures
from statera.simulate.segments import Segments, lay_out
from statera.simulate.structure import accumulating, depends_on_time, transit_states

__all__ = ["compiled_ode", "event_loop", "loop_functions", "pilot", "solve_ode"]

Floats = NDArray[np.float64]
Stretches = Sequence[tuple[int, int]]

_PILOT = 16
"""Subjects solved first to see whether a written-out step pays."""
_WORTHWHILE = 0.5
"""Seconds in loops, spent or expected, from which on a step is written out: about as long as it
takes to compile."""


@dataclass
class _Compiled:
    """Compiled functions with the names and formulas of their constants, in order of ``p``.

    ``in_loops`` counts the seconds spent with steps in loops.
    """

    system: CompiledSystem
    derivatives: tuple[sp.Expr, ...]
    states: tuple[str, ...]
    names: tuple[str, ...]
    constants: dict[str, sp.Expr]
    in_loops: float = 0.0

    def writes_out(self) -> bool:
        """Return whether steps are written out by now, or were in an earlier process."""
        worth = self.in_loops > _WORTHWHILE and bool(self.system.step_text)
        return worth or "step" in vars(self.system) or self.system.step_is_kept

    @cached_property
    def stiff(self) -> StiffSystem:
        """The Jacobian and its factorisation, compiled when first needed."""
        return compile_stiff(self.derivatives, self.states, self.names)


@lru_cache(maxsize=64)
def compiled_ode(
    dynamics: tuple[sp.Expr, ...],
    outputs: tuple[sp.Expr, ...],
    states: tuple[str, ...],
    through_transit: tuple[int, ...],
) -> _Compiled:
    """Return the equations of a model as compiled functions."""
    lean = hoist([*dynamics, *outputs], states)
    used = frozenset().union(*(free_names(e) for e in lean.expressions))
    names = tuple(sorted(used - set(states) - {"t"}))
    split = len(dynamics)
    base = sp.Integer(max(1, len(names)))  # doses in transit stand behind the constants
    derivatives = tuple(
        e + TransitInput(symbol("t"), base, sp.Integer(i)) if i in through_transit else e
        for i, e in enumerate(lean.expressions[:split])
    )
    system = compile_system(derivatives, lean.expressions[split:], states, names)
    return _Compiled(system, derivatives, states, names, dict(lean.constants))


@lru_cache(maxsize=1)
def event_loop() -> Any:
    """Import the compiled event loop; numba warns once that function types are experimental."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
        from statera.simulate import ode_kernel  # noqa: PLC0415  compiles when imported
    return ode_kernel


def solve_ode(
    model: Model,
    values: Values,
    events: EventTable,
    windows: Floats | EventWindows,
    n_subjects: int,
    workers: int,
    options: OdeOptions,
    questions: Questions | None = None,
    segments: Segments | None = None,
) -> tuple[Floats, Floats, NDArray[np.int64], str]:
    """Return rows, window measures and statuses, as `solve_linear` does, and the solvers used.

    Raises
    ------
    InputError
        If a record asks for a steady state of equations that depend on time.
    """
    _check_steady_states(model, events)
    code = compiled_ode(
        tuple(e.expression for e in model.dynamics),
        tuple(o.expression for o in model.outputs),
        model.states,
        transit_states(model),
    )
    kernel = event_loop()
    layout = lay_out(events, n_subjects, segments)
    inputs = input_arrays(model, events, values, layout.n_systems)
    parameters, initial = _parameters(model, code, values, layout.n_systems)
    n_out = len(model.outputs)
    rows = np.full((*layout.shape, n_out), np.nan)
    measures = new_measures(n_subjects, windows.shape[0], n_out, questions)
    statuses = layout.statuses(parameters, initial)
    accumulates = accumulating(model).astype(np.int64)

    def run(method: int, stretches: Stretches) -> None:
        jacobian = method == kernel.RODAS5P or bool(events.steady_state.any())
        functions = loop_functions(kernel, code, jacobian)

        def work(part: tuple[int, int]) -> Any:
            for first, last, spans, breaks in by_windows(windows, part):
                kernel.run_ode(
                    *functions(), method, first, last, layout.during, layout.at, events.offsets,
                    events.time, events.evid, events.amount, events.rate, events.interval,
                    events.additional, events.steady_state,
                    events.key, inputs.key_start, inputs.compartment, inputs.kind,
                    inputs.bioavailability, inputs.lag, inputs.duration, inputs.rate, parameters,
                    initial, accumulates, n_out, options.rtol, options.atol, options.max_steps,
                    options.periods, options.period_rtol, spans, breaks, layout.row_of, rows,
                    measures, statuses,
                )  # fmt: skip

        if method != kernel.RODAS5P:
            stretches = pilot(code, work, stretches)
        map_ordered(work, stretches, workers)

    everyone = parts(n_subjects, workers)
    if options.method == "rodas5p":
        run(kernel.RODAS5P, everyone)
        return rows, measures, statuses, "solved by Rodas5P, as asked"
    if options.method == "tsit5":
        run(kernel.TSIT5, everyone)
        return rows, measures, statuses, "solved by Tsit5, as asked"
    run(kernel.WATCHED, everyone)
    again = np.flatnonzero(np.isin(statuses, kernel.GIVEN_UP))
    if again.size == 0:
        return rows, measures, statuses, "solved by Tsit5"
    statuses[again] = 0
    run(kernel.RODAS5P, stretches_of(again, workers))
    share = "" if again.size == n_subjects else f" in {again.size} of {n_subjects} subjects"
    rest = "" if again.size == n_subjects else ", the others by Tsit5"
    return rows, measures, statuses, f"stiff{share}: solved by Rodas5P{rest}"


def _parameters(model: Model, code: _Compiled, values: Values, n: int) -> tuple[Floats, Floats]:
    """Return the constants of the compiled equations and the initial states, a row a system."""
    parameters = np.zeros((n, max(1, len(code.names))))
    for i, name in enumerate(code.names):
        formula = code.constants.get(name)
        parameters[:, i] = values[name] if formula is None else evaluate(formula, values)
    initial = np.zeros((n, len(model.states)))
    for name, expression in model.initial.items():
        initial[:, model.states.index(name)] = evaluate(expression, values)
    return parameters, initial


def _check_steady_states(model: Model, events: EventTable) -> None:
    if events.steady_state.any() and depends_on_time(model):
        record = int(np.argmax(events.steady_state > 0)) + 1
        raise InputError(
            f"the equations of {model.id} depend on time: they have no steady state",
            where=f"record {record}",
            hint="Give the doses one by one.",
        )


def loop_functions(kernel: Any, code: _Compiled, jacobian: bool) -> Callable[[], tuple[Any, ...]]:
    """Return a function that gives the first arguments of the event loop.

    The stiff ones, and the written-out step, stand in where they are not needed.
    """
    system = code.system
    fixed = kernel.NOT_STIFF
    if jacobian:
        stiff = code.stiff
        fixed = (
            stiff.jacobian, stiff.factor, stiff.solve, stiff.rows, stiff.columns, stiff.n_factors
        )  # fmt: skip

    def functions() -> tuple[Any, ...]:
        step = (system.step, True) if code.writes_out() else kernel.NOT_WRITTEN
        return (system.rhs, system.outputs, *step, *fixed)

    return functions


def pilot(code: _Compiled, work: Callable[[tuple[int, int]], None], all_of: Stretches) -> Stretches:
    """Solve a few subjects in loops where no step is written out yet; return what is left.

    Both kinds of step give the same results to the last bit, so that the time a computer takes may
    decide which is used: compiling one takes longer than a few subjects do.
    """
    if code.writes_out() or not code.system.step_text:
        return all_of
    first, last = all_of[0]
    cut = min(last, first + _PILOT)
    start = time.perf_counter()
    work((first, cut))
    each = (time.perf_counter() - start) / (cut - first)
    code.in_loops += each * sum(b - a for a, b in all_of)
    left = [(cut, last), *all_of[1:]]
    return [(a, b) for a, b in left if b > a]
