"""Searches from many starts: known minima, failures at some points, cancelling."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from statera.errors import InputError
from statera.pathway.multi_start import (
    MultiStartOptions,
    StartStatus,
    multi_start,
)
from statera.pathway.target import Evaluation, projected_gradient


@dataclass(frozen=True)
class Rosenbrock:
    """Least squares with its minimum 0 at (1, 1); no value where the first parameter is below a."""

    nowhere_below: float = -np.inf
    names: tuple[str, ...] = ("a", "b")
    lower: Any = field(default_factory=lambda: np.array([-2.0, -2.0]))
    upper: Any = field(default_factory=lambda: np.array([2.0, 2.0]))

    def evaluate(self, theta: Any, order: int) -> Evaluation:
        a, b = theta
        if a < self.nowhere_below:
            return Evaluation(np.inf, message="too small")
        residual = np.array([10 * (b - a**2), 1 - a])
        slopes = np.array([[-20 * a, 10.0], [-1.0, 0.0]])
        return Evaluation(
            0.5 * residual @ residual,
            residual @ slopes if order > 0 else None,
            slopes.T @ slopes if order > 1 else None,
        )


@pytest.mark.parametrize(
    ("method", "curvature"),
    [("fides", "fisher"), ("fides", "hybrid"), ("fides", "bfgs"), ("l-bfgs-b", "fisher")],
)
def test_the_minimum_is_found(method: Any, curvature: Any) -> None:
    options = MultiStartOptions(
        starts=6, method=method, curvature=curvature, tolerance=1e-14, gradient_tolerance=1e-9
    )
    found = multi_start(Rosenbrock(), options)
    assert found.at_best(1e-6) == 6
    np.testing.assert_allclose(found.best.end, 1.0, atol=1e-4)
    assert found.best.gradient < 1e-4
    assert {s.index for s in found.starts} == set(range(6))
    assert found.levels() == ((pytest.approx(0.0, abs=1e-6), 6),)


def test_starts_without_a_value_are_named_and_the_others_go_on() -> None:
    found = multi_start(Rosenbrock(nowhere_below=0.0), MultiStartOptions(starts=20, seed=3))
    failed = [s for s in found.starts if s.status is StartStatus.NOT_FINITE]
    assert 5 <= len(failed) <= 15
    assert all(s.message == "too small" and s.begin[0] < 0 for s in failed)
    assert found.best.value < 1e-6
    assert not np.isfinite(found.values[-1])
    assert found.at_best() == 20 - len(failed)


def test_the_seed_decides_the_starts() -> None:
    first, again, other = (
        multi_start(Rosenbrock(), MultiStartOptions(starts=4, seed=seed, iterations=1))
        for seed in (1, 1, 2)
    )
    assert [tuple(s.begin) for s in first.starts] == [tuple(s.begin) for s in again.starts]
    assert [tuple(s.begin) for s in first.starts] != [tuple(s.begin) for s in other.starts]
    assert {s.status for s in first.starts} == {StartStatus.LIMIT}


def test_threads_change_nothing() -> None:
    one, two = (
        multi_start(Rosenbrock(), MultiStartOptions(starts=5, workers=workers))
        for workers in (1, 2)
    )
    assert [tuple(s.end) for s in one.starts] == [tuple(s.end) for s in two.starts]


def test_searches_can_be_cancelled() -> None:
    told: list[tuple[int, int]] = []

    def tell(done: int, total: int, best: float) -> bool:
        told.append((done, total))
        return done < 2

    found = multi_start(Rosenbrock(), MultiStartOptions(starts=5), progress=tell)
    assert told == [(1, 5), (2, 5)]
    assert sum(s.status is StartStatus.CANCELLED for s in found.starts) == 3
    assert found.best.value < 1e-6


def test_given_starts_come_first() -> None:
    found = multi_start(Rosenbrock(), MultiStartOptions(starts=3), begin=[[1.0, 1.0]])
    (given,) = (s for s in found.starts if s.index == 0)
    np.testing.assert_array_equal(given.begin, [1.0, 1.0])
    with pytest.raises(InputError, match="outside the bounds"):
        multi_start(Rosenbrock(), begin=[[3.0, 1.0]])


def test_parameters_without_bounds_are_named() -> None:
    with pytest.raises(InputError, match="b has none"):
        multi_start(Rosenbrock(upper=np.array([2.0, np.inf])))


def test_projected_gradient() -> None:
    low, high = np.zeros(3), np.ones(3)
    theta, slope = np.array([0.0, 1.0, 0.0]), np.array([2.0, -3.0, -1.0])
    np.testing.assert_array_equal(projected_gradient(theta, slope, low, high), [0, 0, -1])
