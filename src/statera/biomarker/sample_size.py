"""Whether there are enough subjects for the number of predictors that were tried.

Methods
-------
Events per candidate predictor: Peduzzi and others, J Clin Epidemiol 1996;49:1373-1379,
doi 10.1016/S0895-4356(96)00236-3 (10 is the customary minimum). Required subjects: the criteria of
Riley and others, BMJ 2020;368:m441, doi 10.1136/bmj.m441, for a Nagelkerke R2 that is stated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["SampleSize", "judge_sample_size", "required_subjects"]

_CUSTOMARY = 10.0
_R2 = 0.15
_SHRINKAGE = 0.9
_FEW = 20


@dataclass(frozen=True)
class SampleSize:
    """Subjects against predictors.

    Attributes
    ----------
    subjects, rarer_class, candidates
        Counts; candidates are all predictors that could enter.
    events_per_candidate
        Rarer class over candidates.
    required
        Subjects for that many predictors without a penalty, at `nagelkerke_r2`.
    nagelkerke_r2
        What the requirement assumes.
    warnings
        Sentences.
    """

    subjects: int
    rarer_class: int
    candidates: int
    events_per_candidate: float
    required: int
    nagelkerke_r2: float
    warnings: tuple[str, ...]


def required_subjects(candidates: int, prevalence: float, nagelkerke_r2: float = _R2) -> int:
    """Return the subjects that all three criteria of Riley ask for.

    A shrinkage of at least 0.9, an R2 whose optimism is at most 0.05, and a prevalence known to
    0.05.
    """
    log_null = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    largest = 1.0 - math.exp(2.0 * log_null)
    r2 = nagelkerke_r2 * largest
    shrink = candidates / ((_SHRINKAGE - 1.0) * math.log(1.0 - r2 / _SHRINKAGE))
    less = r2 / (r2 + 0.05 * largest)
    optimism = candidates / ((less - 1.0) * math.log(1.0 - r2 / less))
    precision = (1.96 / 0.05) ** 2 * prevalence * (1.0 - prevalence)
    return math.ceil(max(shrink, optimism, precision))


def judge_sample_size(subjects: int, responders: int, candidates: int) -> SampleSize:
    """Return counts and what they mean.

    Parameters
    ----------
    subjects, responders
        At least one of each class.
    candidates
        Predictors that could enter the model.
    """
    rarer = min(responders, subjects - responders)
    each = rarer / max(candidates, 1)
    required = required_subjects(max(candidates, 1), responders / subjects)
    warnings = []
    if each < _CUSTOMARY:
        warnings.append(
            f"{rarer} subjects of the rarer class for {candidates} candidate predictors "
            f"({each:.2g} each; {_CUSTOMARY:g} is the customary minimum without a penalty)."
        )
    if subjects < required:
        warnings.append(
            f"{subjects} subjects; {required} would be asked for with {candidates} predictors, no "
            f"penalty and a Nagelkerke R2 of {_R2:g}."
        )
    if rarer < _FEW:
        warnings.append(
            f"The rarer class has {rarer} subjects: areas and calibration are known very roughly."
        )
    return SampleSize(subjects, rarer, candidates, each, required, _R2, tuple(warnings))
