"""Curves fitted together: design, tests of nested fits, potency ratios and their coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.assay.fit_curves import Curves, fit_curves, make_curves
from statera.assay.ic50 import Determination
from statera.assay.joint_fits import JointOptions, fit_joint, profile_joint
from statera.assay.logistic import LN_IC50, logistic
from statera.assay.parallelism import compare_joint, equal_ic50s, f_test, parallelism
from statera.assay.profile_ic50 import profile_ic50
from statera.assay.relative_potency import fieller, relative_potency
from statera.errors import InputError, UsageError

DOSES = np.array([0.0, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0])
PARALLEL = JointOptions(b="shared", c="shared", d="shared")


def curve(ic50: float, b: float = 1.1, c: float = 5.0, d: float = 100.0) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return logistic(np.log(DOSES), np.array([b, c, d, np.log(ic50), 1.0]))


def several(seed: int, *truths: NDArray[np.float64], noise: float = 4.0, copies: int = 2) -> Curves:
    generator = np.random.default_rng(seed)
    rows = [np.tile(y, copies) for y in truths]
    return make_curves(
        [np.tile(DOSES, copies)] * len(rows),
        [y + generator.normal(0.0, noise, y.size) for y in rows],
        names=["a", "b", "c", "d"][: len(rows)],
    )


def test_without_sharing_each_curve_is_as_alone() -> None:
    curves = several(1, curve(10.0), curve(40.0, 2.0), curve(90.0, c=20.0))
    joint, alone = fit_joint(curves), fit_curves(curves)
    assert joint.converged
    assert joint.names[0] == "b: a"
    np.testing.assert_allclose(joint.parameters, alone.parameters, rtol=1e-6)
    assert joint.rss == pytest.approx(alone.rss.sum(), rel=1e-10)
    # one residual variance for all
    one = fit_joint(make_curves(curves.dose[:1], curves.response[:1], names=["a"]))
    np.testing.assert_allclose(one.standard_errors, alone.standard_errors[0, :4], rtol=1e-5)
    row = np.array([0.0, 0.0, 0.0, 1.0])
    low, high = profile_ic50(fit_curves(make_curves(curves.dose[:1], curves.response[:1])))
    assert profile_joint(one, row) == pytest.approx((low[0], high[0]), abs=1e-5)


def test_shared_grouped_and_fixed_parameters() -> None:
    curves = several(2, curve(10.0), curve(20.0), curve(40.0, 2.0), curve(80.0, 2.0))
    options = JointOptions(b=["slow", "slow", "steep", "steep"], c=5.0, d="shared")
    found = fit_joint(curves, options)
    assert found.names[:3] == ("b: slow", "b: steep", "d")
    assert found.theta.size == 2 + 1 + 4
    assert found.df == 72 - 7
    p = found.parameters
    assert p[0, 0] == p[1, 0] != p[2, 0] == p[3, 0]
    assert (p[:, 1] == 5.0).all()
    assert (p[:, 2] == p[0, 2]).all()
    np.testing.assert_allclose(np.exp(p[:, LN_IC50]), [10, 20, 40, 80], rtol=0.3)


def test_the_end_is_a_minimum_of_the_sum_of_squares() -> None:
    curves = several(3, curve(10.0), curve(40.0))
    found = fit_joint(curves, PARALLEL)
    for i in range(found.theta.size):
        for sign in (-1, 1):
            theta = found.theta.copy()
            theta[i] += sign * 1e-3
            r = curves.response - logistic(curves.ln_dose, found.base + found.design @ theta)
            assert float(np.sum(r * r)) > found.rss


def test_criteria_by_hand() -> None:
    found = fit_joint(several(3, curve(10.0), curve(40.0)), PARALLEL)
    n, k = 36, 6
    ll = -n / 2 * (math.log(2 * math.pi * found.rss / n) + 1)
    assert found.log_likelihood == pytest.approx(ll)
    assert found.aicc == pytest.approx(2 * k - 2 * ll + 2 * k * (k + 1) / (n - k - 1))
    assert found.bic == pytest.approx(math.log(n) * k - 2 * ll)


def test_parallel_curves_pass_and_others_do_not() -> None:
    held = parallelism(several(4, curve(10.0), curve(40.0)))
    assert held.holds
    assert held.test.df_more == 3
    assert held.aicc_difference < 0
    assert "no curve that is not parallel" in held.sentence
    rejected = parallelism(several(4, curve(10.0), curve(40.0, c=40.0)))
    assert not rejected.holds
    assert rejected.sentence.startswith("the curves are not parallel")


def test_equal_ic50s() -> None:
    assert equal_ic50s(several(5, curve(20.0), curve(20.0, 2.0))).holds
    found = equal_ic50s(several(5, curve(10.0), curve(40.0)), PARALLEL)
    assert not found.holds
    assert found.test.df_more == 1


def test_a_table_of_models() -> None:
    curves = several(7, curve(10.0), curve(40.0))
    table = compare_joint(
        curves,
        {"free": JointOptions(), "parallel": PARALLEL, "one": JointOptions(*["shared"] * 4)},
    )
    assert [row.n_parameters for row in table] == [8, 5, 4]
    assert table[0].test is None
    assert table[1].test is not None
    assert table[1].test.p_value > 0.05
    assert table[2].test is not None
    assert table[2].test.p_value < 1e-6
    assert min(table, key=lambda row: row.aicc).name == "parallel"
    assert min(table, key=lambda row: row.bic).name == "parallel"


def test_potency_ratio_of_parallel_curves() -> None:
    (found,) = relative_potency(several(7, curve(10.0), curve(40.0)), "b")
    assert found.name == "a"
    assert not found.refused
    assert found.ratio == pytest.approx(4.0, rel=0.3)
    for low, high in (found.wald, found.profile, found.fieller):
        assert low < found.ratio < high
    assert found.profile == pytest.approx(found.wald, rel=0.05)
    assert "times as potent as b" in found.sentence


def test_no_potency_ratio_of_curves_that_are_not_parallel() -> None:
    curves = several(8, curve(10.0), curve(40.0, c=40.0))
    (found,) = relative_potency(curves, "a")
    assert found.refused
    assert math.isnan(found.ratio)
    assert "not parallel" in found.sentence
    (there,) = relative_potency(curves, "a", absolute=70.0)
    assert not there.refused
    assert "there only" in there.sentence
    truth = [ic50 * (30 / (70 - c)) ** (1 / 1.1) for ic50, c in ((10.0, 5.0), (40.0, 40.0))]
    assert there.wald[0] < truth[0] / truth[1] < there.wald[1]
    (never,) = relative_potency(curves, "a", absolute=20.0)
    assert never.refused
    assert "does not reach" in never.sentence


def test_the_same_ratio_at_every_response_of_parallel_curves() -> None:
    curves = several(9, curve(10.0), curve(40.0))
    fit = fit_joint(curves, PARALLEL)
    expected = np.exp(fit.parameters[0, LN_IC50] - fit.parameters[1, LN_IC50])
    for response in (30.0, 50.0, 80.0):
        (at,) = relative_potency(curves, "a", PARALLEL_AS_FREE, absolute=response)
        assert at.ratio == pytest.approx(expected, rel=0.15)


PARALLEL_AS_FREE = JointOptions(c="shared", d="shared")


def test_intervals_and_tests_are_right_as_often_as_they_say() -> None:
    n, rejected = 40, 0
    held = np.zeros(3)
    for i in range(n):
        curves = several(1000 + i, curve(10.0), curve(40.0), copies=1)
        (found,) = relative_potency(curves, "a", alpha=0.0)
        intervals = np.array([found.wald, found.profile, found.fieller])
        held += (intervals[:, 0] <= 0.25) & (intervals[:, 1] >= 0.25)
        rejected += found.parallelism.test.p_value < 0.05
    assert (held / n >= 0.85).all(), held / n  # 95 % with a standard error of 3.4 %
    assert rejected / n <= 0.15  # 5 %


def test_rising_curves_are_parallel_as_falling_ones() -> None:
    falling = several(7, curve(10.0), curve(40.0))
    rising = make_curves(falling.dose, -falling.response, names=falling.names)
    a, b = (relative_potency(c, "b")[0] for c in (falling, rising))
    assert b.parallelism.test.f == pytest.approx(a.parallelism.test.f, rel=1e-6)
    assert (b.ratio, *b.profile) == pytest.approx((a.ratio, *a.profile), rel=1e-4)


def test_a_ratio_that_the_doses_do_not_show_is_a_bound() -> None:
    (found,) = relative_potency(several(3, curve(20.0), curve(1e5)), "b", alpha=0.0)
    assert found.determination in (Determination.AT_LEAST, Determination.NOT_DETERMINED)
    assert found.sentence.startswith(("at least", "how many"))


def test_curves_without_error_are_compared_all_the_same() -> None:
    exact = make_curves([DOSES] * 2, [curve(10.0), curve(40.0)])
    assert parallelism(exact).holds
    assert not equal_ic50s(exact).holds
    flat = make_curves([DOSES] * 2, [np.full(9, 5.0)] * 2)
    assert parallelism(flat).test.p_value == 1.0


def test_fieller_by_hand() -> None:
    # independent estimates 2 and 4 of variance 0.04, quantile 2: g = 0.01
    low, high = fieller(2.0, 4.0, np.diag([0.04, 0.04]), 2.0)
    root = 2.0 / 4.0 * math.sqrt(0.04 + 0.25 * 0.04 - 0.01 * 0.04)
    assert (low, high) == pytest.approx(((0.5 - root) / 0.99, (0.5 + root) / 0.99))
    assert fieller(2.0, 0.1, np.diag([0.04, 0.04]), 2.0) == (-math.inf, math.inf)


def test_what_cannot_be_shared_or_compared_is_named() -> None:
    curves = several(1, curve(10.0), curve(40.0))
    with pytest.raises(UsageError, match="no way to share b"):
        fit_joint(curves, JointOptions(b="common"))
    with pytest.raises(UsageError, match="no way to share c"):
        fit_joint(curves, JointOptions(c=["x"]))
    with pytest.raises(UsageError, match="every parameter is fixed"):
        fit_joint(curves, JointOptions(1.0, 5.0, 100.0, 3.0))
    with pytest.raises(InputError, match="6 points are too few for 8"):
        fit_joint(make_curves([[0, 1, 2]] * 2, [[3, 2, 1]] * 2))
    with pytest.raises(UsageError, match="not nested"):
        f_test(fit_joint(curves), fit_joint(curves, PARALLEL))
    with pytest.raises(UsageError, match="nothing to share"):
        parallelism(make_curves([DOSES], [curve(10.0)]))
    with pytest.raises(UsageError, match="are equal in this model"):
        equal_ic50s(curves, JointOptions(ln_ic50="shared"))
    with pytest.raises(InputError, match="0 curves are called 'x'"):
        relative_potency(curves, "x")
