"""Gradient boosting of shallow trees through scikit-learn, for a path of numbers of trees.

Friedman, Ann Stat 2001;29:1189-1232, doi 10.1214/aos/1013203451, with samples drawn for each tree
(Friedman, Comput Stat Data Anal 2002;38:367-378, doi 10.1016/S0167-9473(01)00065-2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.require_sklearn import require_sklearn, without_checks
from statera.biomarker.score_model import TreeScore

__all__ = ["BoostedPath", "fit_boosted_path"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BoostedPath:
    """Boosting after each number of trees.

    Attributes
    ----------
    stages : tuple of int
        Numbers of trees; 0 is the prior.
    classifier
        The fitted `GradientBoostingClassifier`.
    prior
        Log odds of the training samples.
    """

    stages: tuple[int, ...]
    classifier: Any
    prior: float

    def log_odds(self, x: Floats) -> Floats:
        """Return log odds (n, s) of predictors (n, k)."""
        found = np.full((x.shape[0], len(self.stages)), self.prior)
        place = {stage: i for i, stage in enumerate(self.stages)}
        for number, score in enumerate(self.classifier.staged_decision_function(x), start=1):
            if number in place:
                found[:, place[number]] = np.ravel(score)
        return found

    def at(self, place: int) -> TreeScore:
        """Return the model of one number of trees as plain arrays."""
        trees = [t.tree_ for t in self.classifier.estimators_[: self.stages[place], 0]]
        sizes = [int(t.node_count) for t in trees]
        roots = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)[: len(trees)]
        k = int(self.classifier.n_features_in_)
        gain = np.zeros(k)
        for tree in trees:
            gain += tree.compute_feature_importances(normalize=False)
        total = float(gain.sum())
        return TreeScore(
            self.prior,
            roots,
            np.maximum(_joined([t.feature for t in trees]), -1).astype(np.int64),
            _joined([t.threshold for t in trees]),
            _moved([t.children_left for t in trees], roots),
            _moved([t.children_right for t in trees], roots),
            self.classifier.learning_rate * _joined([t.value[:, 0, 0] for t in trees]),
            gain / total if total > 0.0 else gain,
        )


def fit_boosted_path(
    x: Floats, outcome: NDArray[np.bool_], depth: int, stages: Sequence[int], *,
    learning_rate: float, subsample: float, features: int, seed: int,
) -> BoostedPath:  # fmt: skip
    """Return boosting up to the largest number of trees.

    Parameters
    ----------
    x : (n, k) float64
    outcome : (n,) bool
        Both classes.
    depth
        Of the trees.
    stages
        Numbers of trees at which the model can be read.
    learning_rate, subsample
        Shrinkage of each tree; share of the samples drawn for each.
    features
        Predictors drawn for each split, at most.
    seed
        Of these draws.

    Raises
    ------
    UsageError
        If scikit-learn is absent.
    """
    kind: Any = require_sklearn("sklearn.ensemble").GradientBoostingClassifier
    smallest = max(1, min(5, int(min(outcome.sum(), (~outcome).sum())) // 3))
    with without_checks():
        fitted = kind(
        n_estimators=max(stages), max_depth=depth, learning_rate=learning_rate,
        subsample=subsample, max_features=min(features, x.shape[1]), min_samples_leaf=smallest,
        random_state=seed,
    ).fit(x, outcome.astype(np.int64))  # fmt: skip
    rate = float(outcome.mean())
    return BoostedPath(tuple(stages), fitted, float(np.log(rate / (1.0 - rate))))


def _joined(parts: list[NDArray[Any]]) -> Floats:
    return np.concatenate([np.empty(0), *parts]).astype(float)


def _moved(parts: list[NDArray[Any]], roots: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return places of the next nodes among all nodes; a leaf points to the first node."""
    moved = [np.where(p >= 0, p + root, 0) for p, root in zip(parts, roots, strict=True)]
    return np.concatenate([np.empty(0), *moved]).astype(np.int64)
