"""Values at the start: of states, and of constants that an initial assignment computes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy as sp

from statera.errors import InputError
from statera.numerics.expression import free_names, symbol
from statera.pathway.network import TIME
from statera.pathway.sbml_functions import number
from statera.pathway.sbml_parts import Parts
from statera.pathway.sbml_states import States

__all__ = ["Start", "find_start"]


@dataclass
class Start:
    """What holds at the start.

    Attributes
    ----------
    parameters
        Numbers.
    computed
        Constants that follow from parameters, each after those that it needs.
    initial
        Value of each state, over parameters, computed constants and other states.
    notes
        What the file leaves open.
    """

    parameters: dict[str, float] = field(default_factory=dict)
    computed: dict[str, sp.Expr] = field(default_factory=dict)
    initial: dict[str, sp.Expr] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def find_start(parts: Parts, states: States) -> Start:
    """Return the values at the start.

    An initial assignment may refer to anything. That of a constant is written out over parameters;
    that of a state keeps other states, whose start may be set from outside.

    Raises
    ------
    InputError
        If values need each other in a circle.
    """
    start = Start()
    written = _written(parts, states, start)
    solver = _Solver(parts.where, start, {**written, **states.assigned}, frozenset(states.constant))
    for name in states.constant:
        solver.value(name, ())
    for name in states.rates:
        solver.value(name, ())  # finds circles
    kept = {symbol(name): symbol(name) for name in states.rates}
    for name in states.rates:
        start.initial[name] = solver.written_out(name, kept)
    return start


@dataclass(frozen=True)
class _Solver:
    where: str
    start: Start
    written: Mapping[str, sp.Expr]
    constant: frozenset[str]
    known: dict[str, sp.Expr] = field(default_factory=dict)

    def value(self, name: str, path: tuple[str, ...]) -> sp.Expr:
        """Return the value of a name at the start, over parameters and computed constants."""
        if name in path:
            circle = " needs ".join([*path[path.index(name) :], name])
            raise InputError(f"values at the start form a circle: {circle}", where=self.where)
        if name not in self.known:
            formula = self.written[name]
            needed = sorted(free_names(formula) & self.written.keys())
            inner = {symbol(n): self.value(n, (*path, name)) for n in needed}
            formula = formula.xreplace({**inner, TIME: sp.Integer(0)})
            self.known[name] = self._kept(name, formula) if name in self.constant else formula
        return self.known[name]

    def written_out(self, name: str, kept: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
        """Return the value of a state at the start, other states by their symbols."""
        formula = self.written[name]
        while inner := {
            symbol(n): self.known[n] if n in self.constant else self.written[n]
            for n in free_names(formula) & self.written.keys()
            if symbol(n) not in kept and not (n in self.constant and self.known[n] == symbol(n))
        }:
            formula = formula.xreplace(inner)
        return formula.xreplace({TIME: sp.Integer(0)})

    def _kept(self, name: str, formula: sp.Expr) -> sp.Expr:
        if formula.is_number:
            self.start.parameters[name] = float(formula)
        else:
            self.start.computed[name] = formula
        return symbol(name)


def _written(parts: Parts, states: States, start: Start) -> dict[str, sp.Expr]:
    """Return the value that the file gives to each state and constant, as it stands there."""
    initial, notes = parts.rules.initial, start.notes
    ruled = {*initial, *parts.rules.assigned}
    found: dict[str, sp.Expr] = {}
    for compartment in parts.compartments:
        size = compartment.size
        if size is None and compartment.id not in ruled:
            notes.append(f"compartment '{compartment.id}' has no size: it is taken as 1")
            size = 1.0
        found[compartment.id] = number(math.nan if size is None else size)
    values = {p.id: p.value for p in parts.parameters} | dict(parts.references)
    for name, value in values.items():
        if value is None and name not in ruled:
            notes.append(f"parameter '{name}' has no value")
        found[name] = number(math.nan if value is None else value)
    for species in parts.species:
        amount, concentration = parts.starts[species.id]
        own = amount if species.amount else concentration
        if own is sp.nan and species.id not in ruled:
            notes.append(f"species '{species.id}' has no value at the start")
        found[species.id] = own
        if species.id in states.amounts:
            given = initial.get(species.id)
            volume = symbol(species.compartment)
            found[states.amounts[species.id]] = amount if given is None else given * volume
    return {**found, **initial}
