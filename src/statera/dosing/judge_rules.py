"""Judge all rules of a drug in a region for one person and indication."""

from __future__ import annotations

from collections.abc import Sequence

from statera.dosing.indications import is_for
from statera.dosing.judge import Judgement, Situation, Verdict, judge
from statera.dosing.judge_others import (
    judge_elsewhere,
    judge_for_another,
    not_used,
    topics,
)
from statera.dosing.label_scope import class_members
from statera.dosing.patient import Patient
from statera.dosing.renal_measures import RenalMeasures
from statera.library.label_rule import LabelRule, RuleKind

__all__ = ["judge_rules"]


def judge_rules(
    rules: Sequence[LabelRule],
    elsewhere: Sequence[LabelRule],
    patient: Patient,
    region: str,
    indication: str,
    estimates: RenalMeasures,
) -> tuple[Judgement, ...]:
    """Return what is found of every rule, in the order of the rules.

    Of the rules of other regions only those are returned that stay open for this one.

    Parameters
    ----------
    rules
        Rules of one drug that count in one region, for whatever indication.
    elsewhere
        Rules of the drug in other regions.
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
    own = frozenset(topic for r in mine if not not_used(r) for topic in topics(r))
    found = []
    for rule in rules:
        if not is_for(rule, indication):
            found.append(judge_for_another(rule, situation, own))
            continue
        judged = judge(rule, situation)
        reason = not_used(rule)
        if reason:
            why = f"{reason}; its condition: {judged.why}"
            judged = Judgement(
                rule, Verdict.NOT_USED, judged.holds, why, judged.missing, judged.effect
            )
        found.append(judged)
    return (*found, *judge_elsewhere(elsewhere, rules, situation, region))
