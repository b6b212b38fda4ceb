"""Courses of a network under many conditions, with sensitivities where they are wanted."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numba.core.errors import NumbaExperimentalFeatureWarning
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.parallel import map_ordered
from statera.pathway.compiled_network import CompiledNetwork
from statera.pathway.status import Status, sentence

__all__ = ["Courses", "Doses", "PathwayOptions", "Seeds", "solve"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PathwayOptions:
    """How exactly to solve.

    Attributes
    ----------
    rtol, atol
        Tolerance of a step, relative and in the unit of each state.
    max_steps
        Allowed between two instants at which something jumps.
    control_slopes
        Whether sensitivities must meet the tolerance as well. By default the states alone decide
        the steps, of which the sensitivities are the exact derivative.
    workers
        Threads that share the conditions.
    """

    rtol: float = 1e-8
    atol: float = 1e-10
    max_steps: int = 10_000
    control_slopes: bool = False
    workers: int = 1


@dataclass(frozen=True, eq=False)
class Seeds:
    """Derivatives of what a course starts from, by the columns wanted.

    Attributes
    ----------
    parameters : (n_conditions, n_parameters, n_columns) float64
        Of the values.
    initial : (n_conditions, n_states, n_columns) float64
        Of the initial states.
    """

    parameters: Floats
    initial: Floats


@dataclass(frozen=True, eq=False)
class Doses:
    """Jumps of states at given times, a few or many hundreds.

    Attributes
    ----------
    condition, state : (n_doses,) int64
        Whom they reach: number of the condition and of the state.
    time, amount : (n_doses,) float64
        When, and what is added to the state. An infusion is a rate that is a state of its own:
        it is added at the beginning and taken off at the end.
    slopes : (n_doses, n_columns) float64
        Derivatives of the amounts; none where absent.
    """

    condition: NDArray[np.int64]
    time: Floats
    state: NDArray[np.int64]
    amount: Floats
    slopes: Floats | None = None


@dataclass(frozen=True, eq=False)
class Tape:
    """The accepted steps of courses, for the way back; see `statera.pathway.adjoint`.

    Attributes
    ----------
    compiled, values, times, row_first
        What was solved: rows of all conditions, and where those of each begin.
    steps : (n_conditions, room, 2 + n_states + n_flags) float64
        Start, size, states and flags of each step.
    kept : (n_conditions,) int64
        Number of steps.
    """

    compiled: CompiledNetwork
    values: Floats
    times: Floats
    row_first: NDArray[np.int64]
    steps: Floats
    kept: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Courses:
    """Solutions, by condition.

    Attributes
    ----------
    states
        (n_times, n_states) for each condition; NaN from where it failed on.
    slopes
        (n_times, n_states, n_columns) for each condition; None where no seeds were given.
    status, message
        How each condition ended, as a code and a sentence.
    steps : (n_conditions,) int64
        Steps tried.
    tape
        The accepted steps, where they were asked for.
    """

    states: tuple[Floats, ...]
    slopes: tuple[Floats, ...] | None
    status: tuple[Status, ...]
    message: tuple[str, ...]
    steps: NDArray[np.int64]
    tape: Tape | None = None

    @property
    def ok(self) -> bool:
        """Whether every condition was solved."""
        return not any(self.status)


@lru_cache(maxsize=1)
def _kernel() -> Any:
    """Import the compiled loop; numba warns once that function types are experimental."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
        from statera.pathway.solve_kernel import solve_conditions  # noqa: PLC0415  compiles
    return solve_conditions


_DEFAULT = PathwayOptions()
_ROOM = 512  # steps of each condition that a tape holds at first
_NO_DOSES = (np.zeros(0), np.zeros(0, np.int64), np.zeros(0))


