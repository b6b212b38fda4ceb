"""Modes of small systems against numpy's eigenvalues and scipy's exponential."""

from __future__ import annotations

from itertools import pairwise

import mpmath
import numpy as np
import pytest
import scipy.linalg
from numpy.typing import NDArray

from statera.numerics.modal import Modes, decompose, strong_blocks

Floats = NDArray[np.float64]


def _modes(a: Floats) -> Modes:
    members, bounds = strong_blocks(a != 0.0)
    return decompose(a[None], members, bounds)


def _check(a: Floats, h: float = 1.7) -> None:
    rates, right, left, real = (x[0] for x in _modes(a))
    assert real
    np.testing.assert_allclose(np.sort(rates), np.sort(np.linalg.eigvals(a).real), atol=1e-12)
    np.testing.assert_allclose(left @ right, np.eye(len(a)), atol=1e-10)
    rebuilt = (right * np.exp(rates * h)) @ left
    np.testing.assert_allclose(rebuilt, scipy.linalg.expm(a * h), atol=1e-11)


def _mammillary(k10: float, *pairs: tuple[float, float]) -> Floats:
    n = 1 + len(pairs)
    a = np.zeros((n, n))
    a[0, 0] = -k10 - sum(out for out, _ in pairs)
    for i, (out, back) in enumerate(pairs, 1):
        a[i, 0], a[0, i], a[i, i] = out, back, -back
    return a


def test_one_two_and_three_compartments() -> None:
    _check(_mammillary(0.1))
    _check(_mammillary(0.1, (0.5, 0.2)))
    _check(_mammillary(0.1, (0.5, 0.2), (0.05, 0.01)))


def test_four_compartments_take_the_general_path() -> None:
    _check(_mammillary(0.1, (0.5, 0.2), (0.05, 0.01), (2.0, 3.0)))


def test_absorption_and_metabolite_around_two_compartments() -> None:
    a = np.zeros((4, 4))
    a[1:3, 1:3] = _mammillary(0.1, (0.5, 0.2))
    a[0, 0], a[1, 0] = -1.3, 1.3
    a[3, 1], a[3, 3] = 0.1, -0.03
    members, bounds = strong_blocks(a != 0.0)
    assert sorted(np.diff(bounds).tolist()) == [1, 1, 2]
    assert sorted(members.tolist()) == [0, 1, 2, 3]
    _check(a)


