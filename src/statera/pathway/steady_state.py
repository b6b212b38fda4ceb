"""Steady states that courses end in, and how they move with what the columns stand for.

A network may have several steady states; wanted is the one that the course from a given start ends
in. So the course is followed over ever longer times, and Newton's method takes over where its
correction is small: the linear system also gives the sensitivities (implicit function theorem)

    J S = -P dp

Conserved totals, ``w'x`` with ``w'f = 0`` for every state, make J singular. They are found from J
at several states, and each takes the place of one of the equations that it makes superfluous:
``w'x = w'x0`` and ``w'S = w'S0``. Where J is singular beyond them, as after an irreversible decay
whose end depends on its path, states and sensitivities are integrated until both rest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import qr, solve_triangular

from statera.pathway.compiled_network import CompiledNetwork
from statera.pathway.solve import PathwayOptions, Seeds, solve
from statera.pathway.status import Status, sentence

__all__ = ["SteadyStates", "steady_states"]

Floats = NDArray[np.float64]

_DECADES = 24
"""Stretches of time, each ten times as long as the one before, after which it is given up."""
_TRANSIENT = 1e-6  # relative tolerance of the way there, where Newton's method ends it
_NEAR = 1e-2  # relative correction from which on Newton's method is trusted
_NEWTON_STEPS = 20
_DEPENDENT = 1e-11  # of the size of a row of slopes: less is rounding
_CONSERVED = 1e-6  # relative change of a total that counts as none
_SINGULAR = 1e-13


@dataclass(frozen=True, eq=False)
class SteadyStates:
    """Steady states, by condition.

    Attributes
    ----------
    states : (n_conditions, n_states) float64
        NaN where none was reached.
    slopes : (n_conditions, n_states, n_columns) float64
        Their derivatives; None where no seeds were given.
    status, message
        How each condition ended, as a code and a sentence.
    time : (n_conditions,) float64
        Time up to which each was followed.
    """

    states: Floats
    slopes: Floats | None
    status: tuple[Status, ...]
    message: tuple[str, ...]
    time: Floats

    @property
    def ok(self) -> bool:
        """Whether every condition has reached a steady state."""
        return not any(self.status)


_DEFAULT = PathwayOptions()


def steady_states(
    compiled: CompiledNetwork,
    values: Floats,
    initial: Floats,
    *,
    start: float = 0.0,
    seeds: Seeds | None = None,
    options: PathwayOptions = _DEFAULT,
) -> SteadyStates:
    """Return the steady states that courses from given starts end in.

    Where time stands in the equations it runs on; what they come to rest at is the result, and it
    must be the same over the last two stretches of time.

    Parameters
    ----------
    compiled
        See `statera.pathway.compile_network`.
    values, initial, start, seeds
        As for `statera.pathway.solve`.
    options
        `rtol` and `atol` are the distance from the steady state that is allowed.

    Returns
    -------
    A condition that does not come to rest has the status `NO_STEADY_STATE`, or that of the solver.
    """
    search = _Search(compiled, values, initial, start, seeds, options)
    search.run(search.seeds if compiled.events else None)
    if seeds is not None and search.singular:
        search.again_with_slopes()
    return search.result()


class _Search:
    """Conditions on their way; arrays are by condition."""

    def __init__(
        self,
        compiled: CompiledNetwork,
        values: Floats,
        initial: Floats,
        start: float,
        seeds: Seeds | None,
        options: PathwayOptions,
    ) -> None:
        self.compiled, self.options, self.start, self.seeds = compiled, options, start, seeds
        self.values = np.ascontiguousarray(values, dtype=np.float64)
        self.initial = np.ascontiguousarray(initial, dtype=np.float64)
        count, n = self.initial.shape
        width = 0 if seeds is None else seeds.parameters.shape[2]
        self.states = np.full((count, n), np.nan)
        self.slopes = np.full((count, n, width), np.nan)
        self.status = [Status.NO_STEADY_STATE] * count
        self.message = [""] * count
        self.time = np.full(count, start)
        self.singular: list[int] = []

    def run(self, seeds: Seeds | None, rest_only: bool = False) -> None:
        """Follow the conditions without result; carry sensitivities where seeds are given."""
        open_ = [c for c, s in enumerate(self.status) if s is Status.NO_STEADY_STATE]
        x = self.initial.copy()
        s = None if seeds is None else seeds.initial.copy()
        found: dict[int, Floats] = {}  # what time-dependent equations rested at before
        way = replace(self.options, rtol=max(self.options.rtol, _TRANSIENT))
        if seeds is not None or rest_only:
            way = self.options
        t, stretch = self.start, self._first_stretch(open_)
        for _ in range(_DECADES):
            if not open_:
                return
            part = None
            if seeds is not None and s is not None:
                part = Seeds(seeds.parameters[open_], s[open_])
            ahead = [np.array([t + stretch])] * len(open_)
            course = solve(
                self.compiled, self.values[open_], x[open_], ahead, start=t, seeds=part,
                options=way,
            )  # fmt: skip
            t, stretch = t + stretch, 10.0 * stretch
            still = []
            for at, c in enumerate(open_):
                self.time[c] = t
                if course.status[at]:
                    self.status[c], self.message[c] = course.status[at], course.message[at]
                    continue
                before, x[c] = x[c].copy(), course.states[at][0]
                moved = None
                if s is not None and course.slopes is not None:
                    moved, s[c] = s[c].copy(), course.slopes[at][0]
                if rest_only:
                    done = self._rests(c, before, x[c], moved, None if s is None else s[c])
                else:
                    done = self._arrived(c, t, x[c], None if s is None else s[c], found)
                if not done:
                    still.append(c)
            # events keep these moving: ten times the time would take ten times the steps
            many = course.steps > self.options.max_steps
            restless = {c for c, too_many in zip(open_, many, strict=True) if too_many}
            for c in restless.intersection(still):
                self._give_up(c, t, x[c])
            open_ = [c for c in still if c not in restless]
        for c in open_:
            self._give_up(c, t, x[c])

    def again_with_slopes(self) -> None:
        """Integrate sensitivities where the linear system cannot give them."""
        assert self.seeds is not None
        for c in self.singular:
            self.status[c] = Status.NO_STEADY_STATE
        self.run(self.seeds, rest_only=True)

    def _first_stretch(self, open_: list[int]) -> float:
        """Return ten times the shortest time scale among the conditions."""
        fastest = 0.0
        for c in open_:
            with np.errstate(invalid="ignore"):
                slopes = self._jacobian(c, self.start, self.initial[c], self._given(c, self.start,
                                        self.initial[c]))  # fmt: skip
            finite = np.where(np.isfinite(slopes), np.abs(slopes), 0.0)
            fastest = max(fastest, float(finite.sum(axis=1).max(initial=0.0)))
        return 10.0 / fastest if fastest > 0.0 else 1.0

    def _given(self, c: int, t: float, x: Floats) -> Floats:
        """Return the parameters with the flags of a state behind them."""
        n_p = len(self.compiled.parameters)
        given = np.zeros(n_p + self.compiled.flags)
        given[:n_p] = self.values[c]
        quantity = np.zeros(self.compiled.flags)
        for _ in range(self.compiled.flags):
            self.compiled.functions[6](t, x, 0, given, quantity, 0)
            given[n_p:] = quantity > 0.0
        return given

    def _rates(self, t: float, x: Floats, given: Floats) -> Floats:
        out = np.empty(x.size)
        self.compiled.functions[0](t, x, 0, given, out, 0)
        return out

    def _jacobian(self, c: int, t: float, x: Floats, given: Floats) -> Floats:
        n, entries = x.size, self.compiled.rows.size
        out = np.empty(entries + n)
        self.compiled.functions[1](t, x, 0, given, out, 0)
        slopes = np.zeros((n, n))
        slopes[self.compiled.rows, self.compiled.columns] = out[:entries]
        return slopes

    def _totals(self, c: int, t: float, x: Floats, given: Floats) -> tuple[Floats, list[int]]:
        """Return conservation laws (n_laws, n_states), and an equation that each replaces."""
        random = np.random.default_rng(0)
        size = np.abs(x) + np.abs(self.initial[c])
        size = np.where(size > 0.0, size, size.max(initial=0.0) or 1.0)
        points = [size * random.uniform(0.5, 2.0, x.size) for _ in range(2)]
        stacked = np.concatenate([self._jacobian(c, t, y, given) for y in points], axis=1)
        height = np.abs(stacked).max(axis=1, initial=0.0)
        height = np.where(height > 0.0, height, 1.0)
        if not np.isfinite(stacked).all():
            return np.zeros((0, x.size)), []
        _, upper, pivots = qr(stacked.T / height, mode="economic", pivoting=True)
        sizes = np.abs(np.diag(upper))
        rank = int((sizes > _DEPENDENT * max(sizes.max(initial=0.0), 1.0)).sum())
        laws = np.zeros((x.size - rank, x.size))
        dependent = [int(q) for q in pivots[rank:]]
        if rank and dependent:
            combined = solve_triangular(upper[:rank, :rank], upper[:rank, rank:])
            laws[:, pivots[:rank]] = -combined.T
        laws[np.arange(x.size - rank), dependent] = 1.0
        laws /= height
        return laws / np.abs(laws).max(axis=1, keepdims=True, initial=1e-300), dependent

    def _arrived(
        self, c: int, t: float, x: Floats, slope: Floats | None, found: dict[int, Floats]
    ) -> bool:
        """Try Newton's method; where it ends nearby, keep the steady state."""
        given = self._given(c, t, x)
        laws, replaced = self._totals(c, t, x, given)
        totals = laws @ x
        whole = laws @ (self.initial[c] if slope is None else x)
        drift = np.abs(totals - whole) > _CONSERVED * (np.abs(laws) @ np.abs(x)) + self.options.atol
        if drift.any():  # no law at all: a slow change that looked like none
            laws, replaced = (
                laws[~drift],
                [q for q, off in zip(replaced, drift, strict=True) if not off],
            )
            whole = whole[~drift]
        point, near = x.copy(), True
        for step in range(_NEWTON_STEPS):
            matrix = self._jacobian(c, t, point, given)
            off = self._rates(t, point, given)
            matrix[replaced], off[replaced] = laws, laws @ point - whole
            if not (np.isfinite(matrix).all() and np.isfinite(off).all()):
                return False
            height = np.abs(matrix).max(axis=1)
            if (height == 0.0).any():
                return self._is_singular(c, t, x, point, step)
            lu = matrix / height[:, None]
            if np.linalg.cond(lu) > 1.0 / _SINGULAR:
                return self._is_singular(c, t, x, point, step)
            change = np.linalg.solve(lu, -off / height)
            room = np.abs(point) + self.options.atol + 1e-6 * np.abs(point).max(initial=0.0)
            near = bool((np.abs(change) < _NEAR * room).all())
            if step == 0 and not near:
                return False
            point += change
            allowed = self.options.atol + self.options.rtol * np.abs(point)
            if (np.abs(change) <= allowed).all():
                return self._keep(c, t, point, matrix, given, laws, replaced, slope, found)
        return False

    def _keep(
        self, c: int, t: float, x: Floats, matrix: Floats, given: Floats, laws: Floats,
        replaced: list[int], slope: Floats | None, found: dict[int, Floats],
    ) -> bool:  # fmt: skip
        """Keep a root that attracts, and what does not move with time."""
        free = self._jacobian(c, t, x, given)
        growth = np.linalg.eigvals(free).real.max(initial=0.0)
        if growth > 1e-8 * np.abs(free).max(initial=0.0):
            return False  # a saddle that the course passes by
        if not self.compiled.timeless:
            before, found[c] = found.get(c), x
            allowed = self.options.atol + 10.0 * self.options.rtol * np.abs(x)
            if before is None or (np.abs(before - x) > allowed).any():
                return False
        if self.seeds is not None:
            n, entries = x.size, self.compiled.rows.size
            out = np.empty(entries + self.compiled.own_rows.size)
            self.compiled.functions[2](t, x, 0, given, out, 0)
            right = np.zeros((n, self.slopes.shape[2]))
            own = np.where(np.isfinite(out[entries:]), out[entries:], 0.0)
            seeds = self.seeds.parameters[c]
            np.add.at(
                right, self.compiled.own_rows, -own[:, None] * seeds[self.compiled.own_columns]
            )
            right[replaced] = laws @ (self.seeds.initial[c] if slope is None else slope)
            height = np.abs(matrix).max(axis=1)
            self.slopes[c] = np.linalg.solve(matrix / height[:, None], right / height[:, None])
        self.states[c] = x
        self.status[c], self.message[c] = Status.OK, "ok"
        return True

    def _is_singular(self, c: int, t: float, x: Floats, point: Floats, step: int) -> bool:
        """Note that no linear system says where the course ends; it is followed until it rests."""
        if c not in self.singular:
            self.singular.append(c)
        change = np.abs(self._rates(t, x, self._given(c, t, x))) * max(t - self.start, 1.0)
        if (change <= self.options.atol + self.options.rtol * np.abs(x)).all():
            self.states[c], self.status[c], self.message[c] = x, Status.OK, "ok"
            return True
        return False

    def _rests(
        self, c: int, before: Floats, x: Floats, moved: Floats | None, slope: Floats | None
    ) -> bool:
        """Return whether a stretch of time has changed neither states nor sensitivities."""
        allowed = self.options.atol + 10.0 * self.options.rtol * np.abs(x)
        if (np.abs(x - before) > allowed).any():
            return False
        if moved is not None and slope is not None:
            scale = np.abs(slope).max(axis=0, initial=0.0)
            if (np.abs(slope - moved) > 100.0 * self.options.rtol * scale + 1e-300).any():
                return False
            self.slopes[c] = slope
        self.states[c], self.status[c], self.message[c] = x, Status.OK, "ok"
        return True

    def _give_up(self, c: int, t: float, x: Floats) -> None:
        rates = self._rates(t, x, self._given(c, t, x))
        far = np.abs(rates) / (self.options.atol + self.options.rtol * np.abs(x))
        worst = int(np.argmax(np.where(np.isfinite(far), far, np.inf)))
        self.message[c] = sentence(
            Status.NO_STEADY_STATE, t, worst, self.compiled.states, self.compiled.parameters
        )

    def result(self) -> SteadyStates:
        for c, status in enumerate(self.status):
            if status:
                self.states[c] = self.slopes[c] = np.nan
        return SteadyStates(
            self.states, None if self.seeds is None else self.slopes, tuple(self.status),
            tuple(self.message), self.time,
        )  # fmt: skip
