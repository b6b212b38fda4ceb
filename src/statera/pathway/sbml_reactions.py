"""Reactions: kinetic laws, stoichiometries and what they change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from statera.numerics.expression import symbol
from statera.pathway.network import Reaction
from statera.pathway.sbml_functions import number
from statera.pathway.sbml_math import Formulas
from statera.pathway.sbml_names import Names, elements

__all__ = ["amount_rates", "read_laws", "read_reactions", "reference_values"]


def read_laws(formulas: Formulas, names: Names) -> tuple[dict[str, sp.Expr], list[str]]:
    """Return the kinetic law of each reaction by its name, and notes on those without one.

    Raises
    ------
    InputError
        If a reaction is fast.
    """
    file = formulas.file
    laws: dict[str, sp.Expr] = {}
    notes = []
    for reaction in elements(file.model.getListOfReactions()):
        key = reaction.getIdAttribute()
        if reaction.isSetFast() and reaction.getFast():
            raise file.refusal(
                reaction,
                "is fast, which is not supported",
                hint="Give it a kinetic law much faster than the others, and fast='false'.",
            )
        law = reaction.getKineticLaw()
        if law is None or not law.isSetMath():
            notes.append(f"reaction '{key}' has no kinetic law: it does not take place")
            laws[names.ids[key]] = sp.Integer(0)
            continue
        laws[names.ids[key]] = formulas.expression(law, names.local_symbols(key))
    return laws, notes


def reference_values(names: Names, model: Any) -> dict[str, float | None]:
    """Return the stoichiometry written in each species reference that has an id, by name."""
    return {
        names.ids[reference.getIdAttribute()]: (
            reference.getStoichiometry() if reference.isSetStoichiometry() else None
        )
        for reaction in elements(model.getListOfReactions())
        for side in (reaction.getListOfReactants(), reaction.getListOfProducts())
        for reference in elements(side)
        if names.ids.get(reference.getIdAttribute()) in names.references
    }


def read_reactions(
    formulas: Formulas, names: Names, laws: Mapping[str, sp.Expr], named: frozenset[str]
) -> tuple[Reaction, ...]:
    """Return the reactions of a file.

    Parameters
    ----------
    named
        Species references that stand in formulas by their name.
    """
    found = []
    for reaction in elements(formulas.file.model.getListOfReactions()):
        name = names.ids[reaction.getIdAttribute()]
        found.append(
            Reaction(
                name,
                laws[name],
                _side(formulas, names, reaction.getListOfReactants(), named),
                _side(formulas, names, reaction.getListOfProducts(), named),
                tuple(
                    _species(formulas, names, m) for m in elements(reaction.getListOfModifiers())
                ),
                bool(reaction.getReversible()),
                reaction.getName(),
            )
        )
    return tuple(found)


def _side(
    formulas: Formulas, names: Names, references: Any, named: frozenset[str]
) -> tuple[tuple[str, sp.Expr], ...]:
    return tuple(
        (_species(formulas, names, reference), _stoichiometry(formulas, names, reference, named))
        for reference in elements(references)
    )


def _species(formulas: Formulas, names: Names, reference: Any) -> str:
    key = reference.getSpecies()
    if formulas.file.model.getSpecies(key) is None:
        raise formulas.file.refusal(reference, "refers to a species that is not in the model")
    return names.ids[key]


def _stoichiometry(
    formulas: Formulas, names: Names, reference: Any, named: frozenset[str]
) -> sp.Expr:
    name = names.ids.get(reference.getIdAttribute(), "") if reference.getLevel() >= 3 else ""
    if name in named:
        return symbol(name)
    if reference.isSetStoichiometryMath():
        return formulas.expression(reference.getStoichiometryMath())
    if reference.getLevel() >= 3 and not reference.isSetStoichiometry():
        raise formulas.file.refusal(reference, "has no stoichiometry")
    return number(reference.getStoichiometry())


def amount_rates(
    reactions: tuple[Reaction, ...], volumes: Mapping[str, sp.Expr], factors: Mapping[str, sp.Expr]
) -> dict[str, sp.Expr]:
    """Return the rate at which reactions change each species.

    Parameters
    ----------
    volumes
        What the rate of a species is divided by, where it is not an amount.
    factors
        Conversion factor of a species, where it has one.
    """
    terms: dict[str, list[sp.Expr]] = {}
    for reaction in reactions:
        changes: dict[str, sp.Expr] = {}
        for species, count in reaction.reactants:
            changes[species] = changes.get(species, sp.Integer(0)) - count
        for species, count in reaction.products:
            changes[species] = changes.get(species, sp.Integer(0)) + count
        for species, change in changes.items():
            per = factors.get(species, sp.Integer(1)) / volumes.get(species, sp.Integer(1))
            terms.setdefault(species, []).append(change * (reaction.law * per))
    return {species: sp.Add(*parts) for species, parts in terms.items()}
