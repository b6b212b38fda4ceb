"""Calibration and decision curves against other routes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special

from statera.biomarker.calibration import brier_score, calibrate, logistic_fit
from statera.biomarker.decision_curve import decision_curve
from statera.errors import InputError


def simulated(n: int = 400, seed: int = 1, stretch: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    score = random.normal(size=n)
    y = random.random(n) < special.expit(score - 0.3)
    return y, special.expit(stretch * (score - 0.3))


def people(n: int) -> list[str]:
    return [f"s{i}" for i in range(n)]


def test_slope_and_intercept_by_other_routes() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    y, p = simulated(stretch=1.6)
    found = calibrate(y, p, people(400))
    score = special.logit(p)
    fit = linear.LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000).fit(score[:, None], y)
    assert found.slope[0] == pytest.approx(float(fit.coef_[0, 0]), abs=1e-6)
    root = optimize.brentq(lambda a: (y - special.expit(a + score)).sum(), -3, 3, xtol=1e-12)
    assert found.intercept[0] == pytest.approx(root, abs=1e-9)
    assert found.slope[1] < 1 / 1.6 < found.slope[2] < 1.0
    assert found.status == "ok"


def test_the_curve_of_good_predictions_lies_on_the_diagonal() -> None:
    y, p = simulated(n=4000, seed=2)
    found = calibrate(y, p, people(4000))
    assert found.mean_error < 0.03
    inside = (found.curve_low <= found.curve_at) & (found.curve_at <= found.curve_high)
    assert inside.mean() > 0.9
    assert len(found.bins) == 10
    covered = [b.low <= b.predicted <= b.high for b in found.bins]
    assert sum(covered) >= 8
    assert sum(b.subjects for b in found.bins) == 4000


def test_sandwich_of_repeated_rows_is_that_of_subjects() -> None:
    y, p = simulated(n=150)
    once = calibrate(y, p, people(150))
    thrice = calibrate(np.tile(y, 3), np.tile(p, 3), people(150) * 3)
    assert thrice.slope == pytest.approx(once.slope, abs=1e-8)
    assert thrice.intercept == pytest.approx(once.intercept, abs=1e-8)
    assert thrice.curve_high == pytest.approx(once.curve_high, abs=1e-7)
    assert brier_score(np.tile(y, 3), np.tile(p, 3), people(150) * 3) == pytest.approx(
        brier_score(y, p, people(150))
    )


def test_sandwich_is_near_the_information_of_a_true_model() -> None:
    y, p = simulated(n=20000, seed=3)
    score = special.logit(p)
    design = np.column_stack([np.ones(score.size), score])
    fit = logistic_fit(design, y, people(20000))
    information = design.T @ (design * (p * (1 - p))[:, None])
    assert fit.covariance == pytest.approx(np.linalg.inv(information), rel=0.1)


def test_brier_agrees_with_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    y, p = simulated()
    mean, low, high = brier_score(y, p, people(400))
    assert mean == pytest.approx(metrics.brier_score_loss(y, p), abs=1e-14)
    error = np.std((p - y) ** 2, ddof=1) / np.sqrt(400)
    assert high - low == pytest.approx(2 * 1.959963985 * error, rel=1e-8)


def test_what_cannot_be_calibrated_says_why() -> None:
    y = np.array([True, False] * 20)
    assert "equal" in calibrate(y, np.full(40, 0.4), people(40)).status
    separated = calibrate(y, np.where(y, 0.8, 0.2), people(40))
    assert "separate" in separated.status
    assert np.isnan(separated.slope[0])
    assert np.isnan(calibrate(np.ones(40, bool), np.linspace(0.1, 0.9, 40), people(40)).slope[0])
    few = calibrate(np.tile([True, False, False, True], 10), np.tile([0.3, 0.3, 0.6, 0.6], 10),
                    people(40))  # fmt: skip
    assert "too few different predictions" in few.status
    assert few.slope[0] == few.slope[0]


def test_net_benefit_by_hand() -> None:
    y = np.array([True, True, False, False, False])
    p = np.array([0.9, 0.3, 0.5, 0.2, 0.1])
    found = decision_curve(y, p, people(5), np.array([0.25, 0.5]))
    # at 0.25 two true and one false positive, odds 1/3; at 0.5 one and one, odds 1
    assert found.model == pytest.approx([(2 - 1 / 3) / 5, 0.0])
    assert found.everybody == pytest.approx([(2 - 3 / 3) / 5, (2 - 3) / 5])
    # the better of both is all at 0.25 and nobody at 0.5
    assert found.gain == pytest.approx([(2 - 1 / 3 - 1) / 5, 0.0])
    assert (found.model_low <= found.model).all()
    with pytest.raises(InputError, match="above 0 and below 1"):
        decision_curve(y, p, people(5), np.array([0.0]))


def test_net_benefit_of_repeats_is_that_of_subjects() -> None:
    y, p = simulated(n=90)
    once = decision_curve(y, p, people(90))
    twice = decision_curve(np.tile(y, 2), np.tile(p, 2), people(90) * 2)
    assert twice.model_high == pytest.approx(once.model_high, abs=1e-12)
    assert once.threshold.size == 99
