"""Combine the rules that apply into a dose, no dose, or what is still unsettled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from statera.dosing.dose import Dose
from statera.dosing.judge import STOPS, Judgement
from statera.dosing.patient import Patient
from statera.dosing.preference import preferred, subject
from statera.library.label_rule import Effect, LabelRule, Response

__all__ = ["NO_USUAL_DOSE", "Combined", "SetAside", "combine", "less_cautious_than"]

NO_USUAL_DOSE = "the library holds no usual dose for this person here"
"""Reason that is left where no rule gives a dose."""

_LOWERING = (Effect.LIMIT, Effect.FACTOR, Effect.STEPS)


@dataclass(frozen=True)
class SetAside:
    """A rule that applied and was not followed, and the one that was followed instead."""

    rule: LabelRule
    followed: LabelRule


@dataclass(frozen=True)
class Combined:
    """What a set of rules says.

    Attributes
    ----------
    stop
        The gravest effect that ends in no dose; None where none applies.
    doses
        The doses that are left, those the label allows besides marked as optional.
    unsettled
        Why no dose can be given although none of the rules forbids it.
    deciding
        The rules that gave the result.
    set_aside
        Rules on the same subject that were not followed.
    remarks
        Sentences on how the result was reached.
    is_present_dose
        True where the present dose stood in for a usual dose that is not known.
    """

    stop: Effect | None = None
    doses: tuple[Dose, ...] = ()
    unsettled: tuple[str, ...] = ()
    deciding: tuple[Judgement, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    remarks: tuple[str, ...] = ()
    is_present_dose: bool = False

    @property
    def highest_daily_mg(self) -> float:
        """The highest daily amount that is not optional; infinite where none is known."""
        return max((d.daily_mg for d in self.doses if not d.optional), default=float("inf"))

    def same_result(self, other: Combined) -> bool:
        """Return True where both end in the same."""
        return (self.stop, self.doses, bool(self.unsettled)) == (
            other.stop,
            other.doses,
            bool(other.unsettled),
        )


def less_cautious_than(one: Combined, other: Combined) -> bool:
    """Return True where `other` gives less, or nothing, where `one` gives a dose."""
    if other.stop is not None:
        return one.stop is None
    if one.stop is not None:
        return False
    if other.unsettled:
        return not one.unsettled
    if one.unsettled:
        return False
    return other.highest_daily_mg < one.highest_daily_mg


def combine(applying: Sequence[Judgement], patient: Patient, region: str) -> Combined:
    """Return what the rules that apply say together."""
    stopping = [j for effect in STOPS for j in applying if j.effect is effect]
    if stopping:
        return Combined(stop=stopping[0].effect, deciding=tuple(stopping))
    found = _base(applying, patient, region)
    found = _limited(found, _with(applying, Effect.LIMIT), patient)
    found = _lowered(found, applying)
    return _unsettled(found, applying)


def _with(applying: Iterable[Judgement], *effects: Effect) -> list[Judgement]:
    return [j for j in applying if j.effect in effects]


def doses_of(rule: LabelRule, patient: Patient, region: str = "") -> list[Dose]:
    """Return the doses of a rule that hold for this part of treatment, response and region."""
    if not rule.doses:
        if rule.dose_mg is None:
            return []
        return [Dose(rule.dose_mg, rule.frequency, duration=_duration(rule))]
    fits = [
        d
        for d in rule.doses
        if (d.part is None or patient.part is None or d.part is patient.part)
        and (not d.covers or not region or d.covers == region)
    ]
    return [
        Dose(d.mg, d.frequency, d.form, d.duration or _duration(rule), d.optional)
        for d in fits
        if d.response is None or _answers(patient, d.response)
    ]


def _answers(patient: Patient, wanted: Response) -> bool:
    found = patient.response
    return found is wanted or (wanted is Response.INADEQUATE and found is Response.NONE)


def _duration(rule: LabelRule) -> str:
    return rule.duration if rule.effect in (Effect.BASE, Effect.RAISE) else ""


def _base(applying: Sequence[Judgement], patient: Patient, region: str) -> Combined:
    """Return the usual dose, or the higher one that the response allows."""
    usual = _with(applying, Effect.BASE)
    raised = _with(applying, Effect.RAISE)
    if not usual:
        if patient.on_dose is None:
            return Combined()
        return Combined(doses=(patient.on_dose,), is_present_dose=True)
    followed = preferred(usual)
    doses = tuple(doses_of(followed.rule, patient, region))
    aside = tuple(
        SetAside(j.rule, followed.rule)
        for j in usual
        if j is not followed and _amounts(doses_of(j.rule, patient, region)) != _amounts(doses)
    )
    deciding: tuple[Judgement, ...] = (followed,)
    if raised:
        up = preferred(raised)
        doses, deciding = tuple(doses_of(up.rule, patient, region)), (followed, up)
    return Combined(doses=doses, deciding=deciding, set_aside=aside)


def _amounts(doses: Iterable[Dose]) -> set[tuple[float, str]]:
    return {(d.mg, d.frequency) for d in doses}


def _limited(found: Combined, limits: Sequence[Judgement], patient: Patient) -> Combined:
    """Return the doses that no limit forbids, or the lowest limit itself."""
    by_subject: dict[str, list[Judgement]] = {}
    for j in limits:
        by_subject.setdefault(subject(j.rule), []).append(j)
    for group in by_subject.values():
        followed = preferred(group)
        allowed = doses_of(followed.rule, patient)
        strict = min(d.daily_mg for d in allowed)
        loose = max(d.daily_mg for d in allowed)
        given = next(d for d in allowed if d.daily_mg == strict)
        aside = tuple(
            SetAside(j.rule, followed.rule)
            for j in group
            if j is not followed and _amounts(doses_of(j.rule, patient)) != _amounts(allowed)
        )
        before = found.doses
        found = replace(
            found,
            doses=_within_limit(before, given, strict, loose),
            set_aside=(*found.set_aside, *aside),
        )
        if found.doses != before or not before or _binds(before, strict):
            found = replace(found, deciding=(*found.deciding, followed))
    return found


def _binds(doses: Sequence[Dose], strict: float) -> bool:
    """Return True where a limit equals the dose: it then supports the decision."""
    return any(d.daily_mg == strict for d in doses)


def _within_limit(
    doses: Sequence[Dose], given: Dose, strict: float, loose: float
) -> tuple[Dose, ...]:
    kept = [d for d in doses if d.daily_mg <= strict]
    also = [replace(d, optional=True) for d in doses if strict < d.daily_mg <= loose]
    if any(not d.optional for d in kept):
        return (*kept, *also)
    duration = doses[0].duration if doses else ""
    main = replace(given, duration=given.duration or duration, optional=False)
    return (main, *(d for d in kept if d.mg != main.mg), *also)


def _lowered(found: Combined, applying: Sequence[Judgement]) -> Combined:
    """Apply factors and steps, except where a rule on the same subject gave a dose."""
    given = {subject(j.rule): j for j in _with(applying, Effect.LIMIT)}
    done: set[str] = set()
    for j in sorted(_with(applying, Effect.FACTOR, Effect.STEPS), key=lambda j: j.rule.id):
        about = subject(j.rule)
        if about in given:
            found = _compare_with_limit(found, j, given[about])
            continue
        same = [k for k in _with(applying, Effect.FACTOR, Effect.STEPS) if subject(k.rule) == about]
        if about in done or preferred(same) is not j:
            continue
        done.add(about)
        if not found.doses:
            found = replace(found, unsettled=(*found.unsettled, (
                f"the rule '{j.rule.action}' needs a dose to start from, and the library holds no "
                "usual dose here: give the present dose"
            )), deciding=(*found.deciding, j))  # fmt: skip
            continue
        found = _apply(found, j)
    return found


def _compare_with_limit(found: Combined, factor: Judgement, limit: Judgement) -> Combined:
    """Record that a factor was not applied, unless it would have given the same."""
    factor_of = factor.rule.dose_factor
    bases = [j.rule for j in found.deciding if j.effect is Effect.BASE]
    usual = bases[0].dose_mg if bases else None
    amounts = {d.mg for d in found.doses if not d.optional}
    lowest_other = _lowest_without(found, limit)
    start = lowest_other if lowest_other is not None else usual
    if factor_of is not None and start is not None and amounts == {start * factor_of}:
        return found
    aside = SetAside(factor.rule, preferred([factor, limit]).rule)
    if aside.followed is factor.rule:
        return _apply(found, factor)
    return replace(found, set_aside=(*found.set_aside, aside))


def _lowest_without(found: Combined, limit: Judgement) -> float | None:
    """Return the lowest amount that the other limits among the deciding rules give."""
    others = [
        j.rule.dose_mg
        for j in found.deciding
        if j.effect is Effect.LIMIT and j is not limit and j.rule.dose_mg is not None
    ]
    return min(others, default=None)


def _apply(found: Combined, j: Judgement) -> Combined:
    rule = j.rule
    if rule.steps:
        table = {(s.from_mg, s.from_frequency): (s.to_mg, s.to_frequency) for s in rule.steps}
        doses, remarks = [], []
        for d in found.doses:
            to = table.get((d.mg, d.frequency))
            doses.append(replace(d, mg=to[0], frequency=to[1]) if to else d)
            if to is None:
                remarks.append(f"The rule '{rule.action}' names no step from {d}.")
        new = tuple(dict.fromkeys(doses))
        return replace(
            found,
            doses=_without_repeats(new),
            deciding=(*found.deciding, j),
            remarks=(*found.remarks, *remarks),
        )
    factor = rule.dose_factor or 1.0
    scaled = tuple(replace(d, mg=d.mg * factor) for d in found.doses)
    return replace(found, doses=scaled, deciding=(*found.deciding, j))


def _without_repeats(doses: Sequence[Dose]) -> tuple[Dose, ...]:
    """Drop an optional dose whose amount is given anyway."""
    main = _amounts(d for d in doses if not d.optional)
    return tuple(d for d in doses if not d.optional or (d.mg, d.frequency) not in main)


def _unsettled(found: Combined, applying: Sequence[Judgement]) -> Combined:
    """Add what keeps the dose from being known."""
    reasons, deciding = list(found.unsettled), list(found.deciding)
    lowering = _with(applying, *_LOWERING)
    settled = {subject(j.rule) for j in lowering}
    for j in _with(applying, Effect.REDUCE):
        if subject(j.rule) not in settled:
            reasons.append(
                f"a rule applies that lowers the dose ('{j.rule.action}') without saying to what"
            )
            deciding.append(j)
    for j in _with(applying, Effect.NOT_STUDIED):
        reasons.append(f"not studied: {j.rule.condition}")
        deciding.append(j)
    lowered = any(j.effect in _LOWERING for j in found.deciding)
    if not reasons and (not found.doses or (found.is_present_dose and not lowered)):
        reasons.append(NO_USUAL_DOSE)
    remarks = found.remarks
    if found.is_present_dose and lowered:
        remarks = (
            *remarks,
            "The library holds no usual dose here; the present dose was taken as the dose before "
            "adjustment.",
        )
    return replace(
        found,
        unsettled=tuple(dict.fromkeys(reasons)),
        deciding=tuple(dict.fromkeys(deciding)),
        remarks=remarks,
    )
