"""Decide by label rules: the dose of one person, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence

from statera.dosing.alternatives import find_alternatives
from statera.dosing.combine import Combined, combine
from statera.dosing.creatinine_rise import creatinine_rise
from statera.dosing.decision import Alternative, Decision, Outcome
from statera.dosing.decision_words import doses_words, outcome_sentence, result_words, until_words
from statera.dosing.disagreements import disagreements
from statera.dosing.dose import Dose
from statera.dosing.indications import indications_of, is_for, resolve_indication
from statera.dosing.interactions_measured import measured_interactions
from statera.dosing.judge import NOT_READ, Judgement, Verdict
from statera.dosing.judge_renal import NAMES
from statera.dosing.judge_rules import judge_rules
from statera.dosing.label_scope import is_here, resolve_region, rules_elsewhere, rules_for
from statera.dosing.near_cut import creatinine_shifted, near_cuts
from statera.dosing.patient import Patient
from statera.dosing.preference import PREFERENCE
from statera.dosing.renal_measures import RenalMeasures, renal_measures
from statera.errors import DomainError
from statera.library.drug import load_drug
from statera.library.label_rule import Authority, Effect, LabelRule, Population, RenalMetric

__all__ = ["decide"]

_STOPPED = {
    Effect.NOT_RECOMMENDED: Outcome.NOT_RECOMMENDED,
    Effect.DO_NOT_START: Outcome.DO_NOT_START,
    Effect.INTERRUPT: Outcome.INTERRUPT,
    Effect.DISCONTINUE: Outcome.DISCONTINUE,
}


def decide(drug: str, region: str, patient: Patient, *, indication: str) -> Decision:
    """Return what the label rules that the library holds say of one person's dose.

    Nothing that is not given is taken as normal: a rule whose condition is not known stays open,
    and where it could lower the dose the outcome is ``cannot_be_decided``.

    Parameters
    ----------
    drug
        Name or trade name.
    region
        Such as ``EU``; see `statera.dosing.REGIONS`.
    patient
        What is known of the person.
    indication
        Such as ``RA``.

    Raises
    ------
    UnknownNameError
        If drug, region or indication are not known.
    DomainError
        If the library holds no rule of the drug in the region, or none for the indication there.
    """
    known = load_drug(drug)
    region, indication = resolve_region(region), resolve_indication(indication)
    rules = rules_for(known, region)
    named = indications_of(r for r in rules if r.authority is not Authority.CLAIM)
    if indication not in named:
        raise DomainError(
            f"the library holds no rule of {known.name} for {indication} in {region}",
            where="indication",
            hint=f"It holds rules for: {', '.join(named)}. No rule here does not mean that there "
            "is none.",
        )
    estimates = renal_measures(patient)
    elsewhere = rules_elsewhere(known, region)
    judged = judge_rules(rules, elsewhere, patient, region, indication, estimates)
    others = _other_estimates(known.name, rules, patient, indication, region, estimates, judged)
    return _decide(known.name, region, indication, patient, estimates, judged, others)


def _other_estimates(
    drug: str,
    rules: Sequence[LabelRule],
    patient: Patient,
    indication: str,
    region: str,
    estimates: RenalMeasures,
    judged: Sequence[Judgement],
) -> tuple[str, ...]:
    """Return a sentence for each other estimate of renal function that would change the result."""
    found = combine(_applying(judged), patient, region)
    tries: list[tuple[str, Patient, RenalMeasures]] = []
    for metric in RenalMetric:
        for index, value in enumerate(estimates.of(metric)):
            if index > 0:
                again = estimates.starting_with(metric, index)
                name = NAMES[metric][0]
                by = value.equation.replace("stated", "the stated value", 1)
                tries.append((f"By {by}, {name} is {value}", patient, again))
    shifted = creatinine_shifted(creatinine_rise(drug), patient)
    if shifted is not None and shifted.creatinine is not None:
        said = f"With creatinine of {shifted.creatinine.umol_l:.1f} umol/L"
        tries.append((said, shifted, renal_measures(shifted)))
    sentences = []
    for said, person, again in tries:
        other = combine(
            _applying(judge_rules(rules, (), person, region, indication, again)), person, region
        )
        if not other.same_result(found):
            sentences.append(f"{said}: the rules would then give: {result_words(other)}.")
    return tuple(sentences)


def _applying(judged: Sequence[Judgement]) -> list[Judgement]:
    return [j for j in judged if j.verdict is Verdict.APPLIES]


def _decide(
    drug: str,
    region: str,
    indication: str,
    patient: Patient,
    estimates: RenalMeasures,
    judged: tuple[Judgement, ...],
    others: tuple[str, ...],
) -> Decision:
    applying = _applying(judged)
    found = combine(applying, patient, region)
    alternatives = (
        ()
        if found.stop
        else find_alternatives(found, applying, judged, patient, region, indication)
    )
    outcome = _outcome(found, alternatives, judged, patient)
    mine = [j for j in judged if is_for(j.rule, indication) and is_here(j.rule, region)]
    decided = outcome is Outcome.DOSE
    waits = outcome is Outcome.CANNOT_BE_DECIDED
    missing = _missing(alternatives, found) if waits else ()
    so_far = _so_far(found, applying, judged, patient, region) if waits else ()
    return Decision(
        drug,
        region,
        indication,
        outcome,
        outcome_sentence(outcome, found, so_far, missing, mine, patient),
        doses=found.doses if decided else (),
        so_far=so_far,
        until=until_words(found) if outcome is Outcome.INTERRUPT else "",
        deciding=_deciding(outcome, found, mine),
        considered=judged,
        alternatives=alternatives,
        missing=missing,
        restrictions=tuple(j for j in applying if j.effect is Effect.WARN),
        advice=tuple(j for j in applying if j.effect is Effect.CONSIDER),
        disagreements=disagreements(
            drug, indication, region, patient, found, mine, _sources(judged)
        ),
        near_cut=near_cuts(drug, [j.rule for j in mine], patient, estimates),
        remarks=(*_remarks(drug, found, patient, estimates, mine), *others),
        preference=PREFERENCE,
    )


def _so_far(
    found: Combined,
    applying: Sequence[Judgement],
    judged: Sequence[Judgement],
    patient: Patient,
    region: str,
) -> tuple[Dose, ...]:
    """Return the doses by what is known, none where there is no usual dose.

    Rules that were read for others and whose condition holds count here: a higher dose than theirs
    is not what is known.
    """
    if found.unsettled:
        return ()
    for_others = [
        j
        for j in judged
        if j.verdict is Verdict.OPEN and all(m.startswith(NOT_READ) for m in j.missing)
    ]
    cautious = combine([*applying, *for_others], patient, region)
    return () if cautious.stop is not None or cautious.unsettled else cautious.doses


def _sources(judged: Sequence[Judgement]) -> frozenset[str]:
    return frozenset(j.rule.source for j in judged if j.rule.authority is not Authority.CLAIM)


def _outcome(
    found: Combined,
    alternatives: Sequence[Alternative],
    judged: Sequence[Judgement],
    patient: Patient,
) -> Outcome:
    if any(j.effect is Effect.NOT_INDICATED and j.verdict is Verdict.APPLIES for j in judged):
        return Outcome.NOT_INDICATED
    approvals = [j for j in judged if j.effect is Effect.APPROVE and not _other(j)]
    if approvals and all(j.holds is False for j in approvals):
        return Outcome.NOT_INDICATED
    if found.stop is not None:
        return _STOPPED[found.stop]
    usual = [
        j
        for j in judged
        if j.effect is Effect.BASE and j.verdict is not Verdict.NOT_USED and not _other(j)
    ]
    if usual and all(j.holds is False for j in usual) and not _gives_dose(found):
        approved = any(j.holds is not False for j in approvals)
        gap = approved and not any(_same_age_group(j.rule, patient) for j in usual)
        return Outcome.CANNOT_BE_DECIDED if gap else Outcome.NO_RULE
    if _course_is_over(found, patient):
        return Outcome.COURSE_COMPLETE
    if found.unsettled or any(a.more_cautious for a in alternatives):
        return Outcome.CANNOT_BE_DECIDED
    return Outcome.DOSE


def _same_age_group(rule: LabelRule, patient: Patient) -> bool:
    """Return True where a rule is for the patient's age group, whatever else it asks for."""
    child = patient.age is not None and patient.age < 18.0
    own = Population.PAEDIATRIC if child else Population.ADULT
    return rule.population in (own, Population.ALL)


