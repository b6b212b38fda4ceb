"""A decision as plain data, every rule with its source."""

from __future__ import annotations

from typing import Any

from statera.dosing.decision import Alternative, Decision
from statera.dosing.decision_text import DISCLAIMER
from statera.dosing.decision_words import rule_words
from statera.dosing.dose import Dose
from statera.dosing.judge import Judgement
from statera.library.label_rule import LabelRule
from statera.library.references import find_source

__all__ = ["decision_data"]


def decision_data(decision: Decision) -> dict[str, Any]:
    """Return a decision as plain data.

    ``doses`` is empty unless the outcome is ``dose``; ``so_far`` is no decision.
    """
    return {
        "drug": decision.drug,
        "region": decision.region,
        "indication": decision.indication,
        "outcome": decision.outcome.value,
        "sentence": decision.sentence,
        "doses": [_dose(d) for d in decision.doses],
        "so_far": [_dose(d) for d in decision.so_far],
        "until": decision.until,
        "missing": list(decision.missing),
        "deciding": [_judgement(j) for j in decision.deciding],
        "alternatives": [_alternative(a) for a in decision.alternatives],
        "restrictions": [_judgement(j) for j in decision.restrictions],
        "advice": [_judgement(j) for j in decision.advice],
        "disagreements": [
            {
                "sentence": d.sentence,
                "rules": [list(rule) for rule in d.rules],
                "sources": list(d.sources),
            }
            for d in decision.disagreements
        ],
        "near_cut": [
            {
                "measure": n.measure,
                "unit": n.unit,
                "cut": n.cut,
                "value": n.value,
                "corrected": n.corrected,
                "crosses": n.crosses,
                "sentence": n.sentence,
                "source": n.source,
            }
            for n in decision.near_cut
        ],
        "remarks": list(decision.remarks),
        "considered": [_judgement(j) for j in decision.considered],
        "preference": decision.preference,
        "disclaimer": DISCLAIMER,
    }


def _dose(dose: Dose) -> dict[str, Any]:
    return {
        "mg": dose.mg,
        "frequency": dose.frequency,
        "daily_mg": dose.daily_mg,
        "form": dose.form,
        "duration": dose.duration,
        "optional": dose.optional,
        "words": str(dose),
    }


def _judgement(j: Judgement) -> dict[str, Any]:
    return {
        **_rule(j.rule),
        "verdict": j.verdict.value,
        "why": j.why,
        "missing": list(j.missing),
        "effect": j.effect.value if j.effect is not None else None,
    }


def _alternative(a: Alternative) -> dict[str, Any]:
    return {
        **_rule(a.rule),
        "missing": list(a.missing),
        "result": a.result,
        "more_cautious": a.more_cautious,
    }


def _rule(rule: LabelRule) -> dict[str, Any]:
    source = find_source(rule.source)
    return {
        "rule": rule.id,
        "rule_region": rule.region,
        "authority": rule.authority.value,
        "says": rule_words(rule),
        "source": rule.source,
        "source_title": source.title,
        "source_url": source.url,
        "source_year": source.year,
        "locator": rule.locator,
        "grade": rule.grade.value,
        "status": rule.status.value,
        "note": rule.note,
    }
