"""Posteriors of random effects against a plain fine grid, and named refusals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from statera.errors import InputError
from statera.evidence.bayesian import TauPrior, TauPriorFamily, bayesian

Y = np.array([-2.3, -0.5, -2.3, -1.75, -1.25])
V = np.array([0.36, 0.31, 0.78, 0.21, 0.41])
PRIORS = (
    TauPrior("half-normal", 0.5),
    TauPrior("half-Cauchy", 0.5),
    TauPrior("half-t", 0.5, 4.0),
    TauPrior("uniform", 2.0),
    TauPrior("lognormal", 0.3, 0.8),
)


@pytest.mark.parametrize("prior", PRIORS, ids=lambda p: str(p.family))
def test_priors_are_densities(prior: TauPrior) -> None:
    end = prior.scale if prior.family is TauPriorFamily.UNIFORM else np.inf
    area, _ = quad(lambda t: float(np.exp(prior.log_density(np.array(t)))), 0.0, end)
    assert area == pytest.approx(1.0, abs=1e-7)


@pytest.mark.parametrize("prior", PRIORS, ids=lambda p: str(p.family))
def test_posterior_is_that_of_a_fine_grid(prior: TauPrior) -> None:
    found = bayesian(Y, V, prior, mu_prior=(0.0, 4.0))
    # Midpoints on a quadratic grid: dense near 0, far out for heavy tails.
    u = (np.arange(60_000) + 0.5) / 60_000
    far = prior.scale if prior.family is TauPriorFamily.UNIFORM else 60.0
    tau, step = far * u**2, 2 * far * u / 60_000
    mu = np.linspace(-9.0, 7.0, 1601)
    coarse = slice(None, None, 40)
    log_prior = prior.log_density(tau)
    w = 1 / (V[:, None] + tau**2)
    precision = w.sum(axis=0) + 1 / 16
    mean = (w * Y[:, None]).sum(axis=0) / precision
    logs = (
        log_prior
        + 0.5 * np.log(w).sum(axis=0)
        - 0.5 * (w * Y[:, None] ** 2).sum(axis=0)
        + 0.5 * precision * mean**2
        - 0.5 * np.log(precision)
    )
    weight = np.exp(logs - logs.max()) * step
    weight /= weight.sum()
    assert found.tau.mean == pytest.approx(float(weight @ tau), abs=2e-5)
    assert found.mu.mean == pytest.approx(float(weight @ mean), abs=1e-6)
    spread = weight @ (1 / precision + tau**2 + mean**2) - (weight @ mean) ** 2
    assert found.new_study.sd == pytest.approx(float(np.sqrt(spread)), rel=1e-4)
    low, high = found.new_study.interval
    scale = np.sqrt(1 / precision + tau**2)
    inside = norm.cdf((high - mean) / scale) - norm.cdf((low - mean) / scale)
    assert float(weight @ inside) == pytest.approx(0.95, abs=2e-5)
    ends = [weight @ (norm.pdf((x - mean) / scale) / scale) for x in (low, high)]
    assert ends[0] == pytest.approx(ends[1], rel=1e-2)  # equal heights: the shortest
    for i, study in enumerate(found.studies):
        share = V[i] / (V[i] + tau**2)
        centre = share * mean + (1 - share) * Y[i]
        variance = (1 - share) * V[i] + share**2 / precision
        first = float(weight @ centre)
        assert study.mean == pytest.approx(first, abs=1e-5)
        second = float(weight @ (variance + centre**2)) - first**2
        assert study.sd == pytest.approx(np.sqrt(second), rel=1e-4)
    # Marginal density of mu by a second route: no closed form of mu given tau.
    joint = np.exp(log_prior[coarse]) * step[coarse]
    density = np.array(
        [
            (joint * np.exp(norm.logpdf(Y[:, None], m, w[:, coarse] ** -0.5).sum(axis=0))).sum()
            for m in mu
        ]
    ) * norm.pdf(mu, 0.0, 4.0)
    centre = (density * mu).sum() / density.sum()
    assert found.mu.mean == pytest.approx(float(centre), abs=2e-3)


def test_evidence_is_the_integral_over_tau() -> None:
    found = bayesian(Y, V, mu_prior=(0.0, 4.0))

    def integrand(t: float) -> float:
        covariance = np.diag(V + t**2) + 16.0
        return float(multivariate_normal(np.zeros(5), covariance).pdf(Y) * 2 * norm.pdf(t, 0, 0.5))

    value, _ = quad(integrand, 0.0, 6.0)
    assert found.log_evidence == pytest.approx(np.log(value), abs=1e-8)
    assert np.isnan(bayesian(Y, V).log_evidence)


def test_shortest_is_shorter_than_central() -> None:
    short, central = bayesian(Y, V), bayesian(Y, V, interval="central")
    for a, b in ((short.tau, central.tau), (short.mu, central.mu)):
        assert a.interval[1] - a.interval[0] < b.interval[1] - b.interval[0]
    assert short.tau.interval[0] == 0.0


def test_studies_alike_shrink_to_their_mean() -> None:
    found = bayesian([0.2] * 6, [0.04] * 6)
    assert [s.mean for s in found.studies] == pytest.approx([0.2] * 6)
    assert found.shrinkage.min() > 0.5


def test_one_study_needs_a_prior_of_the_mean() -> None:
    with pytest.raises(InputError, match="1 effects cannot give"):
        bayesian([0.2], [0.1])
    found = bayesian([0.2], [0.1], mu_prior=(0.0, 1.0))
    assert 0.0 < found.mu.mean < 0.2


def test_bad_priors_and_variances_are_refused() -> None:
    with pytest.raises(InputError, match="not positive"):
        bayesian([0.2, 0.1], [0.1, -1.0])
    with pytest.raises(InputError, match="scale"):
        TauPrior(scale=0.0)
    with pytest.raises(InputError, match="shape"):
        TauPrior("half-t", 1.0)
    with pytest.raises(InputError, match="prior of mu"):
        bayesian(Y, V, mu_prior=(0.0, 0.0))


def test_moments_that_do_not_exist_are_not_numbers_from_a_grid() -> None:
    heavy = TauPrior("half-Cauchy", 0.5)
    two = bayesian([0.2, 0.9], [0.1, 0.1], heavy)
    assert np.isinf(two.tau.sd)
    assert np.isinf(two.new_study.sd)
    assert np.isfinite([two.tau.mean, two.studies[0].sd, *two.mu.interval]).all()
    assert np.isfinite(bayesian([0.2, 0.9, 0.4], [0.1] * 3, heavy).tau.sd)
    one = bayesian([0.2], [0.1], TauPrior("half-t", 0.5, 0.5), mu_prior=(0.0, 1.0))
    assert np.isfinite(one.mu.sd)
    assert np.isinf(one.tau.sd)