def solve(
    compiled: CompiledNetwork,
    values: Floats,
    initial: Floats,
    times: Sequence[Floats],
    *,
    start: float | Floats = 0.0,
    seeds: Seeds | None = None,
    doses: Doses | None = None,
    options: PathwayOptions = _DEFAULT,
    tape: bool = False,
) -> Courses:
    """Solve a network under several conditions.

    States at an instant are those after everything that happens at it: doses, then events.

    Parameters
    ----------
    compiled
        See `compile_network`.
    values : (n_conditions, n_parameters) float64
        Parameters in the order of `compiled.parameters`.
    initial : (n_conditions, n_states) float64
        States at the start, see `statera.pathway.initial_states`.
    times
        For each condition the times of the rows, not decreasing and not before the start.
    start
        Time of the start, one for all or one for each condition.
    seeds
        Derivatives of `values` and `initial`; sensitivities are found where they are given.
    doses
        Jumps of states. At equal times they are applied in their order.
    options
        Tolerances and threads.
    tape
        Whether to keep the accepted steps, for `statera.pathway.adjoint`.

    Returns
    -------
    A condition that cannot be solved has a status, and NaN from there on; the others go on.

    Raises
    ------
    UsageError
        Where shapes do not fit, or times decrease or come before the start.
    """
    n_conditions = len(times)
    values, initial = _array(values), _array(initial)
    _check(compiled, values, initial, n_conditions)
    begin = np.broadcast_to(np.asarray(start, dtype=np.float64), (n_conditions,)).copy()
    row_first = np.zeros(n_conditions + 1, dtype=np.int64)
    np.cumsum([len(t) for t in times], out=row_first[1:])
    rows = _array(np.concatenate(times)) if n_conditions else np.zeros(0)
    _check_times(rows, row_first, begin)
    n, n_p = len(compiled.states), len(compiled.parameters)
    by_value, by_start = _seed_arrays(seeds, n_conditions, n_p, n)
    width = by_value.shape[2]
    states = np.full((rows.size, n), np.nan)
    slopes = np.zeros((rows.size, n, width))
    status, where, steps = np.zeros((3, n_conditions), dtype=np.int64)
    stopped = np.zeros(n_conditions)
    arguments = (
        values, initial, by_value, by_start, rows, begin, row_first,
        *_lay_out(doses, n_conditions, n, width, begin),
        options.rtol, options.atol, options.max_steps, options.control_slopes,
        states, slopes, status, stopped, where, steps,
    )  # fmt: skip
    steps_kept, kept = _run(compiled, arguments, n_conditions, options.workers, tape)
    whole = Tape(compiled, values, rows, row_first, steps_kept, kept) if tape else None
    return _courses(compiled, states, slopes if width else None, row_first, status, stopped, where,
                    steps, seeds is not None, whole)  # fmt: skip


def _run(
    compiled: CompiledNetwork, arguments: tuple[Any, ...], count: int, workers: int, tape: bool
) -> tuple[Floats, NDArray[np.int64]]:
    """Solve the conditions; return the tape and the number of its steps."""
    fixed = (
        *compiled.functions, compiled.table, compiled.layout, compiled.rows, compiled.columns,
        compiled.own_rows, compiled.own_columns, compiled.bend_own,
    )  # fmt: skip
    kernel, parts = _kernel(), parts_of(count, workers)
    room = _ROOM if tape else 0
    while True:
        kept = np.zeros(count, dtype=np.int64)
        steps = np.empty((count, room, 2 + len(compiled.states) + compiled.flags))
        rest = (*arguments, steps, kept)

        def work(part: tuple[int, int], rest: tuple[Any, ...] = rest) -> None:
            kernel(*fixed, *part, *rest)

        map_ordered(work, parts, workers)
        if not tape or kept.max(initial=0) <= room:
            return steps, kept
        room = int(kept.max())  # solved again with room for all


def _seed_arrays(seeds: Seeds | None, n_conditions: int, n_p: int, n: int) -> tuple[Floats, Floats]:
    if seeds is None:
        return np.zeros((n_conditions, n_p, 0)), np.zeros((n_conditions, n, 0))
    by_value, by_start = _array(seeds.parameters), _array(seeds.initial)
    width = by_value.shape[-1]
    wanted = (n_conditions, n_p, width), (n_conditions, n, width)
    if (by_value.shape, by_start.shape) != wanted:
        raise UsageError(
            f"seeds must have the shapes {wanted[0]} and {wanted[1]}, not {by_value.shape} and "
            f"{by_start.shape}"
        )
    return by_value, by_start


