"""Dose-response curves: recovery, invariances, intervals and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize

from statera.assay.fit_curves import Curves, FitOptions, fit_curves, make_curves
from statera.assay.ic50 import (
    Determination,
    Flag,
    Ic50Options,
    bend_doses,
    estimate_ic50,
    estimate_relative_and_absolute,
)
from statera.assay.logistic import LN_IC50, ln_e, logistic, logistic_jacobian
from statera.assay.profile_ic50 import profile_ic50
from statera.errors import InputError, UsageError

DOSES = np.array([0.0, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0])
LN = np.log(np.maximum(DOSES, 1e-300))


def falling(
    ic50: float = 20.0, hill: float = 1.1, bottom: float = 5.0, top: float = 100.0, f: float = 1.0
) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return logistic(np.log(DOSES), np.array([hill, bottom, top, np.log(ic50), f]))


def noisy(seed: int, spread: float = 4.0, copies: int = 2, **curve: float) -> Curves:
    generator = np.random.default_rng(seed)
    y = np.tile(falling(**curve), copies)
    return make_curves([np.tile(DOSES, copies)], [y + generator.normal(0.0, spread, y.size)])


@given(
    ic50=st.floats(1.0, 300.0),
    hill=st.floats(0.6, 3.0),
    bottom=st.floats(-10.0, 30.0),
    top=st.floats(60.0, 200.0),
)
@settings(max_examples=40, deadline=None)
def test_curves_without_noise_come_back(
    ic50: float, hill: float, bottom: float, top: float
) -> None:
    y = falling(ic50, hill, bottom, top)
    fitted = fit_curves(make_curves([DOSES, DOSES], [y, -y]))
    truth = [hill, bottom, top, np.log(ic50), 1.0]
    np.testing.assert_allclose(fitted.parameters[0], truth, rtol=1e-6, atol=1e-6)
    rising = [-hill, -top, -bottom, np.log(ic50), 1.0]
    np.testing.assert_allclose(fitted.parameters[1], rising, rtol=1e-6, atol=1e-6)


def test_derivatives_are_those_of_differences() -> None:
    p = np.array([1.3, 4.0, 90.0, 2.5, 0.7])
    with np.errstate(divide="ignore"):
        x = np.log(DOSES)
    _, slopes = logistic_jacobian(x, p)
    for i in range(5):
        h = np.zeros(5)
        h[i] = 1e-6
        difference = (logistic(x, p + h) - logistic(x, p - h)) / 2e-6
        np.testing.assert_allclose(slopes[:, i], difference, rtol=1e-6, atol=1e-6)


def test_rising_curves_with_a_dose_of_zero_have_errors() -> None:
    p = np.array([-1.3, 4.0, 90.0, 2.5, 1.0])
    with np.errstate(divide="ignore"):
        value, slopes = logistic_jacobian(np.log(DOSES), p)
    assert value[0] == 4.0
    np.testing.assert_allclose(slopes[0], [0.0, 1.0, 0.0, 0.0, 0.0])
    curves = noisy(1)
    up, down = fit_curves(make_curves(curves.dose, -curves.response)), fit_curves(curves)
    np.testing.assert_allclose(
        up.standard_errors[0, [0, 2, 1, 3]], down.standard_errors[0, :4], rtol=1e-6
    )


def test_half_of_the_span_lies_at_the_ic50_of_an_asymmetric_curve() -> None:
    p = np.array([1.3, 4.0, 90.0, 2.5, 0.4])
    assert logistic(np.array([2.5]), p)[0] == pytest.approx(47.0)
    assert float(ln_e(p)) < 2.5


@given(factor=st.floats(1e-3, 1e3), scale=st.floats(0.01, 100.0), shift=st.floats(-50.0, 50.0))
@settings(max_examples=8, deadline=None)
def test_units_of_dose_and_response_do_not_matter(
    factor: float, scale: float, shift: float
) -> None:
    curves = noisy(3)
    other = make_curves(curves.dose * factor, curves.response * scale + shift)
    a, b = fit_curves(curves), fit_curves(other)
    moved = b.parameters[0, LN_IC50] - np.log(factor)
    assert moved == pytest.approx(a.parameters[0, LN_IC50], abs=1e-6)
    assert b.standard_errors[0, LN_IC50] == pytest.approx(a.standard_errors[0, LN_IC50], rel=1e-4)
    np.testing.assert_allclose(
        np.array(profile_ic50(b)) - np.log(factor), np.array(profile_ic50(a)), atol=1e-5
    )


def test_many_curves_are_fitted_as_each_alone() -> None:
    several = [noisy(i) for i in range(5)]
    joined = make_curves(
        [c.dose[0][: 18 - 2 * i] for i, c in enumerate(several)],
        [c.response[0][: 18 - 2 * i] for i, c in enumerate(several)],
    )
    together = fit_curves(joined)
    for i, c in enumerate(several):
        alone = fit_curves(make_curves([c.dose[0][: 18 - 2 * i]], [c.response[0][: 18 - 2 * i]]))
        np.testing.assert_allclose(alone.parameters[0], together.parameters[i], rtol=1e-6)
        np.testing.assert_allclose(profile_ic50(alone), np.array(profile_ic50(together))[:, [i]],
                                   atol=1e-5)  # fmt: skip


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    generator = np.random.default_rng(11)
    y = np.tile(falling(), 2)
    n = 400
    curves = make_curves(
        [np.tile(DOSES, 2)] * n, [y + generator.normal(0.0, 6.0, y.size) for _ in range(n)]
    )
    low, high = profile_ic50(fit_curves(curves))
    held = ((low <= np.log(20.0)) & (np.log(20.0) <= high)).mean()
    assert 0.925 <= held <= 0.975  # 95 % with a standard error of 1.1 %


def test_a_determined_ic50_is_said_with_its_interval() -> None:
    (found,) = estimate_ic50(fit_curves(noisy(1)))
    assert found.determination is Determination.DETERMINED
    assert found.profile is not None
    assert found.profile[0] < found.estimate < found.profile[1]
    assert found.flags == ()
    assert found.p_ic50 == pytest.approx(9 - np.log10(found.estimate))
    assert "95 %" in found.sentence


def test_doses_that_end_before_the_bend_give_a_bound() -> None:
    (found,) = estimate_ic50(fit_curves(noisy(2, ic50=2500.0)))
    assert found.determination is Determination.AT_LEAST
    assert found.profile is not None
    assert found.profile[1] == np.inf
    assert found.sentence.startswith("at least")
    assert Flag.FEW_DOSES_ABOVE in found.flags


def test_noise_about_a_flat_line_is_refused() -> None:
    generator = np.random.default_rng(4)
    curves = make_curves([np.tile(DOSES, 2)], [100.0 + generator.normal(0.0, 5.0, 18)])
    (found,) = estimate_ic50(fit_curves(curves))
    assert Flag.FLAT_PREFERRED in found.flags
    assert found.determination is Determination.REFUSED
    assert np.isnan(found.estimate)
    assert "flat line" in found.sentence


def test_a_curve_of_seven_points_is_flagged_but_not_refused() -> None:
    y = falling()[1:8] + np.array([1.0, -2.0, 1.5, 0.5, -1.0, 1.0, -0.5])
    (found,) = estimate_ic50(fit_curves(make_curves([DOSES[1:8]], [y])))
    assert Flag.FLAT_PREFERRED in found.flags  # AICc with two degrees of freedom to spare
    assert found.determination is not Determination.REFUSED


@pytest.mark.parametrize(
    ("ic50", "zero", "flag", "how"),
    [
        (600.0, True, Flag.NO_DOSE_ABOVE, Determination.AT_LEAST),
        (0.8, False, Flag.NO_DOSE_BELOW, Determination.AT_MOST),
    ],
)
def test_doses_that_show_one_limit_give_one_bound(
    ic50: float, zero: bool, flag: Flag, how: Determination
) -> None:
    start = 0 if zero else 1
    y = np.tile(falling(ic50, 1.1)[start:], 4)
    x = np.tile(DOSES[start:], 4)
    y = y + np.random.default_rng(3).normal(0.0, 0.3, y.size)
    (found,) = estimate_ic50(fit_curves(make_curves([x], [y])))
    assert flag in found.flags
    assert found.determination is how
    # with the limit known no dose need show it
    known = {"f": 1.0, "c": 5.0} if zero else {"f": 1.0, "d": 100.0}
    (sure,) = estimate_ic50(fit_curves(make_curves([x], [y]), FitOptions(fixed=known)))
    assert flag not in sure.flags
    assert sure.determination is Determination.DETERMINED


def test_bends_of_an_asymmetric_curve_are_the_same_shares_of_its_span() -> None:
    for f in (0.4, 1.0, 2.5):
        p = np.array([1.3, 0.0, 1.0, 2.5, f])
        low, high = bend_doses(p)
        shares = logistic(np.log(np.array([low, high])), p)
        np.testing.assert_allclose(shares, [4.6805 / 5.6805, 1.0 / 5.6805], rtol=1e-12)
    np.testing.assert_allclose(
        bend_doses(np.array([2.0, 0.0, 1.0, 0.0, 1.0])), [4.6805**-0.5, 4.6805**0.5]
    )


def test_the_slope_has_an_interval() -> None:
    fitted = fit_curves(noisy(1))
    (found,) = estimate_ic50(fitted)
    far = 2.1447867 * fitted.standard_errors[0, 0]  # t of 14 degrees of freedom
    np.testing.assert_allclose(found.hill_wald, [found.hill - far, found.hill + far], rtol=1e-7)
    assert found.profile is not None
    np.testing.assert_allclose(
        found.p_ic50_interval, 9.0 - np.log10(np.array(found.profile)[::-1]), rtol=1e-12
    )


def test_relative_and_absolute_ic50_have_statuses_of_their_own() -> None:
    fitted = fit_curves(noisy(5, bottom=60.0))
    (pair,) = estimate_relative_and_absolute(fitted, Ic50Options(absolute=50.0))
    assert pair.relative.determination is Determination.DETERMINED
    assert pair.absolute.determination is Determination.REFUSED
    with pytest.raises(UsageError, match="no response"):
        estimate_relative_and_absolute(fitted, Ic50Options())


def test_profiles_of_absolute_doses_are_those_of_an_explicit_constraint() -> None:
    curves = noisy(8)
    fitted = fit_curves(curves)
    (found,) = estimate_ic50(fitted, Ic50Options(absolute=70.0))
    assert found.profile is not None
    critical = fitted.rss[0] * (1.0 + 2.1447867**2 / 14)
    x, y = curves.ln_dose[0], curves.response[0]
    for end in found.profile:
        # the top follows from the rest: the curve passes through 70 at this dose
        def constrained(q: NDArray[np.float64], at: float = float(np.log(end))) -> float:
            unit = logistic(np.array([at]), np.array([q[0], 0.0, 1.0, q[2], 1.0]))[0]
            top = q[1] + (70.0 - q[1]) / unit
            r = y - logistic(x, np.array([q[0], q[1], top, q[2], 1.0]))
            return float(r @ r)

        start = fitted.parameters[0, [0, 1, 3]]
        options = {"xatol": 1e-7, "fatol": 1e-9, "maxiter": 4000}
        best = minimize(constrained, start, method="Nelder-Mead", options=options)
        assert best.fun == pytest.approx(critical, rel=1e-4)


def test_intervals_of_absolute_doses_hold_the_truth_as_often_as_they_say() -> None:
    generator = np.random.default_rng(12)
    n, se = 400, 2.0
    y = np.tile(falling(), 2)
    shift = generator.normal(0.0, se, n)  # the stated response is wrong by this
    curves = make_curves(
        [np.tile(DOSES, 2)] * n,
        [y + s + generator.normal(0.0, 4.0, y.size) for s in shift],
    )
    found = estimate_ic50(fit_curves(curves), Ic50Options(absolute=50.0, absolute_se=se))
    share = (100.0 - 50.0) / (50.0 - 5.0)
    truth = 20.0 * share ** (1 / 1.1)
    profiles = np.array([one.profile for one in found])
    held = ((profiles[:, 0] <= truth) & (truth <= profiles[:, 1])).mean()
    assert 0.92 <= held <= 0.98
    exact = estimate_ic50(fit_curves(curves), Ic50Options(absolute=50.0))
    profiles = np.array([one.profile for one in exact])
    assert ((profiles[:, 0] <= truth) & (truth <= profiles[:, 1])).mean() < held


def test_too_few_points_are_refused() -> None:
    (found,) = estimate_ic50(fit_curves(make_curves([[0, 1, 10, 100]], [[100, 90, 50, 10]])))
    assert found.determination is Determination.REFUSED
    assert np.isnan(found.estimate)
    assert "too few points" in found.sentence


def test_an_absolute_level_that_the_curve_never_has_is_refused() -> None:
    fitted = fit_curves(noisy(5, bottom=60.0))
    (found,) = estimate_ic50(fitted, Ic50Options(absolute=50.0))
    assert found.determination is Determination.REFUSED
    (half,) = estimate_ic50(fitted, Ic50Options(absolute=80.0, absolute_se=2.0))
    (exact,) = estimate_ic50(fitted, Ic50Options(absolute=80.0))
    assert half.ln_se > exact.ln_se


@pytest.mark.parametrize("how", ["huber", "bisquare"])
def test_an_outlier_moves_a_robust_fit_less(how: str) -> None:
    curves = noisy(6, spread=1.0)
    response = curves.response.copy()
    response[0, 4] += 60.0
    bad = make_curves(curves.dose, response)
    truth = np.log(20.0)
    plain = abs(fit_curves(bad).parameters[0, LN_IC50] - truth)
    robust = fit_curves(bad, FitOptions(robust=how))
    assert abs(robust.parameters[0, LN_IC50] - truth) < 0.5 * plain
    assert robust.weight[0, 4] < 0.3


def test_a_fixed_limit_stays() -> None:
    fitted = fit_curves(noisy(7), FitOptions(fixed={"f": 1.0, "d": 100.0}))
    assert fitted.parameters[0, 2] == 100.0
    assert fitted.standard_errors[0, 2] == 0.0
    assert fitted.df[0] == 18 - 3


@pytest.mark.parametrize(
    ("dose", "response", "said"),
    [
        ([[1, 2]], [[1, 2, 3]], "2 doses, 3 responses"),
        ([[1, -2]], [[1, 2]], "negative dose"),
        ([[1, 2]], [[1, float("nan")]], "no number"),
        ([], [], "are none"),
    ],
)
def test_bad_curves_are_named(
    dose: list[list[float]], response: list[list[float]], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        make_curves(dose, response)


def test_unknown_options_are_named() -> None:
    with pytest.raises(UsageError, match="'top' is no parameter"):
        fit_curves(noisy(1), FitOptions(fixed={"top": 100.0}))
    with pytest.raises(UsageError, match="'l1' is no way of weighting"):
        fit_curves(noisy(1), FitOptions(robust="l1"))
