"""What is expected over time: of anybody, of this patient before, and after the samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.model import Model
from statera.simulate import Interpolation
from statera.simulate.summaries import sorted_quantiles
from statera.tdm.averaging import Member
from statera.tdm.draw_likelihood import predictions
from statera.tdm.draw_states import DrawStates
from statera.tdm.future import asked_at, carried_etas, typical_patient, with_doses
from statera.tdm.patient_data import analytes
from statera.tdm.patient_problem import PatientProblem
from statera.tdm.posterior import PosteriorOptions, prior_draws
from statera.tdm.request import DoseTaken, Patient
from statera.tdm.weighted import weighted_quantiles

__all__ = ["KINDS", "Band", "Courses", "course_times", "draw_courses", "predict_courses"]

Floats = NDArray[np.float64]

KINDS = ("population", "a priori", "a posteriori")
"""States of knowledge, from the least to the most that is known."""

LEVELS = (0.05, 0.5, 0.95)
_DRAWS, _STEPPED_DRAWS = 2000, 500
"""Individuals behind a band, and at most where each must be stepped through its records."""
_MOST_TIMES = 500
_AFTER = np.array(
    [0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0,
     12.0, 16.0, 20.0, 24.0]
)  # fmt: skip


@dataclass(frozen=True)
class Band:
    """What is expected at one state of knowledge.

    Attributes
    ----------
    label
        ``population`` (reference covariates), ``a priori`` (this patient's) or ``a posteriori``.
    low, median, high : (n_times,) float64
        Quantiles at 5, 50 and 95 % over individuals, without residual error.
    typical : (n_times,) float64
        With random effects 0; a posteriori with the most likely ones.
    """

    label: str
    low: Floats
    median: Floats
    high: Floats
    typical: Floats


@dataclass(frozen=True)
class Courses:
    """The course of one output.

    Attributes
    ----------
    output, unit
    time : (n_times,) float64, h
    bands
        From the least to the most that is known.
    draws
        Individuals behind each band.
    """

    output: str
    unit: str
    time: Floats
    bands: tuple[Band, ...]
    draws: int


def course_times(patient: Patient, later: Sequence[DoseTaken], until: float) -> Floats:
    """Return times that are fine after doses and hold every sample, h.

    The last ten dosing intervals before the first later dose are shown, and all samples.
    """
    doses = [d for d in patient.doses if d.taken]
    starts = [d.time + k * d.interval for d in [*doses, *later] for k in range(d.additional + 1)]
    samples = [s.time for s in patient.samples]
    begin = min([*(d.time for d in doses[:1]), *samples, *(d.time for d in later[:1])], default=0.0)
    recent = sorted(s for s in starts if s <= (later[0].time if later else until))[-10:]
    first = max(begin, min([*recent, *samples], default=begin))
    shown = sorted(s for s in set(starts) if first <= s <= until)
    pieces = [np.array([first, until, *[t for t in samples if t <= until]])]
    for k, start in enumerate(shown):
        end = shown[k + 1] if k + 1 < len(shown) else until
        here = start + _AFTER
        pieces.append(here[here < end])
        pieces.append(np.array([max(start, end - 1e-3)]))
        pieces.append(np.arange(start + 24.0, end, max(6.0, (end - start) / 40.0)))
    times = np.unique(np.round(np.concatenate(pieces), 6))
    times = times[(times >= first) & (times <= until)]
    if times.size > _MOST_TIMES:
        keep = np.unique(np.linspace(0, times.size - 1, _MOST_TIMES).astype(int))
        times = np.union1d(times[keep], np.array(samples))
    return np.asarray(times, dtype=np.float64)


def draw_courses(problem: PatientProblem, etas: Floats, states: DrawStates | None = None) -> Floats:
    """Return predictions of draws at the times of `asked_at`, (n_times, n_draws).

    `states` of the problem are made where they are not given.
    """
    states = states or DrawStates(problem.individuals.prepared)
    x, _ = states(problem.theta, etas)
    of = problem.individuals.observations
    f, _ = predictions(of, states, problem.theta, etas, x)
    if problem.model.residuals[of.kinds[0].name].lognormal:
        with np.errstate(over="ignore"):
            f = np.exp(f)
    return f


def predict_courses(
    members: Sequence[Member],
    patient: Patient,
    later: Sequence[DoseTaken],
    times: Floats,
    analyte: str = "",
    options: PosteriorOptions | None = None,
    interpolation: Interpolation = "locf",
    *,
    draws: int = _DRAWS,
    kinds: Sequence[str] = KINDS,
) -> Courses:
    """Return the bands of one output under the doses taken and those to come.

    Parameters
    ----------
    members
        Models with their weights; the course is a mixture of theirs.
    later
        Doses after those of the patient.
    times : (n_times,) float64, h
    analyte
        Output of the models; empty for the first that is measured.
    interpolation
        Of covariates, as in `statera.tdm.request.Options`.
    draws
        Individuals behind each band, at least 200.
    kinds
        Which of `KINDS` are computed.
    """
    options = options or PosteriorOptions()
    model: Model = members[0].problem.model
    name = analyte or analytes(model)[0]
    found: dict[str, list[tuple[float, Floats, Floats]]] = {k: [] for k in kinds}
    for member in members:
        if member.weight < 1e-3 and len(members) > 1:
            continue
        model = member.problem.model
        planned = with_doses(model, patient, later)
        asked = asked_at(model, planned, times, name, interpolation)
        states = DrawStates(asked.individuals.prepared)
        most = min(_STEPPED_DRAWS, draws) if states.runs is None else draws
        count = max(200, int(np.ceil(most * member.weight)))
        drawn = prior_draws(asked, PosteriorOptions(count, options.seed))
        none = np.zeros((1, asked.n_etas))
        for kind in kinds:
            problem, etas, likely = asked, drawn.etas, none
            if kind == "population":
                problem = asked_at(model, typical_patient(model, planned), times, name)
            elif kind == "a posteriori":
                post = member.posterior
                etas = carried_etas(post, asked, post.resampled(count, "courses"))
                likely = none if member.estimate is None else _likely(member, asked)
            curves = draw_courses(
                problem, np.concatenate([likely, etas]), states if problem is asked else None
            )
            found[kind].append((member.weight, curves[:, 1:], curves[:, 0]))
    bands = tuple(_band(kind, found[kind]) for kind in kinds)
    drawn_count = sum(c.shape[1] for _, c, _ in found[kinds[-1]])
    return Courses(name, model.output(name).unit, np.asarray(times), bands, drawn_count)


def _likely(member: Member, to: PatientProblem) -> Floats:
    """Return the most likely random effects for other records; those of new occasions are 0."""
    assert member.estimate is not None
    post = member.posterior
    known = dict(
        zip(zip(post.eta_names, post.eta_occasions, strict=True), member.estimate.etas, strict=True)
    )
    pairs = zip(to.eta_names, to.eta_occasions, strict=True)
    return np.array([[float(known.get(pair, 0.0)) for pair in pairs]])


def _band(label: str, found: Sequence[tuple[float, Floats, Floats]]) -> Band:
    curves = np.concatenate([c for _, c, _ in found], axis=1)
    weights = np.concatenate([np.full(c.shape[1], w / c.shape[1]) for w, c, _ in found])
    total = sum(w for w, _, _ in found)
    low, median, high = _quantiles(curves, weights / total)
    typical = sum(w * t for w, _, t in found) / total
    return Band(label, low, median, high, np.asarray(typical))


def _quantiles(curves: Floats, weights: Floats) -> Floats:
    """Return quantiles over draws, (3, n_times); by order alone where weights are equal."""
    if np.all(weights == weights[0]) and np.isfinite(curves).all():
        return sorted_quantiles(np.sort(curves, axis=1), LEVELS)
    return weighted_quantiles(curves.T, weights, LEVELS)
