"""From a request to its answer: models, samples and a question in, a forecast and advice out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.library import load_model
from statera.manifest import manifest
from statera.model import Model
from statera.tdm.advice import Advice, advise, check_targets
from statera.tdm.averaging import Member, average
from statera.tdm.check_request import check_request
from statera.tdm.forecast_result import Forecast
from statera.tdm.future import carried_etas, latest_time
from statera.tdm.map_estimate import MapEstimate, map_estimate
from statera.tdm.outcome import Outcome, Remark, RequestError
from statera.tdm.patient_data import analytes
from statera.tdm.patient_problem import prepare_patient
from statera.tdm.plausibility import (
    SampleCheck,
    Unusual,
    check_samples,
    how_unusual,
    plausibility_remarks,
)
from statera.tdm.posterior import PosteriorOptions, posterior
from statera.tdm.predict import KINDS, Courses, course_times, predict_courses
from statera.tdm.request import DoseTaken, Metric, Options, Patient, Question, Request, Target
from statera.tdm.sampling_advice import SamplingAdvice, advise_sampling
from statera.tdm.steady_profile import measure_of, scales, steady_interval, steady_problem
from statera.tdm.target_ic50 import ic50_levels

__all__ = ["Forecast", "Parts", "candidate_course", "forecast"]

Floats = NDArray[np.float64]

_SAMPLE_TIMES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
"""Times after the next dose that are compared where the question gives none, h, and its end."""

_INTERVALS_SHOWN = 3

_SCALED_DRAWS, _SIMULATED_DRAWS = 2000, 300
"""Draws that are weighed anew for sampling advice, where doses scale and where they do not."""


@dataclass(frozen=True)
class Parts:
    """What of an answer is computed besides the posterior and the advice.

    Attributes
    ----------
    plausibility
        How likely each sample is before the fit, and how unusual the patient.
    courses
        Bands over time.
    sampling
        What further samples are worth.
    bands
        Bands of the course, of `statera.tdm.predict.KINDS`.
    explore
        Whether most likely random effects are looked for from many starts; None where it seems
        needed. A sample that nobody can have makes that slow.
    """

    plausibility: bool = True
    courses: bool = True
    sampling: bool = True
    bands: tuple[str, ...] = KINDS
    explore: bool | None = None


def forecast(
    request: Request, models: Mapping[str, Model] | None = None, *, parts: Parts | None = None
) -> Forecast:
    """Answer a request.

    Parameters
    ----------
    models
        Models by the names that the request gives them; those that are not here are loaded from
        the library or from their files.
    parts
        What is computed; all by default.

    Raises
    ------
    RequestError
        By a named outcome, where the request has no answer.
    InputError
        Where records cannot be used with a model.
    """
    wanted = parts or Parts()
    patient, question = request.patient, request.question
    time = latest_time(patient) if question.time is None else question.time
    weighed, remarks = _weighed(request, models or {}, time, wanted.explore)
    checks, unusual = _plausible(weighed, request) if wanted.plausibility else ((), None)
    remarks += plausibility_remarks(checks, unusual, request)
    advice = advise(weighed, patient, question, time) if question.targets else None
    if advice is not None:
        remarks += advice.remarks
    later, basis = _later(patient, advice, time, question)
    courses = _courses(weighed, request, later, time, wanted.bands) if wanted.courses else None
    sampling = None
    if question.targets and later and wanted.sampling:
        sampling = _sampling(weighed, request, later, time)
    return Forecast(
        request, time, weighed, checks, unusual, later, basis, courses, advice, sampling,
        tuple(dict.fromkeys(remarks)), _manifest(request),
    )  # fmt: skip


def candidate_course(
    request: Request,
    amount: float,
    interval: float,
    models: Mapping[str, Model] | None = None,
    *,
    bands: Sequence[str] = KINDS[-1:],
) -> Courses:
    """Return the course from the question on under another dose.

    Parameters
    ----------
    amount, interval
        Dose in mg, and the time to the next one, h.
    models
        As in `forecast`.
    bands
        Bands of the course, of `statera.tdm.predict.KINDS`.

    Raises
    ------
    RequestError, InputError
        As `forecast` does.
    """
    patient, question = request.patient, request.question
    time = latest_time(patient) if question.time is None else question.time
    weighed, _ = _weighed(request, models or {}, time)
    later = (_given_later(patient, amount, interval, time, question),)
    found = _courses(weighed, request, later, time, bands, begin=later[0].time)
    assert found is not None  # there is a dose
    return found


def _weighed(
    request: Request, given: Mapping[str, Model], time: float, explore: bool | None = None
) -> tuple[tuple[Member, ...], list[Remark]]:
    """Return the models with their posteriors and weights, and what must be known of them."""
    chosen = [given[name] if name in given else load_model(name) for name in request.models]
    if not chosen:
        raise RequestError(
            Outcome.UNKNOWN_MODEL, "the request names no model", where="models",
            hint='models = ["baricitinib/Decker_2024"]',
        )  # fmt: skip
    remarks = list(check_request(request, chosen))
    for model in chosen:
        check_targets(model, request.question.targets)
    options = _drawn(request)
    members: list[Member] = []
    for model in chosen:
        problem = prepare_patient(model, _recorded(request.patient, time), request.options)
        estimate = map_estimate(problem, explore=explore)
        post = posterior(problem, estimate, options)
        remarks += [*_of_estimate(model, estimate), *post.remarks]
        members.append(Member(problem, estimate, post))
    return average(members, request.options.averaging), remarks


def _drawn(request: Request) -> PosteriorOptions:
    return PosteriorOptions(draws=request.options.draws, seed=request.options.seed)


def _recorded(patient: Patient, time: float) -> Patient:
    """Return the patient; where there is no record at all, with a dose that stands for one."""
    if any(d.taken for d in patient.doses) or patient.samples:
        return patient
    return replace(patient, doses=(DoseTaken(time, 1.0),))


def _of_estimate(model: Model, found: MapEstimate) -> list[Remark]:
    """Return what must be known of the search for the most likely random effects."""
    sentences = {
        Outcome.SEVERAL_MODES: f"{len(found.modes)} different explanations of the samples are "
        "about equally likely: look at the whole posterior, not at the most likely values",
        Outcome.MODE_NOT_FOUND: "the most likely random effects were not found exactly: the "
        "posterior does not depend on them, the table of most likely values does",
        Outcome.NOT_SOLVED: "the model could not be solved at the start of the search",
    }
    if found.status is None:
        return []
    text = sentences.get(found.status, str(found.status))
    return [Remark(found.status, f"{model.id}: {text}", "samples")]


def _plausible(
    members: Sequence[Member], request: Request
) -> tuple[tuple[SampleCheck, ...], Unusual | None]:
    """Return how likely samples and patient are under the model that counts most."""
    best = max(members, key=lambda m: m.weight)
    problem, estimate = best.problem, best.estimate
    if problem.individuals.y.size == 0 or estimate is None:
        return (), None
    checks = check_samples(problem.model, request.patient, problem, request.options)
    return checks, how_unusual(problem, estimate)


def _later(
    patient: Patient, advice: Advice | None, time: float, question: Question
) -> tuple[tuple[DoseTaken, ...], str]:
    """Return the doses assumed from the question on, and why those."""
    if advice is not None and advice.best is not None:
        candidate = (advice.chosen or advice.best).candidate
        dose = _given_later(patient, candidate.amount, candidate.interval, time, question)
        return (dose,), "advised" if advice.chosen is not None else "best candidate"
    taken = [d for d in patient.doses if d.taken]
    if not taken:
        return (), "none"
    last = taken[-1]
    interval = _usual_interval(taken) or question.intervals[0]
    begin = max(time, last.last_time + interval)
    dose = replace(
        last, time=begin, interval=interval, additional=_INTERVALS_SHOWN - 1, steady_state=False,
        occasion=None,
    )  # fmt: skip
    return (dose,), "as before"


def _given_later(
    patient: Patient, amount: float, interval: float, time: float, question: Question
) -> DoseTaken:
    """Return a few doses from the question on, by the route of the last one."""
    route = patient.doses[-1].route if patient.doses else ""
    begin = _next_time(patient, time, question)
    return DoseTaken(begin, amount, route, interval=interval, additional=_INTERVALS_SHOWN - 1)


def _usual_interval(taken: Sequence[DoseTaken]) -> float:
    """Return the interval of the last doses, h; 0 where there is none."""
    if taken[-1].interval > 0.0 or len(taken) < 2:
        return taken[-1].interval
    return taken[-1].time - taken[-2].last_time


def _next_time(patient: Patient, time: float, question: Question) -> float:
    """Return when the next dose is given: at the question, else when it is due."""
    taken = [d for d in patient.doses if d.taken]
    if question.time is not None or not taken:
        return time
    return max(time, taken[-1].last_time + _usual_interval(taken))


def _courses(
    members: Sequence[Member],
    request: Request,
    later: Sequence[DoseTaken],
    time: float,
    bands: Sequence[str],
    begin: float = -np.inf,
) -> Courses | None:
    patient = request.patient
    if not later and not any(d.taken for d in patient.doses):
        return None
    until = max([time, *(d.last_time + d.interval for d in later)])
    times = course_times(patient, later, until)
    times = times[times >= begin]
    return predict_courses(
        members, patient, later, times, options=_drawn(request),
        interpolation=request.options.covariate_interpolation,
        draws=request.options.course_draws, kinds=bands,
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
    rows, values = _values(best, patient, time, target, dose)
    return advise_sampling(
        best, patient, later, times, Metric(target.metric),
        measure_of(target, best.problem.model), rows, values, target.analyte,
        request.options.covariate_interpolation,
    )  # fmt: skip


def _values(
    member: Member, patient: Patient, time: float, target: Target, dose: DoseTaken
) -> tuple[NDArray[np.int64], Floats]:
    """Return draws of equal weight, and the target's metric at steady state of a dose of each."""
    model, post = member.problem.model, member.posterior
    name = target.analyte or analytes(model)[0]
    count = _SCALED_DRAWS if scales(model, name, dose.route) else _SIMULATED_DRAWS
    rows = post.resampled(count, "sampling advice")
    known = steady_problem(model, patient, time, dose.interval, 1.0, 1, name, dose.route)
    etas = carried_etas(post, known, rows, fresh=True)
    interval = steady_interval(
        model, patient, time, dose.interval, etas, (target,), name, dose.route,
        ic50_levels((target,), model, rows.size, post.seed),
    )  # fmt: skip
    return rows, interval.measure(target, dose.amount)


def _manifest(request: Request) -> dict[str, Any]:
    tree = asdict(request)
    for target in tree["question"]["targets"]:
        if target["potency"] is None:
            del target["potency"]  # requests without one keep their hash
    if request.options.course_draws == Options().course_draws:
        del tree["options"]["course_draws"]  # and so do those from before there was a choice
    text = json.dumps(tree, sort_keys=True, default=str)
    named = [t.potency for t in request.question.targets if t.potency is not None]
    files = {p.file: p.content_hash for p in named if p.file}
    return manifest({"request": text, **files}, request.options.seed, models=list(request.models))
