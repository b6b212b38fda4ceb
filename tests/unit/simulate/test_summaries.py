"""Quantiles of values in order."""

from __future__ import annotations

import numpy as np
import pytest

from statera.simulate.summaries import describe, sorted_quantiles

SHARES = (0.0, 0.05, 0.31, 0.5, 0.95, 1.0)


@pytest.mark.parametrize("n", [1, 2, 7, 1000])
def test_quantiles_of_sorted_values_are_those_of_numpy(n: int) -> None:
    values = np.random.default_rng(n).lognormal(size=(5, n))
    found = sorted_quantiles(np.sort(values, axis=1), SHARES)
    np.testing.assert_allclose(found, np.quantile(values, SHARES, axis=1), rtol=1e-14)


def test_an_endpoint_without_value_has_no_percentile() -> None:
    found = describe("Cmax", np.array([1.0, np.nan, 2.0]), (50.0,))
    assert np.isnan(found["p50"])