def _other(j: Judgement) -> bool:
    """Return True for a rule that was put aside because it is for another indication."""
    return j.why.startswith("the rule is for ") and j.verdict is Verdict.DOES_NOT_APPLY


def _gives_dose(found: Combined) -> bool:
    return bool(found.doses) or any(j.effect is not Effect.REDUCE for j in found.deciding)


def _course_is_over(found: Combined, patient: Patient) -> bool:
    lengths = [j.rule.course_days for j in found.deciding if j.rule.course_days is not None]
    if not lengths:
        return False
    past = patient.course_day is not None and patient.course_day > min(lengths)
    return past or patient.findings.get("discharged") is True


def _deciding(
    outcome: Outcome, found: Combined, mine: Sequence[Judgement]
) -> tuple[Judgement, ...]:
    if outcome is Outcome.NOT_INDICATED:
        return tuple(
            j
            for j in mine
            if (j.effect is Effect.NOT_INDICATED and j.verdict is Verdict.APPLIES)
            or (j.effect is Effect.APPROVE and j.holds is False)
        )
    if outcome is Outcome.NO_RULE:
        return tuple(j for j in mine if j.effect is Effect.BASE)
    return found.deciding


def _missing(alternatives: Sequence[Alternative], found: Combined) -> tuple[str, ...]:
    waiting = [a for a in alternatives if a.more_cautious or found.unsettled]
    items = [m for a in waiting for m in a.missing]
    return tuple(dict.fromkeys(items or found.unsettled))


