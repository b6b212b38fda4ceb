"""What is observed about an output: residual error, or a likelihood of one's own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sympy as sp

from statera.model import fields
from statera.model.fields import KeyPath, SpecError
from statera.model.formula import read_formula
from statera.model.model import Likelihood, Output, Parameter, Residual
from statera.numerics.expression import symbol

__all__ = ["read_likelihoods", "read_residuals"]

_SIZES = ("additive", "proportional", "power")
_TIMES = ("t", "TAD")
"""Time, and time after the last dose; a model's own name of this kind comes first."""


def read_residuals(
    spec: Mapping[str, Any],
    outputs: tuple[Output, ...],
    parameters: Mapping[str, Parameter],
    known: Collection[str],
) -> dict[str, Residual]:
    """Return the residual error of each output that has one.

    Parameters
    ----------
    spec
        The model; its table ``residual`` is read.
    known
        Parameters, individual parameters, random effects and covariates.

    Raises
    ------
    SpecError
        If a key is unknown, contradicts another, or a name is not known.
    """
    found: dict[str, Residual] = {}
    for name, entry in fields.table(spec, "residual", (), optional=True).items():
        path = ("residual", name)
        row = fields.as_table(entry, path)
        fields.only(row, {*_SIZES, "combine", "scale", "variance", "note"}, path)
        if name not in {o.name for o in outputs}:
            raise SpecError(path, f"'{name}' is not an output")
        combine = fields.choice(row, "combine", path, ["variance", "sd"], default="variance")
        scale = fields.choice(row, "scale", path, ["normal", "log"], default="normal")
        sizes = {key: _size(row, key, known, path) for key in _SIZES if key in row}
        _check(row, sizes, scale, path)
        if "variance" in row:
            names = {*known, name, *_TIMES}
            variance = read_formula(row["variance"], names, (*path, "variance"))
        else:
            variance = _variance(sizes, symbol(name), combine)
        values = {symbol(p): parameter.value for p, parameter in parameters.items()}
        found[name] = Residual(
            name,
            proportional=_value(sizes.get("proportional"), values),
            additive=_value(sizes.get("additive"), values),
            note=fields.text(row, "note", path, default=""),
            variance=variance,
            lognormal=scale == "log",
        )
    return found


def _check(row: Mapping[str, Any], sizes: Mapping[str, sp.Expr], scale: str, path: KeyPath) -> None:
    """Raise SpecError where keys contradict each other."""
    if "variance" in row and (sizes or "combine" in row):
        other = next(iter(sizes), "combine")
        raise SpecError((*path, other), f"'{other}' and 'variance' exclude each other")
    if "power" in sizes and "proportional" not in sizes:
        raise SpecError((*path, "power"), "'power' needs 'proportional', which it goes with")
    if scale == "log" and "proportional" in sizes:
        raise SpecError(
            (*path, "proportional"),
            "an error on the log scale has one size, 'additive' or 'variance'",
            "A constant error of the logarithm is a proportional one of the output.",
        )


def _size(row: Mapping[str, Any], key: str, known: Collection[str], path: KeyPath) -> sp.Expr:
    """Return a size: a name of the model, or a number that is not negative."""
    value = row[key]
    if isinstance(value, str):
        if value not in known:
            raise SpecError((*path, key), f"'{value}' is not a parameter")
        return symbol(value)
    number = fields.need_number(row, key, path)
    if number < 0:
        raise SpecError((*path, key), f"a size of error cannot be negative: {number:g}")
    return sp.Float(number) if number != int(number) else sp.Integer(int(number))


def _variance(sizes: Mapping[str, sp.Expr], output: sp.Symbol, combine: str) -> sp.Expr:
    """Return the variance by the sizes; 0 where there are none."""
    a = sizes.get("additive", sp.Integer(0))
    b = sizes.get("proportional", sp.Integer(0))
    c = sizes.get("power", sp.Integer(1))
    if combine == "variance":
        grows = output**2 if c == 1 else sp.Abs(output) ** (2 * c)
        return a**2 + b**2 * grows
    size = sp.Abs(output) if c == 1 else sp.Abs(output) ** c
    return (a + b * size) ** 2


def _value(size: sp.Expr | None, values: Mapping[sp.Symbol, float]) -> float:
    """Return a size at the model's parameters; NaN where it depends on a subject."""
    if size is None:
        return 0.0
    if size.is_number:
        return float(size)
    return values.get(size, float("nan"))


def read_likelihoods(
    spec: Mapping[str, Any], outputs: tuple[Output, ...], known: Collection[str]
) -> dict[str, Likelihood]:
    """Return the user's log-likelihoods, with outputs written out in states.

    Parameters
    ----------
    spec
        The model; its table ``likelihood`` is read.
    known
        States, parameters, individual parameters, random effects and covariates.

    Raises
    ------
    SpecError
        If a key is unknown, a name is not known, or the formula does not use ``DV``.
    """
    found: dict[str, Likelihood] = {}
    written = {symbol(o.name): o.expression for o in outputs}
    residual = fields.table(spec, "residual", (), optional=True)
    for name, entry in fields.table(spec, "likelihood", (), optional=True).items():
        path = ("likelihood", name)
        row = fields.as_table(entry, path)
        fields.only(row, {"expression", "note"}, path)
        if name in residual:
            raise SpecError(path, f"'{name}' has a residual error already")
        if "DV" in known or symbol("DV") in written:
            raise SpecError(path, "'DV' is the observed value here: rename the model's own 'DV'")
        text = fields.text(row, "expression", path)
        names = {*known, *(o.name for o in outputs), *_TIMES, "DV"}
        formula = read_formula(text, names, (*path, "expression"))
        if symbol("DV") not in formula.free_symbols:
            raise SpecError((*path, "expression"), "the formula does not use the observed value DV")
        note = fields.text(row, "note", path, default="")
        found[name] = Likelihood(name, text, formula.xreplace(written), note)
    return found
