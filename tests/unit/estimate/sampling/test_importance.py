"""Importance sampling against closed forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from statera.estimate import Problem
from statera.estimate.effects import Effects
from statera.estimate.importance import (
    FEW_DRAWS_COUNT,
    SAMPLED,
    ImportanceOptions,
    importance_sampling,
)
from statera.estimate.proposal import Proposal, Sums

THETA, OMEGA = np.array([9.5, 1.4]), np.array([[3.0]])


@pytest.mark.parametrize("degrees", [5.0, np.inf])
def test_value_of_a_normal_model(balanced: Any, degrees: float) -> None:
    """The marginal likelihood of a linear normal model is a multivariate normal density."""
    exact = balanced.exact(9.5, 3.0, 1.4**2)
    found = importance_sampling(balanced.problem, THETA, OMEGA, ImportanceOptions(degrees=degrees))
    assert abs(found.ofv - exact.sum()) < 4.0 * found.se + 1e-9
    assert (np.abs(found.by_subject - exact) < 5.0 * found.se_by_subject + 1e-9).all()
    assert (found.statuses == SAMPLED).all()
    # the normal proposal is the conditional distribution itself: no error is left
    assert found.se < (1e-6 if np.isinf(degrees) else 0.3)


def test_conditional_moments(balanced: Any) -> None:
    """Means and variances of the random effects are those of the conditional normal."""
    found = importance_sampling(balanced.problem, THETA, OMEGA, ImportanceOptions(samples=4000))
    share = 3.0 / (3.0 + 1.4**2 / 3.0)
    assert found.etas[:, 0] == pytest.approx(
        share * (balanced.y.mean(axis=1) - 9.5), abs=5.0 * np.sqrt(3.0 * (1.0 - share) / 3000.0)
    )
    assert found.eta_variance[:, 0, 0].mean() == pytest.approx(3.0 * (1.0 - share), rel=0.02)


def test_error_is_the_spread_between_seeds(balanced: Any) -> None:
    """The standard error reported is that of repeated runs."""
    runs = [
        importance_sampling(balanced.problem, THETA, OMEGA, ImportanceOptions(samples=200, seed=s))
        for s in range(40)
    ]
    spread = np.std([r.ofv for r in runs], ddof=1)
    # the standard deviation of 40 values is known to 11 %
    assert spread == pytest.approx(np.mean([r.se for r in runs]), rel=0.4)


def test_seed_and_workers(bolus: Callable[..., Problem]) -> None:
    """A seed gives the same bits for any number of workers, another seed other ones."""
    problem = bolus()
    theta, omega, _ = problem.unpack(problem.start)
    first = importance_sampling(problem, theta, omega)
    again = importance_sampling(bolus(workers=2), theta, omega)
    other = importance_sampling(problem, theta, omega, ImportanceOptions(seed=2))
    assert np.array_equal(first.by_subject, again.by_subject)
    assert not np.array_equal(first.by_subject, other.by_subject)
    assert abs(first.ofv - other.ofv) < 4.0 * np.hypot(first.se, other.se)


def test_size_of_calls_does_not_bias(bolus: Callable[..., Problem]) -> None:
    """Draws made one at a time give the same value within the error."""
    problem = bolus()
    theta, omega, _ = problem.unpack(problem.start)
    whole = importance_sampling(problem, theta, omega)
    single = importance_sampling(problem, theta, omega, ImportanceOptions(rows=1, samples=300))
    assert abs(whole.ofv - single.ofv) < 4.0 * np.hypot(whole.se, single.se)


def test_prior_draws_rescue_a_bad_proposal() -> None:
    """A proposal far away and too narrow is unbiased and usable with prior draws mixed in."""
    effects = Effects(np.array([[1.0]]))
    source = np.random.default_rng(5)
    bad = Proposal(np.array([[6.0]]), np.array([[[0.01]]]), np.inf, np.array([0.5]))
    draws, density = bad.draw(effects, source, 4000)
    value = (draws[..., 0] - 0.5) ** 2 / 0.25 + np.log(0.25)
    sums = Sums(np.full(1, -np.inf), 1)
    sums.add(effects.log_density(draws) - 0.5 * value - density, draws)
    exact = 0.5**2 / 1.25 + np.log(1.25)
    assert abs(sums.objective[0] - exact) < 4.0 * np.sqrt(sums.variance[0])
    assert sums.ess[0] > 500


def test_sums_do_not_depend_on_batches_or_scale() -> None:
    """Weights far below and above the range of floats are carried by a moving reference."""
    source = np.random.default_rng(2)
    weights, draws = source.normal(size=(90, 2)), source.normal(size=(90, 2, 1))
    once = Sums(np.full(2, -np.inf), 1)
    once.add(weights, draws)
    for shift in (-5000.0, 5000.0):
        parts = Sums(np.full(2, -np.inf), 1)
        for k in range(0, 90, 30):
            parts.add(weights[k : k + 30] + shift, draws[k : k + 30])
        assert parts.objective == pytest.approx(once.objective - 2.0 * shift, rel=1e-12)
        assert parts.ess == pytest.approx(once.ess)
        assert parts.moments()[0] == pytest.approx(once.moments()[0])


def test_flag_where_few_draws_count(balanced: Any) -> None:
    """A limit that no proposal meets flags the subjects and says so."""
    found = importance_sampling(balanced.problem, THETA, OMEGA, ImportanceOptions(least=0.999))
    assert (found.statuses == FEW_DRAWS_COUNT).all()
    assert "take more samples" in found.warnings[0]


def test_fixed_effects_alone(balanced: Any) -> None:
    """Without variance the value is exact."""
    found = importance_sampling(balanced.problem, THETA, np.zeros((1, 1)))
    assert found.se == 0.0
    assert found.ofv == pytest.approx(balanced.exact(9.5, 0.0, 1.4**2).sum())


def test_subjects_drawn_anew_are_unbiased(balanced: Any) -> None:
    """A subject whose main run fails is drawn again, half from the prior."""
    exact = balanced.exact(9.5, 3.0, 1.4**2)
    found = importance_sampling(balanced.problem, THETA, OMEGA, ImportanceOptions(again=2.0))
    assert (found.prior_share == 0.5).all()
    assert abs(found.ofv - exact.sum()) < 4.0 * found.se
    assert (np.abs(found.by_subject - exact) < 5.0 * found.se_by_subject).all()
