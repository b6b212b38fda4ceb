"""Reading SBML: levels 2 and 3 core, from the file to equations.

A kinetic law is an amount per time; the rate of a species whose symbol is a concentration is
divided by its compartment. Where the volume changes in another way than by a rate rule alone, the
amount becomes the state and the concentration an assigned name, so that every jump of the volume
keeps the amounts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from statera.errors import InputError
from statera.numerics.expression import free_names
from statera.pathway.network import Network
from statera.pathway.sbml_events import read_events
from statera.pathway.sbml_file import SbmlFile, open_sbml
from statera.pathway.sbml_math import Formulas, RateOf
from statera.pathway.sbml_names import Names, elements, read_names
from statera.pathway.sbml_parts import Parts
from statera.pathway.sbml_quantities import (
    read_compartments,
    read_parameters,
    read_species,
    starting_species,
)
from statera.pathway.sbml_reactions import read_laws, read_reactions, reference_values
from statera.pathway.sbml_rules import Rules, in_order, read_rules
from statera.pathway.sbml_start import Start, find_start
from statera.pathway.sbml_states import (
    States,
    events_of_amounts,
    find_states,
    without_rate_of,
)
from statera.pathway.sbml_supported import check_supported
from statera.pathway.sbml_unit_check import unit_clashes
from statera.pathway.sbml_units import Units

__all__ = ["read_sbml"]


def read_sbml(source: str | Path, *, strict: bool = False) -> Network:
    """Read a model in SBML level 2 or 3.

    Parameters
    ----------
    source
        A path, or the text itself.
    strict
        Whether units that do not fit are an error; else each is a note.

    Returns
    -------
    The equations. Constants that an initial assignment computes stand first in `assigned`.

    Raises
    ------
    UsageError
        If libsbml, the extra ``sbml``, is not installed.
    InputError
        If the file is malformed, or holds what is not supported; the element and line are named.
    """
    file = open_sbml(source)
    ignored = check_supported(file)
    names = read_names(file)
    functions = {f.getIdAttribute(): f for f in elements(file.model.getListOfFunctionDefinitions())}
    parts, notes = _read_parts(Formulas(file, names.symbols(), functions), names)
    clashes = unit_clashes(file, names, parts)
    if strict and clashes:
        more = f" (and {len(clashes) - 1} more)" if len(clashes) > 1 else ""
        raise InputError(f"units do not fit: {clashes[0]}{more}", where=file.name)
    if any(formula.has(RateOf) for formula in _formulas(parts)):
        parts = _changed(parts, without_rate_of(parts, find_states(parts, names.fresh)))
    states = find_states(parts, names.fresh)
    start = find_start(parts, states)
    network = _network(file, parts, states, start)
    return replace(network, notes=(*ignored, *names.notes, *notes, *start.notes, *clashes))


def _read_parts(formulas: Formulas, names: Names) -> tuple[Parts, list[str]]:
    """Return what stands in the file, and notes."""
    file = formulas.file
    laws, notes = read_laws(formulas, names)
    species = read_species(file, names)
    parts = Parts(
        file.name,
        read_compartments(file, names),
        species,
        read_parameters(file, names),
        {},
        (),
        read_rules(formulas, names),
        read_events(formulas, names),
        starting_species(file, names, species),
    )
    rules = parts.rules
    used = {name for f in [*_formulas(parts), *laws.values()] for name in free_names(f)}
    used |= {*rules.assigned, *rules.rates, *rules.initial, *parts.set_by_events}
    named = names.references & used
    values = reference_values(names, file.model)
    rates = {name: law for name, law in laws.items() if name in used}
    parts = replace(
        parts,
        references={name: values[name] for name in sorted(named)},
        reactions=read_reactions(formulas, names, laws, named),
        rules=replace(rules, assigned={**rules.assigned, **rates}),
    )
    return parts, notes


def _formulas(parts: Parts) -> list[Any]:
    rules = parts.rules
    found: list[Any] = [*rules.assigned.values(), *rules.rates.values(), *rules.initial.values()]
    for reaction in parts.reactions:
        found += [reaction.law, *(count for _, count in (*reaction.reactants, *reaction.products))]
    for event in parts.events:
        optional = [f for f in (event.delay, event.priority) if f is not None]
        found += [event.trigger.condition, *event.assignments.values(), *optional]
    return found


def _changed(parts: Parts, change: Callable[[Any], Any]) -> Parts:
    """Return the parts with every formula changed."""

    def each(formulas: Mapping[str, Any]) -> dict[str, Any]:
        return {name: change(formula) for name, formula in formulas.items()}

    rules = parts.rules
    events = tuple(
        replace(
            event,
            trigger=replace(event.trigger, condition=change(event.trigger.condition)),
            assignments=each(event.assignments),
            delay=None if event.delay is None else change(event.delay),
            priority=None if event.priority is None else change(event.priority),
        )
        for event in parts.events
    )
    return replace(
        parts,
        rules=Rules(each(rules.assigned), each(rules.rates), each(rules.initial)),
        reactions=tuple(replace(r, law=change(r.law)) for r in parts.reactions),
        events=events,
    )


def _network(file: SbmlFile, parts: Parts, states: States, start: Start) -> Network:
    rules = in_order(states.assigned, parts.where)
    return Network(
        id=file.model.getIdAttribute(),
        states=tuple(states.rates),
        rates=tuple(states.rates.values()),
        initial=start.initial,
        parameters=start.parameters,
        assigned={**start.computed, **rules},
        computed=tuple(start.computed),
        events=events_of_amounts(parts, states),
        compartments=parts.compartments,
        species=parts.species,
        parameter_list=parts.parameters,
        reactions=parts.reactions,
        time_unit=Units(file).time().text,
        name=file.model.getName(),
    )
