"""Sensitivities of models that are not linear, by their variational equations."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import sympy as sp
from numba.core.errors import NumbaExperimentalFeatureWarning
from numpy.typing import ArrayLike, NDArray

from statera.data import EventTable
from statera.errors import InputError
from statera.model import Model
from statera.numerics.expression import evaluate, free_names
from statera.numerics.hoist import hoist
from statera.numerics.sensitivity import (
    CompiledVariational,
    StiffVariational,
    compile_stiff_variational,
    compile_variational,
)
from statera.numerics.sensitivity_second import (
    SecondVariational,
    StiffSecondVariational,
    compile_second_variational,
    compile_stiff_second_variational,
)
from statera.parallel import map_ordered
from statera.simulate.arrays import Values, input_arrays
from statera.simulate.gradient_values import (
    NO_PAIRS,
    Pairs,
    Tangents,
    input_tangents,
    push_forward,
)
from statera.simulate.ode_options import OdeOptions
from statera.simulate.parts import parts, stretches_of
from statera.simulate.segments import Segments, lay_out
from statera.simulate.structure import accumulating, depends_on_time, transit_states

__all__ = [
    "compiled_gradient", "gradient_kernel", "run_in_loops", "solve_ode_gradient",
    "tolerance_factors",
]  # fmt: skip

Floats = NDArray[np.float64]


_WORTHWHILE = 1.0
"""Seconds with loops over any number of columns, spent or expected, from which on they are compiled
for their number: about as long as that takes."""
_PILOT = 16
"""Subjects solved first to see whether it pays."""

Columns = tuple[int, int]
"""Numbers of columns of sensitivities: in all, and of first derivatives."""


@dataclass(frozen=True)
class Compiled:
    """Compiled functions with the names and formulas of their constants, in order of ``p``.

    ``spent`` counts the seconds by number of columns.
    """

    derivatives: tuple[sp.Expr, ...]
    outputs: tuple[sp.Expr, ...]
    states: tuple[str, ...]
    names: tuple[str, ...]
    constants: dict[str, sp.Expr]
    transit: bool
    spent: dict[Columns, float] = field(default_factory=dict, compare=False)

    def pays(self, columns: Columns) -> bool:
        """Return whether loops are compiled for this number of columns by now."""
        return self.spent.get(columns, 0.0) > _WORTHWHILE

    @cached_property
    def _system(self) -> dict[int | None, CompiledVariational]:
        return {}

    @cached_property
    def _second(self) -> dict[Columns | None, SecondVariational]:
        return {}

    @cached_property
    def _stiff(self) -> dict[int | None, StiffVariational]:
        return {}

    @cached_property
    def _stiff_second(self) -> dict[Columns | None, StiffSecondVariational]:
        return {}

    def system(self, columns: int | None) -> CompiledVariational:
        """Return the equations with first derivatives, compiled when first needed, as all others.

        With `columns`, for that number of them.
        """
        if columns not in self._system:
            self._system[columns] = compile_variational(
                self.derivatives, self.outputs, self.states, self.names, transit=self.transit,
                columns=columns,
            )  # fmt: skip
        return self._system[columns]

    def second(self, columns: Columns | None) -> SecondVariational:
        """Return the equations with first and second derivatives."""
        if columns not in self._second:
            self._second[columns] = compile_second_variational(
                self.derivatives, self.outputs, self.states, self.names, transit=self.transit,
                columns=columns,
            )  # fmt: skip
        return self._second[columns]

    def stiff(self, columns: int | None) -> StiffVariational:
        """Return what Rodas5P needs for first derivatives."""
        if columns not in self._stiff:
            self._stiff[columns] = compile_stiff_variational(
                self.derivatives, self.states, self.names, transit=self.transit, columns=columns
            )
        return self._stiff[columns]

    def stiff_second(self, columns: Columns | None) -> StiffSecondVariational:
        """Return what Rodas5P needs for both."""
        if columns not in self._stiff_second:
            self._stiff_second[columns] = compile_stiff_second_variational(
                self.derivatives, self.states, self.names, transit=self.transit, columns=columns
            )
        return self._stiff_second[columns]


@lru_cache(maxsize=64)
def compiled_gradient(
    dynamics: tuple[sp.Expr, ...],
    outputs: tuple[sp.Expr, ...],
    states: tuple[str, ...],
    transit: bool,
) -> Compiled:
    """Return the equations of a model with what their derivatives need."""
    lean = hoist([*dynamics, *outputs], states)
    used = frozenset().union(*(free_names(e) for e in lean.expressions))
    names = tuple(sorted(used - set(states) - {"t"}))
    split = len(dynamics)
    return Compiled(
        tuple(lean.expressions[:split]),
        tuple(lean.expressions[split:]),
        states,
        names,
        dict(lean.constants),
        transit,
    )


@lru_cache(maxsize=1)
def gradient_kernel() -> Any:
    """Import the compiled event loop; numba warns once that function types are experimental."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
        from statera.simulate import gradient_ode_kernel  # noqa: PLC0415  compiles when imported
    return gradient_ode_kernel


