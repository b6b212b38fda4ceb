"""Pooling: invariants, named outcomes, notes, subgroups, resampling."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statera.errors import InputError, UsageError
from statera.evidence.bias import regression_test, trim_and_fill
from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.effects import effects_of
from statera.evidence.influence import baujat, cumulative, influence, leave_one_out
from statera.evidence.moderators import predict, subgroups
from statera.evidence.pairwise import PairwiseOptions, PairwiseStatus, pairwise
from statera.evidence.prediction import prediction_interval
from statera.evidence.resampling import bootstrap, permutation_test

Y = [0.1, 0.9, -0.4, 1.6, 0.5, 2.2]
V = [0.05, 0.2, 0.1, 0.3, 0.08, 0.15]


@given(shift=st.floats(-5, 5), scale=st.floats(0.2, 5.0))
@settings(max_examples=15, deadline=None)
def test_shift_and_unit(shift: float, scale: float) -> None:
    for test in ("z", "knha"):
        options = PairwiseOptions(test=test)
        one = pairwise(effects_of(Y, V), options)
        other = pairwise(effects_of(np.array(Y) * scale + shift, np.array(V) * scale**2), options)
        assert other.estimate == pytest.approx(one.estimate * scale + shift, rel=1e-7, abs=1e-9)
        assert other.se == pytest.approx(one.se * scale, rel=1e-7)
        assert other.i2 == pytest.approx(one.i2, rel=1e-7)
        assert other.q == pytest.approx(one.q, rel=1e-7)


def test_order_of_studies_does_not_matter() -> None:
    studies = effects_of(Y, V)
    one, other = pairwise(studies), pairwise(studies.take([3, 1, 5, 0, 2, 4]))
    assert other.estimate == pytest.approx(one.estimate, rel=1e-12)
    assert other.tau2 == pytest.approx(one.tau2, rel=1e-9)


def test_few_studies_are_outcomes_and_not_errors() -> None:
    one = pairwise(effects_of([0.3], [0.04], measure="OR"))
    assert one.status is PairwiseStatus.ONE_STUDY
    assert one.natural[0] == pytest.approx(math.exp(0.3))
    assert math.isnan(one.tau2)
    none = pairwise(effects_of([np.nan], [0.04]))
    assert none.status is PairwiseStatus.NO_STUDY
    assert none.omitted == (("study 1", "the effect is missing"),)
    few = pairwise(effects_of([0.3, 0.4], [0.04, 0.1]), None, {"x": [1.0, 2.0]})
    assert few.status is PairwiseStatus.TOO_FEW_STUDIES
    same = pairwise(effects_of(Y, V), None, {"x": [2.0] * 6})
    assert same.status is PairwiseStatus.DEPENDENT_MODERATORS
    empty = effect_sizes("OR", events_1=[0, 0], total_1=[9, 9], events_2=[0, 0], total_2=[9, 8])
    found = pairwise(empty)
    assert found.status is PairwiseStatus.NO_STUDY
    assert "no study of the table" in found.omitted[0][1]


def test_equal_effects_leave_no_variance_for_hartung_and_knapp() -> None:
    found = pairwise(effects_of([0.5] * 4, V[:4]), PairwiseOptions(test="knha"))
    assert found.se[0] == 0.0
    limited = pairwise(effects_of([0.5] * 4, V[:4]), PairwiseOptions(test="adhoc"))
    wald = pairwise(effects_of([0.5] * 4, V[:4]))
    assert limited.se[0] == pytest.approx(wald.se[0])
    assert any("was not let below it" in note for note in limited.notes)


def test_notes_say_what_a_reader_must_know() -> None:
    notes = pairwise(effects_of([0.1, 0.11, 0.12], [0.1, 0.2, 0.3])).notes
    assert any("set to 0" in note for note in notes)
    assert any("3 studies say little" in note for note in notes)
    assert any("prediction interval holds the error of the mean only" in n for n in notes)
    common = pairwise(effects_of(Y, V), PairwiseOptions(tau2="common", test="knha")).notes
    assert any("not meant for a common effect" in note for note in common)


def test_prediction_conventions_are_ordered_and_named() -> None:
    studies = effects_of(Y, V)
    widths = {}
    for convention in ("z", "t(k-1)", "t(k-2)"):
        pi = pairwise(studies, PairwiseOptions(prediction=convention)).prediction
        assert pi is not None
        assert pi.convention == convention
        widths[convention] = pi.high - pi.low
    assert widths["z"] < widths["t(k-1)"] < widths["t(k-2)"]
    assert pairwise(studies, PairwiseOptions(prediction="none")).prediction is None
    nothing = prediction_interval(0.0, 1.0, 1.0, "t(k-2)", k=2)
    assert math.isnan(nothing.low)


def test_given_weights_and_a_given_tau2() -> None:
    studies = effects_of(Y, V)
    equal = pairwise(studies, PairwiseOptions(weights=(1.0,) * 6))
    assert equal.estimate == pytest.approx(np.mean(Y))
    assert equal.se[0] == pytest.approx(math.sqrt(np.sum(np.array(V) + equal.tau2)) / 6)
    fixed = pairwise(studies, fixed_tau2=0.5)
    w = 1.0 / (np.array(V) + 0.5)
    assert fixed.estimate == pytest.approx(float(np.sum(w * Y) / np.sum(w)))
    assert fixed.ci_tau2 is None
    assert fixed.tau2_is_given
    assert (leave_one_out(fixed).tau2 == 0.5).all()
    gap = effects_of([*Y, np.nan], [*V, 1.0])
    for method in ("GENQ", "GENQM"):
        one = pairwise(gap, PairwiseOptions(tau2=method))
        assert one.tau2 == pairwise(studies, PairwiseOptions(tau2=method)).tau2
    with pytest.raises(InputError, match="no variance between studies"):
        pairwise(studies, fixed_tau2=-1.0)
    with pytest.raises(InputError, match="2 weights for 6 studies"):
        pairwise(studies, PairwiseOptions(weights=(1.0, 2.0)))


def test_the_intercept_moves_with_the_moderator_only() -> None:
    studies = effects_of(Y, V)
    x = np.array([10.0, 20.0, 30.0, 40.0, 50.0, 70.0])
    one = pairwise(studies, None, {"x": x.tolist()})
    other = pairwise(studies, None, {"x": (x - 40.0).tolist()})
    assert one.beta[1] == pytest.approx(other.beta[1])
    assert predict(one, [40.0]).mean[0] == pytest.approx(other.beta[0])
    assert one.terms == ("intercept", "x")
    with pytest.raises(InputError, match="3 columns were given for 2"):
        predict(one, np.ones((1, 3)))


def test_moderators_that_do_not_fit_are_named() -> None:
    studies = effects_of(Y, V)
    with pytest.raises(InputError, match="moderator 'x' has 2 values"):
        pairwise(studies, None, {"x": [1, 2]})
    with pytest.raises(InputError, match="missing in study 2"):
        pairwise(studies, None, {"x": [1, None, 2, 3, 4, 5]})
    with pytest.raises(InputError, match="one row of finite numbers"):
        pairwise(studies, None, np.ones(5))


def test_unknown_options_are_named() -> None:
    for bad in ({"test": "t"}, {"prediction": "wide"}, {"tau2_interval": "x"}):
        with pytest.raises(UsageError):
            PairwiseOptions(**bad)
    with pytest.raises(InputError, match="no estimator"):
        PairwiseOptions(tau2="XX")
    assert PairwiseOptions(test="Hartung-Knapp").test == "knha"


def test_two_subgroups_are_a_regression_with_one_tau2() -> None:
    studies = effects_of(Y, V, group=list("aabbab"))
    for common in (False, True):
        found = subgroups(studies, common_tau2=common)
        assert [r.k for r in found.results] == [3, 3]
        assert found.overall.k == 6
    found = subgroups(studies, common_tau2=True)
    regression = pairwise(studies, None, {"g": list("aabbab")})
    assert found.q_between == pytest.approx(regression.qm, rel=1e-9)
    assert found.p_value == pytest.approx(regression.qm_p, rel=1e-9)
    alone = subgroups(studies, groups=list("abbbbb"))
    assert "has one study" in alone.notes[0]


def test_removing_a_study_is_fitting_without_it() -> None:
    studies = effects_of(Y, V)
    whole = pairwise(studies)
    without = pairwise(studies.take([0, 1, 3, 4, 5]))
    assert leave_one_out(whole).estimate[2] == pytest.approx(without.estimate)
    found = influence(whole)
    assert found.hat.sum() == pytest.approx(1.0)
    assert found.tau2_deleted[2] == pytest.approx(without.tau2)
    assert baujat(whole).heterogeneity.shape == (6,)
    with pytest.raises(InputError, match="no pooled effect"):
        leave_one_out(pairwise(studies.take([0])))
    with pytest.raises(InputError, match="without moderators"):
        leave_one_out(pairwise(studies, None, {"x": [1.0, 2, 3, 4, 5, 7]}))


def test_influence_finds_the_odd_study() -> None:
    found = influence(pairwise(effects_of([0.0, 0.1, -0.1, 0.05, 0.0, 9.0], [0.02] * 6)))
    assert found.is_influential.tolist() == [False] * 5 + [True]


def test_cumulative_by_year_ends_with_all() -> None:
    whole = pairwise(effects_of(Y, V, list("abcdef")))
    steps = cumulative(whole, [2003, 2001, 2006, 2002, 2005, 2004])
    assert steps.names == tuple("bdafec")
    assert steps.results[-1].estimate == pytest.approx(whole.estimate)


def test_small_study_effects_are_found_where_they_are() -> None:
    se = np.linspace(0.05, 0.5, 12)
    wiggle = 0.02 * np.cos(np.arange(12) * 2.0)
    found = regression_test(pairwise(effects_of(0.1 + 1.5 * se + wiggle, se**2)))
    assert found.slope == pytest.approx(1.5, abs=0.2)
    assert found.limit == pytest.approx(0.1, abs=0.05)
    filled = trim_and_fill(pairwise(effects_of(0.1 + 1.5 * se + wiggle, se**2)))
    assert filled.side == "left"
    assert filled.missing > 0
    assert filled.result.estimate < pairwise(effects_of(0.1 + 1.5 * se, se**2)).estimate
    with pytest.raises(InputError, match="is the same"):
        regression_test(pairwise(effects_of(Y, [0.1] * 6)))


def test_bootstrap_intervals_cover_the_mean_they_come_from() -> None:
    whole = pairwise(effects_of(Y, V))
    found = bootstrap(effects_of(Y, V), n=4000, seed=2)
    assert found.failed == 0
    assert found.ci_low < whole.estimate < found.ci_high
    assert found.ci_high - found.ci_low == pytest.approx(
        float(whole.ci_high[0] - whole.ci_low[0]), rel=0.1
    )
    again = bootstrap(effects_of(Y, V), n=4000, seed=2)
    assert (again.mean == found.mean).all()
    assert bootstrap(effects_of(Y, V), n=500, kind="studies").mean.shape == (500,)


def test_signs_of_symmetric_studies_show_nothing() -> None:
    found = permutation_test(effects_of([-1.0, 1.0, -0.5, 0.5], [0.1] * 4))
    assert found.exact
    assert found.p_value == 1.0
    many = permutation_test(effects_of(np.full(20, 0.5), np.full(20, 0.1)), n=999)
    assert not many.exact
    assert many.p_value == pytest.approx(0.001)
