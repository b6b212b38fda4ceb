"""Networks of counts: against pairwise methods, brute-force likelihoods, and by hand."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, gammaln
from scipy.stats import binom, chi2, norm, poisson

from statera.errors import InputError, UnknownNameError
from statera.evidence.network_counts import arm_counts, check_estimable
from statera.evidence.network_glm import glm_network
from statera.evidence.network_glmm import glmm_network
from statera.evidence.network_hypergeometric import hypergeometric_network
from statera.evidence.network_mantel_haenszel import (
    mantel_haenszel_design,
    mantel_haenszel_network,
)
from statera.evidence.network_rank import league_table, p_scores
from statera.evidence.network_rare import RareNetwork, RareNetworkOptions
from statera.evidence.rare_events import mantel_haenszel
from statera.evidence.rare_glmm import GlmmOptions, rare_glmm

Floats = NDArray[np.float64]
Rows = tuple[list[str], list[str], list[float], list[float]]

RARE: Rows = (
    ["s1", "s1", "s2", "s2", "s3", "s3", "s4", "s4"],
    ["A", "B", "A", "C", "B", "C", "A", "B"],
    [2, 5, 1, 4, 3, 4, 0, 0],
    [100, 98, 150, 140, 90, 95, 20, 20],
)
#: Simulated: a study of four arms, two of three, three of two; one cell is empty.
MIXED: Rows = (
    ["m", "m", "m", "m", "t", "t", "t", "u", "u", "u", "v", "v", "w", "w", "x", "x"],
    ["A", "B", "C", "D", "A", "B", "C", "A", "B", "D", "A", "B", "C", "D", "B", "D"],
    [6, 9, 3, 8, 2, 1, 0, 4, 7, 9, 12, 20, 3, 6, 5, 9],
    [60, 62, 58, 61, 40, 41, 39, 80, 78, 82, 90, 88, 50, 55, 45, 44],
)


def two_treatments(seed: int = 5, studies: int = 12) -> tuple[Floats, Floats, Floats, Floats]:
    """Simulated counts with spread between studies."""
    generator = np.random.default_rng(seed)
    n1, n2 = generator.integers(30, 200, (2, studies)).astype(float)
    base, effect = generator.normal(-2.2, 0.5, studies), generator.normal(0.6, 0.9, studies)
    a = generator.binomial(n1.astype(int), expit(base + effect)).astype(float)
    c = generator.binomial(n2.astype(int), expit(base)).astype(float)
    return a, n1, c, n2


def as_arms(a: Floats, n1: Floats, c: Floats, n2: Floats) -> Rows:
    k = a.size
    return (
        [f"s{i}" for i in range(k) for _ in "XY"],
        ["X", "Y"] * k,
        np.column_stack([a, c]).ravel().tolist(),
        np.column_stack([n1, n2]).ravel().tolist(),
    )


# Mantel-Haenszel


def test_mantel_haenszel_of_two_treatments_is_the_pairwise_one() -> None:
    a, n1, c, n2 = two_treatments()
    pairwise = mantel_haenszel("OR", a, n1, c, n2)
    result = mantel_haenszel_network(*as_arms(a, n1, c, n2))
    assert result.common.estimate[0, 1] == pytest.approx(pairwise.estimate, abs=1e-12)
    assert result.common.se[0, 1] == pytest.approx(pairwise.se, abs=1e-12)
    np.testing.assert_allclose(result.random.estimate, result.common.estimate)
    assert np.isnan(result.predict_low[0, 1])


def test_mantel_haenszel_of_single_studies_is_woolf() -> None:
    result = mantel_haenszel_network(*RARE)
    tables = [(2, 100, 5, 98), (1, 150, 4, 140), (3, 90, 4, 95)]
    direct = [np.log(a * (m - c) / (c * (n - a))) for a, n, c, m in tables]
    woolf = [1 / a + 1 / (n - a) + 1 / c + 1 / (m - c) for a, n, c, m in tables]
    indirect, spread = direct[1] - direct[2], woolf[1] + woolf[2]
    weight = np.array([1 / woolf[0], 1 / spread])
    pooled = weight @ [direct[0], indirect] / weight.sum()
    assert result.common.estimate[0, 1] == pytest.approx(pooled)
    assert result.common.se[0, 1] == pytest.approx(weight.sum() ** -0.5)
    assert "s4" in result.notes[0]


def test_mantel_haenszel_of_one_study_of_four_arms_is_woolf() -> None:
    a, n = np.array(MIXED[2][:4], float), np.array(MIXED[3][:4], float)
    result = mantel_haenszel_network(["m"] * 4, list("ABCD"), a, n)
    odds, spread = np.log(a / (n - a)), 1 / a + 1 / (n - a)
    np.testing.assert_allclose(result.common.estimate, odds[:, None] - odds, atol=1e-12)
    wanted = spread[:, None] + spread
    np.fill_diagonal(wanted, 0.0)
    np.testing.assert_allclose(result.common.se**2, wanted, atol=1e-12)


def test_mantel_haenszel_covariance_is_that_of_the_delta_method() -> None:
    # at expected counts the estimated covariance is the asymptotic one, so that derivatives of the
    # estimator by the counts of independent binomial arms give it by another route
    base = np.array([-2.0, -1.0, -2.6, 0.3])
    share = expit(base[:, None] + np.array([0.0, 0.7, -0.4]))
    n = np.array([[60.0, 90, 50], [40, 40, 80], [120, 60, 60], [30, 25, 45]])
    effect, covariance = mantel_haenszel_design(n * share, n)
    np.testing.assert_allclose(effect - effect[0], [0.0, 0.7, -0.4], atol=1e-12)
    slopes = np.zeros((3, n.size))
    for i in range(n.size):
        h = np.zeros(n.size)
        h[i] = 1e-4
        up = mantel_haenszel_design(n * share + h.reshape(n.shape), n)[0]
        down = mantel_haenszel_design(n * share - h.reshape(n.shape), n)[0]
        slopes[:, i] = (up - down) / 2e-4
    contrast = np.array([[1.0, -1, 0], [1, 0, -1]])
    by_hand = contrast @ slopes @ np.diag((n * share * (1 - share)).ravel()) @ slopes.T @ contrast.T
    np.testing.assert_allclose(contrast @ covariance @ contrast.T, by_hand, rtol=1e-6)


def test_mantel_haenszel_of_two_treatments_against_metafor(reference: Path) -> None:
    folder = reference / "evidence"
    lines = (folder / "nielweise2007_rare.csv").read_text().replace('"', "").splitlines()
    names = lines[0].split(",")
    rows = [dict(zip(names, line.split(","), strict=True)) for line in lines[1:]]
    expected = json.loads((folder / "nielweise2007_rare.json").read_text())
    columns = [np.array([float(row[key]) for row in rows]) for key in ("ai", "n1i", "ci", "n2i")]
    result = mantel_haenszel_network(*as_arms(*columns))
    wanted = expected["results"]["MH_OR"]
    assert result.common.estimate[0, 1] == pytest.approx(wanted["estimate"], abs=1e-10)
    assert result.common.se[0, 1] == pytest.approx(wanted["se"], abs=1e-10)


def test_arms_without_events_leave_their_design_and_are_named() -> None:
    result = mantel_haenszel_network(
        ["s1"] * 3 + ["s2"] * 2 + ["s3"] * 2, ["A", "B", "C", "A", "B", "A", "D"],
        [3, 5, 0, 2, 6, 0, 4], [30, 30, 30, 40, 40, 20, 20],
    )  # fmt: skip
    assert result.data.treatments == ("A", "B")
    assert result.notes[:3] == (
        "Design A:B:C: C is left out, with no events for a finite odds ratio.",
        "Design A:D is left out: it has no finite odds ratio.",
        "C is left out: no design gives it a finite odds ratio.",
    )
    alone = mantel_haenszel_network(["s1", "s1", "s2", "s2"], list("ABAB"), [3, 5, 2, 6],
                                    [30, 30, 40, 40])  # fmt: skip
    # the study of three arms keeps a design of its own, and so a stratum of its own
    assert result.common.estimate[0, 1] == pytest.approx(alone.common.estimate[0, 1], abs=0.02)


# common effects


def test_binomial_model_of_one_study_is_exact() -> None:
    result = glm_network(["s"] * 3, ["A", "B", "C"], [2, 5, 9], [50, 60, 40])
    assert result.estimate[1, 0] == pytest.approx(np.log(5 / 55) - np.log(2 / 48))
    assert result.se[1, 0] ** 2 == pytest.approx(1 / 5 + 1 / 55 + 1 / 2 + 1 / 48)


def test_binomial_model_is_the_maximum() -> None:
    result = glm_network(*RARE)

    def loss(x: Floats) -> float:
        effect = {"A": 0.0, "B": x[3], "C": x[4]}
        rows = [row for row in zip(*RARE, strict=True) if row[0] != "s4"]
        return -sum(
            float(binom.logpmf(a, n, expit(x[int(study[1]) - 1] + effect[name])))
            for study, name, a, n in rows
        )

    best = minimize(loss, [-4.0, -4.0, -4.0, 0.0, 0.0], method="BFGS", options={"gtol": 1e-8})
    np.testing.assert_allclose(result.estimate[1:, 0], best.x[3:], atol=1e-5)
    assert result.loglik == pytest.approx(-best.fun, abs=1e-8)


@pytest.mark.parametrize("rates", [False, True])
def test_deviance_is_the_likelihood_ratio_against_free_arms(rates: bool) -> None:
    result = glm_network(*MIXED, rates=rates)
    x, n = np.array(MIXED[2], float), np.array(MIXED[3], float)
    law = poisson.logpmf(x, x) if rates else binom.logpmf(x, n, x / n)
    assert result.deviance == pytest.approx(2 * (np.asarray(law).sum() - result.loglik))
    assert result.df == 7
    assert result.p_deviance == pytest.approx(chi2.sf(result.deviance, 7))
    assert glmm_network(*MIXED, rates=rates).deviance == pytest.approx(result.deviance)
    single = glm_network(["s"] * 3, list("ABC"), [2, 5, 9], [50, 60, 40], rates=rates)
    assert single.deviance == pytest.approx(0.0, abs=1e-8)


@pytest.mark.parametrize("rates", [False, True])
def test_common_effects_of_two_treatments_are_the_pairwise_model(rates: bool) -> None:
    a, n1, c, n2 = two_treatments()
    options = GlmmOptions(model="UM.FS", random=False)
    pairwise = rare_glmm("IRR" if rates else "OR", a, n1, c, n2, options)
    result = glm_network(*as_arms(a, n1, c, n2), rates=rates)
    assert result.estimate[0, 1] == pytest.approx(pairwise.estimate, abs=1e-7)
    assert result.se[0, 1] == pytest.approx(pairwise.se, rel=1e-5)
    assert result.loglik == pytest.approx(pairwise.log_likelihood, abs=1e-7)


def test_common_effects_as_rma_glmm_prints_them() -> None:
    # rma.glmm(model = "UM.FS", method = "FE") of metafor prints -0.6359888 and -2.324977
    whole = glm_network(["1", "1", "2", "2"], list("ABAB"), [15, 25, 30, 50], [100, 100, 200, 200])
    assert whole.estimate[0, 1] == pytest.approx(-0.6359888, abs=5e-8)
    sparse = glm_network(
        ["1", "1", "2", "2", "3", "3"], list("ABABAB"), [0, 3, 1, 5, 0, 2],
        [100, 100, 200, 200, 150, 150],
    )  # fmt: skip
    assert sparse.estimate[0, 1] == pytest.approx(-2.324977, abs=5e-7)


def test_rates_are_the_multinomial_given_the_events_of_each_study() -> None:
    result = glm_network(*MIXED, rates=True)

    def loss(x: Floats) -> float:
        effect = dict(zip("ABCD", np.append(0.0, x), strict=True))
        total = 0.0
        for study in dict.fromkeys(MIXED[0]):
            rows = [r for r in zip(*MIXED, strict=True) if r[0] == study]
            weight = np.array([t * np.exp(effect[name]) for _, name, _, t in rows])
            share = weight / weight.sum()
            total -= float(np.array([r[2] for r in rows]) @ np.log(share))
        return total

    best = minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    np.testing.assert_allclose(result.estimate[1:, 0], best.x, atol=1e-6)
    assert result.measure == "IRR"


# Firth


@pytest.mark.parametrize("rates", [False, True])
def test_penalty_of_one_study_adds_half_an_event(rates: bool) -> None:
    a, n = np.array([0.0, 4, 7]), np.array([20.0, 22, 30])
    options = RareNetworkOptions(penalised=True)
    result = glm_network(["s"] * 3, list("ABC"), a, n, rates=rates, options=options)
    level = np.log((a + 0.5) / (n if rates else n - a + 0.5))
    np.testing.assert_allclose(result.estimate, level[:, None] - level, atol=1e-9)


def test_penalised_likelihood_is_flat_at_the_estimate() -> None:
    counts = arm_counts(*MIXED)
    result = glm_network(*MIXED, options=RareNetworkOptions(penalised=True))
    design = np.zeros((16, 9))
    design[np.arange(16), counts.study] = 1.0
    for t in (1, 2, 3):
        design[:, 5 + t] = counts.treatment == t

    def height(x: Floats) -> float:
        share = expit(design @ x)
        information = design.T @ ((counts.size * share * (1 - share))[:, None] * design)
        return float(
            np.asarray(binom.logpmf(counts.events, counts.size, share)).sum()
            + 0.5 * np.linalg.slogdet(information)[1]
        )

    start = np.concatenate([np.full(6, -2.0), result.estimate[1:, 0]])

    def loss(x: Floats) -> float:
        return -height(x)

    best = minimize(loss, start, method="BFGS", options={"gtol": 1e-7})
    np.testing.assert_allclose(result.estimate[1:, 0], best.x[6:], atol=1e-5)


def test_penalty_keeps_studies_without_events_and_arms_without_them() -> None:
    options = RareNetworkOptions(penalised=True, overdispersion=True)
    rows = (["s", "s", "t", "t", "u", "u"], list("ABABBC"), [0, 3, 0, 0, 2, 0], [9, 9, 8, 9, 9, 8])
    with pytest.raises(InputError, match="not finite"):
        glm_network(*rows)
    result = glm_network(*rows, options=options)
    assert result.studies == 3
    assert np.isfinite(result.estimate).all()
    assert result.estimate[0, 1] < 0
    assert result.notes[0].startswith("Some estimates rest on the penalty, for some ratio is not")
    plain = glm_network(*rows, options=RareNetworkOptions(penalised=True))
    wider = max(1.0, plain.dispersion) ** 0.5
    assert result.se[0, 1] == pytest.approx(wider * plain.se[0, 1])


# noncentral hypergeometric


def test_hypergeometric_of_two_treatments_is_the_pairwise_model() -> None:
    a, n1, c, n2 = two_treatments()
    pairwise = rare_glmm("OR", a, n1, c, n2, GlmmOptions(model="CM.EL", random=False))
    result = hypergeometric_network(*as_arms(a, n1, c, n2))
    assert result.estimate[0, 1] == pytest.approx(pairwise.estimate, abs=1e-8)
    assert result.se[0, 1] == pytest.approx(pairwise.se, rel=1e-6)
    assert result.loglik == pytest.approx(pairwise.log_likelihood, abs=1e-8)


def test_hypergeometric_of_several_arms_by_counting_every_table() -> None:
    small: Rows = (
        ["m"] * 3 + ["t"] * 3 + ["u"] * 2, ["A", "B", "C", "A", "B", "C", "B", "C"],
        [2, 4, 1, 1, 0, 3, 2, 4], [9, 8, 10, 7, 9, 8, 10, 9],
    )  # fmt: skip
    result = hypergeometric_network(*small)

    def ways(x: Floats, n: Floats) -> float:
        return float((gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)).sum())

    def loss(beta: Floats) -> float:
        effect = dict(zip("ABC", np.append(0.0, beta), strict=True))
        total = 0.0
        for study in dict.fromkeys(small[0]):
            rows = [r for r in zip(*small, strict=True) if r[0] == study]
            x, n = np.array([r[2] for r in rows], float), np.array([r[3] for r in rows], float)
            slope = np.array([effect[r[1]] for r in rows])
            tables = itertools.product(*(range(int(k) + 1) for k in n))
            every = [np.array(t, float) for t in tables if sum(t) == x.sum()]
            weight = [ways(t, n) + t @ slope for t in every]
            total -= ways(x, n) + x @ slope - np.logaddexp.reduce(weight)
        return float(total)

    best = minimize(loss, np.zeros(2), method="BFGS", options={"gtol": 1e-7})
    np.testing.assert_allclose(result.estimate[1:, 0], best.x, atol=1e-5)
    step = 1e-3 * np.eye(2)
    bend = [[(loss(best.x + a + b) - loss(best.x + a - b) - loss(best.x - a + b)
              + loss(best.x - a - b)) / 4e-6 for a in step] for b in step]  # fmt: skip
    by_hand = np.sqrt(np.diag(np.linalg.inv(bend)))
    np.testing.assert_allclose(result.se[1:, 0], by_hand, rtol=1e-4)
    assert result.loglik == pytest.approx(-best.fun, abs=1e-9)


def test_hypergeometric_of_large_studies_is_close_to_the_binomial() -> None:
    studies, names = ["a", "a", "a", "b", "b"], list("ABCAC")
    events, size = [300, 420, 260, 500, 410], [4000, 4100, 3900, 6000, 5900]
    ours = hypergeometric_network(studies, names, events, size)
    other = glm_network(studies, names, events, size)
    np.testing.assert_allclose(ours.estimate, other.estimate, atol=1e-3)
    np.testing.assert_allclose(ours.se, other.se, rtol=1e-3)
    many = [100 * x for x in events], [100 * n for n in size]
    np.testing.assert_allclose(
        hypergeometric_network(studies, names, *many).estimate,
        glm_network(studies, names, *many).estimate,
        atol=1e-5,
    )
    with pytest.raises(InputError, match="no whole numbers"):
        hypergeometric_network(["s", "s"], ["A", "B"], [1.5, 2], [9, 9])


# random effects


@pytest.mark.parametrize("rates", [False, True])
def test_random_effects_of_two_treatments_are_the_pairwise_model(rates: bool) -> None:
    a, n1, c, n2 = two_treatments()
    pairwise = rare_glmm("IRR" if rates else "OR", a, n1, c, n2, GlmmOptions(model="UM.FS"))
    result = glmm_network(*as_arms(a, n1, c, n2), rates=rates)
    assert result.tau2 > 0.1
    assert result.tau2 == pytest.approx(pairwise.tau2, rel=1e-5)
    assert result.tau2_se == pytest.approx(pairwise.tau2_se, rel=1e-3)
    assert result.estimate[0, 1] == pytest.approx(pairwise.estimate, abs=1e-6)
    assert result.se[0, 1] == pytest.approx(pairwise.se, rel=1e-4)
    assert result.loglik == pytest.approx(pairwise.log_likelihood, abs=1e-6)


def spread_of_three() -> Rows:
    """Simulated: studies of three arms and of two with tau 1.6."""
    generator = np.random.default_rng(11)
    studies, names, events, sizes = [], [], [], []
    effect = {"A": 0.0, "B": 0.5, "C": -0.4}
    for i, arms in enumerate(["ABC", "AB", "BC", "AC", "ABC", "AB", "AC"]):
        base = generator.normal(-1.5, 0.4)
        for arm in arms:
            n = int(generator.integers(40, 120))
            share = expit(base + effect[arm] + generator.normal(0.0, 1.6 / 2**0.5))
            studies.append(f"s{i}")
            names.append(arm)
            events.append(float(generator.binomial(n, share)))
            sizes.append(float(n))
    return studies, names, events, sizes


@pytest.mark.parametrize("rates", [False, True])
def test_random_effects_by_a_dense_grid(rates: bool) -> None:
    rows = spread_of_three()
    result = glmm_network(*rows, rates=rates)
    assert result.tau2 > 0.05
    x, w = np.polynomial.legendre.leggauss(44)
    x, w = 6.5 * x, 6.5 * w  # normal effects from -6.5 to 6.5

    def study(x_arm: Floats, n: Floats, slope: Floats, tau: float) -> float:
        m = x_arm.size
        grid = np.stack(np.meshgrid(*[x] * m)).reshape(m, -1)
        weight = np.prod(np.meshgrid(*[w] * m), axis=0).ravel() * norm.pdf(grid).prod(axis=0)
        deviation = (grid - grid.mean(axis=0)) * tau / 2**0.5 + slope[:, None]
        constant = -gammaln(x_arm + 1).sum()
        constant += (
            (x_arm @ np.log(n)) if rates else (gammaln(n + 1) - gammaln(n - x_arm + 1)).sum()
        )

        def minus(alpha: float) -> float:
            eta = alpha + deviation
            spent = np.exp(eta) if rates else np.log1p(np.exp(eta))
            return -float(constant + np.log(weight @ np.exp(x_arm @ eta - n @ spent)))

        middle = float(np.log((x_arm.sum() + 0.5) / n.sum()))
        found = minimize_scalar(minus, bracket=(middle - 0.3, middle + 0.3), tol=1e-6)
        return -float(found.fun)

    def height(theta: Floats) -> float:
        effect = dict(zip("ABC", np.append(0.0, theta[:2]), strict=True))
        total = 0.0
        for name in dict.fromkeys(rows[0]):
            part = [r for r in zip(*rows, strict=True) if r[0] == name]
            total += study(
                np.array([r[2] for r in part]), np.array([r[3] for r in part]),
                np.array([effect[r[1]] for r in part]), float(theta[2]),
            )  # fmt: skip
        return total

    best = np.array([*result.estimate[1:, 0], result.tau2**0.5])
    top = height(best)
    assert result.loglik == pytest.approx(top, abs=1e-6)
    slopes = [(height(best + h) - height(best - h)) / 2e-3 for h in 1e-3 * np.eye(3)]
    np.testing.assert_allclose(slopes, 0.0, atol=2e-3)


def test_no_spread_gives_common_effects_and_says_so() -> None:
    mixed, common = glmm_network(*MIXED), glm_network(*MIXED)
    assert mixed.tau2 == 0.0
    assert "estimated as zero" in mixed.notes[-1]
    np.testing.assert_allclose(mixed.estimate, common.estimate)
    assert mixed.loglik == pytest.approx(common.loglik, abs=1e-8)
    single = glmm_network(["s"] * 3, list("ABC"), [2, 5, 9], [50, 60, 40])
    assert "cannot be estimated" in single.notes[-1]
    assert np.isnan(single.predict_low[0, 1])


def test_nodes_change_nothing_and_few_nodes_are_named() -> None:
    rows = spread_of_three()
    usual = glmm_network(*rows)
    more = glmm_network(*rows, options=RareNetworkOptions(nodes=31))
    assert more.loglik == pytest.approx(usual.loglik, abs=1e-7)
    assert usual.notes == ()
    # few patients and much spread: the integrand is far from normal
    generator = np.random.default_rng(3)
    share = expit(np.array([-1.0, 0.0]) + generator.normal(0, 2.5, (14, 2)))
    arms = as_arms(*(v for e in generator.binomial(12, share).T.astype(float)
                     for v in (e, np.full(14, 12.0))))  # fmt: skip
    few = glmm_network(*arms, options=RareNetworkOptions(nodes=3))
    assert few.loglik == pytest.approx(glmm_network(*arms).loglik, abs=0.1)
    assert "give more nodes" in few.notes[-1]


def test_studies_of_many_arms() -> None:
    generator = np.random.default_rng(6)
    names = [chr(65 + i) for i in range(9)]
    rows: Rows = ([], [], [], [])
    for study, arms in (("wide", names), ("s", names[:2]), ("t", names[1:3]), ("u", names[:2])):
        for name in arms:
            n = int(generator.integers(40, 90))
            share = expit(-1.0 + generator.normal(0, 0.8))
            rows[0].append(study)
            rows[1].append(name)
            rows[2].append(float(generator.binomial(n, share)))
            rows[3].append(float(n))
    result = glmm_network(*rows)
    assert result.tau2 > 0
    assert "Studies of 9 arms and more have 3 nodes" not in " ".join(result.notes)
    exact = hypergeometric_network(*rows)
    common = glm_network(*rows)
    np.testing.assert_allclose(exact.estimate, common.estimate, atol=0.05)
    with pytest.raises(InputError, match="of a study of 9 arms are too many"):
        glmm_network(*rows, options=RareNetworkOptions(nodes=9))


@pytest.mark.parametrize("fit", [glm_network, hypergeometric_network, glmm_network])
def test_order_of_rows_changes_nothing(fit: Callable[..., RareNetwork]) -> None:
    one = fit(*MIXED)
    order = np.random.default_rng(1).permutation(len(MIXED[0]))
    other = fit(*([column[i] for i in order] for column in MIXED))
    np.testing.assert_allclose(one.estimate, other.estimate, atol=1e-9)
    np.testing.assert_allclose(one.se, other.se, atol=1e-8)
    assert one.loglik == pytest.approx(other.loglik, abs=1e-9)


# what they share


def test_reference_changes_nothing_and_ranks_follow() -> None:
    for fit in (glm_network, hypergeometric_network, glmm_network):
        first = fit(*MIXED)
        other = fit(*MIXED, options=RareNetworkOptions(reference="C"))
        np.testing.assert_allclose(first.estimate, other.estimate, atol=1e-8)
        np.testing.assert_allclose(first.se, other.se, atol=1e-8)
        assert other.reference == "C"
        np.testing.assert_allclose(
            p_scores(first, small_good=True), p_scores(other, small_good=True), atol=1e-7
        )
        labels = {row.label for row in league_table(first)}
        assert len(labels) == 12
    with pytest.raises(UnknownNameError):
        glm_network(*MIXED, options=RareNetworkOptions(reference="Z"))


def test_counts_that_cannot_be() -> None:
    with pytest.raises(InputError, match="cannot be"):
        arm_counts(["s", "s"], ["A", "B"], [10, 0], [9, 9])
    with pytest.raises(InputError, match="one arm compares nothing"):
        arm_counts(["s", "t", "t"], ["A", "A", "B"], [1, 1, 1], [9, 9, 9])
    with pytest.raises(InputError, match="A stands twice"):
        arm_counts(["s", "s"], ["A", "A"], [1, 1], [9, 9])
    with pytest.raises(InputError, match="lengths"):
        arm_counts([], [], [], [])
    assert arm_counts(["s", "s"], ["A", "B"], [10, 0], [9, 9], rates=True).measure == "IRR"


@pytest.mark.parametrize("fit", [glm_network, hypergeometric_network, glmm_network])
def test_rare_networks_that_cannot_be(fit: Callable[..., RareNetwork]) -> None:
    with pytest.raises(InputError, match="not finite"):
        fit(["s", "s"], ["A", "B"], [0, 1], [9, 9])
    with pytest.raises(InputError, match="no study is left"):
        fit(["s", "s"], ["A", "B"], [0, 0], [9, 9])
    with pytest.raises(InputError, match="2 parts"):
        fit(["s", "s", "t", "t"], ["A", "B", "X", "Y"], [1, 1, 2, 2], [9, 9, 9, 9])
    with pytest.raises(InputError, match="no odds ratio is finite"):
        mantel_haenszel_network(["s", "s"], ["A", "B"], [0, 1], [9, 9])


def test_ratios_are_finite_where_bounds_lead_round() -> None:
    # A over B in s, B over C in t, C over A in u: each has a bound on one side, all are finite
    rows = (["s", "s", "t", "t", "u", "u"], list("ABBCCA"), [1, 0, 1, 0, 1, 0], [9] * 6)
    check_estimable(arm_counts(*rows))
    assert np.isfinite(hypergeometric_network(*rows).estimate).all()
    # without u nothing holds A down
    with pytest.raises(InputError, match="one side only: A; B; C"):
        check_estimable(arm_counts(rows[0][:4], rows[1][:4], rows[2][:4], rows[3][:4]))


def test_options_that_cannot_be() -> None:
    with pytest.raises(InputError, match="level"):
        RareNetworkOptions(level=95)
    with pytest.raises(InputError, match="nodes"):
        RareNetworkOptions(nodes=2)
