"""One entry to every method: each gives what its own function gives, and failures have names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from statera.errors import InputError, StateraError, UsageError
from statera.evidence.bayesian import TauPrior, bayesian
from statera.evidence.cluster_robust import RobustKind
from statera.evidence.diagnostics import DiagnosticsAsked, diagnose
from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.effects import Effects, effects_of
from statera.evidence.joint_outcomes import joint_outcomes
from statera.evidence.multilevel import multilevel, robust
from statera.evidence.multivariate import multivariate
from statera.evidence.pairwise import pairwise
from statera.evidence.pairwise_result import PairwiseOptions
from statera.evidence.pooled_effect import PooledEffect
from statera.evidence.print_diagnostics import print_diagnostics
from statera.evidence.print_methods import print_multivariate, print_synthesis
from statera.evidence.rare_events import mantel_haenszel, peto, weights
from statera.evidence.rare_glmm import GlmmOptions, one_arm_glmm, rare_glmm
from statera.evidence.subgroup_effects import print_subgroup_effects, subgroup_effects
from statera.evidence.synthesis import (
    Synthesis,
    SynthesisMethod,
    SynthesisOptions,
    each_left_out,
    first_ones,
    method_of,
    synthesise,
)

A, N1 = [12, 5, 30, 2, 9], [100, 60, 210, 80, 75]
C, N2 = [20, 9, 28, 6, 15], [102, 61, 205, 82, 77]
NAMES = ["A", "B", "C", "D", "E"]


def counts(measure: str = "OR", cluster: tuple[str, ...] = ("x", "x", "y", "y", "z")) -> Effects:
    return effect_sizes(
        measure, names=NAMES, cluster=cluster, events_1=A, total_1=N1, events_2=C, total_2=N2
    )


def by(method: str, effects: Effects | None = None, **more: object) -> Synthesis:
    options = SynthesisOptions(SynthesisMethod(method), **more)  # type: ignore[arg-type]
    return synthesise(counts() if effects is None else effects, options)


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_mantel_haenszel_is_its_own_function(measure: str) -> None:
    found, expected = by("mh", counts(measure)).pooled, mantel_haenszel(measure, A, N1, C, N2)
    assert (found.estimate, found.se) == (expected.estimate, expected.se)
    assert (found.q, found.q_df, found.i2) == (expected.q, expected.q_df, expected.i2)
    assert not found.random
    assert found.weights is not None
    assert found.weights.sum() == pytest.approx(100.0)


def test_weights_are_shares_of_the_pooled_ratio() -> None:
    """The Mantel-Haenszel odds ratio is the mean of the studies' own by these weights."""
    a, n1, c, n2 = (np.array(x, dtype=float) for x in (A, N1, C, N2))
    own = a * (n2 - c) / ((n1 - a) * c)
    share = weights("OR", A, N1, C, N2) / 100.0
    assert share @ own == pytest.approx(np.exp(mantel_haenszel("OR", A, N1, C, N2).estimate))
    risk = weights("RR", A, N1, C, N2) / 100.0 @ (a / n1 / (c / n2))
    assert risk == pytest.approx(np.exp(mantel_haenszel("RR", A, N1, C, N2).estimate))


def test_peto_needs_an_odds_ratio() -> None:
    assert by("peto").pooled.estimate == peto(A, N1, C, N2).estimate
    with pytest.raises(UsageError, match="pools odds ratios, not RR"):
        by("peto", counts("RR"))


@pytest.mark.parametrize("model", ["um.fs", "um.rs", "cm.el", "cm.al"])
def test_mixed_models_are_their_own_function(model: str) -> None:
    found = by(model, tau2_interval=False).pooled
    expected = rare_glmm("OR", A, N1, C, N2, GlmmOptions(model.upper()))
    assert (found.estimate, found.se, found.tau2) == pytest.approx(
        (expected.estimate, expected.se, expected.tau2)
    )
    assert expected.heterogeneity is not None
    assert found.q == pytest.approx(expected.heterogeneity.likelihood_ratio)
    common = by(model, pairwise=PairwiseOptions(tau2="EE"), tau2_interval=False).pooled
    assert (common.tau2, common.prediction) == (0.0, None)


def test_a_study_that_tells_nothing_is_left_out_by_name() -> None:
    effects = effect_sizes(
        "OR", names=["A", "B", "C"], events_1=[2, 0, 5], total_1=[50, 40, 60],
        events_2=[6, 0, 9], total_2=[50, 41, 62],
    )  # fmt: skip
    found = by("cm.el", effects)
    assert found.pooled.effects.names == ("A", "C")
    assert found.omitted == (("B", "no events, or nothing but events, in both arms"),)
    mantel = by("mh", effects).pooled
    assert np.isnan(mantel.effects.y[1])  # it has no effect of its own there


def test_one_arm_is_a_mixed_model_of_rates() -> None:
    effects = effect_sizes("IRLN", events=[3, 8, 1], time=[120, 400, 90])
    expected = one_arm_glmm("IRLN", [3, 8, 1], [120, 400, 90])
    assert by("um.fs", effects, tau2_interval=False).pooled.estimate == pytest.approx(
        expected.estimate
    )


