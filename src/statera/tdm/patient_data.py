"""The records of one patient as estimation reads them: doses, samples and covariates in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable, events_from_columns
from statera.model import Model
from statera.tdm.outcome import Outcome, RequestError
from statera.tdm.request import Patient, Sample
from statera.units import convert

__all__ = ["PatientData", "patient_data"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class PatientData:
    """What `statera.estimate.make_problem` needs, of one subject.

    Attributes
    ----------
    events
        Records in h and mg.
    dv : (n_samples,) float64
        Values in the unit of the model's output.
    row, dvid, cens : (n_samples,) int64
    limit : (n_samples,) float64
    occasion : (n_records,) int64 or None
    samples
        The samples in the order of `dv`.
    """

    events: EventTable
    dv: Floats
    row: Ints
    dvid: Ints
    cens: Ints
    limit: Floats
    occasion: Ints | None
    samples: tuple[Sample, ...]


def analytes(model: Model) -> list[str]:
    """Return the outputs that can be measured: those with a residual error, in order."""
    return [o.name for o in model.outputs if o.name in model.residuals]


def analyte_of(model: Model, sample: Sample, where: str) -> str:
    """Return the output a sample measures.

    Raises
    ------
    RequestError
        If the model has none of that name, or several and the sample names none.
    """
    known = analytes(model)
    if sample.analyte in known:
        return sample.analyte
    if not sample.analyte and len(known) == 1:
        return known[0]
    what = f"'{sample.analyte}' is not measured in" if sample.analyte else "no analyte is named for"
    raise RequestError(
        Outcome.BAD_REQUEST,
        f"{what} {model.id}",
        where=where,
        hint=f"Name one of: {', '.join(known)}.",
    )


def patient_data(model: Model, patient: Patient) -> PatientData:
    """Return the records of a patient.

    Raises
    ------
    InputError
        If a sample, dose or covariate cannot be used with the model.
    """
    kinds = analytes(model)
    rows: list[tuple[float, int, dict[str, Any]]] = []
    for dose in patient.doses:
        if dose.taken:
            rate = dose.amount / dose.duration if dose.duration > 0 else 0.0
            rows.append(
                (dose.time, 0, {
                    "evid": 1, "amount": dose.amount, "rate": rate, "interval": dose.interval,
                    "additional": dose.additional, "steady_state": int(dose.steady_state),
                    "route": dose.route, "occasion": dose.occasion,
                })
            )  # fmt: skip
    used: list[Sample] = []
    dv, dvid, cens, limit = [], [], [], []
    for i, sample in enumerate(patient.samples):
        if sample.weight == 0.0:
            continue
        name = analyte_of(model, sample, f"samples[{i}]")
        unit = model.output(name).unit
        factor = convert(1.0, sample.unit, unit) if sample.unit else 1.0
        used.append(sample)
        dv.append(sample.value * factor)
        dvid.append(kinds.index(name) + 1)
        cens.append({"": 0, "below": 1, "above": -1}[sample.censored])
        limit.append(np.nan if sample.lloq is None else sample.lloq * factor)
        if sample.censored:
            limit[-1] = sample.value * factor
        rows.append((sample.time, -1, {"evid": 0}))
    names = dict.fromkeys(c.name for c in patient.covariates)
    for c in patient.covariates:
        if c.time is not None:
            rows.append((c.time, 1, {"evid": 2}))
    rows.sort(key=lambda r: (r[0], r[1]))
    table = {
        key: [row.get(key, 0) for _, _, row in rows]
        for key in ("evid", "amount", "rate", "interval", "additional", "steady_state")
    }
    time = np.array([t for t, _, _ in rows])
    events = events_from_columns(
        [patient.id] * len(rows),
        time,
        route=[row.get("route", "") for _, _, row in rows],
        covariates={name: _course(model, patient, name, time) for name in names},
        **table,
    )
    return PatientData(
        events,
        np.array(dv, dtype=np.float64),
        np.arange(len(dv), dtype=np.int64),
        np.array(dvid, dtype=np.int64),
        np.array(cens, dtype=np.int64),
        np.array(limit, dtype=np.float64),
        _occasions([row.get("occasion") for _, _, row in rows]),
        tuple(used),
    )


def _course(model: Model, patient: Patient, name: str, time: Floats) -> Floats:
    """Return a covariate on every record: the last value known, and the first before it."""
    values = [c for c in patient.covariates if c.name == name]
    values.sort(key=lambda c: -np.inf if c.time is None else c.time)
    found = np.full(time.size, np.nan)
    unit = model.covariates[name].unit if name in model.covariates else ""
    for c in values:
        value = convert(c.value, c.unit, unit) if c.unit and unit else c.value
        found[time >= (-np.inf if c.time is None else c.time)] = value
    return found


def _occasions(given: list[Any]) -> Ints | None:
    """Return the occasion of every record, from 0; None where no dose names one."""
    if all(g is None for g in given):
        return None
    numbers: dict[str, int] = {}
    found, now = [], 0
    for g in given:
        if g is not None:
            now = numbers.setdefault(str(g), len(numbers))
        found.append(now)
    return np.array(found, dtype=np.int64)