def _check_steady_states(model: Model, events: EventTable) -> None:
    steady = events.steady_state > 0
    if steady.any() and depends_on_time(model):
        raise InputError(
            f"{model.id}: the equations depend on time: they have no steady state",
            where=f"record {int(np.argmax(steady)) + 1}",
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
    segments: Segments | None = None,
    pairs: Pairs = NO_PAIRS,
) -> tuple[Floats, Floats, NDArray[np.int64], str]:
    """Return rows, their sensitivities and statuses, as `solve_linear_gradient` does, and how.

    Parameters
    ----------
    values, tangents, shape, segments, pairs
        As there.
    weights
        Factor of the absolute tolerance of each column.

    Raises
    ------
    InputError
        If a record asks for a steady state that the model does not have.
    """
    _check_steady_states(model, events)
    layout = lay_out(events, shape[0], segments)
    n, wide = layout.n_systems, (layout.n_systems, shape[1])
    code = compiled_gradient(
        tuple(e.expression for e in model.dynamics),
        tuple(o.expression for o in model.outputs),
        model.states,
        bool(transit_states(model)),
    )
    kernel = gradient_kernel()
    inputs = input_arrays(model, events, values, n)
    d_inputs = input_tangents(model, events, values, tangents, wide, pairs)
    constants, d_constants, initial, d_initial = _constants(
        model, code, values, tangents, wide, pairs
    )
    rows = np.full((*layout.shape, len(model.outputs)), np.nan)
    slopes = np.full((*rows.shape, shape[1]), np.nan)
    statuses = layout.statuses(constants, d_constants, initial, d_initial)
    factors = tolerance_factors(weights, options)
    accumulates = accumulating(model).astype(np.int64)

    def run(method: int, stretches: Sequence[tuple[int, int]]) -> None:
        def work(functions: tuple[Any, ...], part: tuple[int, int]) -> None:
            kernel.run_ode_gradient(
                *functions, method, part[0], part[1], pairs.one, pairs.two, layout.during,
                layout.at, events.offsets,
                events.time, events.evid, events.amount, events.rate, events.interval,
                events.additional, events.steady_state, events.key, layout.row_of,
                inputs.key_start, inputs.compartment, inputs.kind, inputs.bioavailability,
                inputs.lag, inputs.duration, inputs.rate,
                d_inputs.bioavailability, d_inputs.lag, d_inputs.duration, d_inputs.rate,
                constants, d_constants, initial, d_initial, accumulates, factors,
                options.rtol, options.atol, options.max_steps, options.periods,
                options.period_rtol, rows, slopes, statuses,
            )  # fmt: skip

        run_in_loops(
            kernel, code, method, (shape[1], shape[1] - pairs.size), work, stretches, workers
        )

    how = _by_method(kernel, run, options, statuses, workers)
    return rows, slopes, statuses, how


