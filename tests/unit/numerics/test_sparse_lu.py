"""Factorisations written out for a pattern agree with dense ones and notice small pivots."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from statera.numerics.sparse_lu import (
    LARGEST_WRITTEN_OUT,
    columns_source,
    factor_source,
    plan,
)


def _functions(pattern: list[tuple[int, int]], n: int) -> tuple[Any, Any, int]:
    factor, solve, size = factor_source(pattern, n)
    space: dict[str, Any] = {}
    exec(factor + "\n\n" + solve, space)  # source written by the function under test
    return njit(space["factor"]), njit(space["solve"]), size


@pytest.mark.parametrize(("n", "filled"), [(1, 1.0), (4, 1.0), (7, 0.3), (12, 0.15)])
def test_agrees_with_dense_solution(n: int, filled: float) -> None:
    random = np.random.default_rng(n)
    pattern = [(i, j) for i in range(n) for j in range(n) if random.random() < filled]
    factor, solve, size = _functions(pattern, n)
    jacobian = np.zeros((n, n))
    entries = random.normal(size=len(pattern))
    for (i, j), value in zip(pattern, entries, strict=True):
        jacobian[i, j] = value
    lu, b = np.zeros(size), random.normal(size=n + 3)
    expected = np.linalg.solve(5.0 * np.eye(n) - jacobian, b[3:])
    assert factor(5.0, entries, lu) == 0
    solve(lu, b, 3)
    np.testing.assert_allclose(b[3:], expected, rtol=1e-11)


def test_solves_for_some_of_many_columns() -> None:
    n, m, random = 6, 5, np.random.default_rng(6)
    pattern = [(i, j) for i in range(n) for j in range(n) if random.random() < 0.4]
    factor, _, size = _functions(pattern, n)
    space: dict[str, Any] = {}
    exec(columns_source(pattern, n), space)  # source written by the function under test
    entries, lu = random.normal(size=len(pattern)), np.zeros(size)
    jacobian = np.zeros((n, n))
    for (i, j), value in zip(pattern, entries, strict=True):
        jacobian[i, j] = value
    given = random.normal(size=(n, m))
    expected = given.copy()
    expected[:, 1:4] = np.linalg.solve(5.0 * np.eye(n) - jacobian, given[:, 1:4])
    b = np.concatenate([np.zeros(2), given.ravel()])
    assert factor(5.0, entries, lu) == 0
    njit(space["solve_columns"])(lu, b, 2, m, 1, 4)
    np.testing.assert_allclose(b[2:].reshape(n, m), expected, rtol=1e-11)


def test_small_pivot_and_numbers_that_are_none_are_noticed() -> None:
    factor, _, size = _functions([(0, 0), (0, 1), (1, 0), (1, 1)], 2)
    lu = np.zeros(size)
    assert factor(1.0, np.array([1.0, 2.0, 3.0, 4.0]), lu) == 1
    assert factor(1.0, np.array([1.0 - 1e-9, 2.0, 3.0, 4.0]), lu) == 1
    assert factor(1.0, np.array([np.nan, 2.0, 3.0, 4.0]), lu) == 1
    assert factor(1.0, np.array([0.5, 2.0, 3.0, 4.0]), lu) == 0


def test_order_of_elimination_avoids_fill() -> None:
    """An arrow that points at the first row fills everything if its tip goes first."""
    n = 10
    arrow = [(0, i) for i in range(1, n)] + [(i, 0) for i in range(1, n)]
    assert len(plan(arrow, n).place) == 3 * n - 2


def test_large_factorisations_are_not_written_out() -> None:
    n = int(LARGEST_WRITTEN_OUT**0.5) + 1
    factor, _, size = _functions([(i, j) for i in range(n) for j in range(n)], n)
    assert factor(1.0, np.zeros(n * n), np.zeros(size)) == 1
