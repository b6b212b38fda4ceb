"""Judge the renal condition of a rule by the measure that the rule names."""

from __future__ import annotations

from collections.abc import Mapping

from statera.dosing.clause import Clause, within
from statera.dosing.renal_measures import RenalMeasures
from statera.library.label_rule import Effect, LabelRule, RenalMetric, RenalStage
from statera.library.renal_stages import STAGE_LIMITS

__all__ = ["NAMES", "renal_clause", "renal_range"]

NAMES: Mapping[RenalMetric, tuple[str, str]] = {
    RenalMetric.CRCL: ("creatinine clearance", "mL/min"),
    RenalMetric.EGFR: ("eGFR", "mL/min/1.73 m2"),
}
"""Name and unit of each measure."""


def renal_range(rule: LabelRule) -> tuple[RenalMetric, float | None, float | None] | None:
    """Return measure and limits of a rule; those of its stages where it names no numbers.

    A rule that lowers the dose in severe impairment also holds below it, where no other stage is
    named: renal failure is not milder than severe impairment.
    """
    if rule.renal_low is not None or rule.renal_high is not None:
        assert rule.renal_metric is not None
        return rule.renal_metric, rule.renal_low, rule.renal_high
    if not rule.renal_stages:
        return None
    low = min(STAGE_LIMITS[s][0] for s in rule.renal_stages)
    high = max(STAGE_LIMITS[s][1] for s in rule.renal_stages)
    lowers = rule.effect is not Effect.NO_ADJUSTMENT
    if lowers and RenalStage.SEVERE in rule.renal_stages:
        low = 0.0
    return RenalMetric.EGFR, low or None, high


def renal_clause(
    rule: LabelRule, estimates: RenalMeasures, findings: Mapping[str, bool]
) -> Clause | None:
    """Return whether renal function lies in the range of the rule; None for no such range."""
    found = renal_range(rule)
    if found is None:
        return None
    metric, low, high = found
    name, unit = NAMES[metric]
    by_stage = f" ({' or '.join(s.value for s in rule.renal_stages)})" if rule.renal_stages else ""
    if findings.get("dialysis"):
        return Clause(low is None, f"dialysis counts as renal failure{by_stage}")
    known = estimates.of(metric)
    if not known:
        limits = within(None, low, high, name, unit).text.partition("(")[2].rstrip(")")
        return Clause(
            None,
            f"{estimates.why_none(metric)}; {limits}{by_stage}",
            (f"{name} ({unit})",),
        )
    value = known[0]
    clause = within(value.value, low, high, name, unit)
    return Clause(clause.holds, f"{clause.text}{by_stage} [{value.equation}]")
