"""Subpopulations of a mixture model: how many there are, and how probable each is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from statera.model import fields
from statera.model.fields import KeyPath, SpecError
from statera.model.formula import read_formula
from statera.model.model import Covariate, Equation, Mixture, Parameter, Range
from statera.numerics.expression import evaluate

__all__ = ["REST", "read_mixture", "subpopulation_covariate"]

REST = "rest"
"""In place of one formula: what the others leave of 1."""

_EXACT = 1e-9


def read_mixture(
    spec: Mapping[str, Any],
    parameters: Mapping[str, Parameter],
    covariates: Mapping[str, Covariate],
) -> Mixture | None:
    """Return the subpopulations of a model, None where it has no table ``mixture``.

    Parameters
    ----------
    spec
        The model; its table ``mixture`` is read.

    Raises
    ------
    SpecError
        If there are fewer than two subpopulations, a formula cannot be read, or the probabilities
        at the model's values are not above 0 with the sum 1.
    """
    if "mixture" not in spec:
        return None
    path: KeyPath = ("mixture",)
    table = fields.table(spec, "mixture", ())
    fields.only(table, {"variable", "probabilities"}, path)
    variable = fields.text(table, "variable", path)
    here = (*path, "probabilities")
    given = fields.table(table, "probabilities", path)
    if len(given) < 2:
        raise SpecError(here, "a mixture needs two subpopulations at least")
    known = {*parameters, *covariates}
    left = [name for name, text in given.items() if text == REST and REST not in known]
    if len(left) > 1:
        raise SpecError((*here, left[1]), f"only one subpopulation can be '{REST}'")
    found = {
        name: read_formula(text, known, (*here, name))
        for name, text in given.items()
        if name not in left
    }
    if left:
        found[left[0]] = sp.Integer(1) - sp.Add(*found.values())
    values = {name: p.value for name, p in parameters.items()}
    values |= {name: c.reference for name, c in covariates.items()}
    _check(found, values, here)
    return Mixture(variable, tuple(Equation(name, str(given[name]), found[name]) for name in given))


def _check(formulas: Mapping[str, sp.Expr], values: Mapping[str, float], path: KeyPath) -> None:
    """Raise SpecError where probabilities are not such at the values of the model."""
    total = 0.0
    for name, formula in formulas.items():
        p = float(evaluate(formula, values))
        if not 0.0 < p < 1.0:
            raise SpecError(
                (*path, name),
                f"the probability is {p:g} at the model's values, and must lie between 0 and 1",
            )
        total += p
    moved = {name: 1.01 * value + 1e-3 for name, value in values.items()}
    others = sum(float(evaluate(formula, moved)) for formula in formulas.values())
    for found in (total, others):
        if abs(found - 1.0) > _EXACT:
            raise SpecError(
                path,
                f"the probabilities add up to {found:g}, not to 1, at some values of parameters",
                f"Write '{REST}' in place of one of them.",
            )


def subpopulation_covariate(
    mixture: Mixture,
    parameters: Mapping[str, Parameter],
    covariates: Mapping[str, Covariate],
) -> Covariate:
    """Return the number of the subpopulation as formulas see it: as a covariate, 1, 2 and on.

    Its reference, that of the typical subject, is the most probable subpopulation.
    """
    values = {name: p.value for name, p in parameters.items()}
    values |= {name: c.reference for name, c in covariates.items()}
    sizes = [float(evaluate(s.expression, values)) for s in mixture.subpopulations]
    count = len(sizes)
    ends = Range(1.0, float(count))
    return Covariate(
        name=mixture.variable,
        unit="",
        reference=1.0 + sizes.index(max(sizes)),
        soft=ends,
        hard=ends,
        label="number of the subpopulation",
        basis="the number of subpopulations",
    )
