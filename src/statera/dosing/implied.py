"""Whether one label rule cannot apply without another."""

from __future__ import annotations

from statera.dosing.preference import subject
from statera.library.label_rule import LabelRule

__all__ = ["implies"]

_CONDITIONS = (
    *("population", "weight_low_kg", "weight_high_kg", "renal_metric", "renal_low", "renal_high"),
    *("renal_stages", "hepatic", "interactant_class", "thresholds", "part", "response"),
    *("on_dose_mg", "weeks_from", "requires", "kind"),
)


def implies(one: LabelRule, other: LabelRule) -> bool:
    """Return True where `other` applies to everybody to whom `one` applies.

    Both are on the same subject with the same conditions, and `other` is content with any finding
    that `one` is content with.
    """
    if subject(one) != subject(other):
        return False
    if any(getattr(one, key) != getattr(other, key) for key in _CONDITIONS):
        return False
    if not one.any_of:
        ages = ("age_low_y", "age_high_y")
        return not other.any_of and all(getattr(one, a) == getattr(other, a) for a in ages)
    return set(one.any_of) - {"age", "renal"} == set(one.any_of) and set(one.any_of) <= set(
        other.any_of
    )
