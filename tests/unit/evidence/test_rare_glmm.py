"""Mixed models of rare events against brute-force integration, and named outcomes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import binom, chi2, nchypergeom_fisher, norm, poisson

from statera.errors import InputError
from statera.evidence.rare_glmm import (
    GlmmModel,
    GlmmOptions,
    GlmmStatus,
    one_arm_glmm,
    rare_glmm,
)
from statera.evidence.rare_glmm_kernels import (
    BinomialArms,
    Hypergeometric,
    PoissonArms,
    integrate,
)

A, N1 = np.array([0.0, 2.0, 5.0, 1.0, 12.0]), np.array([40.0, 90.0, 120.0, 61.0, 100.0])
C, N2 = np.array([3.0, 4.0, 9.0, 6.0, 7.0]), np.array([45.0, 60.0, 110.0, 60.0, 90.0])


def test_hypergeometric_integral() -> None:
    kernel = Hypergeometric.of(A, N1, C, N2)
    found = integrate(kernel, np.full((5, 1), -0.6), np.array([[0.8]]), 41).log_marginal
    for i in range(5):
        law = (int(N1[i] + N2[i]), int(N1[i]), int(A[i] + C[i]))
        value, _ = quad(
            lambda b, i=i, law=law: (
                norm.pdf(b) * nchypergeom_fisher.pmf(int(A[i]), *law, math.exp(-0.6 + 0.8 * b))
            ),
            -8,
            8,
        )
        assert found[i] == pytest.approx(math.log(value), abs=1e-7)


def test_binomial_integral_over_two_effects() -> None:
    kernel = BinomialArms(np.column_stack([A, C])[:2], np.column_stack([N1, N2])[:2])
    base, loading = np.array([[-3.5, -2.9]] * 2), np.array([[0.7, 0.4], [0.7, -0.4]])
    found = integrate(kernel, base, loading, 31).log_marginal
    grid = np.linspace(-8, 8, 641)
    b, u = np.meshgrid(grid, grid, indexing="ij")
    weight = norm.pdf(b) * norm.pdf(u) * (grid[1] - grid[0]) ** 2
    for i in range(2):
        eta = base[i][:, None, None] + loading[:, :1, None] * b + loading[:, 1:, None] * u
        p = 1 / (1 + np.exp(-eta))
        value = (binom.pmf(A[i], N1[i], p[0]) * binom.pmf(C[i], N2[i], p[1]) * weight).sum()
        assert found[i] == pytest.approx(math.log(value), abs=1e-7)


def test_poisson_integral() -> None:
    found = integrate(
        PoissonArms(A[:, None], N1[:, None]), np.full((5, 1), -3.5), np.array([[0.9]]), 61
    ).log_marginal
    grid = np.linspace(-9, 9, 4001)
    for i in range(5):
        mean = N1[i] * np.exp(-3.5 + 0.9 * grid)
        value = (poisson.pmf(A[i], mean) * norm.pdf(grid)).sum() * (grid[1] - grid[0])
        assert found[i] == pytest.approx(math.log(value), abs=1e-7)


@pytest.mark.parametrize("model", list(GlmmModel))
def test_exchanged_arms_change_the_sign_only(model: GlmmModel) -> None:
    options = GlmmOptions(model)
    one, two = rare_glmm("OR", A, N1, C, N2, options), rare_glmm("OR", C, N2, A, N1, options)
    assert one.status is GlmmStatus.OK
    assert one.estimate == pytest.approx(-two.estimate, abs=1e-5)
    assert one.tau2 == pytest.approx(two.tau2, abs=1e-4)


def test_studies_alike_have_no_variance_between_them() -> None:
    found = rare_glmm("IRR", [2, 2, 2], [100.0] * 3, [4, 4, 4], [100.0] * 3)
    assert found.status is GlmmStatus.TAU_ZERO
    assert found.tau2 == 0.0
    assert found.estimate == pytest.approx(math.log(0.5), abs=1e-6)
    assert found.se == pytest.approx(math.sqrt(1 / 6 + 1 / 12), rel=1e-5)


def test_one_study_and_silent_studies() -> None:
    found = rare_glmm("OR", [3, 0], [50, 20], [8, 0], [60, 20])
    assert found.status is GlmmStatus.ONE_STUDY
    assert found.estimate == pytest.approx(math.log(3 * 52 / (47 * 8)), abs=1e-6)
    assert "1 study without events" in found.notes[0]


def test_outcomes_without_an_estimate_are_named() -> None:
    assert rare_glmm("OR", [0], [9], [0], [9]).status is GlmmStatus.NO_EVENTS
    empty = rare_glmm("IRR", [0, 0], [9, 9], [1, 2], [9, 9])
    assert empty.status is GlmmStatus.ONE_ARM_EMPTY
    assert math.isnan(empty.estimate)
    assert one_arm_glmm("IRLN", [0, 0], [9, 9]).status is GlmmStatus.NO_EVENTS


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(InputError, match="no approximate conditional model"):
        rare_glmm("IRR", [1], [9], [1], [9], GlmmOptions("CM.AL"))
    with pytest.raises(InputError, match="no mixed model of RD"):
        rare_glmm("RD", [1], [9], [1], [9])
    with pytest.raises(InputError, match="nodes"):
        GlmmOptions(nodes=0)
    with pytest.raises(InputError, match="one-arm"):
        one_arm_glmm("OR", [1], [9])


def test_one_arm_proportions() -> None:
    found = one_arm_glmm("PLO", [5, 5, 5], [50, 50, 50])
    assert found.status is GlmmStatus.TAU_ZERO
    assert found.estimate == pytest.approx(math.log(1 / 9), abs=1e-6)


def test_the_saturated_model_of_two_arms_is_that_of_each_study_alone() -> None:
    found = rare_glmm("OR", A[1:], N1[1:], C[1:], N2[1:], GlmmOptions(random=False)).heterogeneity
    assert found is not None
    a, b, c, d = A[1:], (N1 - A)[1:], C[1:], (N2 - C)[1:]
    y, v = np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d
    mean = (y / v).sum() / (1 / v).sum()
    assert found.wald == pytest.approx(((y - mean) ** 2 / v).sum(), rel=1e-9)
    assert (found.df, found.infinite) == (3, 0)
    assert found.wald_p == pytest.approx(chi2.sf(found.wald, 3), rel=1e-9)


@pytest.mark.parametrize("model", ["UM.FS", "UM.RS", "CM.EL", "CM.AL"])
def test_an_empty_cell_counts_in_the_likelihood_ratio_only(model: str) -> None:
    found = rare_glmm("OR", A, N1, C, N2, GlmmOptions(model, random=False)).heterogeneity
    assert found is not None
    assert (found.df, found.infinite) == (4, 1)
    assert 0.0 < found.wald < found.likelihood_ratio


def test_no_test_of_heterogeneity_with_one_study() -> None:
    found = rare_glmm("OR", [2], [40], [5], [41], GlmmOptions(tau2_interval=True))
    assert found.status is GlmmStatus.ONE_STUDY
    assert found.heterogeneity is None
    assert found.tau2_interval is None
    assert math.isnan(found.i2)


def test_interval_of_tau2_is_where_the_profile_has_fallen() -> None:
    options = GlmmOptions("CM.EL", tau2_interval=True)
    a, n1, c, n2 = A * 3, N1 * 3, C * 3, N2 * 3
    found = rare_glmm("OR", a, n1, c, n2, options)
    assert found.tau2_interval is not None
    low, high = found.tau2_interval
    assert low < found.tau2 < high < math.inf
    fit = Hypergeometric.of(a, n1, c, n2)

    def profile(tau2: float) -> float:
        return -float(
            minimize_scalar(
                lambda b: (
                    -integrate(
                        fit, np.full((5, 1), b), np.array([[math.sqrt(tau2)]]), 41
                    ).log_marginal.sum()
                ),
                bounds=(-8.0, 6.0),
                method="bounded",
                options={"xatol": 1e-9},
            ).fun
        )

    least = found.log_likelihood - chi2.ppf(0.95, 1) / 2
    assert profile(high) == pytest.approx(least, abs=1e-4)
    if low > 0.0:
        assert profile(low) == pytest.approx(least, abs=1e-4)
