"""Mixed models against brute force: dense likelihoods, numerical derivatives, simulation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize, special

from statera.errors import InputError, UsageError
from statera.numerics.kenward_roger import adjusted_covariance, kenward_roger_f, kenward_roger_t
from statera.numerics.mixed_model import CONSTANT, ZERO_VARIANCE, fit_random_intercept
from statera.numerics.satterthwaite import satterthwaite_f, satterthwaite_t
from statera.numerics.variance_components import fit_variance_components

Floats = NDArray[np.float64]


def unbalanced(seed: int = 5) -> tuple[Floats, NDArray[np.intp], Floats]:
    """Two arms, three visits, dropouts and unequal groups; x, groups and one response."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 4, 14)
    groups = np.repeat(np.arange(14), sizes)
    visit = np.concatenate([rng.permutation(3)[:size] for size in sizes])
    arm = (np.arange(14) < 5).astype(float)[groups]
    w1, w2 = (visit == 1).astype(float), (visit == 2).astype(float)
    x = np.column_stack([np.ones(groups.size), arm, w1, w2, arm * w1, arm * w2])
    y = 1.0 + 0.5 * arm + rng.normal(size=14)[groups] + 0.8 * rng.normal(size=groups.size)
    return x, groups, y


def kernels(groups: NDArray[np.intp]) -> list[Floats]:
    return [(groups[:, None] == groups).astype(float), np.eye(groups.size)]


def restricted(x: Floats, groups: NDArray[np.intp], y: Floats, theta: Floats) -> float:
    """-REML log-likelihood, densely, without the constant."""
    between, within = kernels(groups)
    v = theta[0] * between + theta[1] * within
    inverse = np.linalg.inv(v)
    information = x.T @ inverse @ x
    residual = y - x @ np.linalg.solve(information, x.T @ inverse @ y)
    logs = np.linalg.slogdet(v)[1] + np.linalg.slogdet(information)[1]
    return 0.5 * float(logs + residual @ inverse @ residual)


def hessian(function, at: Floats) -> Floats:  # type: ignore[no-untyped-def]
    """Central second differences with one step of Richardson extrapolation."""

    def plain(relative: float) -> Floats:
        h = relative * at
        out = np.empty((at.size, at.size))
        for i in range(at.size):
            for j in range(at.size):
                total = 0.0
                for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                    point = at.copy()
                    point[i] += a * h[i]
                    point[j] += b * h[j]
                    total += a * b * function(point)
                out[i, j] = total / (4.0 * h[i] * h[j])
        return out

    return (4.0 * plain(1e-3) - plain(2e-3)) / 3.0


def brute_kenward_roger(
    x: Floats, groups: NDArray[np.intp], beta: Floats, theta: Floats, rows: Floats
) -> tuple[float, float, float, Floats]:
    """The formulas of 1997 in the precision matrix, its derivatives by differences."""
    parts = kernels(groups)

    def inverse(t: Floats) -> Floats:
        return np.linalg.inv(t[0] * parts[0] + t[1] * parts[1])

    slopes = []
    for i in range(2):
        h = np.zeros(2)
        h[i] = 1e-3 * theta[i]
        near = (inverse(theta + h) - inverse(theta - h)) / (2 * h[i])
        far = (inverse(theta + 2 * h) - inverse(theta - 2 * h)) / (4 * h[i])
        slopes.append((4 * near - far) / 3)
    v = theta[0] * parts[0] + theta[1] * parts[1]
    phi = np.linalg.inv(x.T @ inverse(theta) @ x)
    p = [x.T @ s @ x for s in slopes]
    q = [[x.T @ a @ v @ b @ x for b in slopes] for a in slopes]
    info = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            info[i, j] = 0.5 * (
                np.trace(slopes[i] @ v @ slopes[j] @ v)
                - 2 * np.trace(phi @ q[i][j])
                + np.trace(phi @ p[i] @ phi @ p[j])
            )
    w = np.linalg.inv(info)
    correction = sum(w[i, j] * (q[i][j] - p[i] @ phi @ p[j]) for i in range(2) for j in range(2))
    adjusted = phi + 2 * phi @ correction @ phi
    ell = rows.shape[0]
    middle = rows.T @ np.linalg.inv(rows @ phi @ rows.T) @ rows
    products = [middle @ phi @ part @ phi for part in p]
    a1 = sum(
        w[i, j] * np.trace(products[i]) * np.trace(products[j]) for i in range(2) for j in range(2)
    )
    a2 = sum(w[i, j] * np.trace(products[i] @ products[j]) for i in range(2) for j in range(2))
    b = (a1 + 6 * a2) / (2 * ell)
    g = ((ell + 1) * a1 - (ell + 4) * a2) / ((ell + 2) * a2)
    below = 3 * ell + 2 * (1 - g)
    expectation = 1 / (1 - a2 / ell)
    variance = (2 / ell) * (1 + g / below * b)
    variance /= (1 - (ell - g) / below * b) ** 2 * (1 - (ell + 2 - g) / below * b)
    rho = variance / (2 * expectation**2)
    df = 4 + (ell + 2) / (ell * rho - 1)
    scale = df / (expectation * (df - 2))
    estimate = rows @ beta
    f = scale / ell * estimate @ np.linalg.solve(rows @ adjusted @ rows.T, estimate)
    return float(df), float(f), float(scale), adjusted


