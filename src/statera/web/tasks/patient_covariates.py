"""Covariates of the models, from what is known of a person: each says where it is from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from statera.dosing.clearance import AbsoluteClearance, IndexedGFR
from statera.dosing.creatinine import read_creatinine, read_cystatin
from statera.dosing.person import Sex, read_sex
from statera.dosing.renal_equations import RENAL_EQUATIONS, RenalInputs
from statera.dosing.renal_estimates import RenalEstimate, estimate_renal_function
from statera.errors import StateraError
from statera.model import Covariate, Model
from statera.simulate import model_covariate
from statera.web.requests.patient import Case

__all__ = ["KnownCovariate", "known_covariates", "renal_inputs", "usual_equations"]

_ADULT = 18.0


@dataclass(frozen=True)
class KnownCovariate:
    """A covariate of a case.

    Attributes
    ----------
    name, label, unit
        As the model has them.
    value
        None where it is not known: the model's reference is then used.
    origin
        Where it is from: ``entered``, ``person``, ``computed`` or ``missing``.
    words
        The same in words.
    reference, low, high
        Of the model; the range of its data where it is stated.
    time
        From when on it holds; None throughout.
    models
        Models that use it.
    used
        Whether a model of the case has it.
    """

    name: str
    label: str
    unit: str
    value: float | None
    origin: str
    words: str
    reference: float | None
    low: float | None
    high: float | None
    time: float | str | None
    models: tuple[str, ...]
    used: bool = True

    def row(self) -> dict[str, Any]:
        """Return the covariate as a request has it."""
        row = {"name": self.name, "value": self.value, "unit": self.unit, "time": self.time}
        return {key: value for key, value in row.items() if value is not None and value != ""}


def renal_inputs(case: Case) -> RenalInputs:
    """Return what renal equations know of a person.

    Raises
    ------
    InputError
        If a value cannot be that of a person.
    """
    p = case.person
    return RenalInputs(
        age=p.age,
        sex=read_sex(p.sex) if p.sex else None,
        creatinine=read_creatinine(p.creatinine, confirmed=p.confirmed) if p.creatinine else None,
        cystatin=read_cystatin(p.cystatin, confirmed=p.confirmed) if p.cystatin else None,
        weight_kg=p.weight_kg,
        height_cm=p.height_cm,
    )


def usual_equations(age: float | None) -> tuple[str, str]:
    """Return the equations used unless others are chosen: an indexed and an absolute one.

    Below 18 years Cockcroft-Gault does not hold: the absolute value is then converted from the
    indexed one by body surface.
    """
    if age is not None and age < _ADULT:
        return "schwartz-bedside", "schwartz-bedside"
    return "ckd-epi-2021", "cockcroft-gault"


def known_covariates(case: Case, models: Sequence[Model]) -> tuple[KnownCovariate, ...]:
    """Return the covariates of the models, those entered as such first.

    Values that cannot be used are missing here; `renal_inputs` says what is wrong with them.
    """
    try:
        inputs: RenalInputs | None = renal_inputs(case)
    except StateraError:
        inputs = None
    estimates = () if inputs is None else _estimates(inputs)
    found: dict[str, KnownCovariate] = {}
    for model in models:
        for name, covariate in model.covariates.items():
            if name in found:
                known = found[name]
                found[name] = _replaced(known, models=(*known.models, model.id))
                continue
            entered = [c for c in case.covariates if _same(model, c.name, name)]
            value, origin, words = _of_person(case, covariate, estimates)
            if entered:
                value, origin, words = entered[0].value, "entered", "entered"
            found[name] = KnownCovariate(
                name, covariate.label, covariate.unit, value, origin, words, covariate.reference,
                covariate.soft.low, covariate.soft.high, None, (model.id,),
            )  # fmt: skip
    every = list(found.values())
    for name, known in found.items():
        rows = [c for c in case.covariates if _is(models, c.name, name)]
        if rows:
            every.remove(known)
            every += [
                _replaced(known, value=c.value, unit=c.unit or known.unit, time=c.time)
                for c in rows
            ]
    for c in case.covariates:
        if not any(_is(models, c.name, name) for name in found):
            every.append(
                KnownCovariate(
                    c.name, "", c.unit, c.value, "entered", "entered; no model here uses it",
                    None, None, None, c.time, (), used=False,
                )
            )  # fmt: skip
    return tuple(every)


def _replaced(known: KnownCovariate, **values: Any) -> KnownCovariate:
    return KnownCovariate(**{**vars(known), **values})


def _same(model: Model, given: str, name: str) -> bool:
    return (model_covariate(model, given) or given) == name


def _is(models: Sequence[Model], given: str, name: str) -> bool:
    return any(name in m.covariates and _same(m, given, name) for m in models)


def _estimates(inputs: RenalInputs) -> tuple[RenalEstimate, ...]:
    try:
        return estimate_renal_function(inputs)
    except StateraError:
        return ()


def _of_person(
    case: Case, covariate: Covariate, estimates: Sequence[RenalEstimate]
) -> tuple[float | None, str, str]:
    """Return value, origin and words of a covariate."""
    p = case.person
    missing = (None, "missing", "not known: the model's reference is used")
    match covariate.name:
        case "WT":
            return missing if p.weight_kg is None else (p.weight_kg, "person", "weight")
        case "HT":
            return missing if p.height_cm is None else (p.height_cm, "person", "height")
        case "AGE":
            return missing if p.age is None else (p.age, "person", "age")
        case "ADOLESCENT" if p.age is not None:
            return float(p.age < _ADULT), "person", "age"
        case "SEX" if p.sex:
            try:
                return float(read_sex(p.sex) is Sex.FEMALE), "person", "sex"
            except StateraError:
                return missing
        case "HEPMILD" if p.hepatic in ("none", "mild", "moderate"):
            return float(p.hepatic != "none"), "person", "hepatic function"
        case "EGFR" | "CRCL":
            return _renal(case, covariate, estimates) or missing
    return missing


def _renal(
    case: Case, covariate: Covariate, estimates: Sequence[RenalEstimate]
) -> tuple[float, str, str] | None:
    """Return renal function in the measure of a covariate: stated, by its equation, converted."""
    p, indexed = case.person, "1.73" in covariate.unit
    if indexed and p.egfr is not None:
        return p.egfr, "person", "eGFR as stated"
    if not indexed and p.crcl is not None:
        return p.crcl, "person", "creatinine clearance as stated"
    usual = usual_equations(p.age)
    wanted = (case.indexed or usual[0]) if indexed else (case.absolute or usual[1])
    estimate = next((e for e in estimates if e.equation.id == wanted), None)
    if estimate is None:
        return None
    value: IndexedGFR | AbsoluteClearance | None
    value = estimate.indexed if indexed else estimate.absolute
    if value is None:
        return None
    words = RENAL_EQUATIONS[wanted].name
    if value is not estimate.own:
        words += f", converted to {covariate.unit} by body surface"
    return float(f"{value.value:.6g}"), "computed", words
