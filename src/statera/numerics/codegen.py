"""From symbolic expressions to compiled functions, kept on disk by content.

The generated source holds arithmetic over parsed formulas only. It is written once under the hash
of its text and of the compiled sources that it works with, through a temporary name, so that
concurrent and interrupted runs cannot leave a broken file; numba keeps the machine code beside it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy as sp

from statera.numerics.compiled import cache_directory, kernel_key
from statera.numerics.expression import symbol
from statera.numerics.printing import assignments
from statera.numerics.tsit5_code import step_source

__all__ = ["CompiledSystem", "compile_system"]


@dataclass(frozen=True)
class CompiledSystem:
    """Compiled functions of a system, see `statera.numerics.tsit5` for their types.

    Attributes
    ----------
    rhs
        ``rhs(t, x, p, out, base)`` writes the derivatives.
    outputs
        ``outputs(t, x, p, out, base)`` writes the outputs.
    step
        One Tsit5 step of this system.
    """

    rhs: Any
    outputs: Any
    step: Any


def _function(
    name: str, expressions: Sequence[sp.Expr], states: Sequence[str], parameters: Sequence[str]
) -> str:
    read = {symbol(n): f"x[{i}]" for i, n in enumerate(states)}
    read |= {symbol(n): f"p[{i}]" for i, n in enumerate(parameters)}
    targets = [f"out[base + {i}]" for i in range(len(expressions))]
    lines = assignments(expressions, read, targets)
    return "\n".join([f"def {name}(t, x, p, out, base):", *lines])


def compile_system(
    derivatives: Sequence[sp.Expr],
    outputs: Sequence[sp.Expr],
    states: Sequence[str],
    parameters: Sequence[str],
) -> CompiledSystem:
    """Compile a system of equations.

    Parameters
    ----------
    derivatives
        Right-hand sides in the order of `states`.
    outputs
        What is observed.
    states, parameters
        Names in the order of ``x`` and ``p``; the time is ``t``.
    """
    text = "\n\n\n".join(
        [
            "import math\n\nfrom numba import njit\n\n"
            "from statera.numerics.tsit5 import FUNCTION, STEP, looped_step\n\n"
            'OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}',
            f"@njit(FUNCTION, **OPTIONS)\n{_function('rhs', derivatives, states, parameters)}",
            f"@njit(FUNCTION, **OPTIONS)\n{_function('outputs', outputs, states, parameters)}",
            f"@njit(STEP, **OPTIONS)\n{step_source(derivatives, states, parameters)}\n",
        ]
    )
    module = _module(text)
    return CompiledSystem(module.rhs, module.outputs, module.step)


@lru_cache(maxsize=256)
def _module(text: str) -> Any:
    key = hashlib.sha256(f"{kernel_key()}\n{text}".encode()).hexdigest()[:32]
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