def test_bayes_and_its_summary() -> None:
    effects = counts()
    found = by("bayes", prior=TauPrior("half-Cauchy", 0.3)).pooled
    expected = bayesian(effects.y, effects.v, TauPrior("half-Cauchy", 0.3))
    assert found.is_posterior
    assert (found.estimate, found.low) == (expected.mu.median, expected.mu.interval[0])
    assert found.prediction == expected.new_study.interval
    assert np.isnan(found.p)


def test_three_levels_have_weights_that_give_the_mean() -> None:
    effects = counts()
    found = by("three-level")
    levels = [list(effects.cluster), list("12345")]
    expected = multilevel(effects.y, effects.v, levels)
    assert found.plain.estimate == pytest.approx(float(expected.beta[0]))
    assert found.plain.weights is not None
    assert found.plain.weights @ effects.y / 100.0 == pytest.approx(found.plain.estimate)
    assert len(found.sigma2_intervals) == 2
    wide = by("three-level", robust=RobustKind.CR2)
    sandwich = robust(expected, effects.y, effects.v, levels, kind="CR2")
    assert wide.pooled.se == pytest.approx(float(sandwich.se[0]))
    assert wide.plain.se == found.plain.se


def test_clusters_of_one_give_hartung_and_knapps_error_back() -> None:
    """CR1 with one study a cluster is k/(k-1) times the sum of squares; HKSJ the same at tau2 0."""
    effects = effects_of([0.1, 0.3, 0.25], [0.04, 0.04, 0.04], cluster=["a", "b", "c"])
    found = synthesise(effects, SynthesisOptions(robust=RobustKind.CR1)).pooled
    knapp = pairwise(effects, PairwiseOptions(test="knha"))
    assert found.se == pytest.approx(float(knapp.se[0]))
    assert found.df == 2.0


@pytest.mark.parametrize(
    ("method", "effects", "words"),
    [
        ("three-level", effects_of([0.1, 0.2], [0.1, 0.1]), "which rows share people"),
        ("three-level", counts(cluster=("a", "b", "c", "d", "e")), "no third level"),
        ("three-level", counts(cluster=("a", "", "c", "d", "e")), "B has no cluster"),
        ("mh", effects_of([0.1, 0.2], [0.1, 0.1], measure="OR"), "needs counts"),
        ("inverse", effects_of([np.nan], [0.1]), "no study has an effect"),
        ("bayes", effects_of([0.1], [0.1]), "only one study"),
        ("bayes", effects_of([0.1, 0.2], [-1.0, 0.0]), "no study has an effect"),
        ("mh", effect_sizes("OR", events_1=[0, 0], total_1=[9, 9], events_2=[0, 0],
                            total_2=[8, 8]), "no study has events"),
        ("cm.el", effect_sizes("OR", events_1=[0, 0], total_1=[9, 9], events_2=[2, 1],
                               total_2=[8, 8]), "all events fell in one arm"),
        ("um.fs", counts("RR"), "no mixed model of RR"),
    ],
)  # fmt: skip
def test_what_cannot_be_pooled_has_a_sentence(method: str, effects: Effects, words: str) -> None:
    with pytest.raises(StateraError, match=words):
        by(method, effects)


def test_names_of_methods() -> None:
    assert method_of("GLMM") is SynthesisMethod.UNCONDITIONAL_FIXED
    assert method_of("Mantel-Haenszel") is SynthesisMethod.MANTEL_HAENSZEL
    with pytest.raises(UsageError, match="no method of pooling"):
        method_of("magic")


def test_robust_errors_are_refused_where_there_are_none() -> None:
    with pytest.raises(UsageError, match="no cluster-robust error"):
        by("mh", robust=RobustKind.CR2)


@pytest.mark.parametrize("method", ["inverse", "mh", "peto", "three-level"])
def test_each_left_out_and_added_end_with_the_whole(method: str) -> None:
    found = by(method, tau2_interval=False)
    left = each_left_out(found)
    assert [name for name, _ in left] == NAMES
    last = first_ones(found)[-1][1]
    assert isinstance(last, PooledEffect)
    assert last.estimate == pytest.approx(found.pooled.estimate)
    order = [5.0, 4.0, 3.0, 2.0, 1.0]
    assert [name for name, _ in first_ones(found, order)] == NAMES[::-1]


def test_subgroups_of_any_method_and_the_test_between_them() -> None:
    found = by("mh")
    labels = ("p", "p", "q", "q", "q")
    groups = subgroup_effects(found, labels)
    parts = [mantel_haenszel("OR", *(np.array(x)[i] for x in (A, N1, C, N2)))
             for i in (slice(0, 2), slice(2, 5))]  # fmt: skip
    mean, se = np.array([p.estimate for p in parts]), np.array([p.se for p in parts])
    q = (mean[0] - mean[1]) ** 2 / (se**2).sum()
    assert groups.q_between == pytest.approx(q)
    assert "Test between subgroups" in print_subgroup_effects(groups, found.pooled)
    with pytest.raises(InputError, match="one tau2"):
        subgroup_effects(found, labels, common_tau2=True)
    shared = subgroup_effects(synthesise(counts()), labels, common_tau2=True)
    assert shared.common_tau2 is not None
    one, other = shared.pooled
    assert isinstance(one, PooledEffect)
    assert isinstance(other, PooledEffect)
    assert one.tau2 == other.tau2 == shared.common_tau2


