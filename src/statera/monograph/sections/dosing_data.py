"""Results of the dosing section as plain data."""

from __future__ import annotations

from typing import Any

from statera.monograph.sections.dosing_compare import Difference
from statera.monograph.sections.dosing_facts import NetEffect
from statera.monograph.sections.dosing_renal import RenalEffect
from statera.monograph.sections.dosing_text import claimed

__all__ = ["difference_data", "effect_data", "net_data"]


def effect_data(effect: RenalEffect) -> dict[str, Any]:
    """Return the effect of a renal rule, or why none was computed."""
    rule = effect.rule
    found: dict[str, Any] = {
        "rule": rule.id,
        "region": rule.region,
        "measure": rule.renal_metric.value if rule.renal_metric else None,
        "claim": claimed(rule),
        "sources": [rule.source],
    }
    if effect.dose is None or effect.standard is None:
        return {**found, "not_computed": effect.reason}
    return {
        **found,
        "dose": effect.dose.label,
        "standard": {"rule": effect.standard.id, "region": effect.standard.region},
        "points": list(effect.points),
        "ratios": list(effect.ratios),
        "auc24_middle": effect.auc_middle,
        "unit": effect.unit,
        "ratio_middle_dose_kept": effect.unchanged,
        "warnings": list(effect.warnings),
    }


def difference_data(difference: Difference) -> dict[str, Any]:
    """Return a difference between two regions."""
    first, second = difference.first, difference.second
    return {
        "indication": difference.indication,
        "about": difference.about,
        "rules": [[first.region, first.id], [second.region, second.id]],
        "sources": [first.source, second.source],
    }


def net_data(effect: NetEffect) -> dict[str, Any]:
    """Return an interaction rule with the measured ratio that it leaves."""
    return {
        "rule": effect.rule.id,
        "region": effect.rule.region,
        "fact": effect.fact.id,
        "dose_factor": effect.factor,
        "net_ratio": [effect.net, effect.low, effect.high],
        "sources": [effect.rule.source, effect.fact.source],
    }
