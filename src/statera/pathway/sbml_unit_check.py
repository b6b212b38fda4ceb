"""Units that do not fit: sums of unlike things, and formulas in another unit than what they set.

Only declared units count. A number has whatever unit makes its formula right, a name without unit
too; nothing is said of what they leave open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from statera.pathway.network import TIME, Event, Species
from statera.pathway.sbml_file import SbmlFile, kind_of
from statera.pathway.sbml_math import RateOf
from statera.pathway.sbml_names import Names, elements, local_parameters
from statera.pathway.sbml_parts import Parts
from statera.pathway.sbml_units import Unit, Units
from statera.pathway.unit_powers import UnitPowers

__all__ = ["unit_clashes"]

_SAME_AS_ARGUMENT = (sp.Abs, sp.floor, sp.ceiling)


@dataclass(frozen=True)
class _Found:
    """The unit of a formula; without `whole` numbers may hide a factor."""

    powers: UnitPowers
    whole: bool = True


@dataclass
class _Reader:
    """Finds the unit of formulas, and what does not fit inside them."""

    units: Mapping[str, UnitPowers]
    clashes: list[str] = field(default_factory=list)

    def unit(self, formula: Any) -> _Found | None:
        """Return the unit of a formula; None where it is open."""
        if formula.is_Symbol:
            powers = self.units.get(formula.name)
            return None if powers is None else _Found(powers)
        if formula.is_number or not formula.args or isinstance(formula, RateOf):
            return None
        if formula.is_Mul:
            return self._product(formula)
        if formula.is_Pow:
            return self._power(formula)
        if isinstance(formula, sp.Piecewise):
            for _, condition in formula.args:
                self.condition(condition)
            return self._alike("takes", [value for value, _ in formula.args])
        if formula.is_Add or isinstance(formula, sp.Min | sp.Max):
            return self._alike("adds" if formula.is_Add else "compares", formula.args)
        if isinstance(formula, _SAME_AS_ARGUMENT):
            return self.unit(formula.args[0])
        self._pure(f"takes the {formula.func.__name__} of", formula.args[0])
        return _Found(UnitPowers())

    def condition(self, condition: Any) -> None:
        """Look at the relations of a condition."""
        for relation in condition.atoms(sp.core.relational.Relational):
            self._alike("compares", relation.args)

    def _product(self, formula: Any) -> _Found | None:
        powers, whole = UnitPowers(), True
        for factor in formula.args:
            if factor.is_number:
                whole = whole and abs(factor) == 1
                continue
            found = self.unit(factor)
            if found is None:
                return None
            powers, whole = powers * found.powers, whole and found.whole
        return _Found(powers, whole)

    def _power(self, formula: Any) -> _Found | None:
        base, exponent = self.unit(formula.base), formula.exp
        self._pure("raises to", exponent)
        if base is None:
            return None
        if exponent.is_number:
            return _Found(base.powers ** float(exponent), base.whole)
        return base if not base.powers.exponents else None

    def _pure(self, does: str, formula: Any) -> None:
        found = self.unit(formula)
        if found is not None and found.powers.exponents:
            self.clashes.append(f"{does} {found.powers}")

    def _alike(self, does: str, parts: Any) -> _Found | None:
        found = [unit for unit in map(self.unit, parts) if unit is not None]
        for other in found[1:]:
            alike = other.powers.same_dimension(found[0].powers)
            whole = other.whole and found[0].whole
            if not alike or (whole and not other.powers.same(found[0].powers)):
                first, second = sorted((str(found[0].powers), str(other.powers)))
                self.clashes.append(f"{does} {first} and {second}")
            if not alike:
                return None
        if not found:
            return None
        return _Found(found[0].powers, len(found) == len(parts) and all(f.whole for f in found))


def unit_clashes(file: SbmlFile, names: Names, parts: Parts) -> list[str]:
    """Return a sentence on each formula whose units do not fit, by element and line."""
    units = _declared(file, names, parts.species)
    told = []
    for element, formula, wanted in _formulas(file, names, parts, units):
        if _has_units(element.getMath()):
            continue  # numbers with units of their own, which formulas here do not keep
        reader = _Reader(units)
        if isinstance(formula, sp.logic.boolalg.Boolean) and not formula.is_Symbol:
            reader.condition(formula)
            found = None
        else:
            found = reader.unit(formula)
        if found is not None and wanted is not None:
            reader.clashes += _against(found, wanted)
        place = f"{kind_of(element)} (line {element.getLine()})"
        told += [f"{place} {clash}" for clash in dict.fromkeys(reader.clashes)]
    return told


def _against(found: _Found, wanted: UnitPowers) -> list[str]:
    if not found.powers.same_dimension(wanted):
        return [f"is in {found.powers} where {wanted} is meant"]
    if found.whole and not found.powers.same(wanted):
        return [f"is in {found.powers} where {wanted} is meant"]
    return []


def _declared(file: SbmlFile, names: Names, species: tuple[Species, ...]) -> dict[str, UnitPowers]:
    units, model = Units(file), file.model
    found: dict[str, Unit] = {TIME.name: units.time()}
    for element in elements(model.getListOfCompartments()):
        found[names.ids[element.getIdAttribute()]] = units.compartment(element)
    for element, one in zip(elements(model.getListOfSpecies()), species, strict=True):
        found[one.id] = units.species(element, one.amount)
    for element in elements(model.getListOfParameters()):
        found[names.ids[element.getIdAttribute()]] = units.parameter(element)
    for reaction in elements(model.getListOfReactions()):
        key = reaction.getIdAttribute()
        found[names.ids[key]] = units.extent().per(units.time())
        for element in local_parameters(reaction):
            found[names.local[key][element.getIdAttribute()]] = units.parameter(element)
    return {name: unit.powers for name, unit in found.items() if unit.powers is not None}


def _formulas(
    file: SbmlFile, names: Names, parts: Parts, units: Mapping[str, UnitPowers]
) -> Iterator[tuple[Any, Any, UnitPowers | None]]:
    """Yield elements with their formula and the unit it should have."""
    model, rules = file.model, parts.rules
    for reaction in parts.reactions:
        element = model.getReaction(_key(names, reaction.id)).getKineticLaw()
        if element is not None and element.isSetMath():
            yield element, reaction.law, units.get(reaction.id)
    time = units.get(TIME.name)
    for element in elements(model.getListOfRules()):
        name = names.ids.get(element.getVariable(), "")
        if element.isAssignment() and element.isSetMath():
            yield element, rules.assigned[name], units.get(name)
        elif element.isRate() and element.isSetMath():
            own = units.get(name)
            per = None if own is None or time is None else own * time**-1
            yield element, rules.rates[name], per
    for element in elements(model.getListOfInitialAssignments()):
        name = names.ids.get(element.getSymbol(), "")
        if element.isSetMath():
            yield element, rules.initial[name], units.get(name)
    fired = [e for e in elements(model.getListOfEvents())
             if e.getTrigger() is not None and e.getTrigger().isSetMath()]  # fmt: skip
    for element, event in zip(fired, parts.events, strict=True):
        yield from _of_event(names, element, event, units)


def _of_event(
    names: Names, element: Any, event: Event, units: Mapping[str, UnitPowers]
) -> Iterator[tuple[Any, Any, UnitPowers | None]]:
    yield element.getTrigger(), event.trigger.condition, None
    if event.delay is not None:
        yield element.getDelay(), event.delay, units.get(TIME.name)
    for one in elements(element.getListOfEventAssignments()):
        name = names.ids.get(one.getVariable(), "")
        if name in event.assignments and one.isSetMath():
            yield one, event.assignments[name], units.get(name)


def _key(names: Names, name: str) -> str:
    return next(key for key, value in names.ids.items() if value == name)


def _has_units(node: Any) -> bool:
    if node is None:
        return False
    return bool(node.hasUnits()) or any(
        _has_units(node.getChild(i)) for i in range(node.getNumChildren())
    )