def test_a_subgroup_that_cannot_be_pooled_is_a_sentence() -> None:
    effects = counts()
    effects = replace(effects, y=np.where(np.arange(5) == 4, np.nan, effects.y))
    groups = subgroup_effects(synthesise(effects), ("p", "p", "p", "p", "q"))
    assert groups.pooled[1] == "no study has an effect that can be pooled"
    assert np.isnan(groups.p_value)


def test_diagnostics_that_cannot_be_made_are_named_and_the_rest_is_made() -> None:
    asked = DiagnosticsAsked(
        leave_one_out=True, influence=True, bias=True, cumulative=True, bootstraps=50,
        permutations=50,
    )  # fmt: skip
    whole = diagnose(synthesise(counts()), asked)
    assert whole.problems == ()
    text = print_diagnostics(whole)
    for head in ("Leave-One-Out", "Cumulative", "Influence", "Baujat", "Egger", "Begg",
                 "Trim and Fill", "Fail-Safe", "Permutation", "Bootstrap"):  # fmt: skip
        assert head in text
    other = diagnose(by("mh"), asked)
    assert other.leave_one_out is not None
    named = [name for name, _ in other.problems]
    assert named == ["influence", "regression test", "bootstrap", "permutation test"]
    two = diagnose(synthesise(counts().take([0, 1])), asked)
    assert {"Egger's test", "rank test"} <= {name for name, _ in two.problems}
    assert "Not made: rank test" in print_diagnostics(two)


@pytest.mark.parametrize(
    ("method", "blocks"),
    [
        ("mh", ("Common-Effect Model (k = 5; Mantel-Haenszel)", "I^2", "Test for Heterogeneity:",
                "Model Results:", "Odds ratio:", "Cochran-Mantel-Haenszel Test:", "Tarone's")),
        ("cm.el", ("Random-Effects Model (k = 5; tau^2 estimator: ML)", "Model Type: Conditional",
                   "tau^2 (estimated", "Tests for Heterogeneity:\nWld(df = 4)", "LRT(df = 4)",
                   "Model Results:", "Prediction interval")),
        ("bayes", ("Bayesian Random-Effects Model", "Prior of tau: half-normal", "Posteriors",
                   "new study", "Effects of the studies")),
        ("three-level", ("Multilevel Meta-Analysis Model", "Variance Components:", "sigma^2.1",
                         "Test for Heterogeneity:", "Model Results:")),
    ],
)  # fmt: skip
def test_texts_keep_the_order_of_blocks_without_stars(method: str, blocks: tuple[str, ...]) -> None:
    text = print_synthesis(by(method), show_fit=True)
    places = [text.index(block) for block in blocks]
    assert places == sorted(places)
    assert "*" not in text


def outcomes(rho: float, **more: object):
    effects = counts()
    twice = effects_of(
        np.concatenate([effects.y, effects.y[:4] * 0.5]),
        np.concatenate([effects.v, effects.v[:4] * 2.0]),
        [*NAMES, *NAMES[:4]], "OR",
    )  # fmt: skip
    labels = ["death"] * 5 + ["pain"] * 4
    return twice, labels, joint_outcomes(twice, labels, rho, **more)  # type: ignore[arg-type]


def test_outcomes_together_are_the_multivariate_model_with_that_correlation() -> None:
    twice, labels, found = outcomes(0.6, structure="DIAG")
    se = twice.se
    v = np.diag(twice.v)
    for i in range(4):
        v[i, i + 5] = v[i + 5, i] = 0.6 * se[i] * se[i + 5]
    expected = multivariate(twice.y, v, twice.names, labels, structure="DIAG")
    assert found.result.beta == pytest.approx(expected.beta)
    assert [p.k for p in found.pooled] == [5, 4]
    assert "studies that report one outcome only: 1" in found.notes
    text = print_multivariate(found.result, found.effects, intervals=found.tau2_intervals)
    assert "tau^2 (death)" in text
    assert "*" not in text


def test_outcomes_that_cannot_be_joined_have_a_sentence() -> None:
    twice, labels, _ = outcomes(0.0)
    with pytest.raises(InputError, match="not between -1 and 1"):
        joint_outcomes(twice, labels, 1.0)
    with pytest.raises(InputError, match="one outcome only"):
        joint_outcomes(twice.take(range(5)), labels[:5], 0.2)
    with pytest.raises(InputError, match="outcome 'pain' has one study"):
        joint_outcomes(twice.take(range(6)), labels[:6], 0.2)
    with pytest.raises(InputError, match="outcome twice"):
        joint_outcomes(twice, ["death"] * 7 + ["pain"] * 2, 0.2)
