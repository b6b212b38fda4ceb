"""Binding to plasma protein: the fact of a drug, and the unbound fraction that follows."""

from __future__ import annotations

from statera.library.drug import Drug
from statera.sources.fact import Fact

__all__ = ["protein_binding", "unbound_fraction"]


def protein_binding(drug: Drug) -> Fact | None:
    """Return the first fact that states the binding of a drug to plasma protein, in per cent."""
    for fact in drug.facts_in("pharmacokinetics"):
        if fact.get("quantity") == "protein_binding" and fact.number is not None:
            return fact
    return None


def unbound_fraction(fact: Fact | None) -> float | None:
    """Return the unbound fraction in plasma that a fact of `protein_binding` means, or None."""
    if fact is None or fact.number is None:
        return None
    return 1.0 - fact.number / 100.0
