"""Simulate a model: regimen and subjects in, profiles and endpoints out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.data import EventTable, Regimen, events_from_regimen, parse_regimen
from statera.errors import InputError
from statera.model import Model
from statera.model.by_identity import ByIdentity
from statera.numerics.expression import evaluate
from statera.simulate.arrays import Values, individual_values
from statera.simulate.checks import doubtful_values, steady_state_remarks
from statera.simulate.ode_options import OdeOptions
from statera.simulate.questions import InhibitionInput, Questions, make_questions
from statera.simulate.result import SimulationResult
from statera.simulate.solve_linear import solve_linear
from statera.simulate.structure import Structure, analyse
from statera.simulate.subjects import CovariateInput, check_doses, make_subjects
from statera.simulate.windows import AREA, HIGHEST, LAST, LOWEST, WHEN
from statera.units import convert

__all__ = ["default_times", "default_windows", "simulate", "structure_of"]

Floats = NDArray[np.float64]


def structure_of(model: Model) -> Structure:
    """Return the structure of a model, analysed once."""
    return _structure(ByIdentity(model))


@lru_cache(maxsize=64)
def _structure(key: ByIdentity) -> Structure:
    return analyse(key.model)


def simulate(
    model: Model,
    dose: str | Regimen,
    *,
    n: int | None = None,
    covariates: Mapping[str, CovariateInput] | None = None,
    etas: Floats | None = None,
    times: ArrayLike | None = None,
    windows: Sequence[tuple[float, float]] | None = None,
    typical: bool = False,
    seed: int = 1,
    workers: int = 1,
    ode: OdeOptions | None = None,
    thresholds: Mapping[str, Sequence[float]] | None = None,
    inhibition: Mapping[str, InhibitionInput | Sequence[InhibitionInput]] | None = None,
) -> SimulationResult:
    """Simulate subjects under a regimen.

    Parameters
    ----------
    model
        From the library or built in Python.
    dose
        Such as ``"4 mg q24h x14"``, see `statera.data.parse_regimen`.
    n
        Number of subjects.
    covariates
        A number for all subjects, ``(n,)`` values, or a distribution such as `Normal` to draw
        from; references where not given.
    etas : (n, n_eta) float64, optional
        Random effects instead of drawn ones.
    times : (n_times,) float64, h
        Observation times; by default a grid that is fine after doses.
    windows
        Time windows with endpoints, h; by default the first and last dosing intervals.
    typical
        One subject, or all, without random effects.
    seed
        The same seed gives the same subjects, whatever the number of workers, and the first k
        subjects do not depend on n.
    workers
        Threads.
    ode
        Tolerances where the model is not linear.
    thresholds
        Levels by output, such as ``{"CP": [20.0]}``: the time above each in every window, h, as
        endpoint ``"time above 20"``.
    inhibition
        IC50, Hill exponent and, where it is not 1, the largest inhibition by output, such as
        ``{"CP": (12.0, 1.1)}``: the mean of the inhibited fraction over every window.

    Raises
    ------
    InputError, DomainError
        If the regimen, covariates or times cannot be used. A subject that cannot be solved does
        not raise: it has a status.
    """
    regimen = parse_regimen(dose) if isinstance(dose, str) else dose
    hour, mg = convert(1.0, "h", model.time_unit), convert(1.0, "mg", model.amount_unit)
    scaled = regimen.scaled(hour, mg)
    warnings = list(check_doses(model, scaled))
    spans = default_windows(regimen) if windows is None else _checked_windows(windows)
    grid = default_times(regimen) if times is None else _numbers(times, "times")
    questions = make_questions(model, thresholds or {}, inhibition or {})
    subjects = make_subjects(model, n, covariates or {}, seed, typical, etas)
    warnings += subjects.warnings
    end = float(spans[:, 1].max()) if spans.size else 0.0
    events = events_from_regimen(scaled, grid * hour, model.default_route, end * hour)
    values = individual_values(model, subjects.covariates, subjects.etas)
    rows, measures, statuses, solver = _solve(
        model, values, events, spans * hour, subjects.n, workers, ode or OdeOptions(), questions
    )
    measures[..., [WHEN, AREA]] /= hour
    rows[statuses != 0] = np.nan
    measures[statuses != 0] = np.nan
    if not structure_of(model).closed_form:
        warnings += doubtful_values(model, rows, statuses == 0, (ode or OdeOptions()).rtol)
        warnings += steady_state_remarks(model, events)
    if statuses.any():
        warnings.append(
            f"{int((statuses != 0).sum())} of {subjects.n} subjects could not be solved"
        )
    return SimulationResult(
        model_id=model.id,
        times=grid,
        outputs={o.name: rows[:, :, k] for k, o in enumerate(model.outputs)},
        units={o.name: o.unit for o in model.outputs},
        windows=spans,
        window_values={
            o.name: _endpoints(measures[:, :, k, :], spans) for k, o in enumerate(model.outputs)
        },
        extra_values=questions.answers(measures, spans[:, 1] - spans[:, 0], hour),
        covariates=subjects.covariates,
        parameters=_parameters(model, values, subjects.n),
        statuses=statuses,
        solver=solver,
        warnings=tuple(dict.fromkeys(warnings)),
        manifest={"model": model.id, "dose": regimen.text, "seed": seed, "n": subjects.n},
    )


def _solve(
    model: Model,
    values: Values,
    events: EventTable,
    spans: Floats,
    n: int,
    workers: int,
    options: OdeOptions,
    questions: Questions,
) -> tuple[Floats, Floats, NDArray[np.int64], str]:
    structure = structure_of(model)
    if structure.closed_form:
        rows, measures, statuses = solve_linear(
            model, structure, values, events, spans, n, workers, questions
        )
        return rows, measures, statuses, f"{structure.reason}: solved in closed form"
    from statera.simulate.solve_ode import solve_ode  # noqa: PLC0415  compiles code: only if needed

    rows, measures, statuses, how = solve_ode(
        model, values, events, spans, n, workers, options, questions
    )
    return rows, measures, statuses, f"{structure.why}: {how}"


def _numbers(values: ArrayLike, what: str) -> Floats:
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{what} must be numbers", where=what) from None


def _checked_windows(windows: Sequence[tuple[float, float]]) -> Floats:
    spans = np.ascontiguousarray(_numbers(windows, "windows"))
    spans = spans.reshape(0, 2) if spans.size == 0 else spans
    if (
        spans.ndim != 2
        or spans.shape[1] != 2
        or not np.isfinite(spans).all()
        or (spans[:, 0] < 0).any()
        or (spans[:, 1] <= spans[:, 0]).any()
    ):
        raise InputError("a window needs a start and a later end, not negative", where="windows")
    return spans


def default_windows(regimen: Regimen) -> Floats:
    """Return the first and the last dosing interval, (1 or 2, 2), h."""
    first, last = regimen.doses[0], regimen.last
    spans = [(first.time, first.time + (first.interval or 24.0))]
    end = (last.last_time, regimen.end)
    if end != spans[0]:
        spans.append(end)
    return np.asarray(spans, dtype=np.float64)


def default_times(regimen: Regimen) -> Floats:
    """Return times that are fine after each of up to 60 doses, and hourly between, h."""
    fine = np.concatenate([np.arange(0, 2, 0.1), np.arange(2, 6, 0.25), np.arange(6, 24, 1.0)])
    pieces = [np.arange(0.0, regimen.end + 1e-9, max(1.0, regimen.end / 1000))]
    starts = [d.time + k * d.interval for d in regimen.doses for k in range(d.additional + 1)]
    for start in starts[:60]:
        pieces.append(start + fine)
    grid = np.unique(np.round(np.concatenate(pieces), 9))
    return np.asarray(grid[grid <= regimen.end + 1e-9], dtype=np.float64)


def _endpoints(measures: Floats, spans: Floats) -> Floats:
    width = spans[:, 1] - spans[:, 0]
    columns = [
        measures[:, :, HIGHEST],
        measures[:, :, WHEN] - spans[:, 0],
        measures[:, :, AREA],
        measures[:, :, AREA] / width,
        measures[:, :, LAST],
        measures[:, :, LOWEST],
    ]
    return np.stack(columns, axis=-1)


def _parameters(model: Model, values: Values, n: int) -> dict[str, Floats]:
    found: dict[str, Floats | float] = {e.name: values[e.name] for e in model.individual}
    everything = dict(values)
    for equation in model.derived:
        everything[equation.name] = evaluate(equation.expression, everything)
        found[equation.name] = everything[equation.name]
    return {k: np.broadcast_to(np.asarray(v, dtype=np.float64), (n,)) for k, v in found.items()}
