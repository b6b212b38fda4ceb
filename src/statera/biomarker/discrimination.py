"""How well a score tells responders from others: the area under the ROC curve, with intervals.

Methods
-------
DeLong, DeLong and Clarke-Pearson, Biometrics 1988;44:837-845, doi 10.2307/2531595: variances and
comparisons from the placement of each sample among the other class; intervals on the logit scale.
Scores from cross-validation: pairs are formed within folds only (scores of different folds come
from different models), and the variance is that of the subjects' influences in one repeat, the
mean over repeats (after LeDell, Petersen and van der Laan, Electron J Stat 2015;9:1583-1607,
doi 10.1214/15-EJS1035).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from statera.errors import InputError

__all__ = [
    "AucDifference",
    "AucEstimate",
    "auc_difference",
    "cross_validated_auc",
    "delong_auc",
    "logit_interval",
    "placements",
    "rank_auc",
    "roc_curve",
]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class AucEstimate:
    """An area with its interval.

    Attributes
    ----------
    auc, standard_error, low, high
        nan where they cannot be had; `status` says why.
    level
        Of the interval.
    method
        ``DeLong`` or ``influences within folds``.
    status
        ``ok`` or the reason.
    """

    auc: float
    standard_error: float
    low: float
    high: float
    level: float
    method: str
    status: str = "ok"


@dataclass(frozen=True)
class AucDifference:
    """The first area less the second one, of the same samples."""

    difference: float
    standard_error: float
    low: float
    high: float
    p_value: float


def rank_auc(outcome: Bools, score: Floats) -> float:
    """Return the share of pairs in which the responder scores higher; ties count one half."""
    ones = int(outcome.sum())
    zeros = outcome.size - ones
    if not ones or not zeros:
        return float("nan")
    ranks = stats.rankdata(score)
    return float((ranks[outcome].sum() - ones * (ones + 1) / 2.0) / (ones * zeros))


def placements(outcome: Bools, score: Floats) -> Floats:
    """Return for each sample (n,) the share of the other class on its right side.

    That is the share of non-responders a responder scores above, and the share of responders
    that a non-responder scores below; ties count one half. nan where the other class is absent.
    """
    ones, zeros = int(outcome.sum()), int((~outcome).sum())
    found = np.full(outcome.size, np.nan)
    if not ones or not zeros:
        return found
    every = stats.rankdata(score)
    found[outcome] = (every[outcome] - stats.rankdata(score[outcome])) / zeros
    found[~outcome] = 1.0 - (every[~outcome] - stats.rankdata(score[~outcome])) / ones
    return found


def logit_interval(
    estimate: float, standard_error: float, level: float = 0.95
) -> tuple[float, float]:
    """Return an interval of a share on the logit scale; nan at 0 and 1."""
    if not 0.0 < estimate < 1.0 or not np.isfinite(standard_error):
        return float("nan"), float("nan")
    half = special.ndtri(0.5 + level / 2.0) * standard_error / (estimate * (1.0 - estimate))
    middle = special.logit(estimate)
    return float(special.expit(middle - half)), float(special.expit(middle + half))


def delong_auc(outcome: Bools, score: Floats, level: float = 0.95) -> AucEstimate:
    """Return the area of independent samples with DeLong's interval.

    Parameters
    ----------
    outcome : (n,) bool
    score : (n,) float64
        Higher for responders.
    level
        Of the interval.
    """
    if outcome.all() or not outcome.any():
        return _none("one class only: no area", level, "DeLong")
    auc = rank_auc(outcome, score)
    error = float(np.sqrt(_covariance(outcome, [score])[0, 0]))
    return _estimate(auc, error, level, "DeLong")


def auc_difference(
    outcome: Bools, first: Floats, second: Floats, level: float = 0.95
) -> AucDifference:
    """Compare the areas of two scores of the same independent samples by DeLong's test.

    Raises
    ------
    InputError
        If a class has fewer than two samples.
    """
    if min(outcome.sum(), (~outcome).sum()) < 2:
        raise InputError("the comparison of two areas needs two samples of each class")
    covariance = _covariance(outcome, [first, second])
    gap = rank_auc(outcome, first) - rank_auc(outcome, second)
    error = float(np.sqrt(max(covariance[0, 0] + covariance[1, 1] - 2.0 * covariance[0, 1], 0.0)))
    return difference_of(gap, error, level)


def difference_of(gap: float, error: float, level: float) -> AucDifference:
    """Return a difference with its normal interval and two-sided p-value."""
    half = float(special.ndtri(0.5 + level / 2.0)) * error
    p = 2.0 * float(special.ndtr(-abs(gap) / error)) if error > 0.0 else float("nan")
    return AucDifference(gap, error, gap - half, gap + half, p)


def _covariance(outcome: Bools, scores: Sequence[Floats]) -> Floats:
    """Return the covariance of areas by DeLong's components."""
    parts = np.array([placements(outcome, score) for score in scores])
    found = np.zeros((len(scores), len(scores)))
    for own in (outcome, ~outcome):
        found += np.atleast_2d(np.cov(parts[:, own])) / own.sum() if own.sum() > 1 else np.nan
    return found


