"""Scales: their fixed points, their inverses, and the table beside the exact solution."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statera.cytometry.biexponential import Biexponential
from statera.cytometry.scales import Arcsinh, Hyperlog, Linear, Log, Logicle, PlainArcsinh, Scale
from statera.errors import InputError

SOLVED = [
    Logicle(262144.0, 0.5, 4.5, 0.0),
    Logicle(262144.0, 1.0, 4.5, 0.5),
    Logicle(10000.0, 0.0, 4.5, 0.2),
    Hyperlog(10000.0, 0.5, 4.5, 0.0),
]
ALL: list[Scale] = [*SOLVED, Linear(1024.0, 20.0), Arcsinh(10000.0, 4.0, 1.0), PlainArcsinh(5.0)]


@pytest.mark.parametrize("scale", ALL, ids=str)
@given(x=st.floats(-5000.0, 200_000.0))
def test_the_inverse_undoes_the_scale(scale: Scale, x: float) -> None:
    y = scale.exact(x) if isinstance(scale, Logicle | Hyperlog) else scale(x)
    assert float(scale.inverse(y)) == pytest.approx(x, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("scale", SOLVED, ids=str)
def test_the_table_is_as_good_as_the_solution(scale: Logicle | Hyperlog) -> None:
    x = np.concatenate([np.linspace(-3000.0, 3000.0, 60_001), np.geomspace(10.0, 9e5, 2001)])
    y = scale(x)
    assert np.abs(y - scale.exact(x)).max() < 1e-8
    assert (np.diff(y[:60_001]) > 0).all()


@pytest.mark.parametrize("scale", SOLVED, ids=str)
def test_the_top_is_1_and_the_lower_half_is_the_upper_one_turned(
    scale: Logicle | Hyperlog,
) -> None:
    assert float(scale.exact(scale.T)) == pytest.approx(1.0, abs=1e-12)
    x = np.geomspace(1e-3, 1e4, 50)
    middle = float(scale.exact(0.0))
    np.testing.assert_allclose(scale.exact(-x), 2 * middle - scale.exact(x), atol=1e-14)


def test_logicle_of_zero_stands_where_the_linear_decades_say() -> None:
    assert float(Logicle(262144.0, 0.5, 4.5, 0.0).exact(0.0)) == pytest.approx(0.5 / 4.5)


def test_values_without_a_place() -> None:
    assert Log(100.0, 2.0)([0.0, -1.0, 100.0]).tolist() == [-math.inf, -math.inf, 1.0]
    for scale in (Log(100.0, 2.0), SOLVED[0], SOLVED[3], Linear(10.0)):
        assert math.isnan(float(scale(math.nan)))


@pytest.mark.parametrize(
    "numbers", [(0.0, 0.5, 4.5, 0.0), (1e4, 3.0, 4.5, 0.0), (1e4, 0.5, 4.5, 4.0), (1e4, -1, 4, 0)]
)
def test_numbers_that_make_no_scale(numbers: tuple[float, float, float, float]) -> None:
    with pytest.raises(InputError, match="make no logicle scale"):
        Logicle(*numbers)


def test_the_biexponential_is_odd_about_zero_and_clamped() -> None:
    scale = Biexponential(1.0, -10.0, 4.5, 262144.0)
    assert (np.diff(scale.table) > 0).all()
    zero = int(np.argmin(np.abs(scale.table)))
    below = scale.table[zero - 50 : zero]
    np.testing.assert_allclose(below, -scale.table[zero + 50 : zero : -1])
    assert scale([-1e9, 1e9]).tolist() == [0.0, 4096.0]
    with pytest.raises(InputError, match="no biexponential scale"):
        Biexponential(0.0, 10.0, 4.5, 1e5)
