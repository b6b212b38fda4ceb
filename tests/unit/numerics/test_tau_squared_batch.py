"""Batches against one set at a time."""

from __future__ import annotations

import numpy as np
import pytest

from statera.errors import InputError
from statera.numerics.tau_squared import tau_squared, weighted_fit
from statera.numerics.tau_squared_batch import BATCH_METHODS, pooled_batch


@pytest.mark.parametrize("method", sorted(BATCH_METHODS))
def test_every_set_is_what_it_is_alone(method: str) -> None:
    generator = np.random.default_rng(5)
    k, n = 9, 60
    v = generator.uniform(0.01, 0.5, (n, k))
    spread = np.repeat([0.0, 0.1, 2.0], n // 3)
    y = generator.standard_normal((n, k)) * np.sqrt(v + spread[:, None])
    found = pooled_batch(y, v, method)
    assert found.converged.all()
    for i in range(n):
        alone = tau_squared(y[i], v[i], method)
        assert found.tau2[i] == pytest.approx(alone.value, rel=1e-9, abs=1e-13)
        fit = weighted_fit(y[i], v[i], np.ones((k, 1)), alone.value)
        assert found.mean[i] == pytest.approx(fit.beta[0], rel=1e-9)
        assert found.scale[i] == pytest.approx(fit.q / (k - 1), rel=1e-8)


def test_a_common_effect_and_chunks() -> None:
    generator = np.random.default_rng(6)
    y, v = generator.standard_normal((70_000, 20)), generator.uniform(0.5, 1.0, 20)
    found = pooled_batch(y, v, None)
    assert found.mean.shape == (70_000,)
    assert found.mean[-1] == pytest.approx(np.sum(y[-1] / v) / np.sum(1 / v))
    assert not found.tau2.any()


def test_what_a_batch_does_not_know_is_named() -> None:
    with pytest.raises(InputError, match="'PMM' is not estimated in batches"):
        pooled_batch(np.ones((2, 3)), np.ones(3), "PMM")
    with pytest.raises(InputError, match="at least two"):
        pooled_batch(np.ones((2, 1)), np.ones(1))