def test_unbalanced_restricted_likelihood_by_brute_force() -> None:
    x, groups, y = unbalanced()
    fit = fit_random_intercept(x, groups, y[None])

    def objective(logs: Floats) -> float:
        return restricted(x, groups, y, np.exp(logs))

    best = optimize.minimize(objective, np.zeros(2), method="BFGS", tol=1e-12)
    assert fit.variances[0] == pytest.approx(np.exp(best.x), rel=1e-5)
    constant = 0.5 * (y.size - x.shape[1]) * np.log(2 * np.pi)
    assert -fit.log_likelihood[0] == pytest.approx(best.fun + constant, abs=1e-9)
    numeric = hessian(lambda t: restricted(x, groups, y, t), fit.variances[0])
    assert fit.observed_information[0] == pytest.approx(numeric, rel=1e-5)


@pytest.mark.parametrize("column", [0, 1, 3, 5])
def test_unbalanced_satterthwaite_by_brute_force(column: int) -> None:
    x, groups, y = unbalanced()
    fit = fit_random_intercept(x, groups, y[None])
    theta = fit.variances[0]
    between, within = kernels(groups)

    def variance(t: Floats) -> float:
        v = t[0] * between + t[1] * within
        return float(np.linalg.inv(x.T @ np.linalg.solve(v, x))[column, column])

    gradient = np.array(
        [(variance(theta + h) - variance(theta - h)) / (2 * h.sum()) for h in np.diag(1e-4 * theta)]
    )
    a = np.linalg.inv(hessian(lambda t: restricted(x, groups, y, t), theta))
    df = 2 * variance(theta) ** 2 / (gradient @ a @ gradient)
    assert satterthwaite_t(fit, np.eye(6)[column]).df[0] == pytest.approx(df, rel=1e-5)


@pytest.mark.parametrize("rows", [[1], [4], [2, 3], [4, 5], [1, 4, 5]])
@pytest.mark.parametrize("seed", [5, 8])
def test_unbalanced_kenward_roger_by_brute_force(rows: list[int], seed: int) -> None:
    x, groups, y = unbalanced(seed)
    fit = fit_random_intercept(x, groups, y[None])
    contrasts = np.eye(6)[rows]
    df, f, scale, adjusted = brute_kenward_roger(
        x, groups, fit.beta[0], fit.variances[0], contrasts
    )
    test = kenward_roger_f(fit, contrasts)
    assert test.denominator_df[0] == pytest.approx(df, rel=1e-6)
    assert test.statistic[0] == pytest.approx(f, rel=1e-6)
    assert adjusted_covariance(fit)[0] == pytest.approx(adjusted, rel=1e-6, abs=1e-9)
    # the correction is at work: the plain covariance is smaller, and df are not Satterthwaite's
    assert np.trace(adjusted) > np.trace(fit.covariance[0]) * 1.001
    if len(rows) > 1:
        plain = satterthwaite_f(fit, contrasts)
        assert abs(plain.denominator_df[0] - df) > 1e-3
        assert scale < 1.0


def test_several_components_agree_with_the_batch() -> None:
    x, groups, y = unbalanced()
    indicator = (groups[:, None] == np.unique(groups)).astype(float)
    for method in ("REML", "ML"):
        fast = fit_random_intercept(x, groups, y[None], method)
        slow = fit_variance_components(x, [indicator], y, method)
        for name in ("beta", "covariance", "variances", "first", "second"):
            assert getattr(slow, name) == pytest.approx(getattr(fast, name), rel=1e-5, abs=1e-8)
        for name in ("observed_information", "expected_information", "log_likelihood"):
            assert getattr(slow, name) == pytest.approx(getattr(fast, name), rel=1e-4)


def test_crossed_effects_are_exact_where_balance_gives_mean_squares() -> None:
    rng = np.random.default_rng(2)
    a, b = np.repeat(np.arange(6), 5), np.tile(np.arange(5), 6)
    y = 3 + 2 * rng.normal(size=6)[a] + 1.5 * rng.normal(size=5)[b] + rng.normal(size=30)
    fit = fit_variance_components(np.ones((30, 1)), [np.eye(6)[a], np.eye(5)[b]], y)
    table = y.reshape(6, 5)
    rows, columns, mean = table.mean(1), table.mean(0), table.mean()
    residual = ((table - rows[:, None] - columns + mean) ** 2).sum() / 20
    between_rows = 5 * ((rows - mean) ** 2).sum() / 5
    between_columns = 6 * ((columns - mean) ** 2).sum() / 4
    expected = [(between_rows - residual) / 5, (between_columns - residual) / 6, residual]
    assert min(expected) > 0
    assert fit.variances[0] == pytest.approx(expected, rel=1e-6)


