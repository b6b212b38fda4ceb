"""Formulas of SBML (MathML, through libsbml) as sympy expressions.

What can come out: numbers, symbols, ``Add``, ``Mul``, ``Pow``, ``exp``, ``log``, ``Abs``,
``floor``, ``ceiling``, the six circular and six hyperbolic functions that the math module has with
their inverses, ``loggamma`` (in factorials), ``Min``, ``Max``, ``Piecewise`` and `RateOf`, which
the reader replaces. Conditions are relations joined by ``And`` and ``Or`` alone: a negation, an
``xor`` or an ``implies`` is written out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy as sp

from statera.pathway.network import TIME
from statera.pathway.sbml_file import SbmlFile, sbml_library
from statera.pathway.sbml_functions import (
    as_condition,
    as_number,
    builders,
    constants,
    number,
    piecewise,
)

__all__ = ["Formulas", "RateOf"]


class RateOf(sp.Function):  # type: ignore[misc]  # sympy has no types
    """The rate of change of a symbol, until the rates are known."""

    nargs = 1
    is_real = True


@dataclass(frozen=True)
class Formulas:
    """Translates formulas of one file.

    Attributes
    ----------
    names
        What each id means.
    functions
        Function definitions by id.
    """

    file: SbmlFile
    names: Mapping[str, sp.Expr]
    functions: Mapping[str, Any] = field(default_factory=dict)

    def expression(self, element: Any, local: Mapping[str, sp.Expr] | None = None) -> sp.Expr:
        """Return the number that an element's formula gives.

        Parameters
        ----------
        element
            Element of libsbml with a formula.
        local
            Names that hold in this formula alone.

        Raises
        ------
        InputError
            If the formula holds what is not supported; the element is named.
        """
        return as_number(self._formula(element, local or {}))

    def condition(self, element: Any) -> sp.Basic:
        """Return the condition that an element's formula gives, as `expression` does."""
        return as_condition(self._formula(element, {}))

    def _formula(self, element: Any, local: Mapping[str, sp.Expr]) -> Any:
        scope = _Scope(self, element, {**self.names, **local})
        try:
            found = scope.value(element.getMath())
        except RecursionError:
            raise self.file.refusal(element, "has a formula nested too deeply") from None
        if found.has(sp.I, sp.zoo):
            raise self.file.refusal(element, "has a formula without a real value")
        return found


@dataclass(frozen=True)
class _Scope:
    """Names that hold at one place of a formula, and the functions being written out there."""

    formulas: Formulas
    element: Any
    names: Mapping[str, sp.Expr]
    inside: tuple[str, ...] = ()

    def value(self, node: Any) -> Any:
        """Return a node as an expression or a condition."""
        if node is None:
            raise self._refusal("has no formula")
        lib = sbml_library()
        kind = node.getType()
        if node.isNumber():
            return self._number(node, lib)
        if kind == lib.AST_NAME:
            return self._name(node.getName())
        if kind in constants():
            return constants()[kind]
        if kind == lib.AST_FUNCTION:
            return self._call(node)
        if kind == lib.AST_FUNCTION_RATE_OF:
            return self._rate_of(node, lib)
        if kind == lib.AST_FUNCTION_DELAY:
            raise self._refusal("uses 'delay', which is not supported: delays make no ODE")
        if kind == lib.AST_FUNCTION_PIECEWISE:
            return piecewise([self.value(part) for part in _children(node)])
        build = builders().get(kind)
        if build is None:
            what = node.getName() or node.getOperatorName() or "an operator"
            raise self._refusal(f"uses '{what}', which is not supported")
        parts = [self.value(part) for part in _children(node)]
        try:
            return build(parts)
        except (IndexError, ValueError, TypeError):
            what = node.getName() or node.getOperatorName() or "an operator"
            raise self._refusal(
                f"gives '{what}' {len(parts)} arguments, or some that it cannot take"
            ) from None

    def _number(self, node: Any, lib: Any) -> sp.Expr:
        kind = node.getType()
        if kind == lib.AST_INTEGER:
            return sp.Integer(node.getInteger())
        if kind == lib.AST_RATIONAL:
            if node.getDenominator() == 0:
                raise self._refusal("divides by zero")
            return sp.Rational(node.getNumerator(), node.getDenominator())
        if kind == lib.AST_REAL_E:
            return number(float(f"{node.getMantissa()!r}e{node.getExponent()}"))
        return number(node.getReal())

    def _name(self, name: str) -> sp.Expr:
        if name not in self.names:
            raise self._refusal(f"uses '{name}', which is not defined")
        return self.names[name]

    def _call(self, node: Any) -> Any:
        name = node.getName()
        definition = self.formulas.functions.get(name)
        if definition is None:
            raise self._refusal(f"calls '{name}', which is no function of this file")
        if name in self.inside:
            raise self._refusal(f"calls the function '{name}', which calls itself")
        body = definition.getBody()
        if body is None:
            raise self._refusal(f"calls the function '{name}', which has no formula")
        arguments = [self.value(part) for part in _children(node)]
        wanted = definition.getNumArguments()
        if len(arguments) != wanted:
            raise self._refusal(
                f"calls '{name}' with {len(arguments)} arguments where it takes {wanted}"
            )
        bound = {
            definition.getArgument(i).getName(): argument for i, argument in enumerate(arguments)
        }
        return replace(self, names=bound, inside=(*self.inside, name)).value(body)

    def _rate_of(self, node: Any, lib: Any) -> sp.Expr:
        parts = _children(node)
        target = self.value(parts[0]) if len(parts) == 1 else None
        if target is None or not target.is_Symbol:
            raise self._refusal("uses 'rateOf' of something that is no name")
        return sp.Integer(1) if target == TIME else RateOf(target)

    def _refusal(self, what: str) -> Exception:
        return self.formulas.file.refusal(self.element, what)


def _children(node: Any) -> list[Any]:
    return [node.getChild(i) for i in range(node.getNumChildren())]
