"""From the code of Y to outputs and residual errors."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sympy as sp

from statera.model.nonmem.code import Code
from statera.model.nonmem.records import Problem
from statera.numerics.derivative import derivative
from statera.numerics.expression import symbol

__all__ = ["ErrorModel", "error_models"]

_KINDS = ("DVID", "CMT")


@dataclass(frozen=True)
class ErrorModel:
    """One kind of observation.

    Attributes
    ----------
    name
        Name of the output.
    kind
        Value of the column that tells the kind; None where there is one kind only, or for all
        other values.
    mean
        Over states and PK variables.
    variance
        Over the output's name and PK variables.
    linearised
        Whether an EPS enters in another way than linearly.
    """

    name: str
    kind: int | None
    mean: sp.Expr
    variance: sp.Expr
    linearised: bool


def error_models(
    code: Code,
    predictions: Mapping[int, sp.Expr],
    sigma: Mapping[tuple[int, int], str],
    keep: Collection[str],
    states: Collection[str],
    line: int,
    problems: list[Problem],
) -> tuple[list[ErrorModel], str, float | None]:
    """Return the kinds of observations, the column that tells them apart, and a limit.

    The column is empty where there is one kind. The limit is the value below which the code turns
    to a likelihood by F_FLAG, None where it does not.

    Parameters
    ----------
    code
        The whole code; ``Y`` is what is observed.
    predictions
        What F stands for in each compartment, that of 0 by default; empty with $PRED.
    sigma
        Parameter of each variance and covariance of EPS, numbered from 1.
    keep
        Versions that are individual parameters and stay.
    states
        Names of the amounts.
    """
    if "Y" not in code.values:
        problems.append(Problem(line, "Y is not computed"))
        return [], "", None
    y = code.values["Y"]
    full = code.inline(symbol(y), keep)
    limit = None
    if "F_FLAG" in code.values:
        limit, never = _limit(full)
        full = full.xreplace(never)
        # what follows sees the code as it is for quantified values
        code.equations[y] = full
        if limit is None:
            problems.append(Problem(
                code.lines[code.values["F_FLAG"]],
                "F_FLAG is translated only where DV is compared with a number: "
                "mark censored values by CENS, or write a [likelihood]",
            ))  # fmt: skip
            return [], "", None
    if symbol("DV") in full.free_symbols:
        problems.append(Problem(code.lines[y], "Y depends on DV"))
        return [], "", None
    column, values = _values(full)
    found = []
    for value in values:
        name = "Y" if not column else f"Y{value}" if value is not None else "Y_ELSE"
        try:
            model = _one(code, name, column, value, values, predictions, sigma, keep, states)
        except ValueError as error:
            problems.append(Problem(code.lines[code.values["Y"]], str(error)))
            continue
        if value is not None or not column or model.mean != 0 or model.variance != 0:
            found.append(model)
    return found, column, limit


def _limit(full: sp.Expr) -> tuple[float | None, dict[sp.Expr, sp.Expr]]:
    """Return the number that DV is compared with, and what that is for a quantified value."""
    dv = symbol("DV")
    found: dict[sp.Expr, sp.Expr] = {}
    limits = set()
    for test in full.atoms(sp.core.relational.Relational):
        if dv not in test.free_symbols:
            continue
        other = test.rhs if test.lhs == dv else test.lhs
        if not other.is_number or test.func in (sp.Eq, sp.Ne):
            return None, {}
        below = (test.lts == dv) if hasattr(test, "lts") else False
        found[test] = sp.false if below else sp.true
        limits.add(float(other))
    return (limits.pop(), found) if len(limits) == 1 else (None, {})


def _values(full: sp.Expr) -> tuple[str, list[int | None]]:
    """Return the column that conditions of Y compare, its values, and None for all others."""
    for column in _KINDS:
        tests = [
            c
            for switch in full.atoms(sp.Piecewise)
            for _, c in switch.args
            if c != sp.true and symbol(column) in c.free_symbols
        ]
        if tests:
            numbers = {int(a) for c in tests for a in c.args if a.is_Integer}
            return column, [*sorted(numbers), None]
    return "", [None]


def _one(
    code: Code,
    name: str,
    column: str,
    value: int | None,
    values: list[int | None],
    predictions: Mapping[int, sp.Expr],
    sigma: Mapping[tuple[int, int], str],
    keep: Collection[str],
    states: Collection[str],
) -> ErrorModel:
    other = 1 + max((v for v in values if v is not None), default=0)
    chosen = {symbol(column): sp.Integer(other if value is None else value)} if column else {}
    own = symbol(name)
    # a variable that is the mean, or whose logarithm is, stays a name: the variance can then be
    # written over the output
    last = code.values["Y"]
    stems = [n for n in reversed(list(code.equations)) if n not in keep]
    for stem in [*(["F"] if predictions else []), *stems, ""]:
        y = code.inline(symbol(last), {*keep, stem} - {last}).xreplace(chosen)
        mean, variance, linearised = _moments(y, sigma)
        if not stem:
            break
        if mean in (symbol(stem), sp.log(symbol(stem))) and not _has_eps(code.inline(mean, keep)):
            break
    inner = code.inline(mean, keep).xreplace(chosen)
    if stem:
        variance = variance.xreplace({symbol(stem): own if mean == symbol(stem) else sp.exp(own)})
    variance = code.inline(variance, {*keep, name}).xreplace(chosen)
    f = symbol("F")
    if f in variance.free_symbols:
        if inner == f:
            variance = variance.xreplace({f: own})
        elif sp.log(f) in (inner, *(a for p in inner.atoms(sp.Piecewise) for a, _ in p.args)):
            variance = variance.xreplace({f: sp.exp(own)})
    left = {s.name for s in variance.free_symbols} & {*states, "F"}
    if left:
        raise ValueError("the residual variance cannot be written over the prediction of Y")
    if f in inner.free_symbols:
        place = 0 if column != "CMT" else value
        if place is None or place not in predictions:
            raise ValueError(
                "F is that of the compartment of each observation: conditions must name every CMT"
            )
        inner = inner.xreplace({f: predictions[place]})
    return ErrorModel(name, value, inner, variance, linearised)


def _has_eps(expression: sp.Expr) -> bool:
    return any(re.fullmatch(r"EPS\d+", s.name) for s in expression.free_symbols)


def _moments(y: sp.Expr, sigma: Mapping[tuple[int, int], str]) -> tuple[sp.Expr, sp.Expr, bool]:
    """Return mean and variance of Y at EPS 0, and whether that leaves something out."""
    eps = {symbol(f"EPS{i}"): i for pair in sigma for i in pair}
    used = [e for e in eps if e in y.free_symbols]
    zero = dict.fromkeys(used, sp.Integer(0))
    slopes = {eps[e]: derivative(y, e) for e in used}
    linearised = any(e in s.free_symbols for s in slopes.values() for e in used)
    at = {i: s.xreplace(zero) for i, s in slopes.items()}
    variance = sp.Integer(0)
    for i, a in at.items():
        for j, b in at.items():
            if (max(i, j), min(i, j)) in sigma:
                variance += a * b * symbol(sigma[max(i, j), min(i, j)])
    return y.xreplace(zero), variance, linearised
