"""Observables and their noise over states, parameters and placeholders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import sympy as sp

from statera.numerics.derivative import derivative
from statera.numerics.expression import free_names, symbol
from statera.pathway.formula_tape import Tape, write_tape
from statera.pathway.network import Network
from statera.pathway.petab_observables import Observable

__all__ = ["ObservableFormulas", "flat_assigned", "observable_formulas", "slope_of"]


def flat_assigned(network: Network) -> dict[sp.Symbol, sp.Expr]:
    """Return the assignment rules, each over time, states and parameters alone."""
    flat: dict[sp.Symbol, sp.Expr] = {}
    for name, formula in network.assigned.items():
        flat[symbol(name)] = formula.xreplace(flat)
    return flat


def slope_of(formula: sp.Expr, name: str) -> sp.Expr:
    """Return the derivative of a formula by a name."""
    try:
        return derivative(formula, symbol(name))
    except KeyError:  # a function beyond those that keep their value at zero
        return sp.diff(formula, symbol(name))


@dataclass(frozen=True)
class ObservableFormulas:
    """Formulas of some observables.

    Attributes
    ----------
    observables
        In the order of their kinds.
    states, parameters
        Names in the order of their positions; placeholders follow.
    pairs
        Formula and noise of every observable over time, states, parameters and placeholders.
    """

    observables: tuple[Observable, ...]
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    pairs: tuple[tuple[sp.Expr, sp.Expr], ...]

    @property
    def n_slots(self) -> int:
        """Largest number of placeholders."""
        return max((len(_slots(o)) for o in self.observables), default=0)

    @cached_property
    def tape(self) -> Tape:
        """The formulas as operations."""
        common = {n: i for i, n in enumerate((*self.states, *self.parameters))}
        groups = []
        for observable, pair in zip(self.observables, self.pairs, strict=True):
            own = {n: len(common) + i for i, n in enumerate(_slots(observable))}
            groups.append((pair, common | own))
        return write_tape(groups)

    def names(self, kind: int) -> frozenset[str]:
        """Return the names that an observable and its noise hold."""
        return free_names(self.pairs[kind][0]) | free_names(self.pairs[kind][1])


def observable_formulas(
    network: Network,
    observables: Sequence[Observable],
    states: Sequence[str],
    parameters: Sequence[str],
) -> ObservableFormulas:
    """Return formulas with assigned names written out.

    Parameters
    ----------
    network
        The model.
    observables
        Those that are computed.
    states, parameters
        Names in the order of the model; parameters of the formulas alone follow them.
    """
    flat = flat_assigned(network)
    pairs = tuple((o.formula.xreplace(flat), o.noise.xreplace(flat)) for o in observables)
    further: set[str] = set()
    for observable, pair in zip(observables, pairs, strict=True):
        held = free_names(pair[0]) | free_names(pair[1])
        further |= held - {*states, *parameters, "t", *_slots(observable)}
    return ObservableFormulas(
        tuple(observables), tuple(states), (*parameters, *sorted(further)), pairs
    )


def _slots(observable: Observable) -> tuple[str, ...]:
    return observable.observable_placeholders + observable.noise_placeholders
