"""How a frozen model did in subjects it was not made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.calibration import Calibration, brier_score, calibrate
from statera.biomarker.decision_curve import DecisionCurve, decision_curve
from statera.biomarker.discrimination import AucEstimate, cross_validated_auc, delong_auc
from statera.biomarker.score_model import probability
from statera.errors import InputError

__all__ = ["ExternalValidation", "validate_scores"]


@dataclass(frozen=True)
class ExternalValidation:
    """Performance in new subjects.

    Attributes
    ----------
    samples, subjects, responders
        Counts; responders among the samples.
    auc
        DeLong's, or over subjects where one has several samples.
    brier
        Mean squared error with interval.
    calibration, decision
        Of the frozen probabilities.
    """

    samples: int
    subjects: int
    responders: int
    auc: AucEstimate
    brier: tuple[float, float, float]
    calibration: Calibration
    decision: DecisionCurve


def validate_scores(
    outcome: NDArray[np.bool_],
    log_odds: NDArray[np.float64],
    subjects: Sequence[str],
    level: float = 0.95,
) -> ExternalValidation:
    """Compare a frozen model's log odds with outcomes.

    Parameters
    ----------
    outcome : (n,) bool
    log_odds : (n,) float64
    subjects : (n,)
        Whose samples they are.
    level
        Of the intervals.

    Raises
    ------
    InputError
        If there is no sample.
    """
    if not outcome.size:
        raise InputError("no sample to validate on")
    people = len(set(subjects))
    if people == outcome.size:
        auc = delong_auc(outcome, log_odds, level)
    else:
        one_fold = np.zeros((1, outcome.size), dtype=np.intp)
        auc = cross_validated_auc(outcome, log_odds[None], one_fold, subjects, level)
    chance = probability(log_odds)
    return ExternalValidation(
        outcome.size, people, int(outcome.sum()), auc,
        brier_score(outcome, chance, subjects, level),
        calibrate(outcome, chance, subjects, level=level),
        decision_curve(outcome, chance, subjects, level=level),
    )  # fmt: skip
