"""The records of one patient as estimation reads them: doses, samples and covariates in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable, events_from_columns
from statera.errors import UnknownNameError
from statera.library import load_drug
from statera.model import Model
from statera.simulate import Interpolation, model_covariate
from statera.tdm.outcome import Outcome, RequestError
from statera.tdm.request import CovariateValue, Patient, Sample
from statera.units import convert, same_dimension

__all__ = ["PatientData", "analyte_of", "analytes", "molar_mass_of", "patient_data", "unit_factor"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TIME_NODES = 21
"""Times at which a sample may have been drawn (Gauss-Hermite), where its time is uncertain."""

_LEAST_CHANCE = 1e-5
"""Times less probable than this are left out; about half of the nodes remain."""


@dataclass(frozen=True)
class PatientData:
    """What `statera.estimate.make_individuals` needs, of one subject.

    A sample with an uncertain time stands as several observations, each with its probability.

    Attributes
    ----------
    events
        Records in h and mg.
    dv : (n_obs,) float64
        Values in the unit of the model's output.
    row, dvid, cens : (n_obs,) int64
    limit : (n_obs,) float64
    occasion : (n_records,) int64 or None
    samples
        Samples that are used, in order of time.
    places
        Where each of them stands in the request.
    weight, chance : (n_obs,) float64 or None
        Weight of the sample, and probability of the observation within it; None where all are 1.
    sample : (n_obs,) int64 or None
        Sample of each observation; None where each sample is one.
    at_time : (n_samples,) int64
        Observation at the stated time of each sample.
    occasions
        Labels of the occasions by number.
    """

    events: EventTable
    dv: Floats
    row: Ints
    dvid: Ints
    cens: Ints
    limit: Floats
    occasion: Ints | None
    samples: tuple[Sample, ...]
    places: tuple[int, ...]
    weight: Floats | None
    chance: Floats | None
    sample: Ints | None
    at_time: Ints
    occasions: tuple[str, ...]


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


def patient_data(
    model: Model, patient: Patient, interpolation: Interpolation = "locf"
) -> PatientData:
    """Return the records of a patient.

    Parameters
    ----------
    interpolation
        ``locf``: a covariate holds from its time on. ``nocb``: up to its time, from that of the
        value before it, as NONMEM reads covariates.

    Raises
    ------
    InputError
        If a sample, dose or covariate cannot be used with the model.
    """
    rows = _doses(patient)
    observed = _observations(model, patient)
    rows += [(o.time, -1, {"evid": 0, "observation": o}) for o in observed]
    rows += [(c.time, 1, {"evid": 2}) for c in patient.covariates if c.time is not None]
    rows = rows or [(0.0, 1, {"evid": 2})]  # a patient of whom nothing is known yet
    rows.sort(key=lambda r: (r[0], r[1]))
    time = np.array([t for t, _, _ in rows])
    table = {
        key: np.zeros(len(rows))
        for key in ("evid", "amount", "rate", "interval", "additional", "steady_state")
    }
    for r, (_, _, row) in enumerate(rows):
        if row["evid"] != 0:
            for key, column in table.items():
                column[r] = row.get(key, 0)
    events = events_from_columns(
        [patient.id] * len(rows),
        time,
        route=[row.get("route", "") for _, _, row in rows],
        covariates=_courses(model, patient, time, interpolation),
        **table,
    )
    occasion, labels = _occasions([row.get("occasion") for _, _, row in rows])
    in_order = [row["observation"] for _, _, row in rows if "observation" in row]
    order = sorted(range(len(in_order)), key=lambda k: (in_order[k].place, in_order[k].time))
    kept = [in_order[k] for k in order]
    places = list(dict.fromkeys(o.place for o in kept))
    several = len(kept) > len(places)
    return PatientData(
        events,
        np.array([o.value for o in kept], dtype=np.float64),
        np.array(order, dtype=np.int64),
        np.array([o.dvid for o in kept], dtype=np.int64),
        np.array([o.cens for o in kept], dtype=np.int64),
        np.array([o.limit for o in kept], dtype=np.float64),
        occasion,
        tuple(patient.samples[i] for i in places),
        tuple(places),
        _unless_ones([o.weight for o in kept]),
        np.array([o.chance for o in kept]) if several else None,
        np.array([places.index(o.place) for o in kept], dtype=np.int64) if several else None,
        np.array([k for k, o in enumerate(kept) if o.stated], dtype=np.int64),
        labels,
    )


@dataclass(frozen=True)
class _Observation:
    """A sample at one of its possible times."""

    place: int
    time: float
    value: float
    dvid: int
    cens: int
    limit: float
    weight: float
    chance: float
    stated: bool


def _doses(patient: Patient) -> list[tuple[float, int, dict[str, Any]]]:
    return [
        (dose.time, 0, {
            "evid": 1, "amount": dose.amount,
            "rate": dose.amount / dose.duration if dose.duration > 0 else 0.0,
            "interval": dose.interval, "additional": dose.additional,
            "steady_state": int(dose.steady_state), "route": dose.route,
            "occasion": dose.occasion,
        })
        for dose in patient.doses if dose.taken
    ]  # fmt: skip


def _observations(model: Model, patient: Patient) -> list[_Observation]:
    kinds = analytes(model)
    first = min((d.time for d in patient.doses if d.taken), default=-np.inf)
    found: list[_Observation] = []
    factors: dict[tuple[str, str], float] = {}
    for i, sample in enumerate(patient.samples):
        if sample.weight == 0.0:
            continue
        name = sample.analyte
        if name not in kinds:
            name = analyte_of(model, sample, f"samples[{i}]")
        if (name, sample.unit) not in factors:
            factors[name, sample.unit] = unit_factor(model, name, sample, f"samples[{i}]")
        factor = factors[name, sample.unit]
        below = sample.censored == "" and sample.lloq is not None and sample.value < sample.lloq
        limit = np.nan if sample.lloq is None else sample.lloq * factor
        if sample.censored:
            limit = sample.value * factor
        cens = 1 if below else {"": 0, "below": 1, "above": -1}[sample.censored]
        for time, chance, stated in _times(sample, first):
            found.append(
                _Observation(
                    i, time, sample.value * factor, kinds.index(name) + 1, cens, limit,
                    sample.weight, chance, stated,
                )
            )  # fmt: skip
    return found


def _times(sample: Sample, first: float) -> list[tuple[float, float, bool]]:
    """Return possible times of drawing with their probabilities; one of them is the stated one."""
    if sample.time_sd == 0.0:
        return [(sample.time, 1.0, True)]
    nodes, chances = np.polynomial.hermite_e.hermegauss(TIME_NODES)
    times = sample.time + sample.time_sd * nodes
    middle = TIME_NODES // 2
    times[middle] = sample.time
    chances /= chances.sum()
    kept = (times >= first) & (chances >= _LEAST_CHANCE) | (np.arange(TIME_NODES) == middle)
    chances = np.where(kept, chances, 0.0) / chances[kept].sum()
    return [
        (float(t), float(p), k == middle)
        for k, (t, p) in enumerate(zip(times, chances, strict=True)) if p > 0.0
    ]  # fmt: skip


def unit_factor(model: Model, name: str, sample: Sample, where: str) -> float:
    """Return the factor from the unit of a sample to that of the model's output.

    Raises
    ------
    RequestError
        If they measure different things, and no molar mass joins them.
    """
    unit = model.output(name).unit
    if not sample.unit:
        return 1.0
    if same_dimension(sample.unit, unit):
        return convert(1.0, sample.unit, unit)
    mass = molar_mass_of(model)
    if mass is not None and same_dimension(sample.unit, "mol/L") and same_dimension(unit, "g/L"):
        return convert(convert(1.0, sample.unit, "mol/L") * mass, "g/L", unit)
    raise RequestError(
        Outcome.BAD_REQUEST,
        f"a value in {sample.unit} cannot be compared with {name} of {model.id}, in {unit}",
        where=where,
        hint=f"Give it in a unit like {unit}.",
    )


def molar_mass_of(model: Model) -> float | None:
    """Return the molar mass of the model's drug, g/mol, where the library knows it."""
    if not model.drug:
        return None
    try:
        return load_drug(model.drug).identity.molar_mass
    except UnknownNameError:
        return None


