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
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp
from numba.core.dispatcher import Dispatcher
from numpy.typing import NDArray

from statera.numerics.compiled import cache_directory, kernel_key
from statera.numerics.derivative import derivative
from statera.numerics.expression import symbol
from statera.numerics.pointers import Pointer
from statera.numerics.printing import assignments
from statera.numerics.sparse_lu import factor_source
from statera.numerics.tsit5_code import LARGEST_WRITTEN_OUT, step_source

__all__ = [
    "CompiledSystem",
    "StiffSystem",
    "compile_stiff",
    "compile_system",
    "generated_module",
]


_HEAD = (
    "import math\n\n"
    "from statera.numerics import special\n"
    "from statera.numerics.compiled import generated\n"
    "from statera.numerics.transit import transit_input, transit_slope\n"
    "from statera.numerics.tsit5 import {}"
)


@dataclass(frozen=True)
class CompiledSystem:
    """Compiled functions of a system, see `statera.numerics.tsit5` for their types.

    Attributes
    ----------
    rhs
        ``rhs(t, x, p, out, base)`` writes the derivatives.
    outputs
        ``outputs(t, x, p, out, base)`` writes the outputs.
    step_text
        Source of one Tsit5 step written out for this system; empty where it is too large.
    """

    rhs: Any
    outputs: Any
    step_text: str

    @property
    def step_is_kept(self) -> bool:
        """Whether the written-out step was compiled before, in this process or another."""
        return bool(self.step_text) and _path(self.step_text).exists()

    @cached_property
    def step(self) -> Any:
        """The written-out step, compiled when first needed.

        To the last bit the same as `statera.numerics.tsit5.looped_step`, which needs no compiling.
        """
        return generated_module(self.step_text).step


@dataclass(frozen=True)
class StiffSystem:
    """What Rodas5P needs besides the right-hand side, see `statera.numerics.rodas5p`.

    Attributes
    ----------
    jacobian
        ``jacobian(t, x, p, out, base)`` writes the entries of the Jacobian, then the derivatives
        by time.
    factor, solve
        Factorisation of ``shift I - J`` and solution, written out for the pattern.
    rows, columns : (n_entries,) int64
        Where the entries stand.
    n_factors
        Number of entries of the factors.
    """

    jacobian: Any
    factor: Any
    solve: Any
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    n_factors: int


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
            _HEAD.format("FUNCTION"),
            f"@generated(FUNCTION)\n{_function('rhs', derivatives, states, parameters)}",
            f"@generated(FUNCTION)\n{_function('outputs', outputs, states, parameters)}\n",
        ]
    )
    module = generated_module(text)
    step = ""
    if len(states) <= LARGEST_WRITTEN_OUT:
        written = step_source(derivatives, states, parameters)
        step = f"{_HEAD.format('STEP')}\n\n\n@generated(STEP)\n{written}\n"
    return CompiledSystem(module.rhs, module.outputs, step)


def compile_stiff(
    derivatives: Sequence[sp.Expr], states: Sequence[str], parameters: Sequence[str]
) -> StiffSystem:
    """Compile the Jacobian of a system and its factorisation; arguments as `compile_system`."""
    slopes = {
        (i, j): entry
        for i, e in enumerate(derivatives)
        for j, name in enumerate(states)
        if (entry := derivative(e, symbol(name))) != 0
    }
    by_time = [derivative(e, symbol("t")) for e in derivatives]
    pattern = list(slopes)
    factor, solve, n_factors = factor_source(pattern, len(states))
    jacobian = _function("jacobian", [*slopes.values(), *by_time], states, parameters)
    text = "\n\n\n".join(
        [
            _HEAD.format("FUNCTION")
            + "\nfrom statera.numerics.rodas5p import FACTOR_CALL, SOLVE_CALL",
            f"@generated(FUNCTION)\n{jacobian}",
            f"@generated(FACTOR_CALL)\n{factor}",
            f"@generated(SOLVE_CALL)\n{solve}\n",
        ]
    )
    module = generated_module(text)
    places = np.array(pattern, dtype=np.int64).reshape(-1, 2)
    return StiffSystem(
        module.jacobian,
        module.factor,
        module.solve,
        np.ascontiguousarray(places[:, 0]),
        np.ascontiguousarray(places[:, 1]),
        n_factors,
    )


def _path(text: str) -> Path:
    key = hashlib.sha256(f"{kernel_key()}\n{text}".encode()).hexdigest()[:32]
    return cache_directory() / f"statera_generated_{key}.py"


@lru_cache(maxsize=256)
def generated_module(text: str) -> Any:
    """Return the module with this source, written under its hash and imported once.

    Its compiled functions are pointers.
    """
    path = _path(text)
    name = path.stem
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
    for known, function in list(vars(module).items()):
        if isinstance(function, Dispatcher) and function.py_func.__module__ == name:
            (compiled,) = function.nopython_signatures
            setattr(module, known, Pointer(function, compiled))
    return module