def parts_of(count: int, workers: int) -> list[tuple[int, int]]:
    """Return the conditions in parts for threads."""
    if workers <= 1 or count <= 1:
        return [(0, count)]
    edges = np.linspace(0, count, min(4 * workers, count) + 1).astype(int)
    return [(int(a), int(b)) for a, b in pairwise(edges)]


def _array(values: Any) -> Floats:
    return np.ascontiguousarray(values, dtype=np.float64)


def _check(compiled: CompiledNetwork, values: Floats, initial: Floats, n_conditions: int) -> None:
    wanted = (n_conditions, len(compiled.parameters)), (n_conditions, len(compiled.states))
    if (values.shape, initial.shape) != wanted:
        raise UsageError(
            f"values and initial must have the shapes {wanted[0]} and {wanted[1]}, not "
            f"{values.shape} and {initial.shape}",
            hint="one row a condition; as many conditions as there are arrays of times",
        )


def _check_times(rows: Floats, row_first: NDArray[np.int64], start: Floats) -> None:
    if rows.size == 0:
        return
    if not np.isfinite(rows).all():
        raise UsageError(
            "a time is not finite", where="times", hint="for time at infinity see steady_states"
        )
    before = np.empty_like(rows)
    before[1:] = rows[:-1]
    filled = row_first[:-1] < row_first[1:]
    before[row_first[:-1][filled]] = start[filled]
    if (rows < before).any():
        at = int(np.searchsorted(row_first, np.argmax(rows < before), side="right")) - 1
        raise UsageError(
            f"the times of condition {at} decrease, or come before its start at {start[at]:g}",
            where="times",
        )


def _lay_out(doses: Doses | None, n_conditions: int, n: int, width: int, start: Floats) -> Any:
    """Return doses in the order of conditions and times."""
    if doses is None or doses.time.size == 0:
        nobody = np.zeros(n_conditions + 1, dtype=np.int64)
        return (nobody, *_NO_DOSES, np.zeros((0, width)))
    condition = np.asarray(doses.condition, dtype=np.int64)
    state = np.asarray(doses.state, dtype=np.int64)
    if condition.min() < 0 or condition.max() >= n_conditions:
        raise UsageError(f"a dose names a condition outside 0 to {n_conditions - 1}", where="doses")
    if state.min() < 0 or state.max() >= n:
        raise UsageError(f"a dose names a state outside 0 to {n - 1}", where="doses")
    if not (np.isfinite(doses.time).all() and np.isfinite(doses.amount).all()):
        raise UsageError("the time or amount of a dose is not finite", where="doses")
    if (doses.time < start[condition]).any():
        raise UsageError("a dose is given before the start of its condition", where="doses")
    order = np.lexsort((np.arange(condition.size), doses.time, condition))
    slopes = np.zeros((condition.size, width)) if doses.slopes is None else _array(doses.slopes)
    if slopes.shape != (condition.size, width):
        raise UsageError(
            f"the slopes of doses must have the shape {(condition.size, width)}, not "
            f"{slopes.shape}",
            where="doses",
        )
    first = np.searchsorted(condition[order], np.arange(n_conditions + 1)).astype(np.int64)
    return (
        first, _array(doses.time)[order], state[order], _array(doses.amount)[order], slopes[order]
    )  # fmt: skip


def _courses(
    compiled: CompiledNetwork,
    states: Floats,
    slopes: Floats | None,
    row_first: NDArray[np.int64],
    status: NDArray[np.int64],
    stopped: Floats,
    where: NDArray[np.int64],
    steps: NDArray[np.int64],
    seeded: bool,
    tape: Tape | None,
) -> Courses:
    parts = [slice(a, b) for a, b in pairwise(row_first)]
    if slopes is not None and status.any():
        slopes[np.isnan(states).any(axis=1)] = np.nan
    if slopes is None and seeded:
        slopes = np.zeros((*states.shape, 0))
    codes = tuple(Status(int(code)) for code in status)
    return Courses(
        tuple(states[part] for part in parts),
        None if slopes is None else tuple(slopes[part] for part in parts),
        codes,
        tuple(
            "ok" if not code else sentence(
                code, float(stopped[c]), int(where[c]), compiled.states, compiled.parameters
            )
            for c, code in enumerate(codes)
        ),
        steps,
        tape,
    )  # fmt: skip
