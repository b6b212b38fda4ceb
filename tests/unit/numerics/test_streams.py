"""Random streams: reproducible, independent, with the covariance asked for."""

from __future__ import annotations

import numpy as np
import pytest

from statera.numerics.streams import normals, stream

COVARIANCE = np.array([[0.5, 0.2, -0.1], [0.2, 0.3, 0.0], [-0.1, 0.0, 0.8]])


def test_first_rows_do_not_depend_on_the_number_drawn() -> None:
    few, many = (normals(7, "random effects", n, COVARIANCE) for n in (10, 1000))
    np.testing.assert_array_equal(few, many[:10])


@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_first_rows_of_many_effects_are_the_same_to_the_last_bit(n: int) -> None:
    spread = np.random.default_rng(1).normal(size=(8, 8))
    few, many = (normals(7, "random effects", m, spread @ spread.T) for m in (n, 1000))
    np.testing.assert_array_equal(few, many[:n])


def test_seed_and_purpose_choose_the_stream() -> None:
    a = stream(1, "random effects").standard_normal(5)
    np.testing.assert_array_equal(a, stream(1, "random effects").standard_normal(5))
    assert not np.array_equal(a, stream(2, "random effects").standard_normal(5))
    assert not np.array_equal(a, stream(1, "residual error").standard_normal(5))


def test_covariance_of_the_draws() -> None:
    n = 200_000
    draws = normals(3, "random effects", n, COVARIANCE)
    found = np.cov(draws.T)
    sd = np.sqrt(np.diag(COVARIANCE))
    # standard error of a covariance is at most sqrt(2/n) sd_i sd_j: five of them
    np.testing.assert_allclose(
        found / np.outer(sd, sd), COVARIANCE / np.outer(sd, sd), atol=5 * np.sqrt(2 / n)
    )
    np.testing.assert_allclose(draws.mean(axis=0) / sd, 0, atol=5 / np.sqrt(n))


def test_semi_definite_covariance_keeps_its_null_direction() -> None:
    singular = np.array([[1.0, 1.0], [1.0, 1.0]])
    draws = normals(1, "x", 100, singular)
    np.testing.assert_allclose(draws[:, 0], draws[:, 1], atol=1e-7)
    assert draws.std() > 0.5


def test_no_effects_give_no_columns() -> None:
    assert normals(1, "x", 4, np.zeros((0, 0))).shape == (4, 0)


def test_streams_are_uncorrelated() -> None:
    n = 50_000
    pairs = [stream(1, p).standard_normal(n) for p in ("a", "b")]
    assert np.corrcoef(pairs)[0, 1] == pytest.approx(0.0, abs=5 / np.sqrt(n))
