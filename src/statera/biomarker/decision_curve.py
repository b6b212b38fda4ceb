"""Net benefit of acting on a prediction, over thresholds of probability.

Vickers and Elkin, Med Decis Making 2006;26:565-574, doi 10.1177/0272989X06295361: true positives
less false positives weighed by the odds of the threshold, per subject.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from statera.biomarker.calibration import clustered_mean
from statera.errors import InputError

__all__ = ["DecisionCurve", "decision_curve"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit at t thresholds; that of treating nobody is 0.

    Attributes
    ----------
    threshold : (t,) float64
        Probability of response from which on one would act.
    model, model_low, model_high : (t,) float64
        Acting where the prediction reaches the threshold.
    everybody : (t,) float64
        Acting on all.
    gain, gain_low, gain_high : (t,) float64
        Of the model over the better of all and nobody in these data.
    """

    threshold: Floats
    model: Floats
    model_low: Floats
    model_high: Floats
    everybody: Floats
    gain: Floats
    gain_low: Floats
    gain_high: Floats


def decision_curve(
    outcome: NDArray[np.bool_], probabilities: Floats, clusters: Sequence[str],
    threshold: Floats | None = None, level: float = 0.95,
) -> DecisionCurve:  # fmt: skip
    """Return net benefits with pointwise intervals over subjects.

    Parameters
    ----------
    outcome, probabilities : (n,)
        Of samples the model did not see; several rows of one subject are allowed.
    clusters : (n,)
        Whose row it is.
    threshold : (t,) float64
        Above 0 and below 1; 0.01 to 0.99 unless given.
    level
        Of the intervals.

    Raises
    ------
    InputError
        If a threshold is not between 0 and 1.
    """
    at = np.linspace(0.01, 0.99, 99) if threshold is None else np.asarray(threshold, dtype=float)
    if at.size == 0 or not ((at > 0.0) & (at < 1.0)).all():
        raise InputError("thresholds are probabilities above 0 and below 1", where="threshold")
    z = float(special.ndtri(0.5 + level / 2.0))
    found = np.empty((7, at.size))
    for i, cut in enumerate(at):
        worth = np.where(outcome, 1.0, -cut / (1.0 - cut))
        own = worth * (probabilities >= cut)
        mean, error = clustered_mean(own, clusters)
        every = float(worth.mean())
        gap, gap_error = clustered_mean(own - (worth if every > 0.0 else 0.0), clusters)
        found[:, i] = (
            mean, mean - z * error, mean + z * error, every,
            gap, gap - z * gap_error, gap + z * gap_error,
        )  # fmt: skip
    return DecisionCurve(at, *found)
