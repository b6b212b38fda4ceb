"""Which solver gives the sensitivities, and by which columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.model import Model
from statera.simulate.arrays import Values
from statera.simulate.gradient_events import blocks_of
from statera.simulate.gradient_linear import solve_linear_gradient
from statera.simulate.gradient_second import (
    all_pairs,
    base_names,
    base_tangents,
    chain,
    pairs_with,
)
from statera.simulate.gradient_values import Pairs, Tangents, tangents_of
from statera.simulate.ode_options import OdeOptions
from statera.simulate.segments import Segments
from statera.simulate.simulate import structure_of

__all__ = ["solve"]

Floats = NDArray[np.float64]
Solved = tuple[Floats, Floats, NDArray[np.int64], str]


def solve(
    model: Model,
    values: Values,
    events: EventTable,
    names: Sequence[str],
    second: Sequence[str],
    n: int,
    workers: int,
    options: OdeOptions,
    segments: Segments | None,
) -> Solved:
    """Return rows, slopes, statuses and the solver, a block a subject.

    Slopes are those by `names` and behind them by `pairs_with` of both lists of names.
    """
    pairs = pairs_with(names, second)
    systems = n if segments is None else segments.subject.size
    tangents = tangents_of(model, values, names, systems, pairs)
    base = base_names(model, tangents) if pairs.size and segments is None else ()
    every = all_pairs(len(base))
    if not base or every.size > pairs.size:
        return _solve(model, values, tangents, events, names, pairs, n, workers, options, segments)
    inner = base_tangents(base, n, every)
    rows, slopes, statuses, solver = _solve(
        model, values, inner, events, base, every, n, workers, options, None
    )
    return rows, chain(slopes, base, tangents, pairs), statuses, solver


def _solve(
    model: Model,
    values: Values,
    tangents: Tangents,
    events: EventTable,
    names: Sequence[str],
    pairs: Pairs,
    n: int,
    workers: int,
    options: OdeOptions,
    segments: Segments | None,
) -> Solved:
    shape = (n, len(names) + pairs.size)
    structure = structure_of(model)
    if structure.closed_form:
        rows, slopes, statuses = solve_linear_gradient(
            model, structure, values, tangents, events, shape, workers, segments, pairs
        )
        if segments is not None:
            rows, slopes = blocks_of(events, rows[0]), blocks_of(events, slopes[0])
        return rows, slopes, statuses, f"{structure.reason}: solved in closed form"
    from statera.simulate.gradient_ode import (  # noqa: PLC0415  compiles code: only if needed
        solve_ode_gradient,
    )

    # a sensitivity is as large as the output over the size of the name: so is its tolerance
    sizes = np.array([float(np.max(np.abs(values[name]))) for name in names])
    weights = 1.0 / np.where(sizes > 0.0, sizes, 1.0)
    weights = np.concatenate([weights, weights[pairs.one] * weights[pairs.two]])
    rows, slopes, statuses, how = solve_ode_gradient(
        model, values, tangents, events, weights.tolist(), shape, workers, options, segments, pairs
    )
    if segments is not None:
        rows, slopes = blocks_of(events, rows[0]), blocks_of(events, slopes[0])
    return rows, slopes, statuses, f"{structure.why}: {how}"
