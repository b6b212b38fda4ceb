"""A network as elements of SBML level 3 version 2."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

import sympy as sp

from statera.errors import InputError
from statera.numerics.expression import symbol
from statera.pathway.mathml_write import math_element
from statera.pathway.network import Compartment, Event, Network, Parameter, Reaction, Species
from statera.pathway.sbml_unit_write import UnitDefinitions

__all__ = ["Draft"]

_CORE = "http://www.sbml.org/sbml/level3/version2/core"
_LISTS = (
    "unitDefinition", "compartment", "species", "parameter", "initialAssignment", "rule",
    "reaction", "event",
)  # fmt: skip


def _parameters(network: Network) -> list[Parameter]:
    """Return the parameters, with whatever else has a value and stands in no list."""
    listed = {c.id for c in network.compartments} | {s.id for s in network.species}
    listed |= {r.id for r in network.reactions} | {p.id for p in network.parameter_list}
    listed |= set(_references(network))
    listed |= set(_amounts(network).values())
    found = list(network.parameter_list)
    for name, value in network.parameters.items():
        if name not in listed:
            found.append(Parameter(name, value))
    for name in (*network.states, *network.assigned):
        if name not in listed:
            start = network.initial.get(name, sp.nan)
            number = float(start) if start.is_number and start is not sp.nan else None
            found.append(Parameter(name, number, constant=name in network.computed))
    return found


def _amounts(network: Network) -> dict[str, str]:
    """Return the state that holds the amount of a species, where it is not the species itself."""
    found = {}
    for species in network.species:
        formula = network.assigned.get(species.id)
        if formula is None or species.amount:
            continue
        state = formula * symbol(species.compartment)
        if state.is_Symbol and state.name not in {s.id for s in network.species}:
            found[species.id] = state.name
    return found


def _references(network: Network) -> dict[str, tuple[str, str]]:
    """Return reaction and species of each stoichiometry that is a name of its own."""
    listed = {p.id for p in network.parameter_list}
    return {
        count.name: (reaction.id, species)
        for reaction in network.reactions
        for side in (reaction.reactants, reaction.products)
        for species, count in side
        if count.is_Symbol and count.name not in listed
    }


@dataclass
class Draft:
    """Elements as they are made, by list."""

    network: Network
    lists: dict[str, list[ET.Element]] = field(
        default_factory=lambda: {name: [] for name in _LISTS}
    )
    units: UnitDefinitions = field(default_factory=UnitDefinitions)

    def __post_init__(self) -> None:
        network = self.network
        self.rates = dict(zip(network.states, network.rates, strict=True))
        self.set_by_events = {name for event in network.events for name in event.assignments}
        self.amounts = _amounts(network)
        self.references = _references(network)
        self.moved = {
            name
            for reaction in network.reactions
            for name, _ in (*reaction.reactants, *reaction.products)
        }

    def add(self, kind: str, parent: str = "", **attributes: Any) -> ET.Element:
        """Make an element of a list; attributes that are None or empty are left out."""
        element = ET.Element(
            kind, {k: _text(v) for k, v in attributes.items() if v not in {None, ""}}
        )
        self.lists[parent or kind].append(element)
        return element

    def initial(self, name: str, formula: sp.Expr) -> None:
        """Set a name at the start."""
        self.add("initialAssignment", symbol=name).append(math_element(formula))

    def rule(self, kind: str, name: str, formula: sp.Expr) -> None:
        """Set a name, or its rate, all along."""
        self.add(kind, "rule", variable=name).append(math_element(formula))

    def compartment(self, compartment: Compartment) -> None:
        """Write a compartment."""
        size = self.value(compartment.id, compartment.size, 1.0)
        self.add(
            "compartment",
            id=compartment.id,
            name=compartment.name,
            spatialDimensions=compartment.dimensions,
            size=size,
            units=self.units.name(compartment.unit, f"compartment '{compartment.id}'"),
            constant=compartment.constant,
        )

    def parameter(self, parameter: Parameter) -> None:
        """Write a parameter."""
        value = self.value(parameter.id, parameter.value, None)
        free = parameter.id in self.rates or parameter.id in self.network.assigned
        constant = parameter.constant and not (free and parameter.id not in self.network.computed)
        self.add(
            "parameter",
            id=parameter.id,
            name=parameter.name,
            value=value,
            units=self.units.name(parameter.unit, f"parameter '{parameter.id}'"),
            constant=constant,
        )

    def value(self, name: str, written: float | None, assumed: float | None) -> float | None:
        """Return the value to write for a name that is no species, and write what else it needs."""
        rate = self.rates.get(name)
        if rate is not None and not (rate == 0 and name in self.set_by_events):
            self.rule("rateRule", name, rate)
        start = self.network.initial.get(name) if rate is not None else None
        if start is None and name in self.network.parameters:
            start = sp.sympify(self.network.parameters[name])
        if start is None or start is sp.nan or (written is None and start == assumed):
            return written
        if start.is_number and written is not None and float(start) == written:
            return written
        self.initial(name, start)
        return written

    def species(self, species: Species) -> None:
        """Write a species."""
        name = species.id
        free = name not in self.amounts and not species.boundary
        if name in self.network.assigned and name in self.moved and free:
            raise InputError(
                f"species '{name}' is computed by a rule, and changed by reactions",
                where=self.network.id or "network",
                hint="Write the network before its states are reduced, or without its reactions.",
            )
        state = self.amounts.get(name, name)
        amount, concentration = self._start(species, state)
        if name not in self.moved or species.boundary:
            self._own_rate(species, state)
        self.add(
            "species",
            id=name,
            name=species.name,
            compartment=species.compartment,
            initialAmount=amount,
            initialConcentration=concentration,
            substanceUnits=self._substance(species),
            hasOnlySubstanceUnits=species.amount,
            boundaryCondition=species.boundary,
            constant=species.constant,
            conversionFactor=species.conversion_factor,
        )

    def _start(self, species: Species, state: str) -> tuple[float | None, float | None]:
        """Return amount or concentration at the start where one is a number; else write it."""
        network, volume = self.network, symbol(species.compartment)
        formula = network.initial.get(state)
        if formula is None and state in network.parameters:
            formula = sp.sympify(network.parameters[state])
        if formula is None and state in network.computed:
            formula = network.assigned[state]
        if formula is None or formula is sp.nan:
            return None, None
        is_amount = species.amount or state != species.id
        other = formula / volume if is_amount else formula * volume
        for value, as_amount in ((formula, is_amount), (other, not is_amount)):
            if value.is_number:
                return (float(value), None) if as_amount else (None, float(value))
        self.initial(species.id, formula if state == species.id else other)
        return None, None

    def _own_rate(self, species: Species, state: str) -> None:
        """Write the rate rule of a species that no reaction changes, where it has one."""
        rate = self.rates.get(state, sp.Integer(0))
        grows = self.rates.get(species.compartment, sp.Integer(0))
        dilution = -symbol(state) * grows / symbol(species.compartment)
        if rate != 0 and (species.amount or rate != dilution):
            self.rule("rateRule", species.id, rate)

    def _substance(self, species: Species) -> str:
        """Return the name of the unit of a species' amount."""
        owner = f"species '{species.id}'"
        if species.amount or not species.unit:
            return self.units.name(species.unit, owner)
        size = next(c.unit for c in self.network.compartments if c.id == species.compartment)
        for tail in (f"/{size}", f"/({size})"):
            if size and species.unit.endswith(tail):
                text = species.unit.removesuffix(tail)
                return self.units.name("dimensionless" if text == "1" else text, owner)
        joined = f"{species.unit}*{size}" if size else species.unit
        return self.units.name(joined, owner)

    def assigned(self, name: str, formula: sp.Expr) -> None:
        """Write an assigned name: a rule, or the start of a computed constant."""
        species = {s.id for s in self.network.species}
        if name in self.amounts or name in self.amounts.values():
            return
        if name in self.network.computed:
            if name not in species:
                self.initial(name, formula)
        elif all(r.id != name or r.law != formula for r in self.network.reactions):
            self.rule("assignmentRule", name, formula)

    def reaction(self, reaction: Reaction) -> None:
        """Write a reaction."""
        element = self.add(
            "reaction", id=reaction.id, name=reaction.name, reversible=reaction.reversible
        )
        sides = (("listOfReactants", reaction.reactants), ("listOfProducts", reaction.products))
        for tag, side in sides:
            if side:
                group = ET.SubElement(element, tag)
                for species, count in side:
                    self._reference(group, reaction, species, count)
        if reaction.modifiers:
            group = ET.SubElement(element, "listOfModifiers")
            for species in reaction.modifiers:
                ET.SubElement(group, "modifierSpeciesReference", species=species)
        ET.SubElement(element, "kineticLaw").append(math_element(reaction.law))

    def _reference(
        self, group: ET.Element, reaction: Reaction, species: str, count: sp.Expr
    ) -> None:
        attributes = {"species": species, "constant": "true"}
        if count.is_Number:
            attributes["stoichiometry"] = _text(float(count))
        else:
            known = count.is_Symbol and count.name in self.references
            name = count.name if known else f"{reaction.id}_of_{species}_{len(group)}"
            attributes["id"] = name
            free = name in self.rates or (
                name in self.network.assigned and name not in self.network.computed
            )
            attributes["constant"] = _text(not (free or not known))
            if known:
                value = self.value(name, self.network.parameters.get(name), None)
                attributes |= {} if value is None else {"stoichiometry": _text(value)}
            else:
                self.rule("assignmentRule", name, count)
        ET.SubElement(group, "speciesReference", attributes)

    def event(self, event: Event) -> None:
        """Write an event."""
        element = self.add(
            "event",
            id=event.id,
            name=event.name,
            useValuesFromTriggerTime=event.values_at_trigger,
        )
        trigger = event.trigger
        ET.SubElement(
            element,
            "trigger",
            initialValue=_text(trigger.at_start),
            persistent=_text(trigger.persistent),
        ).append(math_element(trigger.condition))
        for tag, formula in (("priority", event.priority), ("delay", event.delay)):
            if formula is not None:
                ET.SubElement(element, tag).append(math_element(formula))
        group = ET.SubElement(element, "listOfEventAssignments")
        by_amount = {amount: name for name, amount in self.amounts.items()}
        volumes = {s.id: s.compartment for s in self.network.species}
        for name, value in event.assignments.items():
            target, formula = name, value
            if name in by_amount:
                target = by_amount[name]
                formula = value / symbol(volumes[target])
            ET.SubElement(group, "eventAssignment", variable=target).append(math_element(formula))

    def text(self) -> str:
        """Return the whole file."""
        network = self.network
        for compartment in network.compartments:
            self.compartment(compartment)
        for species in network.species:
            self.species(species)
        for parameter in _parameters(network):
            self.parameter(parameter)
        for name, formula in network.assigned.items():
            self.assigned(name, formula)
        for reaction in network.reactions:
            self.reaction(reaction)
        for event in network.events:
            self.event(event)
        root = ET.Element("sbml", xmlns=_CORE, level="3", version="2")
        named = {"id": network.id, "name": network.name}
        named["timeUnits"] = self.units.name(network.time_unit, "the time")
        model = ET.SubElement(root, "model", {k: v for k, v in named.items() if v})
        self.lists["unitDefinition"] = self.units.elements
        for kind in _LISTS:
            if self.lists[kind]:
                tag = kind if kind == "species" else f"{kind}s"
                group = ET.SubElement(model, f"listOf{tag[0].upper()}{tag[1:]}")
                group.extend(self.lists[kind])
        ET.indent(root)
        body = ET.tostring(root, encoding="unicode", short_empty_elements=True)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return {"inf": "INF", "-inf": "-INF", "nan": "NaN"}.get(repr(value), repr(value))
    return str(value)
