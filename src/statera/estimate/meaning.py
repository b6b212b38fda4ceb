"""What parameters and random effects stand for, read from the equations of a model.

A parameter that enters only as ``exp(parameter + ...)`` is the logarithm of a typical value; one
that enters only as ``1/(1 + exp(-(parameter + ...)))`` is its logit. A random effect that enters
only as ``exp(effect)`` makes a parameter log-normal. All of it follows from derivatives: of
``P = exp(theta + eta) g`` the derivative by theta is P itself, of a logit it is ``P (1 - P)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import sympy as sp

from statera.model import Model
from statera.model.by_identity import ByIdentity
from statera.model.mixture import REST
from statera.numerics.derivative import derivative
from statera.numerics.expression import symbol
from statera.simulate import full_formula

__all__ = ["Meaning", "Scale", "meanings"]

Scale = Literal["natural", "exp", "expit"]

_ROUNDING = 1e-6
"""Relative difference that is more than rounding."""


@dataclass(frozen=True)
class Meaning:
    """What a parameter or a random effect stands for.

    Attributes
    ----------
    scale
        ``exp`` where the exponential of it counts, ``expit`` where the inverse logit does.
    of
        Individual parameters that it belongs to.
    """

    scale: Scale
    of: tuple[str, ...]


def meanings(model: Model) -> dict[str, Meaning]:
    """Return the meaning of each parameter and random effect by name."""
    return dict(_meanings(ByIdentity(model)))


@lru_cache(maxsize=64)
def _meanings(key: ByIdentity) -> dict[str, Meaning]:
    places = _places(key.model)
    names = [*key.model.parameters, *key.model.random_effects]
    return {name: _meaning(symbol(name), places) for name in names}


def _places(model: Model) -> list[tuple[str, sp.Expr]]:
    """Return what states, doses, outputs and errors are made of, each over base names.

    An individual parameter that only serves to write another is not among them.
    """
    formulas = [e.expression for e in model.dynamics]
    formulas += list(model.initial.values())
    formulas += [o.expression for o in model.outputs]
    formulas += [r.variance for r in model.residuals.values()]
    formulas += [likelihood.loglik for likelihood in model.likelihoods.values()]
    for processes in model.inputs.values():
        for p in processes:
            found = (p.bioavailability, p.lag, p.duration, p.rate)
            formulas += [formula for formula in found if formula is not None]
    used = {s for formula in formulas for s in formula.free_symbols}
    individual = {symbol(e.name): e for e in model.individual}
    places = [
        (e.name, full_formula(model, e.expression)) for s, e in individual.items() if s in used
    ]
    return _by_subpopulation(model, places + [("", formula) for formula in formulas])


def _by_subpopulation(model: Model, places: list[tuple[str, sp.Expr]]) -> list[tuple[str, sp.Expr]]:
    """Return formulas as each subpopulation of a mixture has them, and those of probabilities."""
    if model.mixture is None:
        return places
    number = symbol(model.mixture.variable)
    found = [("", s.expression) for s in model.mixture.subpopulations if s.text != REST]
    for label, formula in places:
        if number not in formula.free_symbols:
            found.append((label, formula))
            continue
        for k in range(len(model.mixture.subpopulations)):
            found.append((label, formula.xreplace({number: sp.Integer(k + 1)})))
    return found


def _meaning(name: sp.Symbol, places: list[tuple[str, sp.Expr]]) -> Meaning:
    held = [(of, formula) for of, formula in places if name in formula.free_symbols]
    of = tuple(dict.fromkeys(label for label, _ in held if label))
    scales = {_scale(formula, name) for _, formula in held}
    scale: Scale = scales.pop() if len(scales) == 1 else "natural"
    return Meaning(scale, of)


def _scale(formula: sp.Expr, name: sp.Symbol) -> Scale:
    if name == formula:
        return "natural"
    slope = derivative(formula, name)
    if _same(slope, formula):
        return "exp"
    if _same(slope, formula * (1 - formula)):
        return "expit"
    return "natural"


def _same(one: sp.Expr, other: sp.Expr) -> bool:
    """Return True where two formulas are the same.

    Most are not, and differ at any point: simplifying, which takes seconds for some models, is
    for those that do not differ at two points.
    """
    symbols = sorted(one.free_symbols | other.free_symbols, key=str)
    for first in (0.31, 0.83):
        # spread over 0.2 to 1.2 by the golden ratio, so that no two symbols are alike
        point = {s: 0.2 + (first + 0.6180339887 * k) % 1.0 for k, s in enumerate(symbols)}
        a, b = (sp.N(formula.subs(point)) for formula in (one, other))
        size = abs(a) + abs(b)
        if a.is_real and b.is_real and size.is_finite and abs(a - b) > _ROUNDING * size:
            return False
    return bool(sp.simplify(one - other) == 0)
