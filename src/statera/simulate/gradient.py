"""Exact sensitivities of outputs to parameters, random effects and covariates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.data import EventData, EventTable, Regimen, events_from_regimen, parse_regimen
from statera.errors import InputError, UnknownNameError
from statera.model import Model
from statera.numerics.derivative import steps_on
from statera.numerics.expression import symbol
from statera.simulate.arrays import individual_values
from statera.simulate.gradient_events import records_of
from statera.simulate.gradient_result import GradientResult
from statera.simulate.gradient_second import pairs_with, unpair
from statera.simulate.gradient_solve import solve
from statera.simulate.gradient_values import with_parameters
from statera.simulate.ode_options import OdeOptions
from statera.simulate.segments import Interpolation, Segments
from statera.simulate.simulate import default_times
from statera.simulate.subjects import (
    CovariateInput,
    check_doses,
    make_subjects,
    model_covariate,
)
from statera.simulate.subpopulations import reference_subpopulation
from statera.units import convert

__all__ = ["gradients"]

Floats = NDArray[np.float64]


def gradients(
    model: Model,
    dose: str | Regimen | EventTable | EventData,
    *,
    wrt: Sequence[str],
    second: Sequence[str] = (),
    covariates: Mapping[str, CovariateInput] | None = None,
    etas: Floats | None = None,
    times: ArrayLike | None = None,
    parameters: Mapping[str, float] | None = None,
    workers: int = 1,
    covariate_interpolation: Interpolation = "nocb",
    ode: OdeOptions | None = None,
) -> GradientResult:
    """Solve subjects under a regimen, with the first and second derivatives of every output.

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
    second
        Names of `wrt`: second derivatives by every pair of one of them and one of `wrt`.
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
        If the regimen, records, covariates or times cannot be used, or second derivatives are
        asked for by what moves the end of an infusion that lasts no time. A subject that cannot be
        solved does not raise: it has a status.
    """
    names, bent = _checked_names(model, wrt, second)
    grid, events, found, warnings = _course(model, dose, times, covariate_interpolation)
    segments = found if found is not None and found.varying else None
    given = dict(covariates or {})
    own = {model_covariate(model, name) for name in given}
    if found is None or not found.covariates:
        chosen, remarks = reference_subpopulation(model, own)
        given |= chosen
        warnings += remarks
    if found is not None and segments is None:
        given = {**found.covariates, **given}
    n = events.n_groups if segments is not None or events.n_groups > 1 else None
    subjects = make_subjects(model, n, given, 1, etas is None, etas)
    warnings += [*subjects.warnings, *_steps(model)]
    by_system, effects = dict(subjects.covariates), subjects.etas
    if segments is not None:
        effects = effects[segments.subject]
        by_system = {k: v[segments.subject] for k, v in by_system.items()}
        replaced = {model_covariate(model, name) for name in given}
        by_system |= {k: v for k, v in segments.covariates.items() if k not in replaced}
    values = individual_values(with_parameters(model, parameters or {}), by_system, effects)
    rows, slopes, statuses, solver = solve(
        model, values, events, names, bent, subjects.n, workers, ode or OdeOptions(), segments
    )
    rows[statuses != 0] = np.nan
    slopes[statuses != 0] = np.nan
    m, pairs = len(names), pairs_with(names, bent)
    bends = unpair(slopes[..., m:], pairs, names, bent)
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
        derivatives={o.name: slopes[:, :, k, :m] for k, o in enumerate(model.outputs)},
        units={o.name: o.unit for o in model.outputs},
        statuses=statuses,
        solver=solver,
        warnings=tuple(dict.fromkeys(warnings)),
        second=bent,
        curvatures={o.name: bends[:, :, k] for k, o in enumerate(model.outputs) if bent},
    )


def _course(
    model: Model,
    dose: str | Regimen | EventTable | EventData,
    times: ArrayLike | None,
    interpolation: Interpolation,
) -> tuple[Floats, EventTable, Segments | None, list[str]]:
    """Return times, events in units of the model, covariates of records, and what to know."""
    if isinstance(dose, EventTable | EventData):
        if times is not None:
            raise InputError("event records hold their own observation times", where="times")
        table = dose.events if isinstance(dose, EventData) else dose
        events, found, remarks = records_of(model, table, interpolation)
        return _record_times(table), events, found, remarks
    hour = convert(1.0, "h", model.time_unit)
    regimen = parse_regimen(dose) if isinstance(dose, str) else dose
    scaled = regimen.scaled(hour, convert(1.0, "mg", model.amount_unit))
    remarks = list(check_doses(model, scaled))
    grid = default_times(regimen) if times is None else _numbers(times)
    return grid, events_from_regimen(scaled, grid * hour, model.default_route), None, remarks


def _checked_names(
    model: Model, wrt: Sequence[str], second: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    known = [*model.parameters, *model.random_effects, *model.covariates]
    if isinstance(wrt, str) or not wrt:
        raise InputError("wrt must be a list of at least one name", where="wrt")
    if isinstance(second, str):
        raise InputError("second must be a list of names", where="second")
    for name in wrt:
        if name not in known:
            raise UnknownNameError(
                f"parameter, random effect or covariate of {model.id}", name, known
            )
    for name in second:
        if name not in wrt:
            raise UnknownNameError("name in wrt", name, wrt, where="second")
    for which, names in (("wrt", wrt), ("second", second)):
        if len(set(names)) != len(names):
            raise InputError(f"a name stands twice in {which}", where=which)
    return tuple(wrt), tuple(second)


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
