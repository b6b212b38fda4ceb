"""Profiles of objectives whose profiles are known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from statera.errors import UnknownNameError
from statera.pathway.multi_start import MultiStartOptions
from statera.pathway.profile_likelihood import EndStatus, ProfileOptions, profile_likelihood
from statera.pathway.target import Evaluation

TIGHT = ProfileOptions(search=MultiStartOptions(tolerance=1e-12, gradient_tolerance=1e-8))


@dataclass(frozen=True)
class Residuals:
    """Half the sum of squares of given residuals with given slopes."""

    residuals: Any
    slopes: Any
    names: tuple[str, ...]
    lower: Any = field(default_factory=lambda: np.full(2, -10.0))
    upper: Any = field(default_factory=lambda: np.full(2, 10.0))

    def evaluate(self, theta: Any, order: int) -> Evaluation:
        r, s = self.residuals(theta), self.slopes(theta)
        return Evaluation(
            0.5 * float(r @ r), r @ s if order > 0 else None, s.T @ s if order > 1 else None
        )


LINE = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 5.0]])
SEEN = np.array([0.3, 1.5, 1.9, 5.2])
LINEAR = Residuals(lambda x: LINE @ x - SEEN, lambda x: LINE, ("intercept", "slope"))


def test_a_parabola_has_the_wald_interval() -> None:
    best = np.linalg.lstsq(LINE, SEEN, rcond=None)[0]
    errors = np.sqrt(np.diag(np.linalg.inv(LINE.T @ LINE)))
    profiles = profile_likelihood(LINEAR, best, options=TIGHT)
    for profile, value, error in zip(profiles, best, errors, strict=True):
        assert profile.identified
        assert profile.low == pytest.approx(value - 1.959964 * error, rel=1e-6)
        assert profile.high == pytest.approx(value + 1.959964 * error, rel=1e-6)
        assert (np.diff(profile.values) > 0).all()
        np.testing.assert_allclose(
            profile.rise, 0.5 * ((profile.values - value) / error) ** 2, atol=1e-9
        )


TIMES = np.array([0.5, 1.0, 2.0, 4.0])
DECAY = 3.0 * np.exp(-0.6 * TIMES) + np.array([0.05, -0.04, 0.03, 0.02])


def _decay(theta: Any) -> Any:
    return (theta[0] * np.exp(-theta[1] * TIMES) - DECAY) / 0.3


def _decay_slopes(theta: Any) -> Any:
    e = np.exp(-theta[1] * TIMES) / 0.3
    return np.stack([e, -theta[0] * TIMES * e], axis=1)


def test_a_bent_profile_ends_where_the_threshold_is_reached() -> None:
    target = Residuals(
        _decay, _decay_slopes, ("start", "rate"), np.array([0.1, 0.01]), np.array([20.0, 5.0])
    )

    def profiled(rate: float) -> float:
        e = np.exp(-rate * TIMES)
        r = (DECAY @ e) / (e @ e) * e - DECAY
        return float(0.5 * (r @ r) / 0.09)

    best = minimize_scalar(profiled, bounds=(0.1, 2), options={"xatol": 1e-12}).x
    e = np.exp(-best * TIMES)
    (found,) = profile_likelihood(target, [(DECAY @ e) / (e @ e), best], ("rate",), TIGHT)
    threshold = profiled(best) + TIGHT.threshold
    low = brentq(lambda x: profiled(x) - threshold, 0.05, best)
    high = brentq(lambda x: profiled(x) - threshold, best, 3.0)
    assert (found.low, found.high) == pytest.approx((low, high), rel=5e-3)
    assert found.high - best > 1.05 * (best - found.low)


def test_parameters_that_only_matter_together_have_no_ends() -> None:
    def slopes(x: Any) -> Any:
        return np.array([[x[1], x[0]]]) / 0.1

    target = Residuals(
        lambda x: np.array([(x[0] * x[1] - 2.0) / 0.1]), slopes, ("a", "b"),
        np.array([0.1, 0.1]), np.array([20.0, 20.0]),
    )  # fmt: skip
    (profile,) = profile_likelihood(target, [1.0, 2.0], ("a",), TIGHT)
    assert not profile.identified
    assert (profile.low, profile.high) == (-np.inf, np.inf)
    assert profile.low_status is profile.high_status is EndStatus.AT_BOUND
    assert profile.rise.max() < 1e-6


def test_a_better_optimum_is_told() -> None:
    best = np.linalg.lstsq(LINE, SEEN, rcond=None)[0]
    (profile,) = profile_likelihood(LINEAR, best + np.array([0.3, 0.3]), ("slope",), TIGHT)
    assert profile.better > 0.1


def test_unknown_names_and_cancelling() -> None:
    with pytest.raises(UnknownNameError, match="offset"):
        profile_likelihood(LINEAR, [0.0, 1.0], ("offset",))
    best = np.linalg.lstsq(LINE, SEEN, rcond=None)[0]
    done = profile_likelihood(LINEAR, best, progress=lambda name, count, total: count < 1)
    assert [p.name for p in done] == ["intercept"]
