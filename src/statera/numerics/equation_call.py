"""The type of generated functions of a system of equations that read and write at offsets."""

from __future__ import annotations

from numba import types

from statera.numerics.compiled import compiled

__all__ = ["MODEL", "MODEL_CALL", "no_model"]

_NUMBERS = types.float64[::1]
MODEL_CALL = types.void(types.float64, _NUMBERS, types.int64, _NUMBERS, _NUMBERS, types.int64)
"""``f(t, x, at, p, out, base)`` reads states from ``x[at]`` on and writes from ``out[base]`` on:
views of arrays would cost more than the arithmetic of a small system."""
MODEL = types.FunctionType(MODEL_CALL)


@compiled(MODEL_CALL)
def no_model(t, x, at, p, out, base):
    """Stand in where a system has no such function."""
    return