def _unless_ones(values: list[float]) -> Floats | None:
    return None if all(v == 1.0 for v in values) else np.array(values)


def _courses(
    model: Model, patient: Patient, time: Floats, interpolation: Interpolation
) -> dict[str, Floats]:
    """Return each covariate on every record, without gaps, by the model's name for it."""
    named: dict[str, list[CovariateValue]] = {}
    for c in patient.covariates:
        named.setdefault(model_covariate(model, c.name) or c.name, []).append(c)
    return {
        name: _course(model, name, values, time, interpolation) for name, values in named.items()
    }


def _course(
    model: Model,
    name: str,
    values: list[CovariateValue],
    time: Floats,
    interpolation: Interpolation,
) -> Floats:
    unit = model.covariates[name].unit if name in model.covariates else ""
    known = sorted((-np.inf if c.time is None else c.time, i) for i, c in enumerate(values))
    starts = np.array([t for t, _ in known])
    if interpolation == "nocb" and time.size:
        starts = np.maximum(starts, time[0])
    amounts = np.array(
        [
            convert(values[i].value, values[i].unit, unit) if values[i].unit and unit
            else values[i].value
            for _, i in known
        ]
    )  # fmt: skip
    if interpolation == "locf":
        place = np.searchsorted(starts, time, side="right") - 1
    else:
        place = np.searchsorted(starts, time, side="left")
    found: Floats = amounts[np.clip(place, 0, amounts.size - 1)]
    return found


def _occasions(given: list[Any]) -> tuple[Ints | None, tuple[str, ...]]:
    """Return the occasion of every record, from 0, and labels; None where no dose names one."""
    if all(g is None for g in given):
        return None, ()
    numbers: dict[str, int] = {}
    found, now = [], 0
    for g in given:
        if g is not None:
            now = numbers.setdefault(str(g), len(numbers))
        found.append(now)
    return np.array(found, dtype=np.int64), tuple(numbers)
