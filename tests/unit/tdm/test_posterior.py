"""The posterior against integration, and against what it must be without samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chisquare, norm

from statera.tdm.draw_likelihood import DrawLikelihood
from statera.tdm.map_estimate import map_estimate
from statera.tdm.outcome import Outcome, RequestError
from statera.tdm.patient_problem import prepare_patient
from statera.tdm.posterior import PosteriorOptions, posterior
from statera.tdm.request import DoseTaken, Options, Patient, Sample

from .drawn_models import GUT, ORAL, drawn, model_of, one_effect, with_occasions

DOSES = (DoseTaken(0.0, 100.0),)
SKEW = Patient("P", DOSES, (Sample(30.0, 0.02, lloq=0.05, censored="below"),))
SHARP = Patient("P", DOSES, (Sample(2.0, 1.9), Sample(12.0, 0.6), Sample(24.0, 0.11)))


def _integrated(patient: Patient) -> tuple[float, float, float]:
    """Mean, standard deviation and log evidence, on a fine grid of the one random effect."""
    problem = prepare_patient(one_effect(), patient)
    likelihood = DrawLikelihood(problem.individuals, problem.theta)
    grid = np.linspace(-3.2, 3.2, 20_001)
    value = likelihood.minus_two_log(grid[:, None]) + likelihood.constant
    density = np.exp(-0.5 * value) * norm.pdf(grid, scale=0.4)
    evidence = np.trapezoid(density, grid)
    mean = np.trapezoid(density * grid, grid) / evidence
    variance = np.trapezoid(density * (grid - mean) ** 2, grid) / evidence
    return float(mean), float(np.sqrt(variance)), float(np.log(evidence))


@pytest.mark.parametrize("patient", [SKEW, SHARP])
def test_against_integration(patient: Patient) -> None:
    mean, sd, log_evidence = _integrated(patient)
    _, post = drawn(one_effect(), patient)
    assert post.method == "importance"
    assert post.ess > 5000
    assert post.mean[0] == pytest.approx(mean, abs=0.01 * sd)
    assert post.sd[0] == pytest.approx(sd, rel=0.01)
    assert post.log_evidence == pytest.approx(log_evidence, abs=0.01)
    assert post.log_evidence_se < 0.02


def test_laplace_is_close_where_the_posterior_is_sharp() -> None:
    _, post = drawn(one_effect(), SHARP)
    assert post.log_evidence_laplace == pytest.approx(post.log_evidence, abs=0.05)


@pytest.mark.parametrize("patient", [SKEW, SHARP])
def test_chains_agree_with_integration(patient: Patient) -> None:
    mean, sd, _ = _integrated(patient)
    _, post = drawn(one_effect(), patient, PosteriorOptions(least=1e9))
    assert post.method == "chains"
    assert 1000 < post.ess <= post.n_draws
    assert post.mean[0] == pytest.approx(mean, abs=0.06 * sd)
    assert post.sd[0] == pytest.approx(sd, rel=0.06)
    assert [r.outcome for r in post.remarks] == [Outcome.FEW_EFFECTIVE_DRAWS]


def test_without_samples_it_is_the_prior() -> None:
    problem, post = drawn(model_of(ORAL, GUT), Patient("P", DOSES))
    assert post.method == "prior"
    assert post.ess == post.n_draws
    assert post.log_evidence == 0.0
    np.testing.assert_allclose(post.mean, 0.0, atol=0.005)
    np.testing.assert_allclose(np.cov(post.etas.T), problem.omega, atol=2e-3)


def test_a_flattened_prior_is_wider() -> None:
    model = model_of(ORAL, GUT)
    problem = prepare_patient(model, Patient("P", DOSES), Options(prior_weight=0.25))
    post = posterior(problem, map_estimate(problem))
    np.testing.assert_allclose(post.sd, 2.0 * np.sqrt(np.diag(problem.omega)), rtol=0.02)


def test_draws_follow_from_the_seed() -> None:
    model = model_of(ORAL, GUT)
    one, two = (drawn(model, SHARP)[1] for _ in range(2))
    np.testing.assert_array_equal(one.etas, two.etas)
    np.testing.assert_array_equal(one.weights, two.weights)
    other = drawn(model, SHARP, PosteriorOptions(seed=2))[1]
    assert not np.array_equal(one.etas, other.etas)
    np.testing.assert_allclose(one.mean, other.mean, atol=0.02)


def test_without_curvature_draws_come_from_the_prior_first() -> None:
    problem = prepare_patient(one_effect(), SKEW)
    found = replace(
        map_estimate(problem), hessian=np.array([[-1.0]]), modes=()
    )  # a mode that is none
    post = posterior(problem, found)
    mean, sd, _ = _integrated(SKEW)
    assert post.remarks[0].outcome is Outcome.MODE_NOT_FOUND
    assert post.mean[0] == pytest.approx(mean, abs=0.03 * sd)
    assert np.isnan(post.log_evidence_laplace)


def test_samples_that_no_draw_explains() -> None:
    """A log-normal sample where the model gives nothing at all."""
    model = one_effect(residual={"C": {"additive": 0.2, "scale": "log"}})
    patient = Patient("P", (DoseTaken(0.0, 100.0),), (Sample(0.2, 1.0),))
    problem = prepare_patient(model, patient)
    found = map_estimate(prepare_patient(model, Patient("P", DOSES)))
    with pytest.raises(RequestError) as caught:
        posterior(problem, found)
    assert caught.value.outcome is Outcome.NO_LIKELY_SAMPLE


def test_heavy_draws_carry_the_weight() -> None:
    _, post = drawn(one_effect(), SHARP)
    heavy = post.heavy()
    assert 0.9999 <= post.weights[heavy].sum() <= 1.0
    assert heavy.size < post.n_draws


def test_resampled_draws_have_the_same_mean() -> None:
    _, post = drawn(one_effect(), SHARP)
    rows = post.resampled(5000)
    assert post.etas[rows].mean() == pytest.approx(post.mean[0], abs=0.002)


def test_occasions_are_labelled() -> None:
    doses = (DoseTaken(0.0, 100.0, occasion="a"), DoseTaken(24.0, 100.0, occasion="b"))
    samples = (Sample(12.0, 0.6), Sample(36.0, 1.5))
    _, post = drawn(with_occasions(), Patient("P", doses, samples))
    assert post.labels == ("e_CL", "e_V", "o_CL[1]", "o_CL[2]")
    assert post.mean[2] > post.mean[3]
    assert set(post.summary()) == {*post.labels, "CL", "V", "KA", "D"}


@pytest.mark.parametrize("times", [(6.0,), (2.0, 10.0, 24.0)])
def test_simulation_based_calibration(times: tuple[float, ...]) -> None:
    """Ranks of the true random effect among the posterior's draws are uniform.

    Talts et al. 2018, arXiv:1804.06788.
    """
    model, patients, bins = one_effect(), 150, 10
    rng = np.random.default_rng(11)
    counts = np.zeros(bins)
    empty = prepare_patient(model, Patient("P", DOSES, tuple(Sample(t, 1.0) for t in times)))
    truth = rng.normal(0.0, 0.4, patients)
    for eta in truth:
        _, f, _ = empty.individuals.values(empty.theta, np.array([[eta]]))
        sd = np.sqrt((0.1 * f) ** 2 + 0.02**2)
        y = f + sd * rng.standard_normal(f.size)
        patient = Patient(
            "P", DOSES, tuple(Sample(t, float(v)) for t, v in zip(times, y, strict=True))
        )
        _, post = drawn(model, patient, PosteriorOptions(draws=2000))
        below = float(post.weights[post.etas[:, 0] < eta].sum())
        counts[min(bins - 1, int(below * bins))] += 1
    assert chisquare(counts).pvalue > 0.01
