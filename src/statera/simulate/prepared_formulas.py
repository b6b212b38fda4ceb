"""What solving needs of a model alone, whatever the records: derived once and shared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.model import Model
from statera.model.by_identity import ByIdentity
from statera.numerics.derivative import derivative
from statera.numerics.expression import free_names, symbol
from statera.numerics.scalar import Scalar, scalar
from statera.numerics.vectorised import Vectorised, vectorise
from statera.simulate.arrays import processes_of
from statera.simulate.ode_options import OdeOptions
from statera.simulate.prepared_bends import PreparedBends
from statera.simulate.prepared_ode import OdeSolver
from statera.simulate.prepared_solvers import LinearSolver, Places
from statera.simulate.simulate import structure_of

Layout = tuple[NDArray[np.int64], tuple[tuple[int, ...], ...]]

__all__ = [
    "PreparedFormulas",
    "SingleFormulas",
    "TangentFormulas",
    "formulas_of",
    "full_formula",
]


def full_formula(model: Model, expression: sp.Expr) -> sp.Expr:
    """Return a formula over parameters, random effects, covariates and states only."""
    for equation in reversed(model.individual):
        if symbol(equation.name) in expression.free_symbols:
            expression = expression.xreplace({symbol(equation.name): equation.expression})
    return expression


@dataclass(frozen=True)
class TangentFormulas:
    """Derivatives of leaves that are not zero: which leaf, by which name."""

    expressions: tuple[sp.Expr, ...]
    function: Vectorised
    leaves: tuple[int, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class SingleFormulas:
    """Leaves, then derivatives that are not zero, as one function of numbers.

    Attributes
    ----------
    function
        Over parameters, random effects and covariates.
    first
        Leaf, and random effect, of each first derivative.
    second
        Leaf, and two random effects, of each second derivative.
    layouts
        Where the solver reads these numbers, by the number of columns; filled when needed.
    """

    function: Scalar
    first: tuple[tuple[int, str], ...]
    second: tuple[tuple[int, str, str], ...]
    layouts: dict[tuple[int, int], Layout] = field(default_factory=dict)


class PreparedFormulas:
    """The formulas of a model and of the inputs that some doses enter by.

    Attributes
    ----------
    base
        Names that formulas hold: parameters, random effects and covariates.
    structure
        What the equations allow.
    solver
        The solver, to be copied: it remembers what it found of its subjects.
    places
        Where the formulas of inputs stand.
    leaves
        What the solver takes, as formulas over `base`.
    values
        The same as a function.
    """

    def __init__(
        self, model: Model, dose_keys: Sequence[tuple[str, float]], ode: OdeOptions
    ) -> None:
        self.model = model
        self.base = (*model.parameters, *model.random_effects, *model.covariates)
        self.structure = structure_of(model)
        self.solver: LinearSolver | OdeSolver
        if self.structure.linear is not None and not self.structure.transit:
            self.solver = LinearSolver(model, self.structure.linear)
        else:
            self.solver = OdeSolver(model, ode)
        self.places = Places()
        leaves = self.solver.leaves(self.places)
        for route, amount in dose_keys:
            for process in processes_of(model, route):
                leaves += self.places.process(process, amount, model.states)
        self.places.close_keys([len(processes_of(model, r)) for r, _ in dose_keys])
        self.leaves = [full_formula(model, leaf) for leaf in leaves]
        self.values = vectorise(self.leaves, self.base)
        self._tangents: dict[bool, TangentFormulas] = {}
        self._single: dict[bool, SingleFormulas] = {}
        self._bends: PreparedBends | None = None

    def tangents(self, *, by_parameters: bool) -> TangentFormulas:
        """Return the derivatives of the leaves by random effects, or by all names."""
        if by_parameters not in self._tangents:
            names: tuple[str, ...] = tuple(self.model.random_effects)
            if by_parameters:
                names = (*self.model.parameters, *names)
            self._tangents[by_parameters] = self._derived(names)
        return self._tangents[by_parameters]

    @property
    def bends(self) -> PreparedBends:
        """Second derivatives of states, where random effects belong to subjects."""
        if self._bends is None:
            effects = [e.name for e in self.model.random_effects.values() if e.level == "subject"]
            self._bends = PreparedBends(
                self.leaves, tuple(self.model.parameters), effects, self.base
            )
        return self._bends

    def single(self, *, second: bool) -> SingleFormulas:
        """Return leaves and their derivatives by random effects as functions of numbers."""
        if second not in self._single:
            self._single[second] = self._of_numbers(second=second)
        return self._single[second]

    def _of_numbers(self, *, second: bool) -> SingleFormulas:
        found = self.tangents(by_parameters=False)
        expressions = [*self.leaves, *found.expressions]
        places: list[tuple[int, str, str]] = []
        effects = list(self.model.random_effects)
        for leaf, name, slope in zip(found.leaves, found.names, found.expressions, strict=True):
            for other in effects[: effects.index(name) + 1] if second else ():
                bend = derivative(slope, symbol(other))
                if bend != 0:
                    expressions.append(bend)
                    places.append((leaf, name, other))
        first = tuple(zip(found.leaves, found.names, strict=True))
        return SingleFormulas(scalar(expressions, self.base), first, tuple(places))

    def _derived(self, names: Sequence[str]) -> TangentFormulas:
        found: list[tuple[int, str, sp.Expr]] = []
        for k, leaf in enumerate(self.leaves):
            used = free_names(leaf)
            for name in names:
                if name in used and (slope := derivative(leaf, symbol(name))) != 0:
                    found.append((k, name, slope))
        return TangentFormulas(
            tuple(e for _, _, e in found),
            vectorise([e for _, _, e in found], self.base),
            tuple(k for k, _, _ in found),
            tuple(name for _, name, _ in found),
        )


def formulas_of(
    model: Model, dose_keys: tuple[tuple[str, float], ...], ode: OdeOptions
) -> PreparedFormulas:
    """Return the formulas of a model, derived once for all records with the same dose keys."""
    return _formulas(ByIdentity(model), dose_keys, ode)


@lru_cache(maxsize=64)
def _formulas(
    key: ByIdentity, dose_keys: tuple[tuple[str, float], ...], ode: OdeOptions
) -> PreparedFormulas:
    return PreparedFormulas(key.model, dose_keys, ode)
