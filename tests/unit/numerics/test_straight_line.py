"""Arithmetic written straight to machine code gives what Python gives."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import njit

from statera.numerics import special
from statera.numerics.straight_line import straight_line, straight_line_of_three

X = np.array([0.3, -1.7, 2.5])
P = np.array([1.5, 0.2])


def _value(formula: str, at: int = 0) -> float:
    text = f"def f(t, x, at, p, out, base):\n    _c0 = {formula}\n    out[base + 1] = _c0"
    written = straight_line(text)

    @njit(error_model="numpy")  # type: ignore[untyped-decorator]
    def run(t, x, at, p, out, base):  # type: ignore[no-untyped-def]
        return written(t, x, at, p, out, base)

    out = np.zeros(4)
    assert run(0.7, X, at, P, out, 2) == 0
    return float(out[3])


A, B, C = X
U, V = P
T = 0.7
FORMULAS = {
    "x[at + 0]*p[1] - t/x[at + 1] + 3": A * V - T / B + 3,
    "x[at + 1]**3 + x[at + 2]**(-2) + x[at + 0]**p[0]": B**3 + C**-2 + A**U,
    "x[at + 2]**0.5 + x[at + 2]**(3/2)": C**0.5 + C**1.5,
    "math.exp(x[at + 1]) + math.log(p[0]) + math.sqrt(p[1])": (
        math.exp(B) + math.log(U) + math.sqrt(V)
    ),
    "math.tanh(t) + math.atan2(t, 2)": math.tanh(T) + math.atan2(T, 2),
    "(1.0 if (t > 0.5 and not x[at + 0] >= 1) else 2.0)": 1.0,
    "(1.0 if (t > 0.9 or x[at + 0] == 0.3) else 2.0) + (1 if (True) else 5)": 2.0,
    "min(t, x[at + 0], 3) + max(p[0], x[at + 2]) + abs(x[at + 1])": A + C - B,
    "special.lgamma(x[at + 2])": math.lgamma(C),
    "special.polygamma(0, x[at + 2])": special.polygamma(0, C),
    "math.pi*(-x[at + 1])": -math.pi * B,
    "(2.0 if (t != 0.7) else 4.0)": 4.0,
}


@pytest.mark.parametrize(("formula", "expected"), FORMULAS.items())
def test_formulas(formula: str, expected: float) -> None:
    assert _value(formula) == pytest.approx(expected, rel=1e-14)


def test_an_offset_of_the_states() -> None:
    assert _value("x[at + 0]", 2) == 2.5


def test_powers_with_a_floor() -> None:
    assert _value("floored_power(x[at + 1], p[0])") == pytest.approx(0.0, abs=1e-100)
    assert _value("floored_power(x[at + 2], p[0])") == pytest.approx(2.5**1.5)
    assert _value("floored_power(x[at + 1], -p[1])") > 1e50
    assert _value("floored_root(x[at + 1])") == 0.0
    assert math.isnan(_value("floored_power((x[at + 0] - x[at + 0])/(t - t), p[0])"))


def test_conditions_say_that_something_failed() -> None:
    text = (
        "def f(a, b, c):\n    w = a*2.0\n    if not abs(w) > 1e-5*abs(b):\n        return 1\n"
        "    c[0] = w\n    return 0"
    )
    checked, always = (
        straight_line_of_three(text),
        straight_line_of_three("def f(a, b, c):\n    return 1"),
    )

    @njit  # type: ignore[untyped-decorator]
    def run(a, b, c):  # type: ignore[no-untyped-def]
        return checked(a, b, c), always(a, b, c)

    c = np.zeros(1)
    assert run(1.0, 3.0, c) == (0, 1)
    assert c[0] == 2.0
    assert run(1e-6, 3.0, c) == (1, 1)


def test_what_is_no_arithmetic_is_refused() -> None:
    with pytest.raises(Exception, match=r"(?s)for i in x.*no straight-line arithmetic"):
        _value("0\n    for i in x:\n        pass")
