"""Potencies of a drug at the kinases of a network: the library's, and the user's in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from statera.engagement.potency import potencies_from_facts
from statera.errors import InputError, UnknownNameError
from statera.library import load_drug, load_model, models_of
from statera.library.protein_binding import protein_binding, unbound_fraction
from statera.mechanism.kinase_potencies import KinasePotencies, kinase_potencies
from statera.model import Model
from statera.pathway.jak_inhibition import KinasePotency

__all__ = ["BASES", "model_of_drug", "potencies_of_drug"]

BASES = ("unbound", "total")
"""What a potency is compared with."""


def model_of_drug(drug: str) -> Model:
    """Return the first population model of a drug.

    Raises
    ------
    InputError
        If the library has none.
    """
    found = models_of(drug)
    if not found:
        raise InputError(
            f"the library has no population model of {drug}",
            hint="Give a model of your own.",
        )
    return load_model(found[0])


def potencies_of_drug(
    drug: str,
    kinases: Sequence[str],
    *,
    ic50: Mapping[str, float] | None = None,
    basis: str = "unbound",
    unbound: float | None = None,
    molar_mass: float | None = None,
) -> KinasePotencies:
    """Return the potencies at these kinases.

    Parameters
    ----------
    drug
        Of the library.
    kinases
        Wanted, such as those of the marks of a network.
    ic50
        In nM by kinase, in place of the library's.
    basis
        What these are compared with: unbound drug, or total (whole blood).
    unbound, molar_mass
        In place of the library's fraction and g/mol.

    Raises
    ------
    UnknownNameError
        If drug or basis are not known.
    """
    if basis not in BASES:
        raise UnknownNameError("basis", basis, BASES)
    own = dict(ic50 or {})
    loaded = load_drug(drug)
    fraction = unbound if unbound is not None else unbound_fraction(protein_binding(loaded))
    known, _ = potencies_from_facts(loaded.facts_in("potency"))
    mass = molar_mass if molar_mass is not None else loaded.identity.molar_mass
    wanted = [k for k in kinases if k not in own]
    found = kinase_potencies(known, wanted, fraction, molar_mass=mass)
    given = {
        k: KinasePotency(v, unbound=basis == "unbound" and fraction is not None)
        for k, v in own.items()
    }
    notes = tuple(f"{k}: {v:g} nM as given, {basis} drug, slope 1" for k, v in own.items())
    return KinasePotencies({**found.values, **given}, found.sources, (*found.notes, *notes))
