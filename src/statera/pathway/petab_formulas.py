"""Observables and noise as one compiled function, with their derivatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.numerics.codegen import generated_module
from statera.numerics.derivative import derivative
from statera.numerics.expression import free_names, symbol
from statera.numerics.printing import assignments
from statera.pathway.network import Network
from statera.pathway.petab_observables import Observable

__all__ = ["ObservableFormulas", "flat_assigned", "slope_of"]

_HEAD = (
    "import math\n\n"
    "from statera.numerics import special\n"
    "from statera.numerics.compiled import generated\n"
    "from statera.pathway.objective_kernel import OBSERVE\n\n\n"
)


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
        Names in the order of ``x`` and ``p``; placeholders follow the parameters.
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
    def arguments(self) -> tuple[tuple[int, ...], ...]:
        """What each kind depends on: states first, then parameters, then placeholders."""
        found = []
        for observable, pair in zip(self.observables, self.pairs, strict=True):
            names = (*self.states, *self.parameters, *_slots(observable))
            used = free_names(pair[0]) | free_names(pair[1])
            found.append(tuple(i for i, name in enumerate(names) if name in used))
        return tuple(found)

    @property
    def starts(self) -> NDArray[np.int64]:
        """Where the arguments of each kind begin in `flat_arguments`, (n_kinds + 1,)."""
        return np.cumsum([0, *(len(a) for a in self.arguments)], dtype=np.int64)

    @property
    def flat_arguments(self) -> NDArray[np.int64]:
        """The arguments of all kinds, one after the other."""
        return np.array([i for a in self.arguments for i in a], dtype=np.int64)

    @property
    def room(self) -> int:
        """Largest number of values that the function with slopes writes."""
        return 2 + 2 * max((len(a) for a in self.arguments), default=0)

    @cached_property
    def values(self) -> Any:
        """Compiled function that writes observable and noise, see `objective_kernel.OBSERVE`."""
        return self._compiled([list(pair) for pair in self.pairs])

    @cached_property
    def slopes(self) -> Any:
        """Compiled function that writes their derivatives too."""
        lists = []
        for observable, pair, used in zip(
            self.observables, self.pairs, self.arguments, strict=True
        ):
            names = (*self.states, *self.parameters, *_slots(observable))
            by = [slope_of(formula, names[i]) for i in used for formula in pair]
            lists.append([*pair, *by])
        return self._compiled(lists)

    def _compiled(self, lists: Sequence[Sequence[sp.Expr]]) -> Any:
        lines = ["def observe(kind, t, x, p, out):"]
        base = {symbol(n): f"x[{i}]" for i, n in enumerate(self.states)}
        base |= {symbol(n): f"p[{i}]" for i, n in enumerate(self.parameters)}
        for kind, (observable, expressions) in enumerate(zip(self.observables, lists, strict=True)):
            read: Mapping[sp.Symbol, str] = base | {
                symbol(n): f"p[{len(self.parameters) + i}]"
                for i, n in enumerate(_slots(observable))
            }
            targets = [f"out[{i}]" for i in range(len(expressions))]
            lines.append(f"    {'if' if kind == 0 else 'elif'} kind == {kind}:")
            lines += [
                f"    {line}" for line in assignments(expressions, read, targets, f"_c{kind}_")
            ]
        return generated_module(f"{_HEAD}@generated(OBSERVE)\n" + "\n".join(lines) + "\n").observe


def _slots(observable: Observable) -> tuple[str, ...]:
    return observable.observable_placeholders + observable.noise_placeholders
