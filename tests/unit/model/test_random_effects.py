"""Variances from printed coefficients of variation."""

from __future__ import annotations

import numpy as np
import pytest

from statera.model import SpecError
from statera.model.model import RandomEffect
from statera.model.random_effects import covariance_matrix, variance_from
from statera.sources import Status


def test_conversions_against_a_sample() -> None:
    variance, _ = variance_from({"cv": 138.4, "conversion": "lognormal"}, ())
    values = np.exp(np.sqrt(variance) * np.random.default_rng(1).standard_normal(2_000_000))
    assert values.std() / values.mean() == pytest.approx(1.384, rel=0.02)
    assert variance_from({"cv": 50, "conversion": "sqrt"}, ())[0] == 0.25
    assert variance_from({"variance": 0.7}, ()) == (0.7, "as published")


def _effects(*variances: float) -> dict[str, RandomEffect]:
    names = "abc"[: len(variances)]
    return {n: RandomEffect(n, v, Status.ASSUMED) for n, v in zip(names, variances, strict=True)}


def test_pair_given_twice() -> None:
    entry = {"between": ["a", "b"], "value": 0.1}
    with pytest.raises(SpecError, match="stands twice"):
        covariance_matrix(_effects(1, 1), [entry, {"between": ["b", "a"], "value": 0.2}])


def test_effect_paired_with_itself() -> None:
    with pytest.raises(SpecError, match="two random effects"):
        covariance_matrix(_effects(1, 1), [{"between": ["a", "a"], "value": 0.1}])


def test_pairs_that_are_fine_alone_but_not_together() -> None:
    entries = [
        {"between": pair, "correlation": rho}
        for pair, rho in ((["a", "b"], 0.9), (["b", "c"], 0.9), (["a", "c"], -0.9))
    ]
    with pytest.raises(SpecError, match="not positive semi-definite"):
        covariance_matrix(_effects(1, 2, 3), entries)


def test_perfect_correlation_is_allowed() -> None:
    omega = covariance_matrix(_effects(0.25, 1), [{"between": ["a", "b"], "correlation": 1.0}])
    np.testing.assert_allclose(omega, [[0.25, 0.5], [0.5, 1.0]])


def test_no_effects() -> None:
    assert covariance_matrix({}, []).shape == (0, 0)
