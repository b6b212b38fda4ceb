"""From a model, subjects and events to the arrays that the solvers take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.data import EventTable
from statera.errors import InputError, UnknownNameError
from statera.model import InputProcess, Model
from statera.numerics.expression import evaluate, symbol
from statera.simulate.structure import Structure

__all__ = [
    "Inputs",
    "LinearArrays",
    "check_rates",
    "formulas_of",
    "individual_values",
    "input_arrays",
    "kind_of",
    "linear_arrays",
    "merge_keys",
    "processes_of",
]

Floats = NDArray[np.float64]
Values = Mapping[str, Floats | float]


@dataclass(frozen=True)
class Inputs:
    """Input processes of all dose keys, laid out for the solvers.

    Attributes
    ----------
    key_start : (n_keys + 1,) int64
        Processes of key k are ``key_start[k]`` to ``key_start[k + 1]``.
    compartment, kind : (n_processes,) int64
        Receiving state; 0 bolus, 1 over a duration, 2 at a rate, 3 through transit compartments.
    bioavailability, lag, duration, rate : (n_subjects, n_processes) float64
        NaN where not modelled; duration and rate of kind 3 are the number of compartments and
        their rate.
    """

    key_start: NDArray[np.int64]
    compartment: NDArray[np.int64]
    kind: NDArray[np.int64]
    bioavailability: Floats
    lag: Floats
    duration: Floats
    rate: Floats


@dataclass(frozen=True)
class LinearArrays:
    """A linear system of every subject: matrix, production, initial state, outputs."""

    matrix: Floats
    endogenous: Floats
    initial: Floats
    weights: Floats
    offset: Floats


def individual_values(model: Model, covariates: Mapping[str, Floats], etas: Floats) -> Values:
    """Return parameters, covariates, random effects and individual parameters by name.

    Parameters
    ----------
    covariates
        ``(n_subjects,)`` float64 each.
    etas : (n_subjects, n_eta) float64
    """
    values: dict[str, Floats | float] = {p.name: p.value for p in model.parameters.values()}
    values |= covariates
    values |= {name: etas[:, i] for i, name in enumerate(model.random_effects)}
    for equation in model.individual:
        values[equation.name] = evaluate(equation.expression, values)
    return values


def _fill(out: Floats, expression: sp.Expr | None, values: Values) -> None:
    out[...] = np.nan if expression is None else evaluate(expression, values)


def processes_of(model: Model, route: str) -> tuple[InputProcess, ...]:
    """Return the input processes of a route.

    Parameters
    ----------
    route
        A name of the model's inputs; the name of a state, for a plain input into it; the number
        of a state, counted from 1, for the model's input into it, or a plain one where it has
        none; empty for the default route.

    Raises
    ------
    UnknownNameError
        If nothing has that name.
    InputError
        If there is no such number, or several inputs enter the state.
    """
    if route in model.inputs:
        return model.inputs[route]
    if route == "":
        return model.inputs[model.default_route]
    if route in model.states:
        return (InputProcess("bolus", route, sp.Integer(1), sp.Integer(0)),)
    if not route.isdigit():
        raise UnknownNameError("route", route, [*model.inputs, *model.states])
    return _into_compartment(model, int(route))


def _into_compartment(model: Model, number: int) -> tuple[InputProcess, ...]:
    states = model.states
    if not 1 <= number <= len(states):
        listed = ", ".join(f"{i} = {name}" for i, name in enumerate(states, start=1))
        raise InputError(
            f"{model.id} has no compartment {number}", where="CMT", hint=f"There are: {listed}."
        )
    state = states[number - 1]
    if state in model.inputs:
        return model.inputs[state]
    entering: list[InputProcess] = []
    for processes in model.inputs.values():
        entering += [p for p in processes if p.into == state and p not in entering]
    if len(entering) > 1:
        routes = [
            r for r, processes in model.inputs.items() if any(p.into == state for p in processes)
        ]
        raise InputError(
            f"compartment {number} ({state}) of {model.id} has several inputs: {', '.join(routes)}",
            where="CMT",
            hint=f"Say which by routes={{{number}: '{routes[0]}'}}.",
        )
    return tuple(entering) or processes_of(model, state)


def merge_keys(model: Model, events: EventTable) -> EventTable:
    """Return the table with one dose key a route wherever its formulas do not hold the amount.

    Doses by body weight would otherwise make inputs by the number of subjects, squared.
    """
    by_amount = {
        route: any(symbol("AMT") in e.free_symbols for p in processes_of(model, route)
                   for e in (p.bioavailability, p.lag, p.duration, p.rate, p.n, p.ktr)
                   if e is not None)
        for route in dict.fromkeys(r for r, _ in events.dose_keys)
    }  # fmt: skip
    merged: dict[tuple[str, float], int] = {}
    places = [
        merged.setdefault((route, amount if by_amount[route] else 0.0), len(merged))
        for route, amount in events.dose_keys
    ]
    key = np.array([*places, -1], dtype=np.int64)[events.key]
    return replace(events, key=key, dose_keys=tuple(merged))


def input_arrays(model: Model, events: EventTable, values: Values, n_subjects: int) -> Inputs:
    """Return the inputs of every subject for the dose keys of `events`.

    Raises
    ------
    InputError
        If an infusion is ambiguous, or one would pass transit compartments.
    """
    starts = [0]
    found: list[tuple[InputProcess, float]] = []
    for route, amount in events.dose_keys:
        processes = processes_of(model, route)
        found += [(p, amount) for p in processes]
        starts.append(len(found))
    check_rates(events, starts, [p.kind == "transit" for p, _ in found])
    shape = (n_subjects, len(found))
    arrays = [np.empty(shape) for _ in range(4)]
    states = model.states
    for k, (process, amount) in enumerate(found):
        here = {**values, "AMT": amount}
        for array, formula in zip(arrays, formulas_of(process), strict=True):
            _fill(array[:, k], formula, here)
    kinds = [kind_of(process) for process, _ in found]
    return Inputs(
        np.array(starts, dtype=np.int64),
        np.array([states.index(p.into) for p, _ in found], dtype=np.int64),
        np.array(kinds, dtype=np.int64),
        *arrays,
    )


def formulas_of(process: InputProcess) -> tuple[sp.Expr | None, ...]:
    """Return bioavailability, lag, duration and rate; through transit compartments n and ktr."""
    if process.kind == "transit":
        return process.bioavailability, process.lag, process.n, process.ktr
    return process.bioavailability, process.lag, process.duration, process.rate


def kind_of(process: InputProcess) -> int:
    """Return the number of the kind of a process, as in `Inputs`."""
    if process.kind == "zero_order":
        return 1 if process.duration is not None else 2
    return 3 if process.kind == "transit" else 0


def check_rates(events: EventTable, starts: Sequence[int], passes: Sequence[bool]) -> None:
    """Raise an error where a record's RATE cannot be followed.

    Parameters
    ----------
    starts
        First process of each dose key, and behind them the number of processes.
    passes
        Whether each process leads through transit compartments.

    Raises
    ------
    InputError
        If an infusion enters by several processes, or would pass transit compartments.
    """
    _check_several(events, starts)
    through = np.array(
        [any(passes[a:b]) for a, b in pairwise(starts)] + [False], dtype=bool
    )[events.key]  # fmt: skip
    wrong = through & (events.rate != 0)
    if wrong.any():
        raise InputError(
            "a dose that passes transit compartments cannot be an infusion: its RATE must be 0",
            where=f"record {int(np.argmax(wrong)) + 1}",
        )


def _check_several(events: EventTable, starts: Sequence[int]) -> None:
    several = [starts[k + 1] - starts[k] > 1 for k in range(len(starts) - 1)]
    for i in np.flatnonzero((events.key >= 0) & (events.rate > 0)):
        if several[events.key[i]]:
            route = events.dose_keys[events.key[i]][0]
            raise InputError(
                f"route '{route}' has several input processes: an infusion into it is ambiguous",
                where=f"record {i + 1}",
                hint="Give the dose without a rate, or name the state that receives it.",
            )


def linear_arrays(
    model: Model, structure: Structure, values: Values, n_subjects: int
) -> LinearArrays:
    """Return the matrices of every subject of a linear system with linear outputs."""
    assert structure.linear is not None
    assert structure.outputs.linear
    n = len(model.states)
    matrix = np.zeros((n_subjects, n, n))
    endogenous = np.zeros((n_subjects, n))
    initial = np.zeros((n_subjects, n))
    for (i, j), expression in structure.linear.matrix.items():
        _fill(matrix[:, i, j], expression, values)
    for i, expression in structure.linear.constant.items():
        _fill(endogenous[:, i], expression, values)
    for name, expression in model.initial.items():
        _fill(initial[:, model.states.index(name)], expression, values)
    n_out = len(model.outputs)
    weights = np.zeros((n_subjects, n_out, n))
    offset = np.zeros((n_subjects, n_out))
    for (o, j), expression in structure.outputs.weights.items():
        _fill(weights[:, o, j], expression, values)
    for o, expression in structure.outputs.constant.items():
        _fill(offset[:, o], expression, values)
    return LinearArrays(matrix, endogenous, initial, weights, offset)
