"""Nested and multivariate effects and robust variances against dense algebra."""

from __future__ import annotations

import time

import numpy as np
import pytest

from statera.errors import InputError
from statera.evidence.heterogeneity import tau_squared_interval
from statera.evidence.multilevel import MultilevelStatus, multilevel, robust, sigma2_intervals
from statera.evidence.multivariate import (
    MultivariateStatus,
    Structure,
    multivariate,
    tau2_intervals,
)

RNG = np.random.default_rng(7)
OUTER = np.repeat(np.arange(8), 6)
MIDDLE = np.tile(np.repeat([0, 1, 2], 2), 8)
ROWS = np.arange(48)
V = RNG.uniform(0.01, 0.08, 48)
X = np.column_stack([np.ones(48), RNG.normal(size=48)])
Y = (
    0.3
    + RNG.normal(0, 0.3, 8)[OUTER]
    + RNG.normal(0, 0.2, 24)[OUTER * 3 + MIDDLE]
    + RNG.normal(0, np.sqrt(V + 0.02))
)
LEVELS = [[str(i) for i in column] for column in (OUTER, MIDDLE, ROWS)]


def dense(sigma2: np.ndarray) -> np.ndarray:
    group = OUTER * 3 + MIDDLE
    return (
        np.diag(V + sigma2[2])
        + sigma2[1] * (group[:, None] == group)
        + sigma2[0] * (OUTER[:, None] == OUTER)
    )


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_four_levels_are_the_dense_likelihood(method: str) -> None:
    found = multilevel(Y, V, LEVELS, X, method)

    def likelihood(sigma2: np.ndarray) -> float:
        inverse = np.linalg.inv(dense(sigma2))
        xwx = X.T @ inverse @ X
        e = Y - X @ np.linalg.solve(xwx, X.T @ inverse @ Y)
        k = 48 - (2 if method == "REML" else 0)
        value = k * np.log(2 * np.pi) - np.linalg.slogdet(inverse)[1] + e @ inverse @ e
        if method == "REML":
            value += np.linalg.slogdet(xwx)[1] - np.linalg.slogdet(X.T @ X)[1]
        return float(-0.5 * value)

    assert found.log_likelihood == pytest.approx(likelihood(found.sigma2), abs=1e-9)
    for i in range(3):
        for factor in (0.9, 1.1):
            moved = found.sigma2.copy()
            moved[i] *= factor
            assert likelihood(moved) <= found.log_likelihood + 1e-9
    covariance = np.linalg.inv(X.T @ np.linalg.inv(dense(found.sigma2)) @ X)
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-9)


