from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp

from statera.errors import InputError
from statera.numerics.expression import symbol
from statera.pathway.formula_tape import write_tape
from statera.pathway.petab_math import parse_petab
from statera.pathway.tape_kernel import backward, forward

NAMES = ("a", "b", "c", "d")
VALUES = np.array([0.3, 1.7, 0.6, 0.45])
FORMULAS = [
    "a + b*c - 2",
    "a*b/(c + a*b) + d",
    "(a + b)^2 + a^3 - b^-2 + c^0.5 + d^1.5",
    "a^b + b^(c*d) + 2^a",
    "exp(-a*time) + log(b) + ln(c)/log10(a) + log2(d) + log(a, b)",
    "sqrt(a + b) + abs(a - b) + abs(b - a) + sign(a - b)",
    "min(a, b, c) + 2*max(a, b*c, d)",
    "piecewise(a*b, a > b, c^2, a < b && c >= d, d)",
    "piecewise(a, a == b, b, !(a <= b) || c != d, d)",
    "sin(a) + cos(b) + tan(c) + sinh(a) + cosh(b) + tanh(c)",
    "arcsin(a) + arccos(c) + arctan(b) + arcsinh(b) + arccosh(b) + arctanh(a)",
    "cot(a) + sec(b) + csc(c) + coth(a) + sech(b) + csch(d)",
    "7.5",
]


def computed(formula: sp.Expr, values: np.ndarray, time: float = 2.0) -> tuple[float, np.ndarray]:
    tape = write_tape([((formula,), {n: i for i, n in enumerate(NAMES)})])
    first, roots, code, a, b, c, value = tape.parts
    v, w = np.empty(tape.room), np.empty(tape.room)
    x, p, q = values[:2].copy(), values[2:3].copy(), values[3:].copy()
    forward(first[0], first[1], code, a, b, c, value, time, x, p, q, v)
    backward(first[0], roots[0, 0], code, a, b, c, value, v, w)
    slopes = np.zeros(4)
    for i in range(roots[0, 0] + 1):
        if code[i] == 1:
            slopes[a[i]] += w[i]
    return float(v[roots[0, 0]]), slopes


@pytest.mark.parametrize("text", FORMULAS)
def test_values_and_slopes_are_those_of_sympy(text: str) -> None:
    formula = parse_petab(text, NAMES)
    at = {symbol(n): v for n, v in zip(NAMES, VALUES, strict=True)} | {symbol("t"): 2.0}
    value, slopes = computed(formula, VALUES)
    assert value == pytest.approx(float(formula.subs(at)), rel=1e-13)
    for name, slope in zip(NAMES, slopes, strict=True):
        expected = sp.diff(formula, symbol(name)).subs(at)
        assert slope == pytest.approx(float(expected.doit()), rel=1e-12, abs=1e-14)


def test_functions_of_models_are_known() -> None:
    x = symbol("a")
    value, slopes = computed(sp.floor(3 * x) + sp.ceiling(3 * x) + sp.loggamma(x + 1), VALUES)
    assert value == pytest.approx(0 + 1 + math.lgamma(1.3), rel=1e-14)
    assert slopes[0] == pytest.approx(float(sp.polygamma(0, 1.3)), rel=1e-12)


def test_a_branch_that_is_not_taken_spoils_nothing() -> None:
    formula = parse_petab("piecewise(1/(a - b), a > b, c*d)", NAMES)
    value, slopes = computed(formula, np.array([0.5, 0.5, 0.6, 0.45]))
    assert value == pytest.approx(0.27)
    assert slopes == pytest.approx([0.0, 0.0, 0.45, 0.6])


def test_a_power_of_zero_has_slopes() -> None:
    value, slopes = computed(parse_petab("a^2 + a*b + c^d", NAMES), np.array([0.0, 2.0, 0.0, 1.0]))
    assert value == 0.0
    assert slopes == pytest.approx([2.0, 0.0, 1.0, 0.0])


def test_common_parts_are_written_once() -> None:
    formula = parse_petab("(a + b)/(c + d) + log((a + b)/(c + d))", NAMES)
    tape = write_tape([((formula, formula), {n: i for i, n in enumerate(NAMES)})])
    assert tape.roots[0, 0] == tape.roots[0, 1]
    assert len(tape.code) == 4 + 2 + 1 + 1 + 1 + 1


def test_what_is_not_known_is_named() -> None:
    with pytest.raises(InputError, match="zeta"):
        write_tape([((sp.zeta(symbol("a")),), {"a": 0})])
    with pytest.raises(InputError, match="'e'"):
        write_tape([((symbol("e"),), {"a": 0})])
