"""Which rules of the library count for a drug in a region."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from statera.errors import DomainError, UnknownNameError
from statera.library.drug import Drug, drugs, load_drug
from statera.library.label_rule import LabelRule

__all__ = [
    "NOT_STATED",
    "REGIONS",
    "class_members",
    "resolve_region",
    "rules_elsewhere",
    "rules_for",
]

NOT_STATED = "unspecified"
"""Region of rules whose source names none."""

REGIONS: dict[str, str] = {
    "US": "United States",
    "EU": "European Union",
    "UK": "United Kingdom",
    "CH": "Switzerland",
    "Ontario": "Ontario (Canada)",
    NOT_STATED: "jurisdiction not stated by the source",
}
"""Regions of label rules."""

_MEMBER = re.compile(r"\(([^)]*)\)")


def resolve_region(text: str) -> str:
    """Return a region by its short or long name, in any case.

    Raises
    ------
    UnknownNameError
        If no rule is of such a region.
    """
    word = text.strip().lower()
    for short, long in REGIONS.items():
        if word in (short.lower(), long.lower()):
            return short
    raise UnknownNameError("region", text, REGIONS)


def rules_for(drug: Drug, region: str) -> tuple[LabelRule, ...]:
    """Return the rules of a drug that count in a region.

    Rules of the region and of several regions together come first, then those whose source names
    no region, then rules about the whole class that stand in another drug's file.

    Raises
    ------
    DomainError
        If the library holds no rule of the drug in the region.
    """
    own = [r for r in drug.labels if region in r.covers]
    unstated = [r for r in drug.labels if not r.covers]
    if region == NOT_STATED:
        own, unstated = unstated, []
    if not own:
        has = [
            r for r in REGIONS if r != NOT_STATED and any(r in rule.covers for rule in drug.labels)
        ]
        others = ", ".join(has) or "no region by name"
        also = f"; rules without a region: --region {NOT_STATED}" if unstated else ""
        raise DomainError(
            f"the library holds no label rule of {drug.name} for {REGIONS[region]}",
            where="region",
            hint=f"It holds rules for: {others}{also}. No rule here does not mean that there is "
            "none.",
        )
    of_class = [r for r in _class_rules() if r.drug != drug.name and region in r.covers]
    return (*own, *unstated, *of_class)


def is_here(rule: LabelRule, region: str) -> bool:
    """Return True for a rule that counts in a region: one of it, or one without a region."""
    return not rule.covers or region in rule.covers


def rules_elsewhere(drug: Drug, region: str) -> tuple[LabelRule, ...]:
    """Return the rules of a drug in other regions; those without a region count everywhere."""
    return tuple(r for r in drug.labels if r.covers and region not in r.covers)


@lru_cache(maxsize=1)
def _class_rules() -> tuple[LabelRule, ...]:
    """Return the rules about the whole class, which stand in the file of one drug."""
    return tuple(r for name in drugs() for r in load_drug(name).labels if r.indications)


@lru_cache(maxsize=1)
def class_members() -> Mapping[str, str]:
    """Return class by medicine, as the label rules themselves give examples in brackets."""
    found: dict[str, str] = {}
    for name in drugs():
        for rule in load_drug(name).labels:
            if rule.interactant_class:
                for example in _MEMBER.findall(rule.interactant):
                    found[example.lower()] = rule.interactant_class
                found.setdefault(rule.interactant_class.lower(), rule.interactant_class)
    return MappingProxyType(found)
