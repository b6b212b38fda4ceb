"""Curves over donors: recovery, the boundary, coverage and what is said."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.assay.donor_search import DonorModel, search
from statera.assay.donor_spread import boundary_p_value, quadrature_log_likelihood
from statera.assay.donors import DonorOptions, fit_donors, new_donor, two_stage
from statera.assay.fit_curves import Curves, FitOptions, fit_curves, make_curves
from statera.assay.logistic import LN_IC50, logistic
from statera.errors import InputError, NumericalError, UsageError

DOSES = np.array([0.0, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0])
QUICK = DonorOptions(spread=False, nodes=0)


def simulated(
    generator: np.random.Generator,
    donors: int = 8,
    sd: tuple[float, float, float] = (2.0, 6.0, 0.3),
    noise: float = 4.0,
    copies: int = 1,
) -> Curves:
    """Donors whose bottom, top and ln IC50 differ by these standard deviations."""
    p = np.column_stack(
        [
            np.full(donors, 1.1),
            7.0 + generator.normal(0.0, sd[0], donors),
            100.0 + generator.normal(0.0, sd[1], donors),
            np.log(30.0) + generator.normal(0.0, sd[2], donors),
            np.ones(donors),
        ]
    )
    doses = np.tile(DOSES, copies)
    with np.errstate(divide="ignore"):
        y = logistic(np.log(doses)[None], p)
    return make_curves([doses] * donors, y + generator.normal(0.0, noise, y.shape))


def test_many_donors_show_means_and_spreads() -> None:
    curves = simulated(np.random.default_rng(2), donors=200, copies=2)
    found = fit_donors(curves, DonorOptions(nodes=0))
    assert found.converged
    assert found.sentences == ()
    np.testing.assert_allclose(found.mean[:4], [1.1, 7.0, 100.0, np.log(30)], rtol=0.1)
    assert found.mean[LN_IC50] == pytest.approx(np.log(30), abs=0.07)
    assert found.residual_sd == pytest.approx(4.0, rel=0.05)
    for term, truth in zip(found.terms, (2.0, 6.0, 0.3), strict=True):
        assert term.sd == pytest.approx(truth, rel=0.2)
        assert term.interval[0] < term.sd < term.interval[1]
        assert term.interval[0] < truth < term.interval[1]
        assert term.p_value < 0.001


def test_the_likelihood_is_at_its_highest_where_the_search_ends() -> None:
    curves = simulated(np.random.default_rng(3))
    found = fit_donors(curves, DonorOptions(spread=False))
    model = DonorModel(curves, np.array([0, 0, 0, 0, 1.0]), found.free, found.random, False, False)
    state = search(model, found.mean[found.free])
    assert state.log_likelihood == pytest.approx(found.log_likelihood, abs=1e-6)
    # exact and linearised likelihoods are close, and both fall away from the end
    assert found.quadrature_log_likelihood == pytest.approx(found.log_likelihood, abs=0.1)
    nodes = [quadrature_log_likelihood(model, state, n) for n in (5, 9)]
    assert nodes[0] == pytest.approx(nodes[1], abs=1e-3)


def test_quadrature_of_a_linear_effect_is_the_normal_density() -> None:
    curves = simulated(np.random.default_rng(4), sd=(0.0, 6.0, 0.0))
    found = fit_donors(curves, DonorOptions(random=("d",), spread=False, nodes=3))
    assert found.quadrature_log_likelihood == pytest.approx(found.log_likelihood, abs=1e-8)


def test_a_variance_of_zero_is_left_out_and_said() -> None:
    curves = simulated(np.random.default_rng(1), sd=(0.0, 6.0, 0.3))
    found = fit_donors(curves)
    bottom = found.terms[0]
    assert bottom.sd == 0.0
    assert bottom.p_value == 1.0
    assert any("variance of c between donors is zero" in s for s in found.sentences)
    without = fit_donors(curves, DonorOptions(random=("d", "ln_ic50")))
    np.testing.assert_allclose(found.mean, without.mean, rtol=1e-5)
    assert found.log_likelihood == pytest.approx(without.log_likelihood, abs=1e-6)


def test_donors_that_do_not_differ_are_one_curve() -> None:
    generator = np.random.default_rng(7)
    y = simulated(generator, donors=1, sd=(0.0, 0.0, 0.0), noise=0.0).response[0]
    # the same errors in all donors: less spread than chance gives
    curves = make_curves([DOSES] * 4, [y + generator.normal(0.0, 3.0, y.size)] * 4)
    found = fit_donors(curves)
    pooled = fit_curves(make_curves([curves.dose.ravel()], [curves.response.ravel()]))
    assert found.random.size == 0
    assert all(term.sd == 0.0 for term in found.terms)
    np.testing.assert_allclose(found.mean, pooled.parameters[0], rtol=1e-5)
    foreseen = new_donor(found)
    assert foreseen.sd_between == 0.0
    assert foreseen.interval[0] < foreseen.median < foreseen.interval[1]
    assert any("4 donors hardly show" in s for s in found.sentences)


def test_intervals_hold_means_and_new_donors_as_often_as_they_say() -> None:
    generator = np.random.default_rng(5)
    n, mean, new = 50, 0, 0.0
    for _ in range(n):
        found = new_donor(fit_donors(simulated(generator), QUICK))
        mean += found.mean_interval[0] <= 30.0 <= found.mean_interval[1]
        fresh = 30.0 * np.exp(generator.normal(0.0, 0.3, 200))
        new += ((found.interval[0] <= fresh) & (fresh <= found.interval[1])).mean()
    assert mean / n >= 0.86  # 95 % with a standard error of 3 %
    assert 0.91 <= new / n <= 0.98


def test_restricted_likelihood_gives_the_wider_spread() -> None:
    curves = simulated(np.random.default_rng(9))
    by_ml = fit_donors(curves, QUICK)
    by_reml = fit_donors(curves, DonorOptions(reml=True, spread=False))
    assert by_reml.terms[2].sd > by_ml.terms[2].sd
    assert np.isnan(by_reml.quadrature_log_likelihood)
    # the factor for maximum likelihood makes up for it
    a, b = new_donor(by_ml), new_donor(by_reml)
    assert a.sd_between == pytest.approx(b.sd_between, rel=0.1)


def test_rising_curves_are_fitted_as_falling_ones() -> None:
    falling = simulated(np.random.default_rng(13))
    rising = make_curves(falling.dose, -falling.response)
    a, b = fit_donors(falling, QUICK), fit_donors(rising, QUICK)
    assert b.log_likelihood == pytest.approx(a.log_likelihood, abs=1e-5)
    assert new_donor(b).interval == pytest.approx(new_donor(a).interval, rel=1e-3)


def test_donors_that_do_not_respond_are_said() -> None:
    noise = np.random.default_rng(0).normal(100.0, 4.0, (6, DOSES.size))
    curves = make_curves([DOSES] * 6, noise)
    with pytest.raises(NumericalError, match="do not determine the mean curve"):
        fit_donors(curves)


def test_two_stages_agree() -> None:
    curves = simulated(np.random.default_rng(10), copies=3)
    whole = new_donor(fit_donors(curves, QUICK))
    pooled = two_stage(curves)
    assert pooled.estimate == pytest.approx(whole.mean_ln_ic50, abs=0.05)
    assert pooled.tau2.value**0.5 == pytest.approx(whole.sd_between, rel=0.25)


def test_correlated_effects_are_found_or_said_to_be_singular() -> None:
    generator = np.random.default_rng(11)
    n = 60
    shared = generator.normal(size=n)
    p = np.column_stack(
        [
            np.full(n, 1.1), np.full(n, 5.0), 100.0 + 8.0 * shared,
            3.0 + 0.3 * (0.8 * shared + 0.6 * generator.normal(size=n)), np.ones(n),
        ]
    )  # fmt: skip
    with np.errstate(divide="ignore"):
        y = logistic(np.log(DOSES)[None], p) + generator.normal(0.0, 3.0, (n, DOSES.size))
    curves = make_curves([DOSES] * n, y)
    options = DonorOptions(random=("d", "ln_ic50"), block=True, nodes=0)
    found = fit_donors(curves, options)
    assert found.correlation[0, 1] == pytest.approx(0.8, abs=0.15)
    plain = fit_donors(curves, DonorOptions(random=("d", "ln_ic50"), nodes=0))
    assert found.log_likelihood > plain.log_likelihood + 5
    assert found.n_parameters == plain.n_parameters + 1
    few = fit_donors(simulated(generator, donors=3), DonorOptions(block=True, spread=False))
    assert any("singular" in s for s in few.sentences)


def test_p_values_at_the_boundary() -> None:
    assert boundary_p_value(2.705543) == pytest.approx(0.05, abs=1e-6)
    assert boundary_p_value(0.0) == 1.0
    # half of 1 and half of 2 degrees of freedom: 5.14
    assert boundary_p_value(5.138, 2) == pytest.approx(0.05, abs=1e-4)


def test_what_cannot_be_fitted_is_named() -> None:
    curves = simulated(np.random.default_rng(1))
    one: NDArray[np.float64] = curves.response[:1]
    with pytest.raises(InputError, match="1 donor shows no spread"):
        fit_donors(make_curves([DOSES], one))
    with pytest.raises(InputError, match="6 points are too few"):
        fit_donors(make_curves([[0, 1, 2]] * 2, [[3, 2, 1]] * 2))
    with pytest.raises(UsageError, match="'top' is no parameter"):
        fit_donors(curves, DonorOptions(random=("top",)))
    with pytest.raises(UsageError, match="not fixed"):
        fit_donors(curves, DonorOptions(random=("f",)))
    with pytest.raises(InputError, match="donors have a curve of their own"):
        two_stage(make_curves([[1, 2, 3]] * 2, [[3, 2, 1]] * 2))


def test_weights_count_as_replicates() -> None:
    curves = simulated(np.random.default_rng(12), donors=4)
    doubled = make_curves(
        np.hstack([curves.dose, curves.dose]), np.hstack([curves.response, curves.response])
    )
    weighted = make_curves(curves.dose, curves.response, np.full_like(curves.response, 2.0))
    model = FitOptions()
    a, b = fit_curves(doubled, model), fit_curves(weighted, model)
    np.testing.assert_allclose(a.parameters, b.parameters, rtol=1e-6)
    whole = fit_donors(weighted, DonorOptions(spread=False, nodes=7))
    assert whole.quadrature_log_likelihood == pytest.approx(whole.log_likelihood, abs=0.3)
