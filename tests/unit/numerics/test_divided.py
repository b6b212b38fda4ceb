"""Divided differences of the exponential against arithmetic of 60 digits."""

from __future__ import annotations

import itertools

import mpmath
import pytest

from statera.numerics.divided import first_difference, second_difference, third_difference

ARGUMENTS = (0.0, -1e-14, -1e-9, -3e-5, -0.01, -0.4, -0.999, -1.001, -2.5, -40.0, -600.0, 0.3, 4.0)


def exact(*points: float) -> float:
    """The divided difference by its quotients, of points moved apart by 1e-20."""
    with mpmath.workdps(80):
        nodes = [mpmath.mpf(p) + mpmath.mpf(i) * mpmath.mpf("1e-20") for i, p in enumerate(points)]
        values = [mpmath.exp(n) for n in nodes]
        for order in range(1, len(nodes)):
            values = [
                (values[i + 1] - values[i]) / (nodes[i + order] - nodes[i])
                for i in range(len(values) - 1)
            ]
        return float(values[0])


@pytest.mark.parametrize(("a", "b"), list(itertools.combinations_with_replacement(ARGUMENTS, 2)))
def test_against_many_digits(a: float, b: float) -> None:
    assert first_difference(a, b) == pytest.approx(exact(a, b), rel=1e-14)
    assert first_difference(b, a) == first_difference(a, b)
    assert second_difference(a, b) == pytest.approx(exact(a, b, 0.0), rel=5e-14)
    assert second_difference(b, a) == pytest.approx(second_difference(a, b), rel=1e-15)


@pytest.mark.parametrize("a", ARGUMENTS)
def test_third_difference_against_many_digits(a: float) -> None:
    for b, c in itertools.combinations_with_replacement(ARGUMENTS, 2):
        found = third_difference(a, b, c)
        assert found == pytest.approx(exact(a, b, c, 0.0), rel=2e-13), (b, c)
        assert third_difference(c, a, b) == pytest.approx(found, rel=1e-14)
