"""Simulate a model under event records: doses, resets and covariates as they stand in a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from statera.data import EventData, EventTable
from statera.errors import InputError, UnknownNameError
from statera.model import Model
from statera.simulate.arrays import Values, individual_values, merge_keys
from statera.simulate.events_result import EventsResult
from statera.simulate.ode_options import OdeOptions
from statera.simulate.segments import Interpolation, Segments, fill_missing, make_segments
from statera.simulate.simulate import structure_of
from statera.simulate.solve_linear import solve_linear
from statera.simulate.subjects import check_amounts, check_range, make_subjects, model_covariate
from statera.units import convert

__all__ = ["simulate_events"]

Floats = NDArray[np.float64]
NO_WINDOWS = np.zeros((0, 2))


def simulate_events(
    model: Model,
    events: EventTable | EventData,
    *,
    etas: Floats | None = None,
    typical: bool = False,
    seed: int = 1,
    workers: int = 1,
    covariate_interpolation: Interpolation = "nocb",
    routes: Mapping[int | str, str] | None = None,
    ode: OdeOptions | None = None,
) -> EventsResult:
    """Simulate every subject of an event table at its observation records.

    Parameters
    ----------
    model
        From the library or built in Python.
    events
        From `statera.data.read_events` or `statera.data.events_from_columns`: times in h,
        amounts in mg. Columns named like covariates of the model (case is ignored) are its
        covariates, and may change from record to record.
    etas : (n_subjects, n_eta) float64, optional
        Random effects instead of drawn ones, in the order of the table's subjects.
    typical
        All random effects are 0.
    seed
        The same seed gives the same random effects whatever the number of workers.
    workers
        Threads.
    covariate_interpolation
        ``nocb``: the covariates of a record rule the interval that it closes (as in NONMEM);
        ``locf``: they rule from the record until the next.
    routes
        Route of the model for a CMT number or a route name of the table.
    ode
        Tolerances where the model is not linear.

    Raises
    ------
    InputError, DomainError
        If the table, covariates or amounts cannot be used with the model. A subject that cannot
        be solved does not raise: it has a status.
    """
    table = events.events if isinstance(events, EventData) else events
    table = merge_keys(model, _in_model_units(model, _named_routes(model, table, routes or {})))
    dosed = (table.key >= 0) & (table.amount > 0)
    warnings = list(check_amounts(model, table.amount[dosed]))
    covariates, remarks = _covariates(model, table, covariate_interpolation)
    warnings += remarks
    segments = make_segments(table, covariates, covariate_interpolation)
    subjects = make_subjects(model, table.n_groups, {}, seed, typical or etas is not None, etas)
    values = individual_values(model, segments.covariates, subjects.etas[segments.subject])
    rows, statuses, solver = _solve(model, values, table, segments, workers, ode or OdeOptions())
    observed = table.row >= 0
    offsets = np.concatenate([[0], np.cumsum(observed)])[table.offsets].astype(np.int64)
    rows[np.repeat(statuses != 0, np.diff(offsets))] = np.nan
    if statuses.any():
        warnings.append(
            f"{int((statuses != 0).sum())} of {table.n_groups} subjects could not be solved"
        )
    return EventsResult(
        model_id=model.id,
        subject_ids=table.subject_ids,
        offsets=offsets,
        times=(events.events if isinstance(events, EventData) else events).time[observed],
        outputs={o.name: rows[:, k].copy() for k, o in enumerate(model.outputs)},
        units={o.name: o.unit for o in model.outputs},
        etas=subjects.etas,
        statuses=statuses,
        solver=solver,
        warnings=tuple(dict.fromkeys([*warnings, *subjects.warnings])),
        manifest={
            "model": model.id,
            "seed": seed,
            "n": table.n_groups,
            "covariate_interpolation": covariate_interpolation,
        },
    )


def _named_routes(model: Model, table: EventTable, routes: Mapping[int | str, str]) -> EventTable:
    """Return the table with the routes that the caller gives for those of the table."""
    if not routes:
        return table
    wanted = {str(name): route for name, route in routes.items()}
    for route in wanted.values():
        if route not in model.inputs and route not in model.states:
            raise UnknownNameError("route", route, [*model.inputs, *model.states], where="routes")
    keys = tuple((wanted.get(route, route), amount) for route, amount in table.dose_keys)
    return replace(table, dose_keys=keys)


def _in_model_units(model: Model, table: EventTable) -> EventTable:
    hour, mg = convert(1.0, "h", model.time_unit), convert(1.0, "mg", model.amount_unit)
    if hour == 1.0 and mg == 1.0:
        return table
    return replace(
        table,
        time=table.time * hour,
        interval=table.interval * hour,
        amount=table.amount * mg,
        rate=np.where(table.rate > 0, table.rate * (mg / hour), table.rate),
        dose_keys=tuple((route, amount * mg) for route, amount in table.dose_keys),
    )


def _covariates(
    model: Model, table: EventTable, interpolation: Interpolation
) -> tuple[dict[str, Floats], list[str]]:
    """Return the model's covariates on every record, and what a reader must know."""
    found: dict[str, Floats] = {}
    remarks: list[str] = []
    unused: list[str] = []
    for name, values in table.covariates.items():
        wanted = model_covariate(model, name)
        if wanted not in model.covariates:
            unused.append(name)
            continue
        if wanted in found:
            raise InputError(f"covariate {wanted} stands in two columns", where=name)
        found[wanted], filled = fill_missing(wanted, values, table, interpolation)
        if filled:
            remarks.append(f"{wanted}: {filled} records without a value take the nearest")
    if unused:
        remarks.append(f"columns {', '.join(unused)}: not covariates of {model.id}, not used")
    for name, covariate in model.covariates.items():
        if name not in found:
            remarks.append(
                f"{name} is not in the table: the reference {covariate.reference:g} "
                f"{covariate.unit} is used".replace("  ", " ")
            )
            found[name] = np.full(table.time.size, covariate.reference)
        remarks += check_range(covariate, found[name], model)
    return found, remarks


def _solve(
    model: Model,
    values: Values,
    table: EventTable,
    segments: Segments,
    workers: int,
    options: OdeOptions,
) -> tuple[Floats, NDArray[np.int64], str]:
    """Return rows of all subjects, (n_observations, n_outputs), statuses and the solver."""
    n = table.n_groups
    structure = structure_of(model)
    if structure.linear is not None and structure.outputs.linear:
        rows, _, statuses = solve_linear(
            model, structure, values, table, NO_WINDOWS, n, workers, segments=segments
        )
        return rows[0], statuses, f"{structure.reason}: solved in closed form"
    from statera.simulate.solve_ode import solve_ode  # noqa: PLC0415  compiles code: only if needed

    rows, _, statuses, how = solve_ode(
        model, values, table, NO_WINDOWS, n, workers, options, segments=segments
    )
    reason = structure.reason
    if structure.linear is not None:
        reason = "an output is not linear in the states"
    return rows[0], statuses, f"{reason}: {how}"
