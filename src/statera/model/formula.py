"""Reading a formula at a key."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sympy as sp

from statera.model.fields import KeyPath, SpecError
from statera.numerics.expression import ExpressionError, parse

__all__ = ["read_formula"]


def read_formula(text: Any, names: Collection[str], path: KeyPath) -> sp.Expr:
    """Return a formula over the names; a number is one, too.

    Raises
    ------
    SpecError
        If it cannot be read; the error names the key and the column of the formula.
    """
    if isinstance(text, int | float) and not isinstance(text, bool):
        text = repr(text)
    if not isinstance(text, str):
        raise SpecError(path, "expected a formula in quotes")
    try:
        return parse(text, names)
    except ExpressionError as error:
        raise SpecError(path, f"{error} (column {error.column} of the formula)") from None