@pytest.mark.parametrize("seed", range(5))
def test_random_trees(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(40):
        _check(_mammillary(*(float(rng.lognormal(-1, 1)),), *rng.lognormal(-1, 1, (2, 2)).tolist()))


def test_rates_far_apart_keep_their_digits() -> None:
    k10, k12, k21 = 1e-9, 50.0, 20.0
    rates = _modes(_mammillary(k10, (k12, k21)))[0][0]
    slow = k10 * k21 / (k10 + k12 + k21)  # to first order in k10
    assert max(rates) == pytest.approx(-slow, rel=1e-6)


@pytest.mark.parametrize("n_pairs", [1, 2, 3])
def test_no_elimination_gives_a_rate_of_exactly_zero(n_pairs: int) -> None:
    pairs = [(0.37, 0.21), (0.055, 0.013), (1.9, 2.3)][:n_pairs]
    rates = _modes(_mammillary(0.0, *pairs))[0][0]
    assert rates.max() == 0.0


def test_equal_rates_are_left_to_the_matrix_exponential() -> None:
    a = np.array([[-0.5, 0.0], [0.5, -0.5]])
    assert not _modes(a)[3][0]


def test_crowded_rates_are_left_to_the_matrix_exponential() -> None:
    # no two are within 1e-5 of each other, but together they would cost twelve digits
    rates = 1.0 + 1e-3 * np.arange(5)
    a = np.diag(-rates) + np.diag(rates[:-1], -1)
    assert not _modes(a)[3][0]
    _check(np.diag(-np.arange(1.0, 6.0)) + np.diag(np.arange(1.0, 5.0), -1))


def test_rotation_is_left_to_the_matrix_exponential() -> None:
    assert not _modes(np.array([[-0.1, 1.0], [-1.0, -0.1]]))[3][0]
    three = np.array([[-0.1, 1.0, 0.0], [0.0, -0.2, 1.0], [-1.0, 0.0, -0.3]])
    assert not _modes(three)[3][0]


def test_modes_do_not_touch_what_they_cannot_reach() -> None:
    a = np.zeros((4, 4))
    a[:3, :3] = _mammillary(0.1, (0.5, 0.2), (0.05, 0.01))  # a fourth state stands apart
    rates, right, left, real = (x[0] for x in _modes(a))
    assert real
    apart = int(np.argmax(rates == 0.0))
    np.testing.assert_array_equal(right[:3, apart], 0.0)
    np.testing.assert_array_equal(left[apart, :3], 0.0)


def test_systems_are_independent_and_bad_ones_are_marked() -> None:
    good = _mammillary(0.1, (0.5, 0.2))
    bad = good.copy()
    bad[0, 0] = np.nan
    members, bounds = strong_blocks(good != 0.0)
    rates, _, _, real = decompose(np.stack([good, bad, good]), members, bounds)
    assert real.tolist() == [True, False, True]
    np.testing.assert_array_equal(rates[0], rates[2])


def test_blocks_of_a_cycle() -> None:
    pattern = np.zeros((4, 4), dtype=bool)
    for start, end in [(0, 1), (1, 2), (2, 0), (2, 3)]:
        pattern[end, start] = True
    members, bounds = strong_blocks(pattern)
    blocks = {tuple(sorted(members[a:b])) for a, b in pairwise(bounds)}
    assert blocks == {(0, 1, 2), (3,)}


def _chained(rng: np.random.Generator) -> Floats:
    """Absorption, two compartments, a metabolite and an excreted amount, at random rates."""
    ka, k10, k12, k21, km = np.exp(rng.uniform(np.log(0.005), np.log(3.0), 5))
    a = np.zeros((5, 5))
    a[1:3, 1:3] = _mammillary(k10, (k12, k21))
    a[0, 0], a[1, 0] = -ka, ka
    a[3, 1], a[3, 3], a[4, 3] = k10, -km, km
    return a


def test_modes_that_are_used_keep_ten_digits() -> None:
    """Products of five factors alone lose up to twelve digits; nearly all systems keep modes."""
    rng = np.random.default_rng(4)
    systems = np.stack([_chained(rng) for _ in range(3000)])
    members, bounds = strong_blocks((systems != 0.0).any(axis=0))
    rates, right, left, real = decompose(systems, members, bounds)
    assert real.mean() > 0.99
    lost = np.abs(right @ left - np.eye(5)).max(axis=(1, 2))
    assert lost[real].max() < 1e-10
    worst = np.flatnonzero(real)[np.argsort(lost[real])[-100:]]
    for s in worst:
        rebuilt = (right[s] * np.exp(rates[s] * 3.0)) @ left[s]
        np.testing.assert_allclose(rebuilt, scipy.linalg.expm(systems[s] * 3.0), atol=1e-10)


def test_units_of_a_state_do_not_decide() -> None:
    """An amount counted in nanograms has a large entry in A; modes serve it as well."""
    rng = np.random.default_rng(5)
    scale = np.diag([1.0, 1.0, 1.0, 1e6, 1e6])
    systems = np.stack([scale @ _chained(rng) @ np.linalg.inv(scale) for _ in range(500)])
    members, bounds = strong_blocks((systems != 0.0).any(axis=0))
    assert decompose(systems, members, bounds)[3].mean() > 0.95


def test_three_modes_keep_twelve_digits() -> None:
    """Two compartments behind absorption, rates over three decades; products alone lose more."""
    rng = np.random.default_rng(6)
    systems = []
    for _ in range(2000):
        ka, k10, k12, k21 = np.exp(rng.uniform(np.log(0.01), np.log(5.0), 4))
        systems.append([[-ka, 0, 0], [ka, -k10 - k12, k21], [0, k12, -k21]])
    stacked = np.array(systems)
    members, bounds = strong_blocks((stacked != 0.0).any(axis=0))
    rates, right, left, real = decompose(stacked, members, bounds)
    assert real.mean() > 0.99
    scale = np.maximum(np.abs(rates)[:, :, None], np.abs(rates)[:, None, :])
    near = np.abs(rates[:, :, None] - rates[:, None, :]) / scale + np.eye(3)
    apart = real & (near.prod(axis=2).min(axis=1) > 0.03)
    assert apart.mean() > 0.5
    for s in np.flatnonzero(apart):
        for t in (0.1, 3.0, 30.0):
            rebuilt = (right[s] * np.exp(rates[s] * t)) @ left[s]
            exact = scipy.linalg.expm(stacked[s] * t)
            np.testing.assert_allclose(rebuilt, exact, rtol=0, atol=1e-12)


@pytest.mark.parametrize("crowding", [1.0, 1e-2, 1e-3])
@pytest.mark.parametrize("slow", [1e-1, 1e-5])
def test_chains_of_small_components_keep_their_digits(crowding: float, slow: float) -> None:
    """Absorption, two compartments, a metabolite with two: entry by entry against 40 digits."""
    a = np.zeros((5, 5))
    a[1:3, 1:3] = _mammillary(slow, (0.5, 0.2))
    a[0, 0], a[1, 0] = -0.2 * (1 + crowding), 0.2 * (1 + crowding)  # near the return rate
    a[3:5, 3:5] = _mammillary(0.07 * (1 + crowding), (0.3, 0.4))
    a[3, 1] = slow
    rates, right, left, real = (x[0] for x in _modes(a))
    assert real
    found = (right * np.exp(rates * 3.0)) @ left
    with mpmath.workdps(40):
        exact = mpmath.expm(mpmath.matrix(a.tolist()) * 3.0)
        expected = np.array(exact.tolist(), dtype=float)
    zero = expected == 0.0
    np.testing.assert_array_equal(found[zero], 0.0)
    np.testing.assert_allclose(found[~zero], expected[~zero], rtol=2e-13 / crowding)


def test_components_stand_in_the_order_of_the_flow() -> None:
    pattern = np.zeros((4, 4), dtype=bool)
    pattern[0, 3] = pattern[1, 0] = pattern[2, 1] = pattern[1, 2] = True  # 3 to 0 to 1 and 2
    members, bounds = strong_blocks(pattern)
    assert members.tolist() == [3, 0, 1, 2]
    assert bounds.tolist() == [0, 1, 2, 4]


def test_modes_are_written_where_asked() -> None:
    a = _mammillary(0.1, (0.5, 0.2))[None]
    members, bounds = strong_blocks(a[0] != 0.0)
    out = (np.ones((1, 2)), np.ones((1, 2, 2)), np.ones((1, 2, 2)), np.zeros(1, dtype=bool))
    decompose(a, members, bounds, out)
    for given, returned in zip(out, decompose(a, members, bounds), strict=True):
        np.testing.assert_array_equal(given, returned)
