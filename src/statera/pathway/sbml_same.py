"""Whether a file says what a network says: it is read and compared."""

from __future__ import annotations

import numpy as np
import sympy as sp

from statera.errors import InputError
from statera.pathway.network import TIME, Network
from statera.pathway.sbml_read import read_sbml

__all__ = ["check_same"]


def check_same(network: Network, text: str) -> None:
    """Raise where a text in SBML gives other states, rates or starts than the network.

    Formulas that are not written alike are compared at a few points.

    Raises
    ------
    InputError
        With the state that differs.
    """
    found = read_sbml(text)
    missing = sorted(set(network.states) ^ set(found.states))
    if missing:
        raise InputError(
            f"the state '{missing[0]}' cannot be written as SBML", where=network.id or "network"
        )
    rates = dict(zip(found.states, found.rates, strict=True))
    for name, rate in zip(network.states, network.rates, strict=True):
        for word, first, second in (
            ("rate", rate, rates[name]),
            ("start", network.initial[name], found.initial[name]),
        ):
            if first != second and not _equal(network.flat(first), found.flat(second)):
                raise InputError(
                    f"the {word} of '{name}' is not what its reactions and rules give",
                    where=network.id or "network",
                    hint="Make the network's reactions and its rates agree, or leave them out.",
                )


def _equal(first: sp.Expr, second: sp.Expr) -> bool:
    """Return True where two formulas have one value at points between 0.5 and 1.5."""
    names = sorted({*first.free_symbols, *second.free_symbols, TIME}, key=str)
    compute = sp.lambdify([names], [first, second], modules=["scipy", "numpy"])
    points = 0.5 + np.random.default_rng(20261126).random((5, len(names)))
    values = np.array([compute(point) for point in points], dtype=np.float64)
    return bool(np.allclose(values[:, 0], values[:, 1], rtol=1e-9, atol=1e-12, equal_nan=True))
