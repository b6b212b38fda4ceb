"""How a prepared model that is not linear is solved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.model import Model
from statera.numerics.expression import symbol
from statera.parallel import map_ordered
from statera.simulate import gradient_ode, solve_ode
from statera.simulate.doses import NOT_FINITE
from statera.simulate.gradient_values import NO_PAIRS, Pairs
from statera.simulate.ode_options import OdeOptions
from statera.simulate.parts import parts, stretches_of
from statera.simulate.prepared_solvers import Places, first_statuses
from statera.simulate.structure import accumulating, transit_states

if TYPE_CHECKING:
    from statera.simulate.prepared import Prepared

__all__ = ["OdeSolver"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class OdeSolver:
    """Integration; the leaves are the constants of the equations and the initial state.

    Sensitivities are integrated by the leaves themselves where these are fewer than the columns,
    and the chain rule does the rest.
    """

    how = "integrated"

    def __init__(self, model: Model, options: OdeOptions) -> None:
        self.model, self.options = model, options
        self.n = len(model.states)
        dynamics = tuple(e.expression for e in model.dynamics)
        outputs = tuple(symbol(name) for name in model.states)
        self._system = (dynamics, outputs, model.states)
        self.through = transit_states(model)
        self.code = solve_ode.compiled_ode(*self._system, self.through)
        self.accumulates = accumulating(model).astype(np.int64)
        self.constants = len(self.code.names)
        self.begun = [model.states.index(name) for name in model.initial]
        self._stiff: bool | None = None

    def leaves(self, places: Places) -> list[sp.Expr]:
        """Return the formulas of the system."""
        found = [self.code.constants.get(name, symbol(name)) for name in self.code.names]
        found += list(self.model.initial.values())
        places.used += len(found)
        return found

    def _arrays(self, leaves: Floats) -> tuple[Floats, Floats]:
        count = leaves.shape[1]
        constants = np.zeros((count, max(1, self.constants)))
        constants[:, : self.constants] = leaves[: self.constants].T
        initial = np.zeros((count, self.n))
        for k, state in enumerate(self.begun):
            initial[:, state] = leaves[self.constants + k]
        return constants, initial

    def states(
        self, of: Prepared, leaves: Floats, skipped: NDArray[np.bool_]
    ) -> tuple[Floats, Ints]:
        """Return states at observations and statuses, see `Prepared.states`."""
        events, layout, places = of.events, of.layout, of.places
        kernel = solve_ode.event_loop()
        constants, initial = self._arrays(leaves)
        inputs = places.input_values(leaves)
        statuses = first_statuses(of, skipped, constants, initial)
        rows = np.full((*layout.shape, self.n), np.nan)
        none = np.zeros((0, 2))
        measures = np.zeros((events.n_groups, 0, self.n, 5))
        compartment, kind = places.kinds
        options = self.options

        def run(method: int, stretches: Sequence[tuple[int, int]]) -> None:
            jacobian = method == kernel.RODAS5P or bool(events.steady_state.any())
            functions = solve_ode.loop_functions(kernel, self.code, jacobian)

            def work(part: tuple[int, int]) -> Any:
                kernel.run_ode(
                    *functions(), method, part[0], part[1], layout.during, layout.at,
                    events.offsets, events.time, events.evid, events.amount, events.rate,
                    events.interval, events.additional, events.steady_state, events.key,
                    places.key_start, compartment, kind, *inputs, constants, initial,
                    self.accumulates, self.n,
                    options.rtol, options.atol, options.max_steps, options.periods,
                    options.period_rtol, none, none.ravel(), layout.row_of, rows, measures,
                    statuses,
                )  # fmt: skip

            careful = _guarded(work, statuses)
            if method != kernel.RODAS5P:
                stretches = solve_ode.pilot(self.code, careful, stretches)
            map_ordered(careful, stretches, of.workers)

        self._run(kernel, run, statuses, of.workers)
        return rows[0], statuses

    def slopes(
        self,
        of: Prepared,
        leaves: Floats,
        slopes: Floats,
        skipped: NDArray[np.bool_],
        pairs: Pairs = NO_PAIRS,
    ) -> tuple[Floats, Floats, Ints]:
        """Return states, derivatives and statuses, see `LinearSolver.slopes`."""
        if pairs.size:
            return self._columns(of, leaves, slopes, skipped, pairs)
        moving = np.flatnonzero((slopes != 0.0).any(axis=(1, 2)))
        if of.segments.varying or moving.size >= slopes.shape[2]:
            return self._columns(of, leaves, slopes, skipped)
        own = np.zeros((*slopes.shape[:2], moving.size))
        own[moving, :, np.arange(moving.size)] = 1.0
        x, dx, statuses = self._columns(of, leaves, own, skipped)
        pushed = slopes[moving][:, of.row_system]
        return x, np.einsum("rsk,krm->rsm", dx, pushed), statuses

    def _columns(
        self,
        of: Prepared,
        leaves: Floats,
        slopes: Floats,
        skipped: NDArray[np.bool_],
        pairs: Pairs = NO_PAIRS,
    ) -> tuple[Floats, Floats, Ints]:
        events, layout, places = of.events, of.layout, of.places
        kernel = gradient_ode.gradient_kernel()
        code = gradient_ode.compiled_gradient(*self._system, bool(self.through))
        constants, initial = self._arrays(leaves)
        constants = np.ascontiguousarray(constants[:, : self.constants])
        m = slopes.shape[2]
        d_constants = np.zeros((*constants.shape, m))
        d_constants[:, : self.constants] = slopes[: self.constants].transpose(1, 0, 2)
        d_initial = np.zeros((*initial.shape, m))
        for k, state in enumerate(self.begun):
            d_initial[:, state] = slopes[self.constants + k]
        inputs, d_inputs = places.input_values(leaves), places.input_slopes(slopes)
        statuses = first_statuses(of, skipped, constants, initial, d_constants, d_initial)
        rows = np.full((*layout.shape, self.n), np.nan)
        found = np.full((*rows.shape, m), np.nan)
        compartment, kind = places.kinds
        options = self.options
        factors = np.ones(m)
        if pairs.size:  # a derivative is as large as the state over the size of the leaf
            single = 1.0 / _sizes(leaves, slopes[:, :, : m - pairs.size])
            factors = np.concatenate([single, single[pairs.one] * single[pairs.two]])
        factors = gradient_ode.tolerance_factors(factors, options)

        def run(method: int, stretches: Sequence[tuple[int, int]]) -> None:
            def work(functions: tuple[Any, ...], part: tuple[int, int]) -> None:
                kernel.run_ode_gradient(
                    *functions, method, part[0], part[1], pairs.one, pairs.two,
                    layout.during, layout.at, events.offsets, events.time, events.evid,
                    events.amount,
                    events.rate, events.interval, events.additional, events.steady_state,
                    events.key, layout.row_of, places.key_start, compartment, kind,
                    *inputs, *d_inputs, constants, d_constants, initial, d_initial,
                    self.accumulates, factors, options.rtol, options.atol, options.max_steps,
                    options.periods, options.period_rtol, rows, found, statuses,
                )  # fmt: skip

            gradient_ode.run_in_loops(
                kernel, code, method, (m, m - pairs.size),
                lambda functions, part: _guarded(partial(work, functions), statuses)(part),
                stretches, of.workers,
            )  # fmt: skip

        self._run(kernel, run, statuses, of.workers)
        return rows[0], found[0], statuses

    def _run(
        self,
        kernel: Any,
        run: Callable[[int, Sequence[tuple[int, int]]], None],
        statuses: Ints,
        workers: int,
    ) -> None:
        """Solve everyone; Rodas5P takes over where Tsit5 gives up, at once from the next call."""
        everyone = parts(statuses.size, workers)
        method = self.options.method
        if method != "auto":
            run(kernel.RODAS5P if method == "rodas5p" else kernel.TSIT5, everyone)
            return
        if self._stiff:
            run(kernel.RODAS5P, everyone)
            return
        run(kernel.WATCHED, everyone)
        again = np.flatnonzero(np.isin(statuses, kernel.GIVEN_UP))
        if self._stiff is None:  # at the initial values: later ones may be far from any sense
            self._stiff = again.size == statuses.size
        if again.size:
            statuses[again] = 0
            run(kernel.RODAS5P, stretches_of(again, workers))


def _guarded(
    work: Callable[[tuple[int, int]], Any], statuses: Ints
) -> Callable[[tuple[int, int]], None]:
    """Return work that gives a subject a status where arithmetic fails, and goes on with others."""

    def careful(part: tuple[int, int]) -> None:
        try:
            work(part)
        except ArithmeticError:
            for subject in range(*part):
                try:
                    work((subject, subject + 1))
                except ArithmeticError:
                    statuses[subject] = NOT_FINITE

    return careful


def _sizes(leaves: Floats, slopes: Floats) -> Floats:
    """Return the size of what each column differentiates by, (n_columns,)."""
    sizes = np.ones(slopes.shape[2])
    for column in range(sizes.size):
        mine = np.abs(leaves[(slopes[:, :, column] != 0.0).any(axis=1)])
        if mine.size and np.isfinite(mine).all() and mine.max() > 0.0:
            sizes[column] = mine.max()
    return sizes
