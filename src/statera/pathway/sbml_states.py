"""States of a reaction network and their rates, from what stands in a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import sympy as sp

from statera.errors import InputError
from statera.numerics.expression import symbol
from statera.pathway.network import Event, Species
from statera.pathway.sbml_math import RateOf
from statera.pathway.sbml_parts import Parts
from statera.pathway.sbml_reactions import amount_rates

__all__ = ["States", "events_of_amounts", "find_states", "without_rate_of"]


@dataclass
class States:
    """States while they are being found.

    Attributes
    ----------
    rates
        Rate of each state.
    constant
        Names that nothing changes.
    assigned
        Assigned names: by rules, and concentrations whose amount is the state.
    amounts
        Name of the amount, of each such species.
    """

    rates: dict[str, sp.Expr] = field(default_factory=dict)
    constant: list[str] = field(default_factory=list)
    assigned: dict[str, sp.Expr] = field(default_factory=dict)
    amounts: dict[str, str] = field(default_factory=dict)


def find_states(parts: Parts, fresh: Callable[[str], str]) -> States:
    """Return what changes in a network, and how.

    Parameters
    ----------
    fresh
        Makes a name that nothing else has.

    Raises
    ------
    InputError
        If a species is changed by a reaction though it is constant or has a rule.
    """
    found = States(assigned=dict(parts.rules.assigned))
    volumes = {
        s.id: symbol(s.compartment)
        for s in parts.species
        if not s.amount and not parts.keeps_amount(s)
    }
    factors = {s.id: symbol(s.conversion_factor) for s in parts.species if s.conversion_factor}
    by_reactions = amount_rates(parts.reactions, volumes, factors)
    for species in parts.species:
        _check(parts, species)
        if species.id not in found.assigned:
            _add_species(parts, found, species, by_reactions, fresh)
    others = [c.id for c in parts.compartments] + [p.id for p in parts.parameters]
    for name in [*others, *parts.references]:
        if name in found.assigned:
            continue
        if parts.varies(name):
            found.rates[name] = parts.rules.rates.get(name, sp.Integer(0))
        else:
            found.constant.append(name)
    return found


def _check(parts: Parts, species: Species) -> None:
    if species.id not in parts.moved:
        return
    if species.constant:
        raise InputError(
            f"species '{species.id}' is constant, and changed by a reaction", where=parts.where
        )
    if species.id in parts.rules.assigned or species.id in parts.rules.rates:
        raise InputError(
            f"species '{species.id}' is changed by a rule and by a reaction",
            where=parts.where,
            hint="Drop the rule, or give the species boundaryCondition='true'.",
        )


def _add_species(
    parts: Parts,
    found: States,
    species: Species,
    by_reactions: dict[str, sp.Expr],
    fresh: Callable[[str], str],
) -> None:
    name, volume = species.id, symbol(species.compartment)
    grows = parts.rules.rates.get(species.compartment, sp.Integer(0))
    rule = parts.rules.rates.get(name)
    rate = by_reactions.get(name, sp.Integer(0)) if name in parts.moved else sp.Integer(0)
    changes = rule is not None or name in parts.moved or name in parts.set_by_events
    if parts.keeps_amount(species):
        amount = found.amounts[name] = fresh(f"{name}_amount")
        found.assigned[name] = symbol(amount) / volume
        if changes:
            found.rates[amount] = rate
        else:
            found.constant.append(amount)
        return
    if not species.amount and rule is None and grows != 0:
        rate -= symbol(name) * grows / volume
        changes = True
    if changes:
        found.rates[name] = rate if rule is None else rule
    else:
        found.constant.append(name)


def events_of_amounts(parts: Parts, states: States) -> tuple[Event, ...]:
    """Return the events with assignments of concentrations as assignments of amounts.

    The volume is that from before the event, whatever it sets the volume to.

    Raises
    ------
    InputError
        If the value belongs to the trigger and the volume to a later time.
    """
    volumes = {s.id: s.compartment for s in parts.species}
    events = []
    for event in parts.events:
        new = dict(event.assignments)
        for name, value in event.assignments.items():
            if name not in states.amounts:
                continue
            volume = volumes[name]
            if event.delay is not None and event.values_at_trigger:
                raise InputError(
                    f"event '{event.id}' sets the concentration '{name}' by a value from before"
                    f" its delay while the volume '{volume}' changes; this is not supported",
                    where=parts.where,
                )
            del new[name]
            new[states.amounts[name]] = value * symbol(volume)
        events.append(replace(event, assignments=new))
    return tuple(events)


def without_rate_of(parts: Parts, states: States) -> Callable[[Any], Any]:
    """Return a function that replaces each `RateOf` in a formula by the rate.

    Raises
    ------
    InputError
        If the rate is that of an assigned name, or rates need each other in a circle.
    """

    def rate(name: str, path: tuple[str, ...]) -> sp.Expr:
        if name in path:
            circle = " needs ".join([*path[path.index(name) :], name])
            raise InputError(f"rates need each other in a circle: {circle}", where=parts.where)
        if name in states.rates:
            return replaced(states.rates[name], (*path, name))
        if name in states.amounts:
            volume = next(s.compartment for s in parts.species if s.id == name)
            if volume not in states.assigned:
                amount = rate(states.amounts[name], (*path, name))
                grows = rate(volume, (*path, name))
                return (amount - symbol(name) * grows) / symbol(volume)
        if name in states.assigned:
            raise InputError(
                f"'rateOf' of '{name}', which an assignment rule computes, is not supported",
                where=parts.where,
            )
        return sp.Integer(0)

    def replaced(formula: Any, path: tuple[str, ...] = ()) -> Any:
        found = formula.atoms(RateOf)
        if not found:
            return formula
        return formula.xreplace({one: rate(one.args[0].name, path) for one in found})

    return replaced
