"""Inhibition of kinases, and of the receptors that use them, from enzyme potencies."""

from __future__ import annotations

from dataclasses import dataclass

from statera.engagement import (
    ASSUMPTIONS,
    BasisRule,
    KinaseInhibition,
    ReceptorInhibition,
    ReceptorKinases,
    expected_inhibition,
    kinase_inhibition,
    parse_kinases,
)
from statera.engagement.receptor import JAKS
from statera.errors import InputError
from statera.library import Cytokine
from statera.monograph.context import Context
from statera.monograph.sections.engagement_potencies import Entry, PotencySet

__all__ = ["RULES", "KinaseState", "basis_rules", "enzyme_entries", "kinase_state", "kinases_of"]

RULES = ("limiting_kinase", "independent")
"""The two assumptions shown side by side, by their key in `statera.engagement.ASSUMPTIONS`."""


@dataclass(frozen=True)
class KinaseState:
    """Inhibition of the kinases at one total concentration.

    Attributes
    ----------
    total_nM
        Total concentration, nM.
    kinases
        By name; only those with an enzyme potency.
    entries
        The potencies behind them.
    """

    total_nM: float
    kinases: dict[str, KinaseInhibition]
    entries: tuple[Entry, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """Ids of the sources of the potencies."""
        return tuple(dict.fromkeys(s for e in self.entries for s in e.sources))

    def receptor(self, kinases: ReceptorKinases, rule: str) -> ReceptorInhibition:
        """Return the inhibition of a receptor under a rule."""
        by_kinase = {name: found.value for name, found in self.kinases.items()}
        return expected_inhibition(kinases, by_kinase, ASSUMPTIONS[rule])


def enzyme_entries(context: Context, potencies: PotencySet) -> tuple[Entry, ...]:
    """Return the enzyme potencies of single kinases, in the order of the JAKs.

    Those of the library; the user's own only where the library has none, so that a page never
    mixes both in one number.
    """

    def usable(entry: Entry) -> bool:
        p = entry.potency
        if p.matrix != "enzyme" or p.is_of_metabolite or p.target.strip().upper() not in JAKS:
            return False
        return p.unit == "nM" or context.molar_mass is not None

    found = [e for e in potencies.entries if usable(e)]
    shown = [e for e in found if not e.is_users] or found
    return tuple(sorted(shown, key=lambda e: JAKS.index(e.potency.target.strip().upper())))


def kinase_state(context: Context, entries: tuple[Entry, ...], total_nM: float) -> KinaseState:
    """Return the inhibition of each kinase at a total concentration, nM."""
    potencies = [e.potency.in_nM(context.molar_mass) for e in entries]
    found = kinase_inhibition(total_nM, potencies, context.unbound_fraction)
    return KinaseState(total_nM, found, entries)


def basis_rules(state: KinaseState) -> tuple[BasisRule, ...]:
    """Return the rules that chose the concentrations, each once."""
    rules = [basis.rule for found in state.kinases.values() for _, basis in found.used]
    return tuple({rule.key: rule for rule in rules}.values())


def kinases_of(cytokine: Cytokine) -> ReceptorKinases:
    """Return the kinases listed for a cytokine, ``?`` for a partner that the source leaves open."""
    names = list(cytokine.jaks)
    if names and not cytokine.jaks_complete:
        names.append("?")
    try:
        return parse_kinases(";".join(names))
    except InputError:  # a name that is no JAK: its inhibition cannot be computed
        return ReceptorKinases(tuple(names), note="not all of them are JAKs")
