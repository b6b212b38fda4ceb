"""Simulate a model under event records: doses, resets and covariates as they stand in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.data import EventData, EventTable
from statera.errors import InputError, UnknownNameError
from statera.model import Model
from statera.simulate.arrays import Values, individual_values, merge_keys
from statera.simulate.checks import doubtful_values, steady_state_remarks
from statera.simulate.event_windows import EventWindows, WindowsAsked, event_windows, reaching
from statera.simulate.events_result import EventsResult
from statera.simulate.occasions import (
    effects_by_occasion,
    first_occasion,
    occasion_effects,
    occasion_numbers,
)
from statera.simulate.ode_options import OdeOptions
from statera.simulate.questions import InhibitionInput, Questions, make_questions
from statera.simulate.record_outputs import asked_outputs, column_of
from statera.simulate.segments import Interpolation, Segments, fill_missing, make_segments
from statera.simulate.simulate import structure_of
from statera.simulate.solve_linear import solve_linear
from statera.simulate.subjects import (
    Subjects,
    check_amounts,
    check_range,
    make_subjects,
    model_covariate,
)
from statera.simulate.subpopulations import subpopulations_by_record, subpopulations_of
from statera.simulate.windows import AREA, HIGHEST, LAST, LOWEST, WHEN
from statera.units import convert

__all__ = ["in_model_units", "record_covariates", "simulate_events"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_NUMBER = "number of the occasion"  # beside the covariates; no name of a model holds a space


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
    dvid: Mapping[int, str] | None = None,
    occasion: str = "OCC",
    windows: WindowsAsked = None,
    thresholds: Mapping[str, Sequence[float]] | None = None,
    inhibition: Mapping[str, InhibitionInput | Sequence[InhibitionInput]] | None = None,
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
    etas : (n_subjects, n_eta) or (n_subjects, n_occasions, n_eta) float64, optional
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
    dvid
        Output of each DVID, such as ``{1: "CP", 2: "R"}``; by default 1, 2, ... in the order of
        the model. A table without the column takes every output at every record.
    occasion
        Column that numbers the occasions of a subject, where the model has random effects of
        that level.
    windows
        Windows with endpoints, h: ``"doses"`` for the intervals between the doses of each
        subject (the last until II, or the last record), or the same for all.
    thresholds, inhibition
        What is asked of the windows, as in `statera.simulate.simulate`.

    Raises
    ------
    InputError, DomainError
        If the table, covariates or amounts cannot be used with the model. A subject that cannot
        be solved does not raise: it has a status.
    """
    given = events.events if isinstance(events, EventData) else events
    lines = events.lines.tolist() if isinstance(events, EventData) else None
    asked = asked_outputs(model, given, dvid, lines)
    spans = event_windows(given, windows)
    table = reaching(given, spans)
    hour = convert(1.0, "h", model.time_unit)
    numbers = _occasions(model, given, table, occasion, lines)
    table = merge_keys(model, in_model_units(model, _named_routes(model, table, routes or {})))
    dosed = (table.key >= 0) & (table.amount > 0)
    warnings = list(check_amounts(model, table.amount[dosed]))
    used = () if asked is None else (column_of(table, "DVID"),)
    if numbers is not None:
        used = (*used, column_of(table, occasion))
    covariates, remarks = record_covariates(model, table, covariate_interpolation, used)
    warnings += [*remarks, *subpopulations_by_record(model, table, covariates, seed, typical)]
    segments, values, drawn, effects = _individuals(
        model, table, covariates, numbers, covariate_interpolation, etas, typical, seed
    )
    questions = make_questions(model, thresholds or {}, inhibition or {})
    options = ode or OdeOptions()
    rows, measures, statuses, solver = _solve(
        model, values, table, segments, replace(spans, spans=spans.spans * hour), workers, options,
        questions,
    )  # fmt: skip
    observed = table.row >= 0
    offsets = np.concatenate([[0], np.cumsum(observed)])[table.offsets].astype(np.int64)
    failed = np.repeat(statuses != 0, np.diff(offsets))
    rows[failed] = np.nan
    if not structure_of(model).closed_form:
        warnings += doubtful_values(model, rows, ~failed, options.rtol)
        warnings += steady_state_remarks(model, table)
    measures[..., [WHEN, AREA]] /= hour
    measures[statuses != 0] = np.nan
    if statuses.any():
        warnings.append(
            f"{int((statuses != 0).sum())} of {table.n_groups} subjects could not be solved"
        )
    return EventsResult(
        model_id=model.id,
        subject_ids=table.subject_ids,
        offsets=offsets,
        times=given.time[given.row >= 0],
        outputs={o.name: rows[:, k].copy() for k, o in enumerate(model.outputs)},
        units={o.name: o.unit for o in model.outputs},
        etas=drawn.etas,
        statuses=statuses,
        solver=solver,
        warnings=tuple(dict.fromkeys([*warnings, *drawn.warnings])),
        manifest={
            "model": model.id,
            "seed": seed,
            "n": table.n_groups,
            "covariate_interpolation": covariate_interpolation,
        },
        windows=None if windows is None else spans,
        **_window_values(model, measures, spans, questions, hour),
        asked=asked,
        occasion_etas=None if numbers is None else effects,
        subpopulations=next(iter(subpopulations_of(model, table, covariates).values()), None),
    )


