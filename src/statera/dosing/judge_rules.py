"""Judge all rules of a drug in a region for one person and indication."""

from __future__ import annotations

from collections.abc import Sequence

from statera.dosing.indications import is_for
from statera.dosing.judge import CAUTIOUS, NOT_READ, Judgement, Situation, Verdict, judge
from statera.dosing.label_scope import class_members
from statera.dosing.patient import Patient
from statera.dosing.preference import subject
from statera.dosing.renal_measures import RenalMeasures
from statera.library.label_rule import Authority, LabelRule, RuleKind

__all__ = ["judge_rules"]

_TOPICS = {"renal": "renal function", "hepatic": "hepatic impairment"}


def judge_rules(
    rules: Sequence[LabelRule], patient: Patient, indication: str, estimates: RenalMeasures
) -> tuple[Judgement, ...]:
    """Return what is found of every rule, in the order of the rules.

    Parameters
    ----------
    rules
        Rules of one drug that count in one region, for whatever indication.
    estimates
        Renal function of the patient.
    """
    mine = [r for r in rules if is_for(r, indication)]
    situation = Situation(
        patient,
        indication,
        estimates,
        class_members(),
        frozenset(c for r in mine for c in r.hepatic),
        frozenset(
            t.analyte
            for r in rules
            if r.kind is RuleKind.LABORATORY_TREATMENT
            for t in r.thresholds
        ),
    )
    own = {_topic(r) for r in mine if not _not_used(r)}
    found = []
    for rule in rules:
        if not is_for(rule, indication):
            found.append(_for_another(rule, situation, own))
            continue
        judged = judge(rule, situation)
        reason = _not_used(rule)
        if reason:
            why = f"{reason}; its condition: {judged.why}"
            judged = Judgement(
                rule, Verdict.NOT_USED, judged.holds, why, judged.missing, judged.effect
            )
        found.append(judged)
    return tuple(found)


def _topic(rule: LabelRule) -> tuple[RuleKind, str]:
    return rule.kind, subject(rule)


def _for_another(
    rule: LabelRule, situation: Situation, own: set[tuple[RuleKind, str]]
) -> Judgement:
    """Return what is found of a rule for another indication.

    It does not apply; but where it would lower the dose, its condition holds or is not known, and
    no rule on the same was read for this indication, it stays open: that none was read is no
    reason to think that there is none.
    """
    why = f"the rule is for {rule.indication}"
    other = Judgement(rule, Verdict.DOES_NOT_APPLY, False, why, (), rule.effect)
    if rule.effect not in CAUTIOUS or rule.indications or _topic(rule) in own or _not_used(rule):
        return other
    judged = judge(rule, situation)
    if judged.holds is False:
        return other
    if judged.holds is None:
        open_why = f"{why}, none on this was read for {situation.indication}; {judged.why}"
        return Judgement(rule, Verdict.OPEN, None, open_why, judged.missing, judged.effect)
    topic = subject(rule).removeprefix("laboratory: ").removeprefix("interaction: ")
    topic = _TOPICS.get(topic, topic)
    return Judgement(
        rule,
        Verdict.OPEN,
        None,
        f"{why}; its condition holds here ({judged.why}), and no rule on this was read for "
        f"{situation.indication}",
        (f"{NOT_READ} {topic} in {situation.indication}",),
        judged.effect,
    )


def _not_used(rule: LabelRule) -> str:
    if rule.superseded:
        return "superseded by a later rule"
    if rule.authority is Authority.CLAIM:
        return "a claim that only the vendor's overview makes"
    return ""
