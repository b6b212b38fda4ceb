"""Exact first-order sensitivities of outputs to parameters, random effects and covariates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.data import EventData, EventTable, Regimen, events_from_regimen, parse_regimen
from statera.errors import InputError, UnknownNameError
from statera.model import Model
from statera.numerics.derivative import steps_on
from statera.numerics.expression import symbol
from statera.simulate.arrays import Values, individual_values
from statera.simulate.gradient_events import blocks_of, records_of
from statera.simulate.gradient_linear import solve_linear_gradient
from statera.simulate.gradient_result import GradientResult
from statera.simulate.gradient_values import tangents_of, with_parameters
from statera.simulate.ode_options import OdeOptions
from statera.simulate.segments import Interpolation, Segments
from statera.simulate.simulate import default_times, structure_of
from statera.simulate.subjects import (
    CovariateInput,
    check_doses,
    make_subjects,
    model_covariate,
)
from statera.units import convert

__all__ = ["gradients"]

Floats = NDArray[np.float64]


def gradients(
    model: Model,
    dose: str | Regimen | EventTable | EventData,
    *,
    wrt: Sequence[str],
    covariates: Mapping[str, CovariateInput] | None = None,
    etas: Floats | None = None,
    times: ArrayLike | None = None,
    parameters: Mapping[str, float] | None = None,
    workers: int = 1,
    covariate_interpolation: Interpolation = "nocb",
    ode: OdeOptions | None = None,
) -> GradientResult:
    """Solve subjects under a regimen, with the derivatives of every output.

    The derivatives are those of the exact solution, not differences of two runs: initial values,
    bioavailability, and the times of events that depend on parameters (lag, duration) are part of
    them. Method and formulas: ``docs/sensitivities.md``.

    Parameters
    ----------
    model
        From the library or built in Python.
    dose
        A regimen such as ``"4 mg q24h x14"``, or event records as in `simulate_events`: times in
        h, amounts in mg; covariates may change from record to record.
    wrt
        Names of parameters, random effects and covariates of the model. The derivative by a
        covariate that changes within a subject is that by a shift of all its values.
    covariates
        A number for all subjects or ``(n,)`` values; those of the records, or references, where
        not given.
    etas : (n, n_eta) float64, optional
        Random effects; zero where not given.
    times : (n_times,) float64, h
        Observation times of a regimen; by default those of `simulate`. Not with records, which
        hold their own.
    parameters
        Values of fixed effects that replace those of the model.
    workers
        Threads.
    covariate_interpolation
        As in `simulate_events`.
    ode
        Tolerances where the model is not linear. They hold for each column of sensitivities as
        for the states.

    Raises
    ------
    UnknownNameError
        If a name in `wrt` is not a parameter, random effect or covariate of the model, or one in
        `parameters` not a parameter.
    InputError, DomainError
        If the regimen, records, covariates or times cannot be used. A subject that cannot be
        solved does not raise: it has a status.
    """
    names = _checked_names(model, wrt)
    hour = convert(1.0, "h", model.time_unit)
    warnings: list[str] = []
    given = dict(covariates or {})
    n = None
    segments: Segments | None = None
    if isinstance(dose, EventTable | EventData):
        if times is not None:
            raise InputError("event records hold their own observation times", where="times")
        table = dose.events if isinstance(dose, EventData) else dose
        grid = _record_times(table)
        events, found, remarks = records_of(model, table, covariate_interpolation)
        warnings += remarks
        if found.varying:
            segments = found
        else:
            given = {**found.covariates, **given}
        if found.varying or events.n_groups > 1:
            n = events.n_groups
    else:
        regimen = parse_regimen(dose) if isinstance(dose, str) else dose
        scaled = regimen.scaled(hour, convert(1.0, "mg", model.amount_unit))
        warnings += check_doses(model, scaled)
        grid = default_times(regimen) if times is None else _numbers(times)
        events = events_from_regimen(scaled, grid * hour, model.default_route)
    subjects = make_subjects(model, n, given, 1, etas is None, etas)
    warnings += [*subjects.warnings, *_steps(model)]
    by_system, effects = dict(subjects.covariates), subjects.etas
    if segments is not None:
        effects = effects[segments.subject]
        by_system = {k: v[segments.subject] for k, v in by_system.items()}
        replaced = {model_covariate(model, name) for name in given}
        by_system |= {k: v for k, v in segments.covariates.items() if k not in replaced}
    values = individual_values(with_parameters(model, parameters or {}), by_system, effects)
    rows, slopes, statuses, solver = _solve(
        model, values, events, names, subjects.n, workers, ode or OdeOptions(), segments
    )
    rows[statuses != 0] = np.nan
    slopes[statuses != 0] = np.nan
    if statuses.any():
        warnings.append(
            f"{int((statuses != 0).sum())} of {subjects.n} subjects could not be solved"
        )
    if grid.ndim == 2 and grid.shape[0] != subjects.n:
        grid = np.broadcast_to(grid, (subjects.n, grid.shape[1]))
    return GradientResult(
        model_id=model.id,
        wrt=names,
        times=grid,
        outputs={o.name: rows[:, :, k] for k, o in enumerate(model.outputs)},
        derivatives={o.name: slopes[:, :, k] for k, o in enumerate(model.outputs)},
        units={o.name: o.unit for o in model.outputs},
        statuses=statuses,
        solver=solver,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _solve(
    model: Model,
    values: Values,
    events: EventTable,
    names: tuple[str, ...],
    n: int,
    workers: int,
    options: OdeOptions,
    segments: Segments | None,
) -> tuple[Floats, Floats, NDArray[np.int64], str]:
    """Return rows, slopes (a block a subject), statuses and the solver."""
    shape = (n, len(names))
    tangents = tangents_of(model, values, names, n if segments is None else segments.subject.size)
    structure = structure_of(model)
    if structure.linear is not None and structure.outputs.linear:
        rows, slopes, statuses = solve_linear_gradient(
            model, structure, values, tangents, events, shape, workers, segments
        )
        if segments is not None:
            rows, slopes = blocks_of(events, rows[0]), blocks_of(events, slopes[0])
        return rows, slopes, statuses, f"{structure.reason}: solved in closed form"
    from statera.simulate.gradient_ode import (  # noqa: PLC0415  compiles code: only if needed
        solve_ode_gradient,
    )

    # a sensitivity is as large as the output over the size of the name: so is its tolerance
    sizes = [float(np.max(np.abs(values[name]))) for name in names]
    weights = [1.0 / size if size > 0.0 else 1.0 for size in sizes]
    rows, slopes, statuses, how = solve_ode_gradient(
        model, values, tangents, events, weights, shape, workers, options, segments
    )
    if segments is not None:
        rows, slopes = blocks_of(events, rows[0]), blocks_of(events, slopes[0])
    reason = structure.reason
    if structure.linear is not None:
        reason = "an output is not linear in the states"
    return rows, slopes, statuses, f"{reason}: {how}"


def _checked_names(model: Model, wrt: Sequence[str]) -> tuple[str, ...]:
    known = [*model.parameters, *model.random_effects, *model.covariates]
    if isinstance(wrt, str) or not wrt:
        raise InputError("wrt must be a list of at least one name", where="wrt")
    for name in wrt:
        if name not in known:
            raise UnknownNameError(
                f"parameter, random effect or covariate of {model.id}", name, known
            )
    if len(set(wrt)) != len(wrt):
        raise InputError("a name stands twice in wrt", where="wrt")
    return tuple(wrt)


def _numbers(values: ArrayLike) -> Floats:
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("times must be numbers", where="times") from None


def _record_times(events: EventTable) -> Floats:
    """Return the observation times of every group, (n_groups, n_rows), padded with NaN."""
    grid = np.full((events.n_groups, events.n_rows), np.nan)
    for group in range(events.n_groups):
        records = slice(events.offsets[group], events.offsets[group + 1])
        rows = events.row[records]
        grid[group, rows[rows >= 0]] = events.time[records][rows >= 0]
    return grid


def _steps(model: Model) -> list[str]:
    """Return a warning where an equation may jump at an instant that the states decide."""
    moving = [symbol(name) for name in (*model.states, "t")]
    jumping = [e.name for e in model.dynamics if steps_on(e.expression, moving)]
    if not jumping:
        return []
    return [
        f"'where' switches the equations of {', '.join(jumping)} on a state or the time: "
        "sensitivities are exact only if the two branches meet there"
    ]
