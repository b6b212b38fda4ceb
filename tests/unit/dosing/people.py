"""People for label rules: healthy and fully known, or as one rule asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from statera.dosing import Dose, Patient, Phase
from statera.dosing.blood_count import to_canonical
from statera.dosing.clearance import AbsoluteClearance, IndexedGFR
from statera.dosing.judge_renal import renal_range
from statera.library import FINDINGS, HepaticClass, LabelRule, Population, RenalMetric, RuleKind
from statera.library.label_rule import Response, TreatmentPart

NO_FINDINGS = dict.fromkeys(FINDINGS, False) | {
    "hospitalised": True,
    "severe_disease": True,
    "prior_dmard_failure": True,
}


def healthy(**changes: Any) -> Patient:
    """An adult of 40 of whom everything is known, before the start, with nothing abnormal.

    `findings` is added to the findings; `crcl` and `egfr` may be plain numbers.
    """
    base = Patient(
        age=40.0,
        weight_kg=70.0,
        crcl=AbsoluteClearance(95.0),
        egfr=IndexedGFR(95.0),
        alc=1.5,
        anc=4.0,
        plt=250.0,
        hb=13.5,
        hb_fall=0.0,
        hepatic=HepaticClass.NONE,
        medicines=(),
        findings=NO_FINDINGS,
        phase=Phase.START,
        part=TreatmentPart.MAINTENANCE,
    )
    if "findings" in changes:
        changes["findings"] = {**NO_FINDINGS, **changes["findings"]}
    for key, kind in (("crcl", AbsoluteClearance), ("egfr", IndexedGFR)):
        if isinstance(changes.get(key), int | float):
            changes[key] = kind(float(changes[key]))
    return replace(base, **changes)


def witness(rule: LabelRule) -> Patient:
    """A person for whom the condition of a rule holds."""
    changes: dict[str, Any] = {"age": 10.0 if rule.population is Population.PAEDIATRIC else 40.0}
    if rule.age_low_y is not None or rule.age_high_y is not None:
        changes["age"] = rule.age_low_y if rule.age_low_y is not None else 1.0
    if rule.weight_low_kg is not None:
        changes["weight_kg"] = rule.weight_low_kg
    found = renal_range(rule)
    if found is not None:
        metric, low, high = found
        value = low if low is not None else 0.5 * (high or 0.0)
        changes["crcl" if metric is RenalMetric.CRCL else "egfr"] = value
    if rule.hepatic:
        changes["hepatic"] = rule.hepatic[0]
    if rule.interactant_class:
        changes["medicines"] = (rule.interactant_class,)
    named = [n for n in rule.any_of if n in FINDINGS][:1]
    changes["findings"] = dict.fromkeys((*named, *rule.requires), True)
    if rule.kind is RuleKind.LABORATORY_TREATMENT or rule.response or rule.on_dose_mg:
        changes["phase"] = Phase.TREATMENT
    changes["part"] = rule.part or TreatmentPart.INDUCTION
    if rule.response is not None:
        changes["response"] = Response(rule.response)
    if rule.on_dose_mg is not None:
        changes["on_dose"] = Dose(rule.on_dose_mg, "QD")
    if rule.weeks_from is not None:
        changes["week"] = rule.weeks_from
    for limit in rule.thresholds[:1]:
        unit = limit.unit or limit.assumed_unit
        edge = limit.at_least if limit.at_least is not None else 0.9 * (limit.below or 0.0)
        changes[limit.analyte.lower()] = to_canonical(edge, unit, limit.analyte)
    return healthy(**changes)
