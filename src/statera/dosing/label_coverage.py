"""For which drugs, regions and indications the library holds label rules."""

from __future__ import annotations

from dataclasses import dataclass

from statera.dosing.indications import indications_of
from statera.dosing.label_scope import NOT_STATED, REGIONS
from statera.library.drug import drugs, load_drug
from statera.library.label_rule import Authority

__all__ = ["LabelCoverage", "label_coverage"]


@dataclass(frozen=True)
class LabelCoverage:
    """Rules of one drug in one region.

    Attributes
    ----------
    drug, region
        Names as `decide` takes them.
    indications
        Indications that the rules name; rules for all of them are not repeated.
    rules
        Number of rules, the vendor's claims left out.
    """

    drug: str
    region: str
    indications: tuple[str, ...]
    rules: int


def label_coverage() -> tuple[LabelCoverage, ...]:
    """Return what the library covers; regions without a rule of a drug are left out."""
    found = []
    for name in drugs():
        for region in REGIONS:
            rules = [
                r
                for r in load_drug(name).labels
                if (region in r.covers or (region == NOT_STATED and not r.covers))
                and r.authority is not Authority.CLAIM
            ]
            if rules:
                found.append(LabelCoverage(name, region, indications_of(rules), len(rules)))
    return tuple(found)
