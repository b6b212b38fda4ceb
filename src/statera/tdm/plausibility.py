"""How likely samples are before the fit, and how unusual a patient is after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtr, ndtr

from statera.errors import StateraError
from statera.model import Model
from statera.numerics.streams import stream
from statera.tdm.draw_likelihood import predictions
from statera.tdm.draw_states import DrawStates
from statera.tdm.map_estimate import MapEstimate
from statera.tdm.outcome import Outcome, Remark
from statera.tdm.patient_data import molar_mass_of
from statera.tdm.patient_problem import PatientProblem, prepare_patient
from statera.tdm.request import Options, Patient, Request, Sample

__all__ = [
    "SampleCheck",
    "Unusual",
    "check_samples",
    "how_unusual",
    "plausibility_remarks",
    "prior_percentiles",
]

Floats = NDArray[np.float64]

DRAWS = 1000
"""Draws of the prior; a percentile of 5 is then known to about 0.5."""
UNLIKELY = 1.0
"""Percentile (or 100 less it) beyond which a sample counts as unlikely."""
_USUAL = 5.0
"""Percentile that another reading of an unlikely sample must reach to be offered as a hint."""
_SHIFTS = (-4.0, -2.0, -1.0, 1.0, 2.0, 4.0)
"""Errors of the time of drawing that are tried, h."""


@dataclass(frozen=True)
class SampleCheck:
    """Where a sample lies among those of patients with the same doses and covariates.

    Attributes
    ----------
    place
        Index among the samples of the request.
    percentile
        On a scale from 1 to 99: the ends stand for all beyond. Of a censored sample, that of its
        limit.
    unlikely
        Whether it lies beyond `UNLIKELY` on either side, and the censoring does not explain it.
    hints
        Readings under which the sample would not be unusual.
    """

    place: int
    percentile: float
    unlikely: bool
    hints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unusual:
    """Distance of a patient from the typical one.

    Attributes
    ----------
    distance
        Mahalanobis distance of the random effects, ``sqrt(eta' Omega^-1 eta)``.
    percentile
        Of its square under the chi-square distribution with as many degrees of freedom as there
        are random effects. Estimates are drawn towards 0 by the prior: true ones are farther.
    """

    distance: float
    percentile: float


def prior_percentiles(problem: PatientProblem, draws: int = DRAWS, seed: int = 1) -> Floats:
    """Return where each sample lies under the prior predictive, (n_used,), in percent.

    The mean over draws of the random effects of the normal probability, residual error included,
    of a value below the sample; over the possible times of a sample whose time is uncertain.
    """
    of = problem.individuals
    if of.y.size == 0:
        return np.zeros(0)
    etas = problem.prior.draw(stream(seed, "prior predictive"), draws)
    states = DrawStates(of.prepared)
    with np.errstate(all="ignore"):
        x, _ = states(problem.theta, etas)
        f, v = predictions(of.observations, states, problem.theta, etas, x)
        y = np.where(of.kind == 0, of.y, np.where(np.isfinite(of.limit), of.limit, of.y))
        z = (y - f.T) / np.sqrt(v.T)
    chance: Floats = ndtr(np.where(np.isnan(z), 0.0, z)).mean(axis=0)
    if of.share is None:
        return 100.0 * chance[problem.at_time]
    weights = np.bincount(of.share.sample, weights=chance * of.share.chance)
    return np.asarray(100.0 * weights[of.share.sample[problem.at_time]])


def check_samples(
    model: Model, patient: Patient, problem: PatientProblem, options: Options
) -> tuple[SampleCheck, ...]:
    """Return how likely each sample is before the fit, with hints where it is not."""
    exact = prior_percentiles(problem, seed=options.seed)
    found = []
    for k, j in enumerate(problem.used):
        sample, percent = problem.data.samples[j], float(exact[k])
        low, high = percent < UNLIKELY, percent > 100.0 - UNLIKELY
        unlikely = (low and sample.censored != "above") or (high and sample.censored != "below")
        place = problem.data.places[j]
        hints = tuple(_hints(model, patient, options, place, low=low)) if unlikely else ()
        found.append(SampleCheck(place, min(max(percent, 1.0), 99.0), unlikely, hints))
    return tuple(found)


def how_unusual(problem: PatientProblem, found: MapEstimate) -> Unusual:
    """Return how far a patient is from the typical one."""
    square = float(problem.prior.square(found.etas))
    degrees = max(1, problem.prior.live.size)
    return Unusual(float(np.sqrt(square)), 100.0 * float(chdtr(degrees, square)))


def plausibility_remarks(
    checks: Sequence[SampleCheck], unusual: Unusual | None, request: Request
) -> tuple[Remark, ...]:
    """Return what a reader must know of samples and patient."""
    found = []
    for check in checks:
        if check.unlikely:
            sample = request.patient.samples[check.place]
            side = "below" if check.percentile < 50 else "above"
            hints = f": {'; or '.join(check.hints)}" if check.hints else ""
            found.append(
                Remark(
                    Outcome.UNLIKELY_SAMPLE,
                    f"{sample.value:g} {sample.unit}".strip()
                    + f" at {request.when(sample.time)} lies {side} what 99 of 100 patients with "
                    f"these doses have{hints}",
                    f"samples[{check.place}]",
                )
            )
    if checks and all(c.unlikely for c in checks):
        found.append(
            Remark(
                Outcome.NO_LIKELY_SAMPLE,
                "no sample is likely under the model: check units, times and doses before using "
                "the answer",
                "samples",
            )
        )
    if unusual is not None and unusual.percentile > 99.0:
        share = min(unusual.percentile, 99.9)
        found.append(
            Remark(
                Outcome.UNUSUAL_PATIENT,
                f"the patient differs from the typical one by {unusual.distance:.1f} standard "
                f"distances, more than {share:.1f} % of patients: the model may not "
                "be made for this patient, or a record is wrong",
                "patient",
            )
        )
    return tuple(found)


def _hints(
    model: Model, patient: Patient, options: Options, place: int, *, low: bool
) -> Iterator[str]:
    """Yield readings under which the sample would not be unusual."""
    sample = patient.samples[place]

    def usual(other: Patient) -> bool:
        try:
            problem = prepare_patient(model, other, options)
            percent = prior_percentiles(problem, draws=200, seed=options.seed)
            at = problem.data.places.index(place)
            return _USUAL <= float(percent[problem.used.index(at)]) <= 100.0 - _USUAL
        except (StateraError, ValueError):
            return False

    def changed(**values: float) -> Patient:
        samples = list(patient.samples)
        samples[place] = replace(sample, **values)  # type: ignore[arg-type]
        return replace(patient, samples=tuple(samples))

    for factor, words in _unit_slips(model, sample):
        if usual(changed(value=sample.value * factor)):
            yield f"it would not be unusual in {words}: check the unit"
    if low and (without := _without_last_dose(patient, sample)) and usual(without):
        yield "it would not be unusual had the last dose before it been missed"
    for shift in _SHIFTS:
        if usual(changed(time=sample.time + shift)):
            way = "later" if shift > 0 else "earlier"
            yield f"it would not be unusual {abs(shift):g} h {way}: check the time"
            break


def _unit_slips(model: Model, sample: Sample) -> Iterator[tuple[float, str]]:
    yield 1000.0, "a unit a thousand times as large"
    yield 1e-3, "a unit a thousand times as small"
    mass = molar_mass_of(model)
    if mass is not None and "mol" not in sample.unit and sample.unit != "nM":
        yield mass / 1000.0, "nmol/L instead of ng/mL"


def _without_last_dose(patient: Patient, sample: Sample) -> Patient | None:
    """Return the patient without the last dose before a sample; None where there is no other."""
    before = [i for i, d in enumerate(patient.doses) if d.taken and d.time < sample.time]
    if not before:
        return None
    doses = list(patient.doses)
    last = max(before, key=lambda i: _last_before(doses[i].time, doses[i].interval,
                                                  doses[i].additional, sample.time))  # fmt: skip
    dose = doses[last]
    given = 0
    if dose.additional and dose.interval > 0:
        given = min(dose.additional, int((sample.time - dose.time) // dose.interval))
    rest = []
    if given > 0:
        rest.append(replace(dose, additional=given - 1))
    if dose.additional > given:
        later = dose.time + (given + 1) * dose.interval
        rest.append(
            replace(dose, time=later, additional=dose.additional - given - 1, steady_state=False)
        )
    doses[last : last + 1] = rest
    return replace(patient, doses=tuple(doses)) if any(d.taken for d in doses) else None


def _last_before(time: float, interval: float, additional: int, until: float) -> float:
    if not additional or interval <= 0.0:
        return time
    return time + min(additional, int((until - time) // interval)) * interval
