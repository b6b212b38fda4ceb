"""Experiments of PEtab version 2 as conditions and events of the network.

What a first period changes by a number or a parameter becomes a condition as in version 1: it holds
before the model's own initial values are computed. Starts by a formula are a case of the initial
value that an indicator parameter, 1 in its experiment, chooses. Any later change is an event that
the indicator lets fire, and constants that it changes become states. A volume that is changed
leaves the concentrations in it as they are, as the library of the format's authors does (0.8).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy as sp

from statera.errors import Place
from statera.numerics.expression import free_names, symbol
from statera.pathway.network import TIME, Event, Network, Trigger
from statera.pathway.petab_conditions import Condition
from statera.pathway.petab_v2_tables import Change, Experiment

__all__ = ["Arranged", "arrange", "renamed"]

_FIRST = sp.Float(1e200)  # priority: conditions go before the model's own events
AS_IT_IS = "as it is"


@dataclass(frozen=True)
class Arranged:
    """A network and conditions that stand for experiments.

    Attributes
    ----------
    network
        With events for later periods.
    conditions
        By experiment, and by experiment and ``, before`` for steady states before the start.
    starts
        Time of the start of each.
    """

    network: Network
    conditions: Mapping[str, Condition]
    starts: Mapping[str, float]


@dataclass
class _Work:
    """A network while experiments are worked into it."""

    network: Network
    estimable: frozenset[str]
    initial: dict[str, sp.Expr]
    cases: dict[str, list[tuple[sp.Expr, sp.Expr]]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    indicators: list[str] = field(default_factory=list)
    stateful: set[str] = field(default_factory=set)


def arrange(
    network: Network, experiments: Mapping[str, Experiment], estimable: frozenset[str]
) -> Arranged:
    """Return a network and conditions that stand for experiments.

    Parameters
    ----------
    network
        The model.
    experiments
        By identifier.
    estimable
        Names of the parameter table.

    """
    work = _Work(network, estimable, dict(network.initial))
    conditions = {AS_IT_IS: Condition(AS_IT_IS, "", {}, Place(network.id))}
    starts = {AS_IT_IS: 0.0}
    for experiment in experiments.values():
        periods = list(experiment.periods)
        place = experiment.place or Place(network.id)
        carried: dict[str, float | str] = {}
        if periods[0].time == -math.inf:
            before = periods.pop(0)
            values, _ = _first(work, experiment, before.changes, after_steady=False)
            name = f"{experiment.id}, before"
            conditions[name] = Condition(name, "", values, place)
            carried = {k: v for k, v in values.items() if k in network.parameters}
        start = periods[0].time if periods else 0.0
        changes = periods.pop(0).changes if periods else ()
        steady = f"{experiment.id}, before" in conditions
        new, by_formula = _first(work, experiment, changes, after_steady=steady)
        values = {**carried, **new}
        if by_formula:
            work.events.append(_event(work, experiment, start, by_formula, at_start=False))
        for period in periods:
            work.events.append(_event(work, experiment, period.time, period.changes))
        mark = _indicator(experiment)
        if mark in work.indicators:
            values[mark] = 1.0
        conditions[experiment.id] = Condition(experiment.id, "", values, place)
        starts[experiment.id] = start
    return Arranged(_network(work), conditions, starts)


def _indicator(experiment: Experiment) -> str:
    return f"_experiment_{experiment.id}"


def _is_on(work: _Work, experiment: Experiment) -> sp.Basic:
    name = _indicator(experiment)
    if name not in work.indicators:
        work.indicators.append(name)
    return sp.Gt(symbol(name), sp.Rational(1, 2))


def _first(
    work: _Work, experiment: Experiment, changes: tuple[Change, ...], *, after_steady: bool
) -> tuple[dict[str, float | str], tuple[Change, ...]]:
    """Return what a first period changes by numbers and names, and what an event must change.

    Formulas are worked into the initial values, but after a steady state are left to an event.
    """
    values: dict[str, float | str] = {}
    left: list[Change] = []
    constants = work.estimable | frozenset(work.network.parameters)
    for change in changes:
        if change.value.is_number:
            values[change.target] = float(change.value)
        elif change.value.is_Symbol and change.value.name in constants:
            values[change.target] = change.value.name
        elif after_steady:
            left.append(change)
        else:
            constant = change.target in work.network.parameters
            own: Any = (
                sp.Float(work.network.parameters[change.target])
                if constant
                else work.initial[change.target]
            )
            formula = change.value.xreplace({symbol(change.target): own})
            case = (formula.xreplace({TIME: sp.Integer(0)}), _is_on(work, experiment))
            work.cases.setdefault(change.target, []).append(case)
            if constant:
                work.stateful.add(change.target)
    return values, tuple(left)


def _event(
    work: _Work,
    experiment: Experiment,
    time: float,
    changes: tuple[Change, ...],
    *,
    at_start: bool = True,
) -> Event:
    """Return the event of a period; one that counts as off before the start fires at the start."""
    assignments = {c.target: c.value for c in changes}
    work.stateful |= assignments.keys() & work.network.parameters.keys()
    condition = sp.And(sp.Ge(TIME, sp.Float(time)), _is_on(work, experiment))
    name = f"_{experiment.id}_at_{len(work.events)}"
    return Event(name, Trigger(condition, at_start), assignments, priority=_FIRST)


def _network(work: _Work) -> Network:
    network = work.network
    stateful = sorted(work.stateful)
    states = (*network.states, *stateful)
    values = {n: v for n, v in network.parameters.items() if n not in work.stateful}
    values |= dict.fromkeys(work.indicators, 0.0)
    initial = {**work.initial, **{n: sp.Float(network.parameters[n]) for n in stateful}}
    for name, cases in work.cases.items():
        initial[name] = sp.Piecewise(*cases, (initial[name], True))
    if not work.events and not work.cases and not stateful:
        return replace(network, initial=initial)
    formulas = [f for cases in work.cases.values() for f, _ in cases]
    formulas += [f for e in work.events for f in e.assignments.values()]
    known = {*states, *values, *network.assigned, TIME.name}
    further = {n for f in formulas for n in free_names(sp.sympify(f))} - known
    values |= dict.fromkeys(sorted(further), math.nan)  # from the parameter table alone
    return replace(
        network,
        states=states,
        rates=(*network.rates, *(sp.Integer(0) for _ in stateful)),
        initial=initial,
        parameters=values,
        events=(*network.events, *work.events),
    )


def renamed(network: Network, names: Mapping[str, str]) -> Network:
    """Return a network whose names are those that a problem gives them.

    Parameters
    ----------
    names
        Names of the model by new names.
    """
    new = {old: name for name, old in names.items() if old != name}
    if not new:
        return network
    write = {symbol(old): symbol(name) for old, name in new.items()}

    def f(formula: sp.Basic | None) -> sp.Basic | None:
        return None if formula is None else sp.sympify(formula).xreplace(write)

    def n(name: str) -> str:
        return new.get(name, name)

    events = tuple(
        replace(
            e,
            trigger=replace(e.trigger, condition=f(e.trigger.condition)),
            assignments={n(k): f(v) for k, v in e.assignments.items()},
            delay=f(e.delay),
            priority=f(e.priority),
        )
        for e in network.events
    )
    return replace(
        network,
        states=tuple(map(n, network.states)),
        rates=tuple(f(rate) for rate in network.rates),
        initial={n(k): f(v) for k, v in network.initial.items()},
        parameters={n(k): v for k, v in network.parameters.items()},
        assigned={n(k): f(v) for k, v in network.assigned.items()},
        computed=tuple(map(n, network.computed)),
        events=events,
        species=tuple(
            replace(s, id=n(s.id), compartment=n(s.compartment)) for s in network.species
        ),
        compartments=tuple(replace(c, id=n(c.id)) for c in network.compartments),
    )
