"""The gradient of one number by very many parameters: back along the steps of a course.

Forward sensitivities cost a column for each parameter. Where only the derivatives of one number are
wanted, such as a log-likelihood, one pass back along the accepted steps gives all of them at the
cost of a few courses. It is the exact derivative of the steps (the transposed of what
`statera.numerics.rodas5p_columns` does), so that both agree to rounding.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numba.core.errors import NumbaExperimentalFeatureWarning
from numpy.typing import NDArray

from statera.errors import InputError, UsageError
from statera.parallel import map_ordered
from statera.pathway.solve import Courses, parts_of

__all__ = ["adjoint"]

Floats = NDArray[np.float64]


@lru_cache(maxsize=1)
def _kernel() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)
        from statera.pathway.adjoint_kernel import go_back  # noqa: PLC0415  compiles
    return go_back


def adjoint(
    courses: Courses, weights: Sequence[Floats], *, workers: int = 1
) -> tuple[Floats, Floats]:
    """Return the derivatives of a number by values and initial states.

    Parameters
    ----------
    courses
        Solved with ``tape=True``.
    weights
        For each condition (n_times, n_states): derivatives of the number by the states of the rows.
    workers
        Threads that share the conditions.

    Returns
    -------
    by_values : (n_conditions, n_parameters) float64
    by_initial : (n_conditions, n_states) float64
        Derivatives through what starts there: where initial states depend on parameters, add
        ``by_initial`` times their slopes. NaN for a condition that failed.

    Raises
    ------
    UsageError
        Without a tape, or where the weights do not fit.
    InputError
        Where the network has events, or switches at instants that states or parameters move.
    """
    tape = courses.tape
    if tape is None:
        raise UsageError("the courses were solved without a tape", hint="solve(..., tape=True)")
    compiled = tape.compiled
    if not compiled.fixed_instants:
        raise InputError(
            "the way back needs instants of jumps that nothing moves; this network has events, or "
            "switches that depend on states or parameters",
            hint="use seeds",
        )
    shapes = [states.shape for states in courses.states]
    if [w.shape for w in weights] != shapes:
        raise UsageError(f"weights must have the shapes of the states, {shapes}", where="weights")
    count = len(shapes)
    none = np.zeros((0, len(compiled.states)))
    flat = np.ascontiguousarray(np.concatenate([none, *weights]), dtype=np.float64)
    by_values = np.zeros((count, len(compiled.parameters)))
    by_initial = np.zeros((count, len(compiled.states)))
    fixed = (
        *compiled.functions[:6], compiled.table, compiled.layout, compiled.rows, compiled.columns,
        compiled.own_rows, compiled.own_columns, compiled.bend_own,
    )  # fmt: skip
    kernel = _kernel()
    arguments = (tape.values, tape.times, tape.row_first, tape.steps, tape.kept, flat, by_values,
                 by_initial)  # fmt: skip
    map_ordered(lambda part: kernel(*fixed, *part, *arguments), parts_of(count, workers), workers)
    failed = np.array([bool(code) for code in courses.status], dtype=bool)
    by_values[failed] = by_initial[failed] = np.nan
    return by_values, by_initial
