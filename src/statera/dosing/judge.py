"""Judge one label rule for one person: it applies, it does not, or it cannot be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from statera.dosing.blood_count import ANALYTES, to_canonical
from statera.dosing.clause import Clause, all_of, any_of, within
from statera.dosing.judge_renal import renal_clause
from statera.dosing.patient import Patient, Phase
from statera.dosing.renal_measures import RenalMeasures
from statera.library.label_rule import (
    FINDINGS,
    Effect,
    HepaticClass,
    LabelRule,
    Population,
    Response,
    RuleKind,
    Threshold,
)

__all__ = [
    "CAUTIOUS",
    "NOT_READ",
    "ON_TREATMENT",
    "STOPS",
    "Judgement",
    "Situation",
    "Verdict",
    "judge",
]

STOPS: tuple[Effect, ...] = (
    Effect.DISCONTINUE,
    Effect.NOT_RECOMMENDED,
    Effect.DO_NOT_START,
    Effect.INTERRUPT,
)
"""Effects that end in no dose, the gravest first."""

CAUTIOUS: frozenset[Effect] = frozenset(
    {*STOPS, Effect.LIMIT, Effect.FACTOR, Effect.STEPS, Effect.REDUCE, Effect.NOT_STUDIED}
)
"""Effects that lower the dose or leave none."""

_ADULT = 18.0
_SATISFIES: Mapping[Response, frozenset[Response]] = MappingProxyType(
    {
        Response.INADEQUATE: frozenset({Response.INADEQUATE, Response.NONE}),
        Response.NONE: frozenset({Response.NONE}),
        Response.ADEQUATE: frozenset({Response.ADEQUATE, Response.SUSTAINED}),
        Response.SUSTAINED: frozenset({Response.SUSTAINED}),
    }
)
_NOT_STARTED = "treatment has not started"

ON_TREATMENT = "on treatment"
"""Ends what is missing where a limit for the start was read and none for values on treatment."""

NOT_READ = "what the label says of"
"""Begins what is missing where a rule names others than this person and none was read for them."""


class Verdict(StrEnum):
    """What was found of a rule."""

    APPLIES = "applies"
    DOES_NOT_APPLY = "does_not_apply"
    OPEN = "open"
    NOT_USED = "not_used"


@dataclass(frozen=True)
class Judgement:
    """A rule and what was found of it.

    Attributes
    ----------
    rule
        The rule.
    verdict
        ``not_used`` for a superseded rule, a vendor's claim or one that is not executable,
        whatever its condition.
    holds
        Whether the condition holds; None where it cannot be judged.
    why
        The condition as it stands for this person.
    missing
        What would have to be known.
    effect
        What the rule does; None for one that is not executable.
    """

    rule: LabelRule
    verdict: Verdict
    holds: bool | None
    why: str
    missing: tuple[str, ...] = ()
    effect: Effect | None = None


@dataclass(frozen=True)
class Situation:
    """What rules are judged against.

    Attributes
    ----------
    patient, indication
        The person, and what is treated.
    renal
        Estimates of renal function.
    members
        Medicines by the class that a rule names, from the rules themselves.
    hepatic_named
        Hepatic classes that some rule of this drug, region and indication names.
    watched
        Analytes for which some rule of this drug and region has a limit on treatment.
    """

    patient: Patient
    indication: str
    renal: RenalMeasures
    members: Mapping[str, str] = field(default_factory=dict)
    hepatic_named: frozenset[HepaticClass] = frozenset()
    watched: frozenset[str] = frozenset()


def judge(rule: LabelRule, situation: Situation) -> Judgement:
    """Return what is found of a rule."""
    if rule.not_executable:
        return Judgement(rule, Verdict.NOT_USED, None, rule.not_executable)
    effect = rule.effect
    clause = all_of([c for c in _clauses(rule, situation) if c is not None])
    if rule.thresholds:
        laboratory, effect = _laboratory(rule, situation.patient)
        clause = all_of([clause, laboratory])
    verdict = {True: Verdict.APPLIES, False: Verdict.DOES_NOT_APPLY, None: Verdict.OPEN}[
        clause.holds
    ]
    why = clause.text or "the rule has no further condition"
    return Judgement(rule, verdict, clause.holds, why, clause.missing, effect)


def _clauses(rule: LabelRule, situation: Situation) -> Iterable[Clause | None]:
    patient = situation.patient
    own = {
        "age": _age(rule, patient),
        "renal": renal_clause(rule, situation.renal, patient.findings),
    }
    yield _population(rule, patient)
    if rule.any_of:
        yield any_of([own.get(name) or _finding(name, patient) for name in rule.any_of])
    for name, clause in own.items():
        if clause is not None and name not in rule.any_of:
            yield clause
    if rule.weight_low_kg is not None or rule.weight_high_kg is not None:
        yield within(patient.weight_kg, rule.weight_low_kg, rule.weight_high_kg, "weight", "kg")
    for name in rule.requires:
        yield _finding(name, patient)
    yield _hepatic(rule, situation)
    yield _interaction(rule, situation)
    yield _phase(rule, situation)
    yield _part(rule, patient)
    yield _response(rule, patient)
    if rule.on_dose_mg is not None:
        yield _on_dose(rule.on_dose_mg, patient)
    if rule.weeks_from is not None:
        yield within(patient.week, rule.weeks_from, None, "duration of treatment", "weeks")


def _age(rule: LabelRule, patient: Patient) -> Clause | None:
    if rule.age_low_y is None and rule.age_high_y is None:
        return None
    return within(patient.age, rule.age_low_y, rule.age_high_y, "age", "years")


def _population(rule: LabelRule, patient: Patient) -> Clause | None:
    """Return whether the rule is for this age group.

    A rule recorded for adults that would lower the dose stays open for a child: that it was read
    for adults does not say that it is not meant for children.
    """
    if rule.population is Population.ALL or rule.effect is Effect.NOT_INDICATED:
        return None
    age = patient.age
    if age is not None and (age >= _ADULT) is (rule.population is Population.ADULT):
        return Clause(True, rule.population.value)
    if rule.population is Population.PAEDIATRIC:
        return within(age, None, _ADULT, "age", "years")
    if age is not None and age < _ADULT and rule.effect in CAUTIOUS:
        return Clause(
            None,
            "the rule is recorded for adults; what holds for children was not read",
            (f"{NOT_READ} children",),
        )
    return within(age, _ADULT, None, "age", "years")


def _finding(name: str, patient: Patient) -> Clause:
    words = FINDINGS[name]
    present = patient.findings.get(name)
    if present is None:
        return Clause(None, f"{words}: not known", (words,))
    return Clause(present, f"{words}: {'yes' if present else 'no'}")


def _hepatic(rule: LabelRule, situation: Situation) -> Clause | None:
    if not rule.hepatic:
        return None
    found = situation.patient.hepatic
    named = " or ".join(c.value for c in rule.hepatic)
    if found is None:
        return Clause(None, f"hepatic function is not known ({named})", ("hepatic function",))
    if found in rule.hepatic:
        return Clause(True, f"hepatic impairment is {found.value}")
    order = list(HepaticClass)
    worse = order.index(found) > max(order.index(c) for c in rule.hepatic)
    if worse and rule.effect in CAUTIOUS and found not in situation.hepatic_named:
        return Clause(
            None,
            f"hepatic impairment is {found.value}, the rule names {named}, and no rule was read "
            f"for {found.value}",
            (f"{NOT_READ} {found.value} hepatic impairment",),
        )
    return Clause(False, f"hepatic impairment is {found.value}, not {named}")


def _interaction(rule: LabelRule, situation: Situation) -> Clause | None:
    wanted = rule.interactant_class
    if not wanted:
        return None
    medicines = situation.patient.medicines
    if medicines is None:
        return Clause(
            None, f"other medicines are not known ({wanted})", (f"whether a {wanted} is taken",)
        )
    unknown = []
    classes = set(situation.members.values())
    for medicine in medicines:
        name, _, stated = (part.strip() for part in medicine.partition("="))
        of = stated or (name if name in classes else situation.members.get(name.lower(), ""))
        if of.lower() == wanted.lower():
            return Clause(True, f"{name} is taken" + ("" if name == wanted else f", a {wanted}"))
        if not of:
            unknown.append(name)
    if unknown:
        return Clause(
            None,
            f"the library does not know whether {', '.join(unknown)} is a {wanted}",
            tuple(f"whether {name} is a {wanted}" for name in unknown),
        )
    return Clause(False, f"no {wanted} is taken")


def _phase(rule: LabelRule, situation: Situation) -> Clause | None:
    """Return whether a laboratory rule is for this phase.

    A limit for the start stays open on treatment where none was read for values on treatment.
    """
    patient = situation.patient
    wanted = {
        RuleKind.LABORATORY_START: Phase.START,
        RuleKind.LABORATORY_TREATMENT: Phase.TREATMENT,
    }.get(rule.kind)
    if wanted is None:
        return None
    words = "before the start" if wanted is Phase.START else "on treatment"
    if patient.phase is None:
        return Clause(
            None,
            f"the rule is for values {words}; whether treatment starts or goes on is not known",
            ("whether treatment starts or is under way",),
        )
    unwatched = sorted({t.analyte for t in rule.thresholds} - situation.watched)
    if wanted is Phase.START and patient.phase is Phase.TREATMENT and unwatched:
        return Clause(
            None,
            "the rule is for values before the start, and none was read for values on treatment",
            (f"{NOT_READ} low {', '.join(unwatched)} {ON_TREATMENT}",),
        )
    return Clause(
        patient.phase is wanted,
        words if patient.phase is wanted else f"the rule is for values {words}",
    )


def _part(rule: LabelRule, patient: Patient) -> Clause | None:
    by_part = [d.part.value for d in rule.doses if d.part is not None]
    if rule.part is None and not by_part:
        return None
    if patient.part is None:
        named = rule.part.value if rule.part else " or ".join(dict.fromkeys(by_part))
        return Clause(
            None,
            f"the rule is for {named}; the part of treatment is not known",
            ("part of treatment (induction or maintenance)",),
        )
    if rule.part is None:
        return Clause(patient.part.value in by_part, f"part of treatment: {patient.part.value}")
    return Clause(patient.part is rule.part, f"part of treatment: {patient.part.value}")


def _response(rule: LabelRule, patient: Patient) -> Clause | None:
    if rule.response is None:
        return None
    if patient.phase is Phase.START:
        return Clause(False, _NOT_STARTED)
    if patient.response is None:
        return Clause(
            None,
            f"the rule is for a response that is {rule.response.value}; it is not known",
            ("response to treatment",),
        )
    return Clause(
        patient.response in _SATISFIES[rule.response],
        f"response to treatment: {patient.response.value}",
    )


def _on_dose(mg: float, patient: Patient) -> Clause:
    if patient.phase is Phase.START:
        return Clause(False, _NOT_STARTED)
    if patient.on_dose is None:
        return Clause(None, f"the rule is for {mg:g} mg; the present dose is not known", (
            "present dose",
        ))  # fmt: skip
    return Clause(patient.on_dose.mg == mg, f"present dose: {patient.on_dose}")


def _laboratory(rule: LabelRule, patient: Patient) -> tuple[Clause, Effect | None]:
    """Return whether one of the limits is met, and the gravest effect that may follow."""
    judged = [(t.effect or rule.effect, _threshold(t, patient)) for t in rule.thresholds]
    joined = any_of([clause for _, clause in judged])
    relevant = [e for e, clause in judged if e is not None and clause.holds is joined.holds]
    gravest = min(
        relevant, key=lambda e: STOPS.index(e) if e in STOPS else len(STOPS), default=rule.effect
    )
    return joined, gravest


def _threshold(limit: Threshold, patient: Patient) -> Clause:
    unit = limit.unit or limit.assumed_unit
    canonical = ANALYTES[limit.analyte]

    def convert(value: float | None) -> float | None:
        return None if value is None else to_canonical(value, unit, limit.analyte)

    if limit.fall_over is not None:
        fall = patient.hb_fall
        name = f"fall of {limit.analyte}"
        if fall is None:
            return Clause(None, f"{name} is not known", (name,))
        over = fall > limit.fall_over
        return Clause(over, f"{name} {fall:g} {canonical} is {'' if over else 'not '}above "
                            f"{limit.fall_over:g}")  # fmt: skip
    clause = within(
        patient.laboratory(limit.analyte),
        convert(limit.at_least),
        convert(limit.below),
        limit.analyte,
        canonical,
    )
    if limit.unit or clause.holds is None:
        return clause
    return Clause(clause.holds, f"{clause.text} (unit of the limit by its size)", clause.missing)