def within_folds(outcome: Bools, scores: Floats, folds: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return the area of each repeat (r,) over pairs within folds, and influences (r, n).

    Samples without a score (nan) and folds of one class form no pair.
    """
    areas, influence = np.full(len(scores), np.nan), np.zeros(scores.shape)
    for r, (score, fold) in enumerate(zip(scores, folds, strict=True)):
        weight, place, pairs = np.zeros(outcome.size), np.zeros(outcome.size), 0.0
        for number in np.unique(fold):
            own = (fold == number) & np.isfinite(score)
            ones, zeros = int((own & outcome).sum()), int((own & ~outcome).sum())
            if not ones or not zeros:
                continue
            place[own] = placements(outcome[own], score[own])
            weight[own] = np.where(outcome[own], zeros, ones)
            pairs += ones * zeros
        if pairs:
            areas[r] = float((weight * place)[outcome].sum()) / pairs
            influence[r] = weight * (place - areas[r]) / pairs
    return areas, influence


def clustered_error(influence: Floats, subjects: Sequence[str]) -> float:
    """Return the standard error of a mean over repeats from influences (r, n) of samples.

    It is that of one repeat, the variance averaged over repeats: repeats are of the same subjects
    and take little of the variance between studies off.
    """
    _, member = np.unique(np.asarray(subjects), return_inverse=True)
    each = np.array([np.bincount(member, weights=one) for one in influence])
    people = each.shape[1]
    return float(np.sqrt(people / max(people - 1, 1) * (each**2).sum(axis=1).mean()))


def cross_validated_auc(
    outcome: Bools, scores: Floats, folds: NDArray[np.intp], subjects: Sequence[str],
    level: float = 0.95,
) -> AucEstimate:  # fmt: skip
    """Return the mean area over repeats, with an interval over subjects.

    Parameters
    ----------
    outcome : (n,) bool
    scores : (r, n) float64
        Of samples that were left out of the fit, by repeat; nan where there is none.
    folds : (r, n) int
        The fold that each sample was left out with.
    subjects : (n,)
        Their samples are taken together.
    level
        Of the interval, which speaks of other subjects scored by these models, not of models
        fitted to other subjects.
    """
    areas, influence = within_folds(outcome, scores, folds)
    good = np.isfinite(areas)
    method = "influences within folds"
    if not good.any():
        return _none("no fold holds both classes: no pair to compare", level, method)
    error = clustered_error(influence[good], subjects)
    return _estimate(float(areas[good].mean()), error, level, method)


def roc_curve(outcome: Bools, score: Floats, at: Floats) -> Floats:
    """Return the sensitivity at given shares of false positives `at`, by straight lines."""
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.diff(score[order]) != 0.0, True)
    hits = np.append(0.0, np.cumsum(outcome[order])[ends] / outcome.sum())
    false = np.append(0.0, np.cumsum(~outcome[order])[ends] / (~outcome).sum())
    # where one share of false positives has several sensitivities, this takes the highest
    return np.asarray(np.interp(at, false, hits))


def _estimate(auc: float, error: float, level: float, method: str) -> AucEstimate:
    if not 0.0 < auc < 1.0:
        said = "every pair is told apart: no interval" if auc >= 1.0 else "no pair is told apart"
        return AucEstimate(auc, error, float("nan"), float("nan"), level, method, said)
    if not np.isfinite(error):
        said = "a class has one sample: no interval"
        return AucEstimate(auc, float("nan"), float("nan"), float("nan"), level, method, said)
    return AucEstimate(auc, error, *logit_interval(auc, error, level), level, method)


def _none(status: str, level: float, method: str) -> AucEstimate:
    nan = float("nan")
    return AucEstimate(nan, nan, nan, nan, level, method, status)
