"""Predictions of a fit on a fine grid of times, for curves through the data of subjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.errors import UsageError
from statera.estimate.observations import Observations
from statera.estimate.problem import times_after_dose
from statera.estimate.result import FitResult
from statera.simulate import Interpolation, Prepared
from statera.simulate.prepared import OCCASION

__all__ = ["Curve", "predict_curves"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Curve:
    """Predictions of one output in one subject.

    Attributes
    ----------
    subject
        Identifier.
    output
        Name of the output.
    time : (n,) float64, in the model's unit of time
    pred, ipred : (n,) float64, in the unit of the data
        For the typical subject and with the subject's random effects; NaN where it could not be
        solved.
    """

    subject: str
    output: str
    time: Floats
    pred: Floats
    ipred: Floats


def predict_curves(
    result: FitResult, subjects: Sequence[str] | None = None, points: int = 120
) -> tuple[Curve, ...]:
    """Return predictions between the records of subjects.

    Parameters
    ----------
    subjects
        Identifiers; all by default.
    points
        Times of each subject, spread evenly from its first to its last record; its observations
        are added.

    Raises
    ------
    UsageError
        If a subject is not in the data or there are fewer than 2 points.
    """
    if points < 2:
        raise UsageError(f"{points} points make no curve", where="points", hint="Take 120.")
    problem = result.problem
    prepared = problem.individuals.prepared
    ids = prepared.events.subject_ids
    wanted = list(ids if subjects is None else subjects)
    unknown = [s for s in wanted if s not in ids]
    if unknown:
        raise UsageError(f"subject {unknown[0]} is not in the data", where="subjects")
    groups = [ids.index(s) for s in wanted]
    segments = prepared.segments
    rule: Interpolation = "nocb" if np.array_equal(segments.during, segments.at) else "locf"
    events, source = _dense(prepared.events, groups, points, rule)
    fine = _prepared(prepared, events, source, rule)
    found = _predicted(result, fine, events, groups)
    curves = []
    of = problem.individuals
    for k, formulas in enumerate(of.observations.kinds):
        if formulas.variance is None:
            continue
        place = of.observations.places[k]
        here = set(of.subject[place].tolist())
        for position, group in enumerate(groups):
            if group in here:
                part = slice(fine.row_start[position], fine.row_start[position + 1])
                pred, ipred = found[k]
                curves.append(
                    Curve(ids[group], formulas.name, fine.row_time[part], pred[part], ipred[part])
                )
    return tuple(curves)


def _dense(
    events: EventTable, groups: Sequence[int], points: int, rule: Interpolation
) -> tuple[EventTable, Ints]:
    """Return records of some subjects with observations on a grid, and where covariates are from.

    A new record stands before the first old one that is later, and takes the covariates of that
    (``nocb``) or of the one before (``locf``); at a time that an old record has, none is added.
    """
    source: list[Ints] = []
    times: list[Floats] = []
    new: list[NDArray[np.bool_]] = []
    for g in groups:
        old = np.arange(events.offsets[g], events.offsets[g + 1])
        t = events.time[old]
        grid = np.setdiff1d(np.linspace(t.min(), t.max(), points), t)
        if (np.diff(t) < 0).any():  # time starts anew after a reset: a grid has no order in it
            grid = grid[:0]
        place = np.searchsorted(t, grid, side="right")
        near = np.minimum(place, old.size - 1) if rule == "nocb" else np.maximum(place - 1, 0)
        source.append(np.insert(old, place, old[near]))
        times.append(np.insert(t, place, grid))
        new.append(np.insert(np.zeros(old.size, dtype=bool), place, True))
    record = np.concatenate(source).astype(np.int64)
    added = np.concatenate(new)
    observed = added | (events.evid[record] == 0)
    offsets = np.concatenate([[0], np.cumsum([s.size for s in source])]).astype(np.int64)
    count = np.cumsum(observed) - 1
    owner = np.repeat(np.arange(len(groups)), np.diff(offsets))
    before = np.concatenate([[0], np.cumsum(observed)])[offsets[:-1]][owner]

    def kept(values: NDArray[np.float64]) -> Floats:
        return np.where(added, 0.0, values[record])

    def kept_whole(values: Ints, none: int) -> Ints:
        return np.where(added, none, values[record]).astype(np.int64)

    table = EventTable(
        offsets=offsets,
        time=np.concatenate(times),
        evid=kept_whole(events.evid, 0),
        amount=kept(events.amount),
        rate=kept(events.rate),
        interval=kept(events.interval),
        additional=kept_whole(events.additional, 0),
        steady_state=kept_whole(events.steady_state, 0),
        key=kept_whole(events.key, -1),
        row=np.where(observed, count - before, -1).astype(np.int64),
        dose_keys=events.dose_keys,
        subject_ids=tuple(events.subject_ids[g] for g in groups),
        covariates={},
    )
    return table, record


def _prepared(of: Prepared, events: EventTable, source: Ints, rule: Interpolation) -> Prepared:
    """Return the same model under the denser records."""
    segments = of.segments
    if segments.varying:
        system = segments.at
    else:
        system = segments.start[np.repeat(np.arange(of.n_subjects), np.diff(of.events.offsets))]
    held = {name: values[system][source] for name, values in segments.covariates.items()}
    occasion = held.pop(OCCASION, None)
    ode = getattr(of.solver, "options", None)
    return Prepared(
        of.model,
        events,
        held,
        occasion=None if occasion is None else occasion.astype(np.int64),
        interpolation=rule,
        ode=ode,
        workers=of.workers,
    )


def _predicted(
    result: FitResult, fine: Prepared, events: EventTable, groups: Sequence[int]
) -> list[tuple[Floats, Floats]]:
    """Return PRED and IPRED of every kind at all rows."""
    of = result.problem.individuals
    kinds = of.observations.kinds
    n = int((events.row >= 0).sum())
    rows = np.arange(n, dtype=np.int64)
    tad = times_after_dose(events)[events.row >= 0]
    etas = np.zeros((len(groups), fine.columns.n_etas))
    own = result.etas[np.asarray(groups, dtype=np.int64)]
    width = min(own.shape[1], etas.shape[1])
    etas[:, :width] = own[:, :width]
    solved = []
    for effects in (np.zeros_like(etas), etas):
        x, statuses = fine.states(result.theta, effects)
        x = np.where((statuses[fine.row_subject] != 0)[:, None], np.nan, x)
        solved.append((x, fine.system_values(result.theta, effects)))
    found = []
    for formulas in kinds:
        if formulas.variance is None:
            found.append((np.full(n, np.nan), np.full(n, np.nan)))
            continue
        only = Observations(
            fine, [replace(formulas)], np.zeros(n, dtype=np.int64), rows, np.zeros(n), tad
        )
        residual = result.problem.model.residuals.get(formulas.name)
        pair = [only.predict(x, held)[0] for x, held in solved]
        if getattr(residual, "lognormal", False):
            pair = [np.exp(p) for p in pair]
        found.append((pair[0], pair[1]))
    return found
