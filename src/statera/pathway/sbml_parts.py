"""What stands in an SBML file, before it is joined to equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from statera.pathway.network import Compartment, Event, Parameter, Reaction, Species
from statera.pathway.sbml_rules import Rules

__all__ = ["Parts"]


@dataclass(frozen=True)
class Parts:
    """Everything read from a file, over symbols.

    Attributes
    ----------
    where
        The file's name.
    references
        Stoichiometries that stand in formulas by name, as written (None where missing).
    starts
        Amount and concentration of each species at the start.
    """

    where: str
    compartments: tuple[Compartment, ...]
    species: tuple[Species, ...]
    parameters: tuple[Parameter, ...]
    references: Mapping[str, float | None]
    reactions: tuple[Reaction, ...]
    rules: Rules
    events: tuple[Event, ...]
    starts: Mapping[str, tuple[sp.Expr, sp.Expr]]

    @cached_property
    def set_by_events(self) -> frozenset[str]:
        """Names that events set."""
        return frozenset(name for event in self.events for name in event.assignments)

    @cached_property
    def moved(self) -> frozenset[str]:
        """Species that reactions change."""
        touched = {
            name for r in self.reactions for side in (r.reactants, r.products) for name, _ in side
        }
        return frozenset(s.id for s in self.species if s.id in touched and not s.boundary)

    def varies(self, name: str) -> bool:
        """Return True where a rule or an event sets a name."""
        rules = self.rules
        return name in rules.assigned or name in rules.rates or name in self.set_by_events

    def keeps_amount(self, species: Species) -> bool:
        """Return True where the state is the amount of a species that formulas have in another.

        So it is where the volume is computed or jumps. A species with a rate rule is its own state:
        its concentration is what the rule changes, and a jump of the volume leaves it.
        """
        volume, rules = species.compartment, self.rules
        if species.amount or species.id in rules.assigned or species.id in rules.rates:
            return False
        return volume in self.set_by_events or volume in rules.assigned
