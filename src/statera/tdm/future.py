"""Records that ask what was not measured: other times, later doses, a steady state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from statera.model import Model
from statera.numerics.streams import stream
from statera.simulate import Interpolation
from statera.tdm.patient_data import analytes
from statera.tdm.patient_problem import PatientProblem, prepare_patient
from statera.tdm.posterior import Posterior
from statera.tdm.request import CovariateValue, DoseTaken, Options, Patient, Sample

__all__ = [
    "asked_at",
    "carried_etas",
    "covariates_at",
    "latest_time",
    "typical_patient",
    "with_doses",
]

Floats = NDArray[np.float64]

NEXT = "next"
"""Occasion of doses that are still to come."""


def latest_time(patient: Patient) -> float:
    """Return the time of the last record, h: the last dose taken, sample or covariate."""
    times = [d.last_time for d in patient.doses if d.taken]
    times += [s.time for s in patient.samples]
    times += [c.time for c in patient.covariates if c.time is not None]
    return max(times, default=0.0)


def covariates_at(patient: Patient, time: float) -> tuple[CovariateValue, ...]:
    """Return the covariates known at a time, each holding throughout."""
    found: dict[str, CovariateValue] = {}
    for c in sorted(patient.covariates, key=lambda c: -np.inf if c.time is None else c.time):
        if c.name not in found or c.time is None or c.time <= time:
            found[c.name] = replace(c, time=None)
    return tuple(found.values())


def with_doses(model: Model, patient: Patient, doses: Sequence[DoseTaken]) -> Patient:
    """Return the patient with later doses, which are a new occasion where the model has any.

    Runs of earlier doses that go on beyond the first later one are cut there.
    """
    if not doses:
        return patient
    begin = min(d.time for d in doses)
    past = [_cut(d, begin) for d in patient.doses if d.time < begin]
    later = list(doses)
    if any(e.level == "occasion" for e in model.random_effects.values()):
        if past and past[0].occasion is None:
            past[0] = replace(past[0], occasion="first")
        later[0] = replace(later[0], occasion=NEXT)
    every = sorted([*past, *later], key=lambda d: d.time)
    return replace(patient, doses=tuple(every))


def _cut(dose: DoseTaken, end: float) -> DoseTaken:
    if dose.additional == 0 or dose.last_time < end:
        return dose
    count = int(np.ceil((end - dose.time) / dose.interval - 1e-9)) - 1
    return replace(dose, additional=max(0, count))


def typical_patient(model: Model, patient: Patient) -> Patient:
    """Return the patient with the model's reference covariates."""
    values = tuple(
        CovariateValue(name, c.reference, c.unit) for name, c in model.covariates.items()
    )
    return replace(patient, covariates=values)


def asked_at(
    model: Model,
    patient: Patient,
    times: Sequence[float] | Floats,
    analyte: str = "",
    interpolation: Interpolation = "locf",
) -> PatientProblem:
    """Return the patient's records with an observation at each time instead of the samples.

    Raises
    ------
    RequestError
        If the model has no output of that name.
    """
    name = analyte or analytes(model)[0]
    output = model.output(name)
    samples = tuple(Sample(t, 1.0, output.unit, name) for t in np.asarray(times).tolist())
    options = Options(covariate_interpolation=interpolation)
    return prepare_patient(model, replace(patient, samples=samples), options)


def carried_etas(
    post: Posterior,
    to: PatientProblem,
    rows: NDArray[np.int64] | None = None,
    *,
    fresh: bool = False,
) -> Floats:
    """Return draws of the random effects for other records of the same patient, (n, n_etas).

    Effects of the subject and of occasions that are known are carried over; those of a new
    occasion are drawn from their prior, independently for each draw.

    Parameters
    ----------
    rows
        Draws to take; all by default.
    fresh
        Whether all occasions of the other records are new ones.
    """
    etas = post.etas if rows is None else post.etas[rows]
    known = {pair: k for k, pair in enumerate(zip(post.eta_names, post.eta_occasions, strict=True))}
    out = np.zeros((etas.shape[0], to.n_etas))
    new: list[int] = []
    for k, pair in enumerate(zip(to.eta_names, to.eta_occasions, strict=True)):
        if pair in known and not (fresh and pair[1] >= 0):
            out[:, k] = etas[:, known[pair]]
        else:
            new.append(k)
    if new:
        omega = to.omega[np.ix_(new, new)]
        normal = stream(post.seed, "new occasions").standard_normal((post.n_draws, len(new)))
        normal = normal if rows is None else normal[rows]
        values, vectors = np.linalg.eigh(omega)
        root = vectors * np.sqrt(np.clip(values, 0.0, None))
        for i, k in enumerate(new):
            for j in range(len(new)):
                out[:, k] += root[i, j] * normal[:, j]
    return out
