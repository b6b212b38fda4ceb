"""Marginal means and contrasts by hand, and Tukey's pairs against scipy's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from statera.biomarker.design import Factor, build_design
from statera.biomarker.fitted_models import fitted_linear, fitted_mixed
from statera.biomarker.marginal_means import contrast_of_text, marginal_means, pairs_of
from statera.biomarker.posthoc import named_contrasts, pairwise_contrasts
from statera.errors import InputError, UnknownNameError

RNG = np.random.default_rng(12)
SITE = Factor.of(["a"] * 5 + ["b"] * 9 + ["c"] * 7)
ARM = Factor.of(["placebo", "active", "active"] * 7, ("placebo", "active"))
AGE = RNG.uniform(20.0, 70.0, 21)
Y = RNG.normal(size=(3, 21)) + 0.05 * AGE
COLUMNS = {"site": SITE, "arm": ARM, "age": AGE}


def test_pairs_of_one_factor_are_those_of_tukey_and_kramer() -> None:
    fitted = fitted_linear(Y, COLUMNS, "site")
    found = pairwise_contrasts("site", "site", COLUMNS, fitted.design, fitted.t)
    labels = np.array(SITE.labels)
    for row in range(3):
        told = stats.tukey_hsd(*(Y[row, labels == level] for level in SITE.levels))
        limits = told.confidence_interval(0.95)
        for one, (i, j) in zip(found, itertools.combinations(range(3), 2), strict=True):
            assert one.contrast == f"{SITE.levels[j]} - {SITE.levels[i]}"
            assert one.estimate[row] == pytest.approx(told.statistic[j, i], rel=1e-10)
            assert one.adjusted_p[row] == pytest.approx(told.pvalue[j, i], rel=1e-6)
            assert one.low[row] == pytest.approx(limits.low[j, i], rel=1e-6)
            assert one.high[row] == pytest.approx(limits.high[j, i], rel=1e-6)


def test_means_are_unweighted_over_cells_and_at_the_mean_of_numbers() -> None:
    formula = "site * arm"
    fitted = fitted_linear(Y, COLUMNS, formula)
    means = marginal_means(formula, COLUMNS, fitted.design, ("site",))
    cell = {
        (s, a): Y[0, [u == s and v == a for u, v in zip(SITE.labels, ARM.labels, strict=True)]]
        for s in SITE.levels
        for a in ARM.levels
    }
    coefficients = np.linalg.lstsq(fitted.design.matrix, Y[0], rcond=None)[0]
    by_hand = [(cell[s, "placebo"].mean() + cell[s, "active"].mean()) / 2 for s in SITE.levels]
    np.testing.assert_allclose(means.weights @ coefficients, by_hand, rtol=1e-10)
    # one line for all: the mean of a site is its own mean moved along the slope to the mean age
    fitted = fitted_linear(Y, COLUMNS, "site + age")
    means = marginal_means("site + age", COLUMNS, fitted.design, ("site",))
    coefficients = np.linalg.lstsq(fitted.design.matrix, Y[0], rcond=None)[0]
    slope = coefficients[fitted.design.columns.index("age")]
    labels = np.array(SITE.labels)
    moved = [
        Y[0, labels == s].mean() + slope * (AGE.mean() - AGE[labels == s].mean())
        for s in SITE.levels
    ]
    np.testing.assert_allclose(means.weights @ coefficients, moved, rtol=1e-10)


def test_pairs_within_levels_have_their_own_family() -> None:
    design = build_design("site * arm", COLUMNS)
    means = marginal_means("site * arm", COLUMNS, design, ("arm", "site"))
    assert means.cells[:2] == (("placebo", "a"), ("placebo", "b"))
    assert len(pairs_of(means)) == 15
    within = pairs_of(means, ("arm",))
    assert [p.said for p in within] == [
        f"{arm} {late} - {arm} {early}"
        for arm in ("placebo", "active")
        for early, late in (("a", "b"), ("a", "c"), ("b", "c"))
    ]
    assert {p.within for p in within} == {3}
    fitted = fitted_linear(Y, COLUMNS, "site * arm")
    found = pairwise_contrasts("site | arm", "site * arm", COLUMNS, design, fitted.t)
    assert {one.adjustment for one in found} == {"Tukey, 3 means"}


def test_contrasts_by_name() -> None:
    subjects = np.repeat(np.arange(20), 3)
    columns = {
        "arm": Factor.of([("active", "placebo")[s % 2] for s in subjects]),
        "week": Factor.of(["0", "4", "12"] * 20, ("0", "4", "12")),
    }
    values = RNG.normal(size=(2, 20))[:, subjects] + RNG.normal(size=(2, 60))
    fitted = fitted_mixed(values, columns, "arm * week", tuple(map(str, subjects)), "satterthwaite")
    texts = (
        "late = [arm=active, week=12] - [arm=active, week=0]",
        "[week=12] - 0.5 [week=0] - 0.5*[week=4]",
    )
    found = named_contrasts(texts, "arm * week", columns, fitted.design, fitted.t, "holm")
    assert [one.contrast for one in found] == ["late", texts[1]]
    arm, week = np.array(columns["arm"].labels), np.array(columns["week"].labels)
    by_hand = (values[:, (arm == "active") & (week == "12")].mean(axis=1)
               - values[:, (arm == "active") & (week == "0")].mean(axis=1))  # fmt: skip
    np.testing.assert_allclose(found[0].estimate, by_hand, rtol=1e-9)
    whole = [values[:, week == w].mean(axis=1) for w in ("0", "4", "12")]
    np.testing.assert_allclose(found[1].estimate, whole[2] - (whole[0] + whole[1]) / 2, rtol=1e-9)
    np.testing.assert_allclose(
        np.sort(found[0].adjusted_p),
        np.maximum.accumulate(np.minimum(np.sort(found[0].p_value) * [2, 1], 1.0)),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[week=12]", "sum to 1"),
        ("[week=12] [week=0]", "not understood"),
        ("[week=12] - week 0", "not understood"),
        ("[week] - [week=0]", "names no levels"),
        ("[week=13] - [week=0]", "level of week"),
        ("[visit=1] - [week=0]", "visit"),
        ("[age=1] - [week=0]", "no levels to compare"),
        ("late =", "sum to 0"),
    ],
)
def test_contrasts_that_are_refused(text: str, words: str) -> None:
    columns = {"week": Factor.of(["0", "12"] * 4), "age": np.arange(8.0) ** 2}
    design = build_design("week + age", columns)
    with pytest.raises((InputError, UnknownNameError), match=words):
        contrast_of_text(text, "week + age", columns, design)


def test_pairs_of_unknown_factors_are_refused() -> None:
    design = build_design("site", COLUMNS)
    with pytest.raises(UnknownNameError, match="arm"):
        marginal_means("site", COLUMNS, design, ("arm",))
    with pytest.raises(UnknownNameError, match="arm"):
        pairs_of(marginal_means("site", COLUMNS, design, ("site",)), ("arm",))
