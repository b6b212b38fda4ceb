"""A reaction network as equations: read from SBML, solved, written again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy as sp

from statera.numerics.expression import symbol

__all__ = ["TIME", "Compartment", "Event", "Network", "Parameter", "Reaction", "Species", "Trigger"]

TIME = symbol("t")
"""The time in every formula; no other symbol of a network may have its name."""


@dataclass(frozen=True)
class Compartment:
    """A volume (or area): `size` at the start, None where the file gives none."""

    id: str
    size: float | None
    unit: str = ""
    dimensions: float = 3.0
    constant: bool = True
    name: str = ""


@dataclass(frozen=True)
class Species:
    """A species.

    Attributes
    ----------
    amount
        Whether its symbol in formulas means an amount (otherwise a concentration).
    boundary
        Whether reactions leave it alone.
    conversion_factor
        Parameter by which reactions are multiplied in it, where it has one.
    """

    id: str
    compartment: str
    amount: bool = False
    boundary: bool = False
    constant: bool = False
    unit: str = ""
    name: str = ""
    conversion_factor: str = ""


@dataclass(frozen=True)
class Parameter:
    """A parameter; one of a reaction alone is named by the reaction, an underscore and its id."""

    id: str
    value: float | None
    unit: str = ""
    constant: bool = True
    name: str = ""


@dataclass(frozen=True)
class Reaction:
    """A reaction; `law` is in amount per time, over global symbols alone.

    `reactants` and `products` are pairs of a species and its stoichiometry.
    """

    id: str
    law: sp.Expr
    reactants: tuple[tuple[str, sp.Expr], ...] = ()
    products: tuple[tuple[str, sp.Expr], ...] = ()
    modifiers: tuple[str, ...] = ()
    reversible: bool = False
    name: str = ""


@dataclass(frozen=True)
class Trigger:
    """A condition that starts an event as it turns true; `at_start` holds before time 0."""

    condition: sp.Basic
    at_start: bool = True
    persistent: bool = True


@dataclass(frozen=True)
class Event:
    """Assignments at an instant.

    `values_at_trigger` says whether the right sides of `assignments` are taken when the trigger
    fires, rather than after the delay.
    """

    id: str
    trigger: Trigger
    assignments: Mapping[str, sp.Expr]
    delay: sp.Expr | None = None
    priority: sp.Expr | None = None
    values_at_trigger: bool = True
    name: str = ""


@dataclass(frozen=True)
class Network:
    """Equations over `TIME`, states, parameters and assigned names.

    Attributes
    ----------
    states
        Everything that changes continuously or by events: species, and parameters or compartments
        with rate rules or event assignments.
    rates
        d state / d time, in the order of `states`, in the unit that the state's symbol has in
        formulas (species in concentrations are already divided by their compartment).
    initial
        Values at the start: formulas over parameters and assigned names; states may refer to each
        other, in an order without circles (`initial_order` of `states`).
    parameters
        Numbers that do not change during a simulation: constants, constant compartment sizes and
        boundary species among them, by name.
    assigned
        Assignment rules, each after those that it needs.
    computed
        Those assigned names that are constants which follow from parameters: a value given to one
        replaces its formula.
    """

    id: str
    states: tuple[str, ...]
    rates: tuple[sp.Expr, ...]
    initial: Mapping[str, sp.Expr]
    parameters: Mapping[str, float]
    assigned: Mapping[str, sp.Expr] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    compartments: tuple[Compartment, ...] = ()
    species: tuple[Species, ...] = ()
    parameter_list: tuple[Parameter, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    time_unit: str = ""
    name: str = ""
    notes: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()

    def flat(self, formula: sp.Expr) -> sp.Expr:
        """Return the formula with assigned names written out: over time, states and parameters."""
        for name in reversed(tuple(self.assigned)):
            formula = formula.subs(symbol(name), self.assigned[name])
        return formula
