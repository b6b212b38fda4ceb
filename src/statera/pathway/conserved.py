"""Conserved totals of a reaction network, and the network with fewer states that they allow.

A law is a sum of amounts that no reaction and no event changes, such as that of all forms of STAT3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import sympy as sp

from statera.errors import InputError
from statera.numerics.expression import free_names, symbol
from statera.pathway.integer_null_space import left_null_space
from statera.pathway.network import Network

__all__ = [
    "ConservationLaw",
    "conservation_laws",
    "flat_start",
    "reduce_network",
    "start_values",
    "total_values",
]


@dataclass(frozen=True)
class ConservationLaw:
    """A sum that stays what it is.

    Attributes
    ----------
    counts
        Whole number of each state's amount in it.
    weights
        What each state is multiplied by: its count, times its compartment where it is a
        concentration, over its conversion factor where it has one.
    """

    counts: Mapping[str, int]
    weights: Mapping[str, sp.Expr]

    @property
    def total(self) -> sp.Expr:
        """The sum over the states."""
        return sp.Add(*(weight * symbol(name) for name, weight in self.weights.items()))

    def __str__(self) -> str:
        terms = [(n, name) for name, n in self.counts.items()]
        text = " ".join(
            f"{'-' if n < 0 else '+'} {'' if abs(n) == 1 else f'{abs(n)} '}{name}"
            for n, name in terms
        )
        return text.removeprefix("+ ")


def conservation_laws(network: Network) -> tuple[ConservationLaw, ...]:
    """Return independent conservation laws of a network, as many as there are.

    Non-negative ones come first, those over few states before others. What events set or rules
    change freely takes part in none.

    Notes
    -----
    Left null vectors of the matrix of stoichiometries: each rate, as an amount, is split into its
    terms, and the coefficients of equal terms are compared exactly.
    """
    free = {name for event in network.events for name in event.assignments}
    names = [name for name in network.states if name not in free]
    scales = {name: _scale(network, name) for name in names}
    columns: dict[sp.Expr, int] = {}
    rows = []
    for name in names:
        row: dict[int, Fraction] = {}
        for term in _amount_terms(network, name, scales[name]):
            coefficient, rest = term.as_coeff_Mul()
            column = columns.setdefault(rest, len(columns))
            row[column] = row.get(column, Fraction(0)) + _fraction(coefficient)
        rows.append({column: value for column, value in row.items() if value})
    found = []
    for vector in left_null_space(rows):
        counts = {names[i]: count for i, count in vector.items()}
        found.append(ConservationLaw(counts, {n: count * scales[n] for n, count in counts.items()}))
    return tuple(found)


def _fraction(number: sp.Expr) -> Fraction:
    if number.is_Rational:
        return Fraction(int(number.p), int(number.q))
    return Fraction(float(number))


def _scale(network: Network, name: str) -> sp.Expr:
    """Return what a state is multiplied by to be an amount that reactions change by whole parts."""
    for species in network.species:
        state, amount = species.id, species.amount
        if name == state or network.assigned.get(state) == symbol(name) / symbol(
            species.compartment
        ):
            volume = sp.Integer(1) if amount or name != state else symbol(species.compartment)
            factor = species.conversion_factor
            return volume / symbol(factor) if factor else volume
    return sp.Integer(1)


def _amount_terms(network: Network, name: str, scale: sp.Expr) -> list[sp.Expr]:
    rates = dict(zip(network.states, network.rates, strict=True))
    terms = [term * scale for term in sp.Add.make_args(rates[name])]
    for volume in free_names(scale) & rates.keys():  # the amount also changes with the volume
        grows = sp.diff(scale, symbol(volume)) * rates[volume]
        terms += [term * symbol(name) for term in sp.Add.make_args(grows)]
    return [part for term in terms for part in sp.Add.make_args(term)]


def flat_start(network: Network) -> dict[str, sp.Expr]:
    """Return the start of each state over parameters and computed constants.

    Raises
    ------
    InputError
        If starts refer to each other in a circle.
    """
    rules = {n: f for n, f in network.assigned.items() if n not in network.computed}
    found: dict[str, sp.Expr] = {}
    left = dict(network.initial)
    while left:
        done = len(left)
        known = {symbol(name): formula for name, formula in found.items()}
        for name in list(left):
            formula = left[name]
            for rule in reversed(tuple(rules)):
                formula = formula.xreplace({symbol(rule): rules[rule]})
            formula = formula.xreplace({**known, symbol("t"): sp.Integer(0)})
            if free_names(formula).isdisjoint(network.states):
                found[name] = formula
                del left[name]
        if len(left) == done:
            raise InputError(
                f"values at the start form a circle: {', '.join(left)}", where=network.id
            )
    return {name: found[name] for name in network.states}


def start_values(
    network: Network, parameters: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return the value of each state at the start.

    Parameters
    ----------
    parameters
        Values that replace those of the network.
    """
    values = {**network.parameters, **(parameters or {})}
    return {
        name: _number(network.flat(formula), values)
        for name, formula in flat_start(network).items()
    }