def test_cost_grows_with_rows_only() -> None:
    k = 20_000
    groups = np.repeat(np.arange(4), k // 4)  # four groups of 5 000: dense blocks would not fit
    rng = np.random.default_rng(1)
    y = rng.normal(0, 0.4, 4)[groups] + rng.normal(0, 0.5, k)
    began = time.perf_counter()
    found = multilevel(y, np.full(k, 0.1), [list(groups), list(range(k))])
    assert time.perf_counter() - began < 20.0
    assert found.sigma2[1] == pytest.approx(0.15, rel=0.05)


def test_no_variance_between_groups_is_named() -> None:
    alike = np.tile([0.1, -0.1, 0.3, -0.3, 0.2, -0.2], 8)
    found = multilevel(alike, np.full(48, 0.05), LEVELS[:1])
    assert found.status is MultilevelStatus.AT_ZERO
    assert found.sigma2[0] == 0.0
    assert found.se[0] == pytest.approx(np.sqrt(0.05 / 48))


def test_second_robust_variance_is_unbiased_under_the_working_model() -> None:
    """CR2: the mean of the sandwich over the working covariance is the model's covariance."""
    fitted = multilevel(Y, V, LEVELS, X)
    rng = np.random.default_rng(3)
    root = np.linalg.cholesky(dense(fitted.sigma2))
    sums = {"CR0": np.zeros(2), "CR2": np.zeros(2)}
    for _ in range(300):
        y = root @ rng.normal(size=48)
        for kind in sums:
            sums[kind] += np.diag(robust(fitted, y, V, LEVELS, X, kind).covariance) / 300
    ratio = sums["CR2"] / np.diag(fitted.covariance)
    assert ratio == pytest.approx([1.0, 1.0], abs=0.12)
    assert (sums["CR0"] < 0.95 * sums["CR2"]).all()


def test_balanced_mean_has_the_degrees_of_freedom_of_its_clusters() -> None:
    v = np.full(48, 0.05)
    fitted = multilevel(Y, v, LEVELS[:1])
    assert robust(fitted, Y, v, LEVELS[:1], kind="CR2").df[0] == pytest.approx(7.0)
    means = Y.reshape(8, 6).mean(axis=1)
    found = robust(fitted, Y, v, LEVELS[:1], kind="CR1")
    assert found.se[0] == pytest.approx(means.std(ddof=1) / np.sqrt(8))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1.0], [0.1], [["a"]]), "cannot give"),
        (([1.0, 2.0], [0.1, -0.1], [["a", "b"]]), "-0.1 of row 2 is not positive"),
        (([1.0, 2.0], [0.1, 0.0], [["a", "b"]]), "0 of row 2 is not positive"),
        (([1.0, np.nan], [0.1, 0.1], [["a", "b"]]), "missing or infinite"),
        (([1.0, 2.0], [0.1, 0.1], [["a"]]), "one label per effect"),
        (([1.0, 2.0, 3.0], [0.1] * 3, [list("aab"), list("xxx")]), "in the same way"),
        (([1.0, 2.0, 3.0], [0.1] * 3, [list("abc")], np.ones((3, 2))), "depend on each other"),
    ],
)
def test_bad_rows_are_refused(arguments: tuple[object, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        multilevel(*arguments)  # type: ignore[arg-type]


def test_few_clusters_have_no_robust_variance() -> None:
    levels = [["a"] * 48]
    fitted = multilevel(Y, V, levels)
    with pytest.raises(InputError, match="needs more than 1 cluster"):
        robust(fitted, Y, V, levels)


STUDY = [str(i) for i in np.repeat(np.arange(12), 2)]
OUTCOME = ["pain", "function"] * 12


def two_outcomes() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    block = np.array([[0.04, 0.01], [0.01, 0.03]])
    root = np.linalg.cholesky(block + np.array([[0.09, 0.06], [0.06, 0.16]]))
    return (rng.normal(size=(12, 2)) @ root.T).ravel(), np.kron(np.eye(12), block)


def test_diagonal_structure_without_correlation_is_two_separate_syntheses() -> None:
    y, v = two_outcomes()
    v = np.diag(np.diag(v))
    both = multivariate(y, v, STUDY, OUTCOME, structure="DIAG")
    for i, name in enumerate(both.outcomes):
        rows = [j for j, o in enumerate(OUTCOME) if o == name]
        alone = multilevel(y[rows], np.diag(v)[rows], [[STUDY[j] for j in rows]])
        assert both.beta[i] == pytest.approx(alone.beta[0], abs=1e-7)
        assert both.tau2[i] == pytest.approx(alone.sigma2[0], rel=1e-5)


def test_structures_are_nested_and_gaps_are_borne() -> None:
    y, v = two_outcomes()
    fits = {s: multivariate(y, v, STUDY, OUTCOME, structure=s) for s in Structure}
    top = fits[Structure.UNSTRUCTURED].log_likelihood
    assert all(f.log_likelihood <= top + 1e-8 for f in fits.values())
    assert fits[Structure.COMPOUND_SYMMETRY].tau2[0] == fits[Structure.COMPOUND_SYMMETRY].tau2[1]
    part = list(range(21))  # the last studies lack an outcome
    gaps = multivariate(y[part], v[np.ix_(part, part)], STUDY[:21], OUTCOME[:21], robust="CR2")
    assert gaps.status is MultivariateStatus.OK
    assert gaps.robust is not None
    assert gaps.robust.clusters == 11


def test_singular_and_mixed_covariances_are_refused() -> None:
    y, v = two_outcomes()
    singular = v.copy()
    singular[:2, :2] = 0.04
    with pytest.raises(InputError, match="study 0 is singular"):
        multivariate(y, singular, STUDY, OUTCOME)
    mixed = v.copy()
    mixed[0, 3] = mixed[3, 0] = 0.001
    with pytest.raises(InputError, match="between studies"):
        multivariate(y, mixed, STUDY, OUTCOME)
    with pytest.raises(InputError, match="has an outcome twice"):
        multivariate(y, v, STUDY, ["pain"] * 24)


def test_interval_of_one_nested_variance_is_that_of_tau2() -> None:
    rows = [[str(i) for i in ROWS]]
    fit = multilevel(Y, V, rows)
    ((low, high),) = sigma2_intervals(fit, Y, V, rows)
    expected = tau_squared_interval(
        Y, V, np.ones((48, 1)), "profile likelihood", 0.95, float(fit.sigma2[0])
    )
    assert (low, high) == pytest.approx((expected.low, expected.high), rel=1e-5)


@pytest.mark.parametrize("structure", ["DIAG", "UN", "CS"])
def test_intervals_of_outcomes_that_do_not_hang_together_are_those_of_each_alone(
    structure: str,
) -> None:
    """Two outcomes in different studies: no structure has anything to join."""
    y, v = Y[:20], V[:20]
    study, outcome = [str(i) for i in range(20)], ["a"] * 10 + ["b"] * 10
    fit = multivariate(y, np.diag(v), study, outcome, structure=structure)
    found = tau2_intervals(fit, y, np.diag(v), study, outcome)
    if structure == "CS":
        assert found[0] == found[1]
        assert found[0][0] <= fit.tau2[0] <= found[0][1]
        return
    for part, tau2, (low, high) in zip((slice(0, 10), slice(10, 20)), fit.tau2, found, strict=True):
        expected = tau_squared_interval(
            y[part], v[part], np.ones((10, 1)), "profile likelihood", 0.95, float(tau2)
        )
        assert (low, high) == pytest.approx((expected.low, expected.high), rel=1e-4, abs=1e-7)
