"""Diagnostics of chains: against arviz, and where nothing can be said."""

from __future__ import annotations

import numpy as np
import pytest

from statera.numerics.chain_diagnostics import ess_bulk, ess_tail, rhat


def _chains(name: str) -> np.ndarray:
    source = np.random.default_rng(5)
    noise = source.standard_normal((4, 500))
    if name == "independent":
        return noise
    if name == "shifted":
        return noise + np.array([[0.0], [0.0], [0.3], [0.0]])
    if name == "wider":
        return noise * np.array([[1.0], [1.0], [3.0], [1.0]])
    if name == "heavy":
        return source.standard_cauchy((4, 501))
    sign = 0.9 if name == "sticky" else -0.5
    out = noise.copy()
    for k in range(1, out.shape[1]):
        out[:, k] = sign * out[:, k - 1] + np.sqrt(1 - sign**2) * noise[:, k]
    return out


@pytest.mark.parametrize(
    "name", ["independent", "shifted", "wider", "heavy", "sticky", "antithetic"]
)
def test_as_arviz(name: str) -> None:
    arviz = pytest.importorskip("arviz")
    x = _chains(name)
    assert rhat(x) == pytest.approx(float(arviz.rhat(x)), rel=1e-6)
    assert ess_bulk(x) == pytest.approx(float(arviz.ess(x, method="bulk")), rel=1e-6)
    assert ess_tail(x) == pytest.approx(float(arviz.ess(x, method="tail")), rel=1e-6)


@pytest.mark.parametrize(
    "draws", [np.zeros((4, 100)), np.full((2, 50), np.nan), np.arange(6.0)[None]]
)
def test_nothing_can_be_said(draws: np.ndarray) -> None:
    assert np.isnan(rhat(draws))
    assert np.isnan(ess_bulk(draws))
    assert np.isnan(ess_tail(draws))