def _number(formula: sp.Expr, values: Mapping[str, float]) -> float:
    numbers = {symbol(name): sp.Float(values[name]) for name in free_names(formula)}
    return float(formula.xreplace(numbers))


def total_values(
    network: Network,
    laws: Sequence[ConservationLaw],
    parameters: Mapping[str, float] | None = None,
) -> tuple[float, ...]:
    """Return the total of each law at the start."""
    values = {**network.parameters, **(parameters or {}), "t": 0.0}
    values |= start_values(network, parameters)
    return tuple(_number(network.flat(law.total), values) for law in laws)


def reduce_network(
    network: Network, laws: Sequence[ConservationLaw] | None = None
) -> tuple[Network, tuple[str, ...]]:
    """Return the network with one state less for each law, and the states that became formulas.

    Such a state is an assigned name over a total, which is a computed constant ``total_NAME``.
    Of the states of a law the one that is largest at the start is chosen, because the difference
    that it becomes loses digits where it is small.

    Parameters
    ----------
    laws
        By default all of `conservation_laws`; those in which a volume changes are left alone.
    """
    laws = conservation_laws(network) if laws is None else laws
    states = frozenset(network.states)
    usable = [
        law for law in laws if all(states.isdisjoint(free_names(w)) for w in law.weights.values())
    ]
    start = start_values(network)
    chosen: dict[str, dict[str, Fraction]] = {}
    scales: dict[str, sp.Expr] = {}
    for law in usable:
        scales |= {n: law.weights[n] / count for n, count in law.counts.items()}
        _eliminate(law, chosen, start)
    taken = {*network.states, *network.parameters, *network.assigned}
    begin = flat_start(network)
    totals: dict[str, sp.Expr] = {}
    formulas: dict[str, sp.Expr] = {}
    for name, row in chosen.items():
        total = f"total_{name}"
        while total in taken:
            total += "_"
        taken.add(total)
        parts = {n: _rational(value) * scales[n] for n, value in row.items()}
        totals[total] = sp.Add(*(part * begin[n] for n, part in parts.items()))
        others = sp.Add(*(-part * symbol(n) for n, part in parts.items() if n != name))
        formulas[name] = (symbol(total) + others) / parts[name]
    return _without(network, totals, formulas), tuple(formulas)


def _rational(value: Fraction) -> sp.Expr:
    return sp.Rational(value.numerator, value.denominator)


def _eliminate(
    law: ConservationLaw, chosen: dict[str, dict[str, Fraction]], start: Mapping[str, float]
) -> None:
    """Add a law, in which no chosen state stands, to those of the chosen states."""
    row = {name: Fraction(count) for name, count in law.counts.items()}
    for name, other in chosen.items():
        row = _minus(row, other, name)
    if not row:
        return
    pivot = max(row, key=lambda n: (abs(start[n]) if np.isfinite(start[n]) else 0.0, n))
    row = {name: value / row[pivot] for name, value in row.items()}
    for name, other in list(chosen.items()):
        chosen[name] = _minus(other, row, pivot)
    chosen[pivot] = row


def _minus(
    row: dict[str, Fraction], other: Mapping[str, Fraction], name: str
) -> dict[str, Fraction]:
    factor = row.get(name, Fraction(0))
    if not factor:
        return row
    names = {*row, *other}
    zero = Fraction(0)
    new = {n: row.get(n, zero) - factor * other.get(n, zero) for n in sorted(names)}
    return {n: value for n, value in new.items() if value}


def _without(
    network: Network, totals: Mapping[str, sp.Expr], formulas: Mapping[str, sp.Expr]
) -> Network:
    kept = [name for name in network.states if name not in formulas]
    rates = dict(zip(network.states, network.rates, strict=True))
    removed = {symbol(name): network.initial[name] for name in formulas}
    constant = {name: network.assigned[name] for name in network.computed}
    rules = {n: f for n, f in network.assigned.items() if n not in constant}
    return replace(
        network,
        states=tuple(kept),
        rates=tuple(rates[name] for name in kept),
        initial={name: network.initial[name].xreplace(removed) for name in kept},
        assigned={**constant, **totals, **formulas, **rules},
        computed=(*network.computed, *totals),
    )
