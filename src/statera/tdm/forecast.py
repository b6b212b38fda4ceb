"""From a request to its answer: models, samples and a question in, a forecast and advice out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.library import load_model
from statera.manifest import manifest
from statera.model import Model
from statera.tdm.advice import Advice, advise
from statera.tdm.averaging import Member, average
from statera.tdm.forecast_result import Forecast
from statera.tdm.future import carried_etas, latest_time
from statera.tdm.map_estimate import map_estimate
from statera.tdm.outcome import Remark
from statera.tdm.patient_data import analytes
from statera.tdm.patient_problem import prepare_patient
from statera.tdm.posterior import PosteriorOptions, posterior
from statera.tdm.predict import Courses, course_times, predict_courses
from statera.tdm.request import DoseTaken, Metric, Patient, Question, Request, Target
from statera.tdm.sampling_advice import SamplingAdvice, advise_sampling
from statera.tdm.steady_profile import measure_of, steady_interval, steady_problem

__all__ = ["Forecast", "forecast"]

Floats = NDArray[np.float64]

_SAMPLE_TIMES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
"""Times after the next dose that are compared where the question gives none, h, and its end."""

_INTERVALS_SHOWN = 3


def forecast(request: Request, models: Mapping[str, Model] | None = None) -> Forecast:
    """Answer a request.

    Parameters
    ----------
    models
        Models by the names that the request gives them; those that are not here are loaded from
        the library or from their files.

    Raises
    ------
    RequestError
        By a named outcome, where the request has no answer.
    InputError
        Where records cannot be used with a model.
    """
    given = models or {}
    chosen = [given[name] if name in given else load_model(name) for name in request.models]
    patient, question = request.patient, request.question
    options = PosteriorOptions(draws=request.options.draws, seed=request.options.seed)
    members: list[Member] = []
    remarks: list[Remark] = []
    for model in chosen:
        problem = prepare_patient(model, patient, request.options)
        estimate = map_estimate(problem)
        post = posterior(problem, estimate, options)
        remarks += post.remarks
        members.append(Member(problem, estimate, post))
    weighed = average(members, request.options.averaging)
    time = latest_time(patient) if question.time is None else question.time
    advice = advise(weighed, patient, question, time) if question.targets else None
    if advice is not None:
        remarks += advice.remarks
    later, basis = _later(patient, advice, time, question)
    courses = _courses(weighed, request, later, time, options)
    sampling = None
    if question.targets and later:
        sampling = _sampling(weighed, request, later, time)
    return Forecast(
        request, time, weighed, later, basis, courses, advice, sampling,
        tuple(dict.fromkeys(remarks)), _manifest(request),
    )  # fmt: skip


def _later(
    patient: Patient, advice: Advice | None, time: float, question: Question
) -> tuple[tuple[DoseTaken, ...], str]:
    """Return the doses assumed from the question on, and why those."""
    route = patient.doses[-1].route if patient.doses else ""
    if advice is not None and advice.best is not None:
        picked = advice.chosen or advice.best
        candidate = picked.candidate
        dose = DoseTaken(
            time, candidate.amount, route, interval=candidate.interval,
            additional=_INTERVALS_SHOWN - 1,
        )  # fmt: skip
        return (dose,), "advised" if advice.chosen is not None else "best candidate"
    taken = [d for d in patient.doses if d.taken]
    if not taken:
        return (), "none"
    last = taken[-1]
    interval = last.interval or _gap(taken) or question.intervals[0]
    begin = max(time, last.last_time + interval)
    dose = replace(
        last, time=begin, interval=interval, additional=_INTERVALS_SHOWN - 1, steady_state=False,
        occasion=None,
    )  # fmt: skip
    return (dose,), "as before"


def _gap(taken: Sequence[DoseTaken]) -> float:
    return taken[-1].time - taken[-2].last_time if len(taken) > 1 else 0.0


def _courses(
    members: Sequence[Member],
    request: Request,
    later: Sequence[DoseTaken],
    time: float,
    options: PosteriorOptions,
) -> Courses | None:
    patient = request.patient
    if not later and not any(d.taken for d in patient.doses):
        return None
    until = max([time, *(d.last_time + d.interval for d in later)])
    times = course_times(patient, later, until)
    return predict_courses(
        members, patient, later, times, options=options,
        interpolation=request.options.covariate_interpolation,
    )  # fmt: skip


def _sampling(
    members: Sequence[Member], request: Request, later: Sequence[DoseTaken], time: float
) -> SamplingAdvice:
    """Return what samples are worth for the first target, under the model that counts most."""
    patient, question = request.patient, request.question
    best = max(members, key=lambda m: m.weight)
    target, dose = question.targets[0], later[0]
    times = question.sample_times or (
        *(t for t in _SAMPLE_TIMES if t < dose.interval), dose.interval
    )  # fmt: skip
    values = _values(best, patient, time, target, dose)
    return advise_sampling(
        best, patient, later, times, Metric(target.metric),
        measure_of(target, best.problem.model), values, target.analyte,
        request.options.covariate_interpolation,
    )  # fmt: skip


def _values(
    member: Member, patient: Patient, time: float, target: Target, dose: DoseTaken
) -> Floats:
    """Return the target's metric at steady state of a dose, of every draw."""
    model, post = member.problem.model, member.posterior
    name = target.analyte or analytes(model)[0]
    known = steady_problem(model, patient, time, dose.interval, 1.0, 1, name, dose.route)
    etas = carried_etas(post, known, fresh=True)
    interval = steady_interval(
        model, patient, time, dose.interval, etas, (target,), name, dose.route
    )
    return interval.measure(target, dose.amount)


def _manifest(request: Request) -> dict[str, Any]:
    text = json.dumps(asdict(request), sort_keys=True, default=str)
    return manifest({"request": text}, request.options.seed, models=list(request.models))
