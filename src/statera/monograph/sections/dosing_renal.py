"""What each renal dose rule does to exposure, by simulation of the typical subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from statera.library import LabelRule, RenalMetric, RuleKind
from statera.model import Covariate
from statera.monograph.context import Context, DoseOption
from statera.monograph.sections.dosing_text import (
    METRIC_WORDS,
    claimed,
    indications_in,
)
from statera.report.document import Method

__all__ = [
    "MEASURES",
    "RENAL_METHOD",
    "RenalEffect",
    "dose_of",
    "renal_covariate",
    "renal_effects",
]

RENAL_METHOD = Method(
    "renal-rule",
    "Exposure under a renal dose rule",
    "The typical subject of the primary model is solved at steady state: the standard dose at the "
    "model's reference renal function, and the dose of the rule at the lower limit, the middle and "
    "the upper limit of the rule's range. The exposure is the AUC over 24 h (AUC of one dosing "
    "interval times the doses in 24 h); the ratio is rule over standard. Where a range is open "
    "upwards, the model's reference stands for its upper limit; where it is open downwards, the "
    "lower limit is left out and the middle is half of the upper limit. Only rules that "
    "name the measure of renal function used by the model are computed; creatinine clearance in "
    "mL/min and eGFR in mL/min/1.73 m² are not converted into each other. Random effects are 0, so "
    "the ratio says nothing about the spread between patients.",
)

MEASURES = {"EGFR": RenalMetric.EGFR, "CRCL": RenalMetric.CRCL}
_INTERVALS = {"QD": 24.0, "BID": 12.0}


@dataclass(frozen=True)
class RenalEffect:
    """Exposure under one rule; `reason` says why nothing was computed.

    Attributes
    ----------
    points
        Renal function at the lower limit, middle and upper limit, unit of the measure; None
        for a limit that is open.
    ratios
        AUC over 24 h of the rule's dose at these points over that of the standard dose at the
        reference.
    auc_middle
        AUC over 24 h at the middle, in the unit of the model.
    unchanged
        Ratio at the middle if the standard dose were kept.
    standard
        The rule whose dose is the standard.
    warnings
        Of the simulations: values outside the model's data.
    """

    rule: LabelRule
    dose: DoseOption | None = None
    standard: LabelRule | None = None
    points: tuple[float | None, float, float] = (None, 0.0, 0.0)
    ratios: tuple[float | None, float, float] = (None, 0.0, 0.0)
    auc_middle: float = 0.0
    unchanged: float = 0.0
    unit: str = ""
    warnings: tuple[str, ...] = ()
    reason: str = ""


def renal_covariate(context: Context) -> Covariate | None:
    """Return the measure of renal function in the primary model, if it has one."""
    if context.model is None:
        return None
    names = [n for n in MEASURES if n in context.model.covariates]
    return context.model.covariates[names[0]] if names else None


def renal_effects(context: Context) -> tuple[RenalEffect, ...]:
    """Return the effect of every renal rule that is not superseded, or why there is none."""
    covariate = renal_covariate(context)
    rules = [r for r in context.drug.labels if r.kind is RuleKind.RENAL and not r.superseded]
    return tuple(_effect(context, covariate, rule) for rule in rules)


def _effect(context: Context, covariate: Covariate | None, rule: LabelRule) -> RenalEffect:
    if context.model is None:
        return RenalEffect(rule, reason="no population model of the drug in the library")
    if covariate is None:
        return RenalEffect(rule, reason="the model has no term for renal function")
    if rule.renal_metric is None:
        return RenalEffect(rule, reason="the rule names a stage, not a range of a measure")
    if rule.renal_metric is not MEASURES[covariate.name]:
        return RenalEffect(
            rule, reason=f"another measure than the model's ({METRIC_WORDS[_metric(covariate)]})"
        )
    standard = _standard(context.drug.labels, rule)
    usual = dose_of(standard) if standard else None
    dose = _dose(rule, usual)
    if dose is None or usual is None or standard is None:
        return RenalEffect(rule, reason="the rule gives no dose to simulate")
    return _simulate(context, covariate, rule, standard, dose)


def _metric(covariate: Covariate) -> RenalMetric:
    return MEASURES[covariate.name]


def _simulate(
    context: Context,
    covariate: Covariate,
    rule: LabelRule,
    standard: LabelRule,
    dose: DoseOption,
) -> RenalEffect:
    usual = dose_of(standard)
    assert usual is not None
    reference, unit, _ = _auc(context, covariate, usual, covariate.reference)
    low, high = rule.renal_low, rule.renal_high
    upper = max(covariate.reference, low or 0.0) if high is None else high
    middle = 0.5 * ((low or 0.0) + upper)
    points = (low, middle, upper)
    found = [None if p is None else _auc(context, covariate, dose, p) for p in points]
    kept, _, _ = _auc(context, covariate, usual, middle)
    warnings = dict.fromkeys(w for f in found if f for w in f[2])
    at_middle, at_upper = found[1], found[2]
    assert at_middle is not None
    assert at_upper is not None
    lower = found[0][0] / reference if found[0] else None
    return RenalEffect(
        rule,
        dose,
        standard,
        points,
        (lower, at_middle[0] / reference, at_upper[0] / reference),
        at_middle[0],
        kept / reference,
        unit,
        tuple(warnings),
    )


def _auc(
    context: Context, covariate: Covariate, dose: DoseOption, value: float
) -> tuple[float, str, tuple[str, ...]]:
    """Return the AUC over 24 h at steady state, its unit and warnings about the covariate."""
    result = context.run(dose.at_steady_state(), typical=True, covariates={covariate.name: value})
    output = next(iter(result.window_values))
    area = float(result.endpoint("AUC")[0]) * 24.0 / dose.interval
    about = tuple(w for w in result.warnings if w.startswith(covariate.name))
    return area, result.unit_of("AUC", output), about


def _standard(labels: Sequence[LabelRule], rule: LabelRule) -> LabelRule | None:
    """Return the rule with the standard dose: same indication first, then same region."""
    wanted = set(indications_in(rule))
    found = [
        r
        for r in labels
        if r.kind is RuleKind.STANDARD and dose_of(r) and not r.superseded and not claimed(r)
    ]

    def rank(r: LabelRule) -> tuple[bool, bool, bool]:
        shares = wanted == {"all"} or bool(wanted & set(indications_in(r)))
        return (not shares, r.region != rule.region, not r.condition.startswith("standard"))

    return min(found, key=rank, default=None)


def dose_of(rule: LabelRule) -> DoseOption | None:
    """Return the repeated dose of a rule; None where it gives no single one."""
    interval = _INTERVALS.get(rule.frequency)
    return DoseOption(rule.dose_mg, interval) if rule.dose_mg and interval else None


def _dose(rule: LabelRule, usual: DoseOption | None) -> DoseOption | None:
    """Return the dose of a rule: a step that it names, else its factor on the usual dose.

    Half of a twice-daily dose is the same amount once daily.
    """
    if usual is not None:
        for step in rule.steps:
            before = DoseOption(step.from_mg, _INTERVALS[step.from_frequency])
            if before == usual:
                return DoseOption(step.to_mg, _INTERVALS[step.to_frequency])
    if rule.dose_factor is None or usual is None:
        return dose_of(rule)
    if rule.dose_factor == 0.5 and usual.interval == 12.0:
        return DoseOption(usual.amount, 24.0)
    return DoseOption(usual.amount * rule.dose_factor, usual.interval)
