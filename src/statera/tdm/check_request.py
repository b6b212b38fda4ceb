"""What is wrong or odd with a request, before anything is computed: each has a named outcome.

What contradicts itself stops the request with a `RequestError`. What can be read in one way only
becomes a remark, and is used as the remark says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from math import isfinite

from statera.model import Model
from statera.tdm.check_model import check_model
from statera.tdm.outcome import Outcome, Remark, RequestError
from statera.tdm.request import DoseTaken, Options, Question, Request, Sample

__all__ = ["check_request"]

BLQ = ("M1", "M2", "M3", "M4")
AVERAGING = ("evidence", "map-ofv")


def check_request(request: Request, models: Sequence[Model]) -> tuple[Remark, ...]:
    """Return what a reader of the answer must know.

    Parameters
    ----------
    models
        Those that the request names.

    Raises
    ------
    RequestError
        If the request has no answer; it names the outcome, the place, and what to do.
    """
    _check_options(request.options)
    _check_question(request.question)
    remarks = [*_doses(request), *_samples(request), *_covariates(request)]
    for model in models:
        remarks += check_model(model, request)
    return tuple(dict.fromkeys(remarks))


def _stop(outcome: Outcome, what: str, where: str, hint: str) -> RequestError:
    return RequestError(outcome, what, where=where, hint=hint)


def _check_numbers(
    where: str, least: dict[str, float], above: dict[str, float], finite: Iterable[float] = ()
) -> None:
    """Raise RequestError where a number is negative, not positive, or none at all."""
    for name, value in (*least.items(), *above.items()):
        low = name in least
        if not isfinite(value) or (value < 0 if low else value <= 0):
            raise _stop(
                Outcome.BAD_REQUEST, f"'{name}' is {value:g}", f"{where}.{name}",
                f"Write a number {'of at least' if low else 'above'} 0.",
            )  # fmt: skip
    if not all(isfinite(t) for t in finite):
        raise _stop(Outcome.BAD_REQUEST, "a time is not a number", where, "Write a finite number.")


def _check_options(options: Options) -> None:
    _check_numbers(
        "options", {},
        {"draws": options.draws, "prior_weight": options.prior_weight,
         "course_draws": options.course_draws},
    )  # fmt: skip
    for name, value, known in (
        ("blq", options.blq, BLQ),
        ("averaging", options.averaging, AVERAGING),
    ):
        if value not in known:
            raise _stop(
                Outcome.BAD_REQUEST, f"'{name}' is '{value}'", f"options.{name}",
                f"Write one of: {', '.join(known)}.",
            )  # fmt: skip


def _check_question(question: Question) -> None:
    for i, target in enumerate(question.targets):
        low, high = target.low, target.high
        if low is not None and high is not None and low >= high:
            raise _stop(
                Outcome.BAD_REQUEST, f"the range {low:g} to {high:g} holds no value",
                f"question.targets[{i}]", "Write the lower end as 'low' and the upper as 'high'.",
            )  # fmt: skip
    for name, values in (("strengths", question.strengths), ("intervals", question.intervals)):
        for i, value in enumerate(values):
            _check_numbers("question", {}, {f"{name}[{i}]": value})
    if not 0.0 < question.probability < 1.0:
        raise _stop(
            Outcome.BAD_REQUEST, f"a probability of {question.probability:g} is not possible",
            "question.probability", "Write a number between 0 and 1.",
        )  # fmt: skip


def _doses(request: Request) -> Iterator[Remark]:
    asked = request.question.time
    for i, dose in enumerate(request.patient.doses):
        where = f"doses[{i}]"
        _check_numbers(
            where,
            {"interval": dose.interval, "additional": dose.additional, "duration": dose.duration},
            {"amount": dose.amount},
            [dose.time],
        )
        if (dose.additional > 0 or dose.steady_state) and dose.interval == 0.0:
            raise _stop(
                Outcome.CONTRADICTORY_DATES,
                f"the dose at {request.when(dose.time)} is repeated, and no interval is given",
                where, "Give 'interval' in h.",
            )  # fmt: skip
        if not dose.taken:
            yield Remark(
                Outcome.DOSE_NOT_TAKEN,
                f"the dose at {request.when(dose.time)} was not taken: it is not used",
                where,
            )
        elif asked is not None and dose.last_time > asked:
            raise _stop(Outcome.DOSE_IN_FUTURE, *_future_dose(request, dose, asked, where))
    yield from _double_doses(request)


def _future_dose(
    request: Request, dose: DoseTaken, asked: float, where: str
) -> tuple[str, str, str]:
    if dose.time > asked:
        return (
            f"the dose at {request.when(dose.time)} lies after the question at "
            f"{request.when(asked)}, and was said to be taken",
            where,
            "Correct the date, leave the dose out, or ask at a later time.",
        )
    possible = int((asked - dose.time) // dose.interval)
    return (
        f"the doses from {request.when(dose.time)} on reach {request.when(dose.last_time)}, "
        f"after the question at {request.when(asked)}",
        f"{where}.additional",
        f"Up to the question there are {possible} more doses: additional = {possible}.",
    )


def _double_doses(request: Request) -> Iterator[Remark]:
    taken = [(i, d) for i, d in enumerate(request.patient.doses) if d.taken]
    for (_, one), (j, two) in combinations(taken, 2):
        if one.route != two.route:
            continue
        if one.time == two.time and one.amount == two.amount:
            yield Remark(
                Outcome.DUPLICATE_DOSES,
                f"two doses of {one.amount:g} mg stand at {request.when(one.time)}: both are "
                "used; delete one if it was taken once",
                f"doses[{j}]",
            )
        elif one.additional and one.time < two.time <= one.last_time:
            yield Remark(
                Outcome.DUPLICATE_DOSES,
                f"the dose at {request.when(two.time)} lies within the run of doses from "
                f"{request.when(one.time)} to {request.when(one.last_time)}: all are used; "
                "shorten the run if this dose replaced it",
                f"doses[{j}]",
            )


def _samples(request: Request) -> Iterator[Remark]:
    patient, asked = request.patient, request.question.time
    if not patient.samples:
        yield Remark(
            Outcome.NO_SAMPLES,
            "there is no sample: the answer is that for any patient with these covariates",
            "samples",
        )
        return
    if not any(d.taken for d in patient.doses):
        raise _stop(
            Outcome.NO_DOSES, "there are samples, and no dose that was taken", "doses",
            "Add the doses taken before the samples, with their times.",
        )  # fmt: skip
    for i, sample in enumerate(patient.samples):
        where = f"samples[{i}]"
        _check_numbers(
            where, {"value": sample.value, "time_sd": sample.time_sd, "weight": sample.weight},
            {} if sample.lloq is None else {"lloq": sample.lloq}, [sample.time],
        )  # fmt: skip
        if asked is not None and sample.time > asked:
            raise _stop(
                Outcome.SAMPLE_IN_FUTURE,
                f"the sample at {request.when(sample.time)} lies after the question at "
                f"{request.when(asked)}",
                where, "Correct the date, or ask at a later time.",
            )  # fmt: skip
        yield from _sample_remarks(request, sample, where)
    yield from _double_samples(request)
    yield from _all_below(request)


def _sample_remarks(request: Request, sample: Sample, where: str) -> Iterator[Remark]:
    at = request.when(sample.time)
    if sample.weight == 0.0:
        yield Remark(
            Outcome.SAMPLE_LEFT_OUT, f"the sample at {at} has weight 0: it is left out", where
        )
    elif not sample.censored and sample.lloq is not None and sample.value < sample.lloq:
        yield Remark(
            Outcome.SAMPLE_BELOW_ITS_LIMIT,
            f"the sample at {at} is {sample.value:g}, below its limit {sample.lloq:g}: it counts "
            f"as '<{sample.lloq:g}'",
            where,
        )
    elif not sample.censored and sample.value == 0.0:
        yield Remark(
            Outcome.SAMPLE_OF_ZERO,
            f"the sample at {at} is 0, which no assay measures: write '<' and its limit if it was "
            "not detected",
            where,
        )


def _double_samples(request: Request) -> Iterator[Remark]:
    used = [(i, s) for i, s in enumerate(request.patient.samples) if s.weight > 0]
    for (i, one), (j, two) in combinations(used, 2):
        if (one.time, one.analyte) != (two.time, two.analyte):
            continue
        at = request.when(one.time)
        if (one.value, one.unit, one.censored) == (two.value, two.unit, two.censored):
            raise _stop(
                Outcome.DUPLICATE_SAMPLES, f"the sample at {at} stands twice",
                f"samples[{j}]", f"Delete it, or samples[{i}], or give one of them weight 0.",
            )  # fmt: skip
        yield Remark(
            Outcome.DUPLICATE_SAMPLES,
            f"two samples at {at} differ ({one.value:g} and {two.value:g}): both are used, as "
            "measurements with errors of their own",
            f"samples[{j}]",
        )


def _all_below(request: Request) -> Iterator[Remark]:
    used = [s for s in request.patient.samples if s.weight > 0]
    below = [
        s.censored == "below" or (not s.censored and s.lloq is not None and s.value < s.lloq)
        for s in used
    ]
    if not used or not all(below):
        return
    if request.options.blq in ("M1", "M2"):
        raise _stop(
            Outcome.ALL_BELOW_LIMIT,
            f"all samples are below their limit, and {request.options.blq} leaves them out",
            "samples", "Use blq = \"M3\", which takes what they say.",
        )  # fmt: skip
    yield Remark(
        Outcome.ALL_BELOW_LIMIT,
        "all samples are below their limit: they only say that concentrations are low; check that "
        "the doses were taken and the unit is right",
        "samples",
    )


def _covariates(request: Request) -> Iterator[Remark]:
    given = request.patient.covariates
    for i, c in enumerate(given):
        if not isfinite(c.value) or (c.time is not None and not isfinite(c.time)):
            raise _stop(
                Outcome.BAD_REQUEST, f"{c.name} is not a number", f"covariates[{i}]",
                "Write a finite number, or leave the covariate out.",
            )  # fmt: skip
    for (_, one), (j, two) in combinations(enumerate(given), 2):
        if one.name.lower() != two.name.lower() or one.time != two.time:
            continue
        at = "throughout" if one.time is None else f"at {request.when(one.time)}"
        if (one.value, one.unit) != (two.value, two.unit):
            raise _stop(
                Outcome.CONTRADICTORY_DATES,
                f"{one.name} has two values {at}: {one.value:g} and {two.value:g}",
                f"covariates[{j}]", "Keep the right one, or give each its time.",
            )  # fmt: skip
        yield Remark(
            Outcome.COVARIATE_NOT_USED,
            f"{one.name} stands twice {at} with one value",
            f"covariates[{j}]",
        )
