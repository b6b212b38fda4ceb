"""The studentised range against Student's t, scipy's integrals and printed tables."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from statera.errors import InputError
from statera.numerics.studentized_range import (
    studentized_range_quantile,
    studentized_range_tail,
)


@pytest.mark.parametrize("df", [1.0, 2.5, 10.0, 147.3, np.inf])
def test_two_means_are_students_t(df: float) -> None:
    q = np.array([0.01, 0.5, 2.0, 4.0, 9.0, 25.0])
    expected = 2.0 * (stats.t.sf(q / np.sqrt(2.0), df) if np.isfinite(df) else
                      stats.norm.sf(q / np.sqrt(2.0)))  # fmt: skip
    np.testing.assert_allclose(studentized_range_tail(q, 2, df), expected, rtol=1e-8)


@pytest.mark.parametrize(("k", "df"), [(3, 4.0), (3, 50.7), (6, 12.0), (15, 100.0), (6, np.inf)])
def test_tails_are_those_of_scipy(k: int, df: float) -> None:
    q = np.array([0.4, 2.0, 3.5, 5.0])
    expected = stats.studentized_range.sf(q, k, df)
    np.testing.assert_allclose(studentized_range_tail(q, k, df), expected, rtol=1e-6, atol=1e-11)


@pytest.mark.parametrize(
    ("tail", "k", "df", "printed"),
    [  # upper percentage points as printed in tables of the studentised range
        (0.05, 3, 10, 3.88), (0.05, 5, 20, 4.23), (0.05, 10, 60, 4.65), (0.01, 3, 10, 5.27),
        (0.01, 5, 20, 5.29), (0.05, 3, np.inf, 3.31), (0.05, 2, 5, 3.64),
    ],
)  # fmt: skip
def test_quantiles_of_printed_tables(tail: float, k: int, df: float, printed: float) -> None:
    assert float(studentized_range_quantile(tail, k, df)) == pytest.approx(printed, abs=0.0051)


def test_quantiles_invert_tails_for_many_rows_at_once() -> None:
    df = np.concatenate([[np.nan], np.random.default_rng(1).uniform(1.0, 400.0, 3000)])
    q = studentized_range_quantile(0.05, 6, df)
    assert np.isnan(q[0])
    np.testing.assert_allclose(studentized_range_tail(q[1:], 6, df[1:]), 0.05, rtol=1e-10)


def test_refusals() -> None:
    with pytest.raises(InputError, match="range of 1"):
        studentized_range_tail(1.0, 1, 10.0)
    with pytest.raises(InputError, match="between 0 and 1"):
        studentized_range_quantile(0.0, 3, 10.0)
    assert np.isnan(studentized_range_tail(np.nan, 3, 10.0))
    assert studentized_range_tail(0.0, 3, 10.0) == 1.0
