"""Invariants of dilutions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statera.assay.dilution import dilution, log_dilution_series


@given(st.floats(1e-3, 100.0), st.floats(1e-6, 1.0))
def test_fold_times_solvent_is_the_whole(stock_mM: float, share: float) -> None:
    got = dilution(stock_mM, stock_mM * 1e6 * share * (1 - 1e-12))
    assert got.fold * got.solvent_percent == pytest.approx(100.0)
    assert got.fold * got.target_nM == pytest.approx(stock_mM * 1e6)


@given(st.floats(1.0, 1e6), st.floats(1.1, 10.0), st.integers(2, 20), st.floats(0.01, 100.0))
def test_series_fall_by_the_factor_and_scale(
    top: float, fold: float, n: int, factor: float
) -> None:
    series = log_dilution_series(top, fold, n)
    assert series[0] == top
    assert np.allclose(series[:-1] / series[1:], fold, rtol=1e-9)
    assert np.allclose(log_dilution_series(top * factor, fold, n), series * factor, rtol=1e-9)
