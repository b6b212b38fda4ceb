"""What each id of a file is called in formulas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from statera.numerics.expression import symbol
from statera.pathway.network import TIME
from statera.pathway.sbml_file import SbmlFile

__all__ = ["Names", "elements", "local_parameters", "read_names"]


@dataclass(frozen=True)
class Names:
    """Names of a file.

    Attributes
    ----------
    ids
        The name of each id; they differ where an id is the name of the time.
    local
        By reaction, the name of each of its own parameters.
    references
        Names of species references that have an id, which is their stoichiometry.
    notes
        Which ids had to be renamed.
    """

    ids: Mapping[str, str]
    local: Mapping[str, Mapping[str, str]]
    references: frozenset[str]
    notes: tuple[str, ...]

    def symbols(self) -> dict[str, sp.Expr]:
        """Return the symbol of each id."""
        return {key: symbol(name) for key, name in self.ids.items()}

    def local_symbols(self, reaction: str) -> dict[str, sp.Expr]:
        """Return the symbol of each parameter of one reaction."""
        return {key: symbol(name) for key, name in self.local[reaction].items()}

    def fresh(self, wanted: str) -> str:
        """Return `wanted`, with underscores where something has that name already."""
        taken = {*self.ids.values(), TIME.name}
        taken.update(name for names in self.local.values() for name in names.values())
        return _fresh(wanted, taken)


def elements(collection: Any) -> list[Any]:
    """Return the elements of a list of libsbml."""
    return [collection.get(i) for i in range(collection.size())]


def read_names(file: SbmlFile) -> Names:
    """Name everything that formulas of a file may refer to.

    Raises
    ------
    InputError
        If two elements have the same id, or one has none.
    """
    model = file.model
    ids: dict[str, str] = {}
    found = [*elements(model.getListOfCompartments()), *elements(model.getListOfSpecies())]
    found += elements(model.getListOfParameters())
    found += elements(model.getListOfReactions())
    references = _references(model)
    notes = []
    for element in [*found, *references]:
        key = element.getIdAttribute()
        if not key:
            raise file.refusal(element, "has no id")
        if key in ids:
            raise file.refusal(element, "has the id of another element")
        ids[key] = key
    if TIME.name in ids:
        ids[TIME.name] = _fresh(f"{TIME.name}_", set(ids))
        notes.append(f"'{TIME.name}' is called '{ids[TIME.name]}': the time has that name")
    local = _local_names(file, set(ids.values()) | {TIME.name})
    names = frozenset(ids[r.getIdAttribute()] for r in references)
    return Names(ids, local, names, tuple(notes))


def _references(model: Any) -> list[Any]:
    if model.getLevel() < 3:
        return []
    return [
        reference
        for reaction in elements(model.getListOfReactions())
        for collection in (reaction.getListOfReactants(), reaction.getListOfProducts())
        for reference in elements(collection)
        if reference.getIdAttribute()
    ]


def _local_names(file: SbmlFile, taken: set[str]) -> dict[str, dict[str, str]]:
    local: dict[str, dict[str, str]] = {}
    for reaction in elements(file.model.getListOfReactions()):
        own: dict[str, str] = {}
        for parameter in local_parameters(reaction):
            key = parameter.getIdAttribute()
            if key in own:
                raise file.refusal(parameter, "has the id of another parameter of its reaction")
            own[key] = _fresh(f"{reaction.getIdAttribute()}_{key}", taken)
            taken.add(own[key])
        local[reaction.getIdAttribute()] = own
    return local


def local_parameters(reaction: Any) -> list[Any]:
    """Return the parameters of a reaction's own."""
    law = reaction.getKineticLaw()
    if law is None:
        return []
    if reaction.getLevel() >= 3:
        return elements(law.getListOfLocalParameters())
    return elements(law.getListOfParameters())


def _fresh(wanted: str, taken: set[str]) -> str:
    while wanted in taken:
        wanted += "_"
    return wanted
