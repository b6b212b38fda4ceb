"""Compartments, species and parameters as the file gives them."""

from __future__ import annotations

import math
from typing import Any

import sympy as sp

from statera.numerics.expression import symbol
from statera.pathway.network import Compartment, Parameter, Species
from statera.pathway.sbml_file import SbmlFile
from statera.pathway.sbml_functions import number
from statera.pathway.sbml_names import Names, elements, local_parameters
from statera.pathway.sbml_units import Units

__all__ = [
    "read_compartments",
    "read_parameters",
    "read_species",
    "starting_species",
]


def read_compartments(file: SbmlFile, names: Names) -> tuple[Compartment, ...]:
    """Return the compartments of a file; the size is None where the file gives none."""
    found, units = [], Units(file)
    for element in elements(file.model.getListOfCompartments()):
        dimensions = element.getSpatialDimensionsAsDouble()
        size = element.getSize() if element.isSetSize() else None
        found.append(
            Compartment(
                names.ids[element.getIdAttribute()],
                size,
                units.compartment(element).text,
                3.0 if math.isnan(dimensions) else dimensions,
                bool(element.getConstant()),
                element.getName(),
            )
        )
    return tuple(found)


def read_species(file: SbmlFile, names: Names) -> tuple[Species, ...]:
    """Return the species of a file.

    Raises
    ------
    InputError
        If the compartment or the conversion factor of one is not in the model.
    """
    found, units = [], Units(file)
    for element in elements(file.model.getListOfSpecies()):
        compartment = file.model.getCompartment(element.getCompartment())
        if compartment is None:
            raise file.refusal(element, "is in a compartment that is not in the model")
        point = compartment.getSpatialDimensionsAsDouble() == 0
        amount = bool(element.getHasOnlySubstanceUnits() or point)
        found.append(
            Species(
                names.ids[element.getIdAttribute()],
                names.ids[element.getCompartment()],
                amount,
                bool(element.getBoundaryCondition()),
                bool(element.getConstant()),
                units.species(element, amount).text,
                element.getName(),
                _conversion_factor(file, names, element),
            )
        )
    return tuple(found)


def read_parameters(file: SbmlFile, names: Names) -> tuple[Parameter, ...]:
    """Return the parameters of a file, those of single reactions after the others."""
    units = Units(file)
    found = [
        _parameter(units, element, names.ids[element.getIdAttribute()])
        for element in elements(file.model.getListOfParameters())
    ]
    for reaction in elements(file.model.getListOfReactions()):
        own = names.local[reaction.getIdAttribute()]
        found += [
            _parameter(units, element, own[element.getIdAttribute()])
            for element in local_parameters(reaction)
        ]
    return tuple(found)


def _parameter(units: Units, element: Any, name: str) -> Parameter:
    return Parameter(
        name,
        element.getValue() if element.isSetValue() else None,
        units.parameter(element).text,
        bool(element.getConstant()),
        element.getName(),
    )


def starting_species(
    file: SbmlFile, names: Names, species: tuple[Species, ...]
) -> dict[str, tuple[sp.Expr, sp.Expr]]:
    """Return amount and concentration of each species at the start, as far as the file gives them.

    Both are formulas over the symbol of the compartment; no number where nothing is given.
    """
    found = {}
    for element, one in zip(elements(file.model.getListOfSpecies()), species, strict=True):
        volume = symbol(one.compartment)
        if element.isSetInitialAmount():
            amount = number(element.getInitialAmount())
            found[one.id] = (amount, amount / volume)
        elif element.isSetInitialConcentration():
            concentration = number(element.getInitialConcentration())
            found[one.id] = (concentration * volume, concentration)
        else:
            found[one.id] = (sp.nan, sp.nan)
    return found


def _conversion_factor(file: SbmlFile, names: Names, element: Any) -> str:
    """Return the name of the conversion factor of a species (level 3), empty where it has none."""
    if file.model.getLevel() < 3:
        return ""
    key = element.getConversionFactor() or file.model.getConversionFactor()
    if key and file.model.getParameter(key) is None:
        raise file.refusal(element, f"has the conversion factor '{key}', which is no parameter")
    return names.ids[key] if key else ""