def _remarks(
    drug: str,
    found: Combined,
    patient: Patient,
    estimates: RenalMeasures,
    mine: Sequence[Judgement],
) -> tuple[str, ...]:
    remarks = [*found.remarks, *estimates.remarks]
    if not estimates.clearances and any(j.rule.renal_metric is RenalMetric.CRCL for j in mine):
        why = estimates.why_none(RenalMetric.CRCL)
        remarks.append(f"{why[:1].upper()}{why[1:]}.")
    for j in found.deciding:
        rule = j.rule
        if rule.authority is Authority.NOT_STATED:
            remarks.append(f"The rule '{rule.condition}' is from a source that names no region.")
        elif rule.authority in (Authority.GUIDELINE, Authority.REVIEW):
            remarks.append(
                f"The rule '{rule.condition}' is from a {rule.authority.value}, not from a label."
            )
        if rule.renal_stages and j.effect is not Effect.NO_ADJUSTMENT:
            remarks.append(
                f"The rule '{rule.condition}' names a stage and no number; the limits are those of "
                "a general classification of GFR (CKD_STAGES)."
            )
    if patient.on_dose is not None and found.doses:
        highest = max(d.daily_mg for d in found.doses)
        if patient.on_dose.daily_mg > highest:
            remarks.append(
                f"The present dose of {patient.on_dose} is above {doses_words(found.doses)}."
            )
    remarks += [
        f"The indication as read asks for a condition that is not known: {', '.join(j.missing)}."
        for j in mine
        if j.effect is Effect.APPROVE and j.verdict is Verdict.OPEN
    ]
    remarks += measured_interactions(drug, patient.medicines)
    return tuple(dict.fromkeys(remarks))
