"""Medians without sorting, beside those of sorted values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statera.cytometry.median import median

SHAPES = {
    "normal": lambda r, n: r.normal(0.0, 1.0, n),
    "lognormal": lambda r, n: np.exp(r.normal(6.0, 2.0, n)),
    "few values": lambda r, n: r.integers(0, 4, n).astype(float),
    "two halves": lambda r, n: np.where(np.arange(n) < n // 2, 1e9, r.normal(0.0, 1.0, n)),
    "rising": lambda _, n: np.arange(float(n)),
    "periodic": lambda _, n: (np.arange(n) % 201).astype(float),
    "one value": lambda _, n: np.full(n, 3.0),
    "infinite": lambda r, n: np.where(r.random(n) < 0.6, np.inf, -1.0),
}


@pytest.mark.parametrize("shape", list(SHAPES))
@given(n=st.integers(1, 6000), seed=st.integers(0, 1000))
def test_medians_are_those_of_sorted_values(shape: str, n: int, seed: int) -> None:
    x = SHAPES[shape](np.random.default_rng(seed), n)
    before = x.copy()
    ordered = np.sort(x)
    wanted = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2.0
    found = median(x)
    assert found == wanted or (math.isnan(found) and math.isnan(wanted))
    np.testing.assert_array_equal(x, before)


def test_of_some_values_of_none_and_of_what_is_no_number() -> None:
    x = np.array([5.0, 1.0, 9.0, np.nan, 2.0])
    assert median(x, np.array([0, 2, 4])) == 5.0
    assert median([4.0, 1.0]) == 2.5
    assert math.isnan(median(x))
    assert math.isnan(median(x, np.zeros(0, dtype=np.int64)))