def _window_values(
    model: Model, measures: Floats, windows: EventWindows, questions: Questions, hour: float
) -> dict[str, Any]:
    """Return the endpoints of all windows, one after the other."""
    gathered = windows.gather(measures)[:, None]  # as of one window for each of many subjects
    values, extra = {}, questions.answers(gathered, np.ones(1), hour)
    width = windows.spans[:, 1] - windows.spans[:, 0]
    for k, output in enumerate(model.outputs):
        here = gathered[:, 0, k]
        columns = [
            here[:, HIGHEST], here[:, WHEN] - windows.spans[:, 0], here[:, AREA],
            here[:, AREA] / width, here[:, LAST], here[:, LOWEST],
        ]  # fmt: skip
        values[output.name] = np.stack(columns, axis=-1)
    flat = {
        output: {
            name: found[:, 0] / width if name.startswith("mean") else found[:, 0]
            for name, found in answers.items()
        }
        for output, answers in extra.items()
    }
    return {"window_values": values, "extra_values": flat}


def _occasions(
    model: Model, given: EventTable, table: EventTable, name: str, lines: Sequence[int] | None
) -> Ints | None:
    """Return the number of the occasion of every record; None where the model needs none."""
    if not occasion_effects(model):
        return None
    column = column_of(given, name)
    if not column:
        return None
    occasion_numbers(given.covariates[column], given, lines)  # names the line of a missing one
    return occasion_numbers(table.covariates[column], table)


def _individuals(
    model: Model,
    table: EventTable,
    covariates: dict[str, Floats],
    numbers: Ints | None,
    interpolation: Interpolation,
    etas: Floats | None,
    typical: bool,
    seed: int,
) -> tuple[Segments, Values, Subjects, Floats]:
    """Return segments, values by segment, subjects, and random effects by occasion."""
    by_record = covariates if numbers is None else covariates | {_NUMBER: numbers.astype(float)}
    segments = make_segments(table, by_record, interpolation)
    drawn = make_subjects(
        model, table.n_groups, subpopulations_of(model, table, covariates), seed,
        typical or etas is not None, first_occasion(etas), occasions=numbers is not None,
    )  # fmt: skip
    fixed = typical or etas is not None
    effects = effects_by_occasion(model, drawn.etas, etas, numbers, None if fixed else seed)
    chosen = segments.covariates.get(_NUMBER, np.zeros(segments.subject.size)).astype(np.int64)
    known = {k: v for k, v in segments.covariates.items() if k != _NUMBER}
    values = individual_values(model, known, effects[segments.subject, chosen])
    return segments, values, drawn, effects


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


def in_model_units(model: Model, table: EventTable) -> EventTable:
    """Return the table with times and amounts in the units of the model."""
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


def record_covariates(
    model: Model, table: EventTable, interpolation: Interpolation, used: Sequence[str] = ()
) -> tuple[dict[str, Floats], list[str]]:
    """Return the model's covariates on every record, and what a reader must know."""
    found: dict[str, Floats] = {}
    remarks: list[str] = []
    unused: list[str] = []
    for name, values in table.covariates.items():
        wanted = model_covariate(model, name)
        if wanted not in model.covariates:
            if name not in used:
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
        if name not in found and model.mixture is not None and name == model.mixture.variable:
            found[name] = np.full(table.time.size, covariate.reference)  # until it is drawn
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
    windows: EventWindows,
    workers: int,
    options: OdeOptions,
    questions: Questions,
) -> tuple[Floats, Floats, Ints, str]:
    """Return rows, (n_observations, n_outputs), measures, statuses and the solver."""
    n = table.n_groups
    structure = structure_of(model)
    if structure.closed_form:
        rows, measures, statuses = solve_linear(
            model, structure, values, table, windows, n, workers, questions, segments
        )
        return rows[0], measures, statuses, f"{structure.reason}: solved in closed form"
    from statera.simulate.solve_ode import solve_ode  # noqa: PLC0415  compiles code: only if needed

    rows, measures, statuses, how = solve_ode(
        model, values, table, windows, n, workers, options, questions, segments
    )
    return rows[0], measures, statuses, f"{structure.why}: {how}"
