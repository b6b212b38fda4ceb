"""A network in short: how much there is of what, what is conserved, what to know."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import sympy as sp

from statera.pathway.conserved import conservation_laws, start_values, total_values
from statera.pathway.network import Event, Network

__all__ = ["Description", "describe"]

_SHOWN_NOTES = 6


@dataclass(frozen=True)
class Description:
    """A network in short.

    Attributes
    ----------
    counts
        Number of each kind of element, as words and number.
    states
        Name, unit (empty where none is declared) and value at the start.
    rules
        Name and formula of what is assigned, but for computed constants.
    events
        One line each.
    conserved
        Sum and its total at the start, of each conservation law.
    switches
        Number of conditions in formulas at which the course has a kink or a jump.
    notes
        Of the network.
    """

    id: str
    name: str
    time_unit: str
    counts: tuple[tuple[str, int], ...]
    states: tuple[tuple[str, str, float], ...]
    rules: tuple[tuple[str, str], ...]
    events: tuple[str, ...]
    conserved: tuple[tuple[str, float], ...]
    switches: int
    notes: tuple[str, ...]

    def __str__(self) -> str:
        title = self.name or self.id or "a network"
        if self.name and self.id and self.id != self.name:
            title += f" ({self.id})"
        counted = ", ".join(_counted(number, word) for word, number in self.counts if number)
        lines = [title, counted or "nothing in it", f"time in {self.time_unit or 'no unit'}"]
        if self.switches:
            lines.append(f"{_counted(self.switches, 'conditions')} in formulas")
        lines += [f"{name} = {formula}" for name, formula in self.rules]
        lines += list(self.events)
        lines += [f"conserved: {text} = {total:.6g}" for text, total in self.conserved]
        lines += [f"note: {note}" for note in self.notes[:_SHOWN_NOTES]]
        if len(self.notes) > _SHOWN_NOTES:
            lines.append(f"and {len(self.notes) - _SHOWN_NOTES} notes more")
        return "\n".join(lines)


def describe(network: Network) -> Description:
    """Return a network in short."""
    laws = conservation_laws(network)
    units = {c.id: c.unit for c in network.compartments}
    units |= {s.id: s.unit for s in network.species} | {
        p.id: p.unit for p in network.parameter_list
    }
    rules = {n: f for n, f in network.assigned.items() if n not in network.computed}
    return Description(
        network.id,
        network.name,
        network.time_unit,
        tuple(_counts(network, len(rules)).items()),
        tuple((n, units.get(n, ""), value) for n, value in start_values(network).items()),
        tuple((name, str(formula)) for name, formula in rules.items()),
        tuple(_event(event) for event in network.events),
        tuple(zip(map(str, laws), total_values(network, laws), strict=True)),
        len(_conditions(network)),
        network.notes,
    )


def _counts(network: Network, rules: int) -> Counter[str]:
    return Counter(
        {
            "states": len(network.states),
            "reactions": len(network.reactions),
            "compartments": len(network.compartments),
            "species": len(network.species),
            "parameters": len(network.parameters),
            "computed constants": len(network.computed),
            "assignment rules": rules,
            "events": len(network.events),
        }
    )


def _conditions(network: Network) -> set[sp.Basic]:
    formulas = (*network.rates, *network.assigned.values())
    pieces = {piece for f in formulas for piece in sp.sympify(f).atoms(sp.Piecewise)}
    return {condition for p in pieces for _, condition in p.args if condition != sp.true}


def _counted(number: int, word: str) -> str:
    return (
        f"1 {word.removesuffix('s')}" if number == 1 and word != "species" else f"{number} {word}"
    )


def _event(event: Event) -> str:
    sets = ", ".join(f"{name} = {formula}" for name, formula in event.assignments.items())
    text = f"event {event.id}: when {event.trigger.condition}"
    if event.delay is not None:
        text += f", {event.delay} later"
    if event.priority is not None:
        text += f", priority {event.priority}"
    return f"{text}: {sets or 'nothing'}"
