"""From symbolic expressions to compiled functions, kept on disk by content.

The generated source holds arithmetic over parsed formulas only. It is written once under the hash
of its text, the generator's version and numba's version, through a temporary name, so that
concurrent and interrupted runs cannot leave a broken file; numba keeps the machine code beside it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numba
import sympy as sp
from sympy.printing.pycode import PythonCodePrinter

from statera.numerics.compiled import cache_directory
from statera.numerics.expression import symbol

__all__ = ["VectorFunction", "compile_functions"]

VERSION = "1"

VectorFunction = Any
"""A compiled function ``f(t, x, p, out)``: scalar time, states, parameters, result written."""


class _Printer(PythonCodePrinter):  # type: ignore[misc]  # sympy has no types
    """Prints expressions with the functions of the math module, and small powers as products."""

    def _print_Pow(self, expr: Any, **options: Any) -> str:
        if expr.exp.is_Integer and 2 <= int(expr.exp) <= 4:
            base = self.parenthesize(expr.base, 50)
            return "(" + "*".join([base] * int(expr.exp)) + ")"
        return str(super()._print_Pow(expr, **options))

    def _print_Piecewise(self, expr: Any) -> str:
        text = f"({self._print(expr.args[-1][0])})"
        for yes, condition in reversed(expr.args[:-1]):
            text = f"(({self._print(yes)}) if ({self._print(condition)}) else {text})"
        return text

    def _print_Min(self, expr: Any) -> str:
        return f"min({', '.join(self._print(a) for a in expr.args)})"

    def _print_Max(self, expr: Any) -> str:
        return f"max({', '.join(self._print(a) for a in expr.args)})"


def _function(
    name: str, expressions: Sequence[sp.Expr], states: Sequence[str], parameters: Sequence[str]
) -> str:
    printer = _Printer({"fully_qualified_modules": True})
    read = {symbol(n): sp.Symbol(f"x[{i}]") for i, n in enumerate(states)}
    read |= {symbol(n): sp.Symbol(f"p[{i}]") for i, n in enumerate(parameters)}
    temporaries, results = sp.cse(
        list(expressions), symbols=sp.numbered_symbols("_c"), order="none"
    )
    lines = [f"def {name}(t, x, p, out):"]
    for target, value in temporaries:
        lines.append(f"    {target} = {printer.doprint(value.xreplace(read))}")
    for i, value in enumerate(results):
        lines.append(f"    out[{i}] = {printer.doprint(value.xreplace(read))}")
    return "\n".join(lines)


def compile_functions(
    functions: dict[str, Sequence[sp.Expr]], states: Sequence[str], parameters: Sequence[str]
) -> dict[str, VectorFunction]:
    """Compile functions of states and parameters.

    Parameters
    ----------
    functions
        Expressions by function name; each function writes its values into ``out``.
    states, parameters
        Names in the order of ``x`` and ``p``; the time is ``t``.
    """
    body = "\n\n\n".join(_function(n, e, states, parameters) for n, e in functions.items())
    decorated = body.replace(
        "def ", '@njit("void(float64, float64[::1], float64[::1], float64[::1])", **OPTIONS)\ndef '
    )
    text = (
        "import math\n\nfrom numba import njit\n\n"
        'OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}\n\n\n'
        f"{decorated}\n"
    )
    module = _module(text)
    return {name: getattr(module, name) for name in functions}


@lru_cache(maxsize=256)
def _module(text: str) -> Any:
    key = hashlib.sha256(f"{VERSION}\n{numba.__version__}\n{text}".encode()).hexdigest()[:32]
    name = f"statera_generated_{key}"
    path = cache_directory() / f"{name}.py"
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".py")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
