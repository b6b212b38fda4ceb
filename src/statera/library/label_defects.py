"""What is wrong inside one label rule."""

from __future__ import annotations

from collections.abc import Iterator

from statera.library.label_rule import FINDINGS, Effect, LabelRule, RuleKind
from statera.library.schema import TEXTUAL_UNITS
from statera.units import is_unit

__all__ = ["rule_defects"]

_LABORATORY = (RuleKind.LABORATORY_START, RuleKind.LABORATORY_TREATMENT)


def rule_defects(rule: LabelRule) -> Iterator[tuple[str, str]]:
    """Yield key and sentence for what is wrong inside one rule."""
    yield from _number_defects(rule)
    yield from _threshold_defects(rule)
    yield from _effect_defects(rule)


def _number_defects(rule: LabelRule) -> Iterator[tuple[str, str]]:
    for key in ("dose_mg", "dose_factor"):
        value = getattr(rule, key)
        if value is not None and value <= 0:
            yield key, f"{key} is {value:g}, not above 0"
    ranges = (("age", "_y"), ("weight", "_kg"), ("renal", ""))
    for name, suffix in ranges:
        low = getattr(rule, f"{name}_low{suffix}")
        high = getattr(rule, f"{name}_high{suffix}")
        if low is not None and high is not None and low >= high:
            yield f"{name}_low{suffix}", f"the range of {name} is empty: {low:g} to {high:g}"
    has_limit = rule.renal_low is not None or rule.renal_high is not None
    if has_limit and rule.renal_metric is None:
        yield "renal_low", "renal limits without 'metric': clearance and eGFR are not the same"


def _threshold_defects(rule: LabelRule) -> Iterator[tuple[str, str]]:
    if rule.kind in _LABORATORY and not rule.thresholds:
        yield "kind", "a laboratory rule needs 'thresholds'"
    for limit in rule.thresholds:
        if limit.below is None and limit.at_least is None and limit.fall_over is None:
            yield "thresholds", f"the threshold of {limit.analyte} has no limit"
        for unit in (limit.unit, limit.assumed_unit):
            if unit and unit not in TEXTUAL_UNITS and not is_unit(unit):
                yield "thresholds", f"'{unit}' is not a unit"
        if not limit.unit and not limit.assumed_unit:
            yield "thresholds", f"the threshold of {limit.analyte} has no unit and no assumed one"


def _effect_defects(rule: LabelRule) -> Iterator[tuple[str, str]]:
    if (rule.effect is None) == (not rule.not_executable):
        yield "effect", "a rule has either an 'effect' or says under 'not_executable' why none"
    gives = rule.dose_mg is not None or bool(rule.doses)
    if rule.effect in (Effect.BASE, Effect.LIMIT, Effect.RAISE) and not gives:
        yield "effect", f"the effect '{rule.effect}' needs a dose"
    if gives and not rule.frequency and rule.effect is not Effect.STEPS:
        yield "dose_mg", "a dose without 'frequency'"
    if (rule.effect is Effect.FACTOR) and rule.dose_factor is None:
        yield "effect", "the effect 'factor' needs 'dose_factor'"
    if (rule.effect is Effect.STEPS) != bool(rule.steps):
        yield "effect", "the effect 'steps' and the key 'steps' go together"
    for key in ("any_of", "requires"):
        known = {*FINDINGS, "age", "renal"} if key == "any_of" else set(FINDINGS)
        for name in getattr(rule, key):
            if name not in known:
                yield key, f"'{name}' is none of {', '.join(sorted(known))}"
