"""A measured input as a spline through estimated values.

A cubic Hermite spline: slopes at inner nodes are the mean of the two neighbouring differences, at
the first node the difference after it, at the last node zero, and the value stays constant from
there on. With logarithmic values the logarithm is interpolated, so that the input stays positive
(Schelker et al. 2012, doi 10.1093/bioinformatics/bts393).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import sympy as sp

from statera.errors import InputError
from statera.numerics.expression import symbol
from statera.pathway.network import TIME, Network

__all__ = ["input_spline", "with_input"]


def input_spline(
    nodes: Sequence[float], values: Sequence[str], *, logarithmic: bool = False
) -> sp.Expr:
    """Return the spline as a formula of time.

    Parameters
    ----------
    nodes
        Times, ascending, in the model's unit.
    values
        Names of the parameters that are its values at the nodes, not their logarithms.
    logarithmic
        Whether the logarithm is interpolated.

    Raises
    ------
    InputError
        If there are fewer than two nodes, they do not ascend, or the numbers differ.
    """
    ascending = all(a < b for a, b in itertools.pairwise(nodes))
    if len(nodes) < 2 or len(nodes) != len(values) or not ascending:
        raise InputError(
            f"{len(nodes)} nodes and {len(values)} values do not make a spline",
            where="nodes",
            hint="Give two or more ascending times, and a value for each.",
        )
    y = [symbol(name) for name in values]
    width = [sp.Float(b - a) for a, b in itertools.pairwise(nodes)]
    steps = [(y[i + 1] - y[i]) / width[i] for i in range(len(width))]
    slopes = [steps[0], *((a + b) / 2 for a, b in itertools.pairwise(steps)), 0]
    levels = [sp.log(value) for value in y] if logarithmic else y
    if logarithmic:
        slopes = [slope / value for slope, value in zip(slopes, y, strict=True)]
    pieces = []
    for i, h in enumerate(width):
        u = (TIME - sp.Float(nodes[i])) / h
        cubic = (
            (2 * u**3 - 3 * u**2 + 1) * levels[i]
            + (u**3 - 2 * u**2 + u) * h * slopes[i]
            + (3 * u**2 - 2 * u**3) * levels[i + 1]
            + (u**3 - u**2) * h * slopes[i + 1]
        )
        pieces.append((sp.exp(cubic) if logarithmic else cubic, sp.Float(nodes[i + 1]) > TIME))
    return sp.Piecewise(*pieces, (y[-1], True))


def with_input(
    network: Network, name: str, formula: sp.Expr, parameters: Mapping[str, float]
) -> Network:
    """Return a network in which a formula takes the place of something constant.

    Parameters
    ----------
    network
        The model.
    name
        A parameter, or a species that nothing changes.
    formula
        Over time, parameters of the network and those given here.
    parameters
        New parameters.

    Raises
    ------
    InputError
        If `name` is not constant in the network, or a new name is taken.
    """
    if name not in network.parameters:
        raise InputError(
            f"'{name}' is not constant in the network '{network.id}'",
            hint="An input takes the place of a parameter, or of a species that nothing changes.",
        )
    taken = parameters.keys() & {*network.states, *network.parameters, *network.assigned}
    if taken:
        raise InputError(f"the name '{min(taken)}' is taken in the network '{network.id}'")
    kept = {n: value for n, value in network.parameters.items() if n != name}
    return replace(
        network,
        parameters={**kept, **parameters},
        assigned={name: formula, **network.assigned},
    )