def _constants(
    model: Model,
    code: Compiled,
    values: Values,
    tangents: Tangents,
    shape: tuple[int, int],
    pairs: Pairs,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return constants and initial states, (n_systems, ...), each with its derivatives."""
    n = shape[0]
    constants = np.empty((n, len(code.names)))
    d_constants = np.zeros((n, len(code.names), shape[1]))
    for c, name in enumerate(code.names):
        formula = code.constants.get(name, sp.Symbol(name, real=True))
        constants[:, c] = evaluate(formula, values)
        d_constants[:, c] = push_forward(formula, values, tangents, shape, pairs)
    initial = np.zeros((n, len(model.states)))
    d_initial = np.zeros((*initial.shape, shape[1]))
    for name, expression in model.initial.items():
        index = model.states.index(name)
        initial[:, index] = evaluate(expression, values)
        d_initial[:, index] = push_forward(expression, values, tangents, shape, pairs)
    return constants, d_constants, initial, d_initial


def tolerance_factors(weights: ArrayLike, options: OdeOptions) -> Floats:
    """Return the factors of the absolute tolerance, infinite for what must not meet any."""
    factors = np.asarray(weights, dtype=np.float64)
    return factors if options.control_sensitivities else np.full_like(factors, np.inf)


def run_in_loops(
    kernel: Any,
    code: Compiled,
    method: int,
    columns: Columns,
    work: Callable[[tuple[Any, ...], tuple[int, int]], None],
    stretches: Sequence[tuple[int, int]],
    workers: int,
) -> None:
    """Run `work` over stretches of subjects with the functions of a method, in threads.

    Loops over columns are compiled for their number once that has paid: both give the same to the
    last bit, so that the time a computer takes may decide.
    """
    fixed, bends = columns if code.pays(columns) else None, columns[1] < columns[0]
    left = list(stretches)
    n = sum(last - first for first, last in left)
    if fixed is None and n >= 2 * _PILOT:
        first, last = left[0]
        start = time.perf_counter()
        work(_functions(kernel, code, method, bends, None), (first, min(last, first + _PILOT)))
        each = (time.perf_counter() - start) / min(_PILOT, last - first)
        left[0] = (min(last, first + _PILOT), last)
        if code.spent.get(columns, 0.0) + each * n > _WORTHWHILE:
            code.spent[columns] = code.spent.get(columns, 0.0) + each * n
            fixed = columns
    functions = _functions(kernel, code, method, bends, fixed)
    start = time.perf_counter()
    map_ordered(lambda part: work(functions, part), [s for s in left if s[1] > s[0]], workers)
    code.spent[columns] = code.spent.get(columns, 0.0) + time.perf_counter() - start


def _functions(
    kernel: Any, code: Compiled, method: int, bends: bool, fixed: Columns | None
) -> tuple[Any, ...]:
    """Return the first arguments of the event loop; the stiff ones stand in where not needed."""
    if bends:
        second = code.second(fixed)
        first = (second.rhs, second.outputs, second.flow)
        if method != kernel.RODAS5P:
            return *first, *kernel.NOT_STIFF
        deep = code.stiff_second(fixed)
        return *first, *_implicit(deep, deep.bending)
    width = None if fixed is None else fixed[0]
    system = code.system(width)
    if method != kernel.RODAS5P:
        return system.rhs, system.outputs, kernel.NOTHING, *kernel.NOT_STIFF
    stiff = _implicit(code.stiff(width), kernel.NOTHING)
    return system.rhs, system.outputs, kernel.NOTHING, *stiff


def _implicit(more: StiffVariational | StiffSecondVariational, bending: Any) -> tuple[Any, ...]:
    """Return what Rodas5P needs in the order of the event loop's arguments."""
    stiff = more.system
    return (
        stiff.jacobian, stiff.factor, stiff.solve, more.solve_columns, more.by_time,
        more.curvature, bending, stiff.rows, stiff.columns, stiff.n_factors,
    )  # fmt: skip


def _by_method(
    kernel: Any,
    run: Callable[[int, Sequence[tuple[int, int]]], None],
    options: OdeOptions,
    statuses: NDArray[np.int64],
    workers: int,
) -> str:
    """Run the method asked for; by default Rodas5P takes over where Tsit5 gives up."""
    everyone = parts(statuses.size, workers)
    if options.method == "rodas5p":
        run(kernel.RODAS5P, everyone)
        return "variational equations solved by Rodas5P, as asked"
    if options.method == "tsit5":
        run(kernel.TSIT5, everyone)
        return "variational equations solved by Tsit5, as asked"
    run(kernel.WATCHED, everyone)
    again = np.flatnonzero(np.isin(statuses, kernel.GIVEN_UP))
    if again.size == 0:
        return "variational equations solved by Tsit5"
    statuses[again] = 0
    run(kernel.RODAS5P, stretches_of(again, workers))
    return f"stiff in {again.size} of {statuses.size} subjects: these by Rodas5P, others by Tsit5"
