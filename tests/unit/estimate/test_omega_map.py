"""Covariances as free numbers: there and back, blocks, fixed ones, occasions, derivatives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statera.estimate.omega import OmegaMap, blocks_of
from statera.estimate.scales import ThetaMap

BLOCK = np.array([[0.4, 0.1, 0.0], [0.1, 0.3, 0.0], [0.0, 0.0, 0.2]])


def test_there_and_back() -> None:
    found = OmegaMap(BLOCK, [False] * 3, [[0], [1], [2]])
    assert found.size == 4
    np.testing.assert_allclose(found.unpack(found.pack(BLOCK)), BLOCK, rtol=1e-14)
    assert found.entries() == [(0, 0), (1, 0), (1, 1), (2, 2)]


def test_every_vector_is_a_covariance() -> None:
    found = OmegaMap(BLOCK, [False] * 3, [[0], [1], [2]])
    rng = np.random.default_rng(1)
    for _ in range(50):
        omega = found.unpack(rng.normal(scale=2.0, size=4))
        assert np.linalg.eigvalsh(omega).min() > 0
        assert omega[0, 2] == omega[1, 2] == 0.0


def test_fixed_blocks_keep_their_values() -> None:
    found = OmegaMap(BLOCK, [True, True, False], [[0], [1], [2]])
    assert found.size == 1
    omega = found.unpack(np.array([0.5 * np.log(0.7)]))
    np.testing.assert_array_equal(omega[:2, :2], BLOCK[:2, :2])
    assert omega[2, 2] == pytest.approx(0.7)
    # a block is free as long as one of its variances is
    assert [b.fixed for b in blocks_of(BLOCK, [True, False, True])] == [False, True]


def test_occasions_repeat_a_block() -> None:
    found = OmegaMap(np.diag([0.4, 0.1]), [False, False], [[0], [1, 2, 3]])
    full = found.expand(np.diag([0.4, 0.1]))
    np.testing.assert_array_equal(np.diag(full), [0.4, 0.1, 0.1, 0.1])
    slopes = np.diag([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_array_equal(found.reduce(slopes), np.diag([1.0, 9.0]))


def test_derivatives_by_free_numbers() -> None:
    found = OmegaMap(BLOCK, [False] * 3, [[0], [1], [2]])
    target = np.array([[1.0, 0.3, 0.0], [0.3, 2.0, 0.1], [0.0, 0.1, 0.5]])
    u = found.pack(BLOCK)

    def function(v: np.ndarray) -> float:
        omega = found.unpack(v)
        return float(np.linalg.slogdet(omega)[1] + np.sum(omega * target))

    by_omega = np.linalg.inv(BLOCK) + target
    got = found.pull(u, by_omega)
    for k in range(u.size):
        step = np.zeros(u.size)
        step[k] = 1e-6
        wanted = (function(u + step) - function(u - step)) / 2e-6
        assert got[k] == pytest.approx(wanted, rel=1e-7)


@given(st.floats(-5, 5), st.sampled_from([(None, None), (-6.0, None), (None, 7.0), (-6.0, 7.0)]))
def test_bounds_are_kept_and_undone(
    value: float, bounds: tuple[float | None, float | None]
) -> None:
    low = np.array([-np.inf if bounds[0] is None else bounds[0]])
    high = np.array([np.inf if bounds[1] is None else bounds[1]])
    found = ThetaMap(np.array([value]), low, high, [False])
    u = found.pack(np.array([value]))
    theta, slope = found.unpack(u)
    assert theta[0] == pytest.approx(value, abs=1e-9)
    moved = found.unpack(u + 1e-6)[0], found.unpack(u - 1e-6)[0]
    assert slope[0] == pytest.approx((moved[0][0] - moved[1][0]) / 2e-6, rel=1e-4, abs=1e-8)
    for far in (-50.0, 50.0):
        assert low[0] <= found.unpack(np.array([far]))[0][0] <= high[0]
