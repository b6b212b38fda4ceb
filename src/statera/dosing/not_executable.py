"""What the library holds about dosing and no decision is made from, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from statera.library.drug import drugs, load_drug
from statera.library.label_rule import Authority

__all__ = ["NotExecutable", "not_executable"]

_FACT_REASONS = {
    "interaction_AUC": (
        "a measured ratio, not an instruction on the dose; shown where the medicine is named"
    ),
    "renal_impairment_ratio": "a measured change of exposure, not an instruction on the dose",
    "thalf": "a half-life, not an instruction on the dose",
}
_TABLES = {
    "tofacitinib": ("pk-ketoconazole-auc", "pk-rifampin-auc", "pk-half-life-ibd-table"),
    "upadacitinib": (
        *("pk-cyp3a-inhibitor-exposure", "pk-inducer-exposure", "pk-renal-impairment-exposure"),
        *("pk-half-life-er", "pk-half-life-ibd-table"),
    ),
    "filgotinib": ("pk-half-life-ibd-table",),
}


@dataclass(frozen=True)
class NotExecutable:
    """A rule or fact that decides nothing.

    Attributes
    ----------
    drug
        Name in the library.
    where
        Region and id of a rule, such as ``us_eua/covid-history-2020-11``, or ``facts/`` and the id
        of a fact.
    reason
        Why.
    """

    drug: str
    where: str
    reason: str


def not_executable() -> tuple[NotExecutable, ...]:
    """Return what decides nothing: history, superseded rules, claims and measured values."""
    found = []
    for name in drugs():
        for rule in load_drug(name).labels:
            reason = rule.not_executable
            if rule.superseded:
                reason = "superseded by a later rule; judged and shown as a disagreement"
            elif rule.authority is Authority.CLAIM:
                reason = (
                    "a claim that only the vendor's overview makes; judged and shown, and the "
                    "decision waits where it would be more cautious"
                )
            if reason:
                found.append(NotExecutable(name, f"{rule.region}/{rule.id}", reason))
    for name, ids in _TABLES.items():
        drug = load_drug(name)
        for fact_id in ids:
            quantity = drug.fact(fact_id).get("quantity")
            found.append(NotExecutable(name, f"facts/{fact_id}", _FACT_REASONS[quantity]))
    return tuple(found)
