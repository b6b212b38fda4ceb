"""Whether a patient lies within what a model was made from, and has what it needs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from statera.errors import DomainError, InputError
from statera.model import Covariate, Model
from statera.simulate import model_covariate, structure_of
from statera.simulate.subjects import check_amounts
from statera.tdm.outcome import Outcome, Remark, RequestError
from statera.tdm.patient_data import analyte_of, unit_factor
from statera.tdm.request import CovariateValue, Request
from statera.units import convert

__all__ = ["check_model"]


def check_model(model: Model, request: Request) -> tuple[Remark, ...]:
    """Return what must be known of a request under a model.

    Raises
    ------
    RequestError
        If the model cannot be used for this patient.
    """
    return (
        *_doses(model, request),
        *_samples(model, request),
        *_covariates(model, request),
        *_occasions(model, request),
    )


def _doses(model: Model, request: Request) -> Iterator[Remark]:
    taken = [d for d in request.patient.doses if d.taken]
    for i, dose in enumerate(request.patient.doses):
        known = (*model.inputs, *model.states)
        if dose.route and dose.route not in known and not dose.route.isdigit():
            raise RequestError(
                Outcome.BAD_REQUEST,
                f"{model.id} has no route '{dose.route}'",
                where=f"doses[{i}].route",
                hint=f"Known: {', '.join(known)}.",
            )
    amounts = np.array([convert(d.amount, "mg", model.amount_unit) for d in taken])
    try:
        for text in check_amounts(model, amounts):
            yield Remark(Outcome.DOSE_OUTSIDE_DATA, text, "doses")
    except DomainError as error:
        raise RequestError(
            Outcome.DOSE_IMPOSSIBLE, error.what, where="doses", hint=error.hint
        ) from error


def _samples(model: Model, request: Request) -> Iterator[Remark]:
    taken = [d for d in request.patient.doses if d.taken]
    first = min((d.time for d in taken), default=np.inf)
    for i, sample in enumerate(request.patient.samples):
        if sample.weight == 0.0:
            continue
        where = f"samples[{i}]"
        name = analyte_of(model, sample, where)
        unit_factor(model, name, sample, where)
        lognormal = model.residuals[name].lognormal
        if lognormal and sample.value == 0.0 and not sample.censored and sample.lloq is None:
            raise RequestError(
                Outcome.SAMPLE_OF_ZERO,
                f"a sample of 0 has no logarithm, and the error of {name} in {model.id} is "
                "log-normal",
                where=where,
                hint="Write '<' and the limit of the assay.",
            )
        if sample.time >= first or _has_baseline(model):
            continue
        if sample.censored != "below":
            raise RequestError(
                Outcome.SAMPLE_BEFORE_FIRST_DOSE,
                f"a sample was drawn {first - sample.time:g} h before the first dose, where "
                f"{model.id} predicts nothing",
                where=where,
                hint="Add the doses taken before it, correct its time, or give it weight 0.",
            )
        yield Remark(
            Outcome.SAMPLE_BEFORE_FIRST_DOSE,
            "a sample below its limit was drawn before the first dose: it says nothing",
            where,
        )


def _has_baseline(model: Model) -> bool:
    """Return True where there may be something to measure before any dose."""
    linear = structure_of(model).linear
    return bool(model.initial) or linear is None or bool(linear.constant)


def _covariates(model: Model, request: Request) -> Iterator[Remark]:
    given: dict[str, list[tuple[int, CovariateValue]]] = {}
    for i, c in enumerate(request.patient.covariates):
        name = model_covariate(model, c.name) or c.name
        given.setdefault(name, []).append((i, c))
        if name not in model.covariates:
            yield Remark(
                Outcome.COVARIATE_NOT_USED,
                f"{c.name} is not a covariate of {model.id}: it is not used",
                f"covariates[{i}]",
            )
    for name, covariate in model.covariates.items():
        if name not in given:
            reference = f"{covariate.reference:g} {covariate.unit}".strip()
            yield Remark(
                Outcome.COVARIATE_MISSING,
                f"{name} is missing: {model.id} is used at its reference, {reference}, which need "
                "not be this patient's",
                "covariates",
            )
        for i, c in given.get(name, ()):
            yield from _value(model, covariate, i, c)


def _value(model: Model, covariate: Covariate, i: int, c: CovariateValue) -> Iterator[Remark]:
    where, unit = f"covariates[{i}]", covariate.unit
    try:
        value = convert(c.value, c.unit, unit) if c.unit and unit else c.value
    except InputError as error:
        raise RequestError(
            Outcome.BAD_REQUEST, f"{c.name}: {error.what}", where=where, hint=error.hint
        ) from error
    shown = f"{covariate.name} = {value:g} {unit}".strip()
    if not covariate.hard.holds(value):
        raise RequestError(
            Outcome.COVARIATE_IMPOSSIBLE,
            f"{shown} is outside the plausible range ({covariate.hard} {unit})".replace(" )", ")"),
            where=where,
            hint="Check the value and its unit.",
        )
    if not covariate.soft.holds(value):
        yield Remark(
            Outcome.COVARIATE_OUTSIDE_DATA,
            f"{shown} is outside the data of {model.id} ({covariate.soft} {unit}): this is an "
            "extrapolation".replace(" )", ")"),
            where,
        )


def _occasions(model: Model, request: Request) -> Iterator[Remark]:
    effects = [e.name for e in model.random_effects.values() if e.level == "occasion"]
    named = {d.occasion for d in request.patient.doses if d.occasion is not None}
    if effects and not named and request.patient.doses:
        yield Remark(
            Outcome.ONE_OCCASION,
            f"{model.id} has random effects of occasions, and no dose names an occasion: all "
            "records count as one",
            "doses",
        )
