"""Powers that stay numbers when a solver steps a hair below zero.

A species that is used up may stand at -1e-18 within a step; a power with a broken exponent has no
real value there. Inside such powers, and there alone, a species below zero counts as zero: the
species itself is left as it is, so nothing changes where the power had a value.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

import sympy as sp

__all__ = ["floored"]


def floored(formula: Any, species: AbstractSet[sp.Symbol]) -> Any:
    """Return a formula whose powers hold for species at or a little below zero.

    Parameters
    ----------
    formula
        An expression or a condition.
    species
        Symbols that are never negative in earnest.

    Notes
    -----
    Powers by whole numbers are left alone. Where the exponent is a formula the base is changed only
    if it is a product of species and others, such as the ratio of a Hill term; where it is a broken
    number, any base that holds a species.
    """
    if not any(_needs(power, species) for power in formula.atoms(sp.Pow)):
        return formula
    return formula.replace(lambda e: e.is_Pow and _needs(e, species), lambda e: _floor(e, species))


def _needs(power: Any, species: AbstractSet[sp.Symbol]) -> bool:
    base, exponent = power.args
    if exponent.is_Integer or base.is_nonnegative or base.free_symbols.isdisjoint(species):
        return False
    return bool(exponent.is_number or _is_product(base))


def _is_product(base: Any) -> bool:
    if base.is_Symbol or base.is_Number:
        return True
    if base.is_Mul:
        return all(_is_product(part) for part in base.args)
    return bool(base.is_Pow and base.exp.is_number and _is_product(base.base))


def _floor(power: Any, species: AbstractSet[sp.Symbol]) -> Any:
    base, exponent = power.args
    if _is_product(base):
        return base.xreplace({s: sp.Max(s, 0) for s in base.free_symbols & species}) ** exponent
    return sp.Max(base, 0) ** exponent
