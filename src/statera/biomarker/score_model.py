"""Models that turn standardised predictors into log odds, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LinearScore", "ScoreModel", "TreeScore", "importance", "log_odds", "probability"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LinearScore:
    """Log odds as a weighted sum.

    Attributes
    ----------
    intercept
        Log odds at the means of the training samples.
    coefficients : (k,) float64
        For a standard deviation of each predictor.
    """

    intercept: float
    coefficients: Floats


@dataclass(frozen=True)
class TreeScore:
    """Log odds as a sum of regression trees, all nodes one after another.

    Attributes
    ----------
    intercept
        Log odds of the training samples.
    roots : (t,) int64
        Place of the first node of each tree.
    feature : (q,) int64
        Predictor on which a node splits; -1 in a leaf.
    threshold : (q,) float64
        Samples at most this go left. Predictors are compared in single precision, as they were
        when the trees grew.
    left, right : (q,) int64
        Places of the next nodes.
    value : (q,) float64
        What a leaf adds, shrinkage included.
    gain : (k,) float64
        Share of the reduction of loss that each predictor brought; sums to 1, or is all 0.
    """

    intercept: float
    roots: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: Floats
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    value: Floats
    gain: Floats


ScoreModel = LinearScore | TreeScore


def log_odds(model: ScoreModel, x: Floats) -> Floats:
    """Return log odds (n,) of predictors (n, k)."""
    if isinstance(model, LinearScore):
        return np.asarray(model.intercept + x @ model.coefficients)
    single = x.astype(np.float32)
    total = np.full(x.shape[0], model.intercept)
    rows = np.arange(x.shape[0])
    for root in model.roots:
        node = np.full(x.shape[0], root)
        while (inner := model.feature[node] >= 0).any():
            split = np.where(inner, model.feature[node], 0)
            goes_left = single[rows, split] <= model.threshold[node]
            step = np.where(goes_left, model.left[node], model.right[node])
            node = np.where(inner, step, node)
        total += model.value[node]
    return total


def importance(model: ScoreModel) -> Floats:
    """Return the weight (k,) of each predictor; 0 is one that the model does not use."""
    return model.coefficients if isinstance(model, LinearScore) else model.gain


def probability(score: Floats) -> Floats:
    """Return probabilities of log odds, without overflow."""
    small = np.exp(-np.abs(score))
    return np.asarray(np.where(score >= 0.0, 1.0, small) / (1.0 + small))