def test_balanced_split_plot_is_the_exact_f_test() -> None:
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(12), 3)
    arm, visit = np.repeat(np.arange(12) % 2, 3).astype(float), np.tile(np.arange(3), 12)
    w = np.eye(3)[visit]
    x = np.column_stack([np.ones(36), arm, w[:, 1], w[:, 2], arm * w[:, 1], arm * w[:, 2]])
    y = 2 * rng.normal(size=12)[groups] + rng.normal(size=36)
    fit = fit_random_intercept(x, groups, y[None])
    full = np.column_stack([x[:, 2:], np.eye(12)[groups]])
    less = np.column_stack([x[:, 2:4], np.eye(12)[groups]])

    def squares(m: Floats) -> float:
        return float(((y - m @ np.linalg.lstsq(m, y, rcond=None)[0]) ** 2).sum())

    f = (squares(less) - squares(full)) / 2 / (squares(full) / 20)
    for test in (satterthwaite_f(fit, np.eye(6)[4:]), kenward_roger_f(fit, np.eye(6)[4:])):
        assert test.denominator_df[0] == pytest.approx(20.0, rel=1e-6)
        assert test.statistic[0] == pytest.approx(f, rel=1e-8)
        assert test.p_value[0] == pytest.approx(special.fdtrc(2, 20, f), rel=1e-6)


def test_variance_at_zero_has_the_degrees_of_freedom_of_the_residual() -> None:
    groups = np.repeat(np.arange(8), 2)
    y = np.tile([1.0, -1.0], 8) + 0.01 * np.arange(16)
    fit = fit_random_intercept(np.ones((16, 1)), groups, y[None])
    assert fit.status == (ZERO_VARIANCE,)
    test = satterthwaite_t(fit, np.array([1.0]))
    assert test.df[0] == pytest.approx(15.0)
    assert test.standard_error[0] == pytest.approx(y.std(ddof=1) / 4)
    assert np.isfinite(kenward_roger_t(fit, np.array([1.0])).p_value[0])


def test_bad_rows_have_a_status_and_the_batch_goes_on() -> None:
    x, groups, y = unbalanced()
    few = np.full(y.size, np.nan)
    few[:3] = 1.0, 2.0, 4.0
    some = y.copy()
    some[[2, 7]] = np.nan
    batch = np.vstack([y, np.full(y.size, 3.3), np.full(y.size, np.nan), few, some])
    fit = fit_random_intercept(x, groups, batch)
    assert fit.status[1] == CONSTANT
    assert fit.status[2] == fit.status[3] == "too few values"
    assert np.isnan(fit.beta[1:4]).all()
    keep = np.isfinite(some)
    alone = fit_random_intercept(x[keep], groups[keep], some[None, keep])
    assert fit.beta[4] == pytest.approx(alone.beta[0], rel=1e-10)
    for test in (satterthwaite_f(fit, np.eye(6)[4:]), kenward_roger_f(fit, np.eye(6)[4:])):
        assert list(np.isfinite(test.p_value)) == [True, False, False, False, True]


def test_groups_that_do_not_repeat_are_named() -> None:
    rng = np.random.default_rng(0)
    fit = fit_random_intercept(np.ones((9, 1)), np.arange(9), rng.normal(size=(1, 9)))
    assert fit.status == ("the groups do not repeat",)


def test_wrong_calls() -> None:
    with pytest.raises(InputError, match="differ in length"):
        fit_random_intercept(np.ones((4, 1)), np.arange(3), np.ones((1, 4)))
    with pytest.raises(InputError, match="not a method"):
        fit_random_intercept(np.ones((4, 1)), np.arange(4), np.ones((1, 4)), "reml")
    x, groups, y = unbalanced()
    with pytest.raises(UsageError, match="REML"):
        kenward_roger_f(fit_random_intercept(x, groups, y[None], "ML"), np.eye(6)[1:])


def test_type_one_error_of_small_unbalanced_trials() -> None:
    """2 000 null responses: the share below 0.05 is 0.05 within three standard errors."""
    x, groups, _ = unbalanced()
    rng = np.random.default_rng(11)
    y = rng.normal(size=(2000, 14))[:, groups] + rng.normal(size=(2000, groups.size))
    fit = fit_random_intercept(x, groups, y)
    band = 3 * np.sqrt(0.05 * 0.95 / 2000)
    kenward = kenward_roger_f(fit, np.eye(6)[4:]).p_value
    assert np.isfinite(kenward).all()
    assert np.mean(kenward < 0.05) == pytest.approx(0.05, abs=band)
    estimate = fit.beta[:, 1]
    z = estimate / np.sqrt(fit.covariance[:, 1, 1])
    # what a normal reference would do here, so that the test can tell the two apart
    assert np.mean(2 * special.ndtr(-np.abs(z)) < 0.05) > 0.05 + band
    assert np.mean(satterthwaite_t(fit, np.eye(6)[1]).p_value < 0.05) < 0.05 + 2 * band
