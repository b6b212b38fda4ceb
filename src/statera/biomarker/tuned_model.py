"""A model tuned within the samples it is given: preprocessing, inner folds, final fit.

Everything that is learned (limits, gaps, batches, filter, scale, penalty) is learned inside each
inner training set again, so that the tuning sees no more of its test samples than the final
model will see of new ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.boosted_trees import BoostedPath, fit_boosted_path
from statera.biomarker.elastic_net_logistic import ElasticNetPath, fit_elastic_net_path
from statera.biomarker.folds import stratified_folds
from statera.biomarker.marker_table import MarkerTable, select_rows
from statera.biomarker.prediction_options import PredictionOptions
from statera.biomarker.preprocessing import (
    Preprocessing,
    apply_preprocessing,
    fit_preprocessing,
)
from statera.biomarker.require_sklearn import one_thread
from statera.biomarker.score_model import ScoreModel, importance, log_odds
from statera.errors import InputError
from statera.numerics.streams import stream

__all__ = ["TunedModel", "fit_tuned_model", "marker_weights", "predict_log_odds"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class TunedModel:
    """A fitted model with all that comes before it.

    Attributes
    ----------
    preprocessing
        What was learned of the predictors.
    model
        Log odds of standardised predictors.
    setting
        The l1 ratio, or the depth of the trees.
    complexity
        The penalty as a share of the largest, or the number of trees.
    inner_loss : (settings, path) float64
        Mean log loss over the inner folds.
    status
        ``ok``, or what is to be known of the tuning.
    """

    preprocessing: Preprocessing
    model: ScoreModel
    setting: float
    complexity: float
    inner_loss: Floats
    status: str


def predict_log_odds(fitted: TunedModel, table: MarkerTable) -> Floats:
    """Return log odds (n,) of samples."""
    return log_odds(fitted.model, apply_preprocessing(fitted.preprocessing, table))


def marker_weights(fitted: TunedModel, names: tuple[str, ...]) -> Floats:
    """Return the weight (m,) of each of `names`; 0 where the model does not use it."""
    own = dict(zip(fitted.preprocessing.names, importance(fitted.model).tolist(), strict=True))
    return np.array([own.get(name, 0.0) for name in names])


def fit_tuned_model(
    table: MarkerTable, outcome: Bools, groups: tuple[str, ...], options: PredictionOptions,
    purpose: str,
) -> TunedModel:  # fmt: skip
    """Tune and fit a model on training samples.

    Parameters
    ----------
    table
        Training samples, n of them.
    outcome : (n,) bool
    groups : (n,)
        Kept together in the inner folds.
    options
        How.
    purpose
        Names the random stream.

    Raises
    ------
    InputError
        If there is one class only, or no predictor is left.
    """
    if outcome.all() or not outcome.any():
        raise InputError("the training samples hold one class only")
    random = stream(options.seed, f"prediction {purpose}")
    seed = int(random.integers(2**31 - 1))
    settings = options.l1_ratios if options.model == "elastic-net" else options.depths
    with one_thread():
        losses, status = _inner_losses(table, outcome, groups, options, random, seed)
        mean = losses.mean(axis=0)
        row, place = _choose(losses, options.tuning)
        preprocessing = fit_preprocessing(table, outcome, options.preprocessing)
        x = apply_preprocessing(preprocessing, table)
        path = _path(x, outcome, settings[row], options, seed)
    return TunedModel(
        preprocessing, path.at(place), float(settings[row]), _complexities(options)[place], mean,
        status,
    )  # fmt: skip


def _complexities(options: PredictionOptions) -> list[float]:
    if options.model == "boosting":
        return [float(t) for t in options.trees]
    found = np.geomspace(1.0, options.smallest_penalty, options.penalties)
    return [float(f) for f in found]


def _path(
    x: Floats, outcome: Bools, setting: float, options: PredictionOptions, seed: int
) -> ElasticNetPath | BoostedPath:
    if options.model == "elastic-net":
        return fit_elastic_net_path(x, outcome, setting, np.array(_complexities(options)))
    return fit_boosted_path(
        x, outcome, int(setting), options.trees, learning_rate=options.learning_rate,
        subsample=options.subsample, features=options.features, seed=seed,
    )  # fmt: skip


def _inner_losses(
    table: MarkerTable, outcome: Bools, groups: tuple[str, ...], options: PredictionOptions,
    random: np.random.Generator, seed: int,
) -> tuple[Floats, str]:  # fmt: skip
    """Return log losses (n used, settings, path) of samples left out, and a status."""
    settings = options.l1_ratios if options.model == "elastic-net" else options.depths
    units = [len({g for g, y in zip(groups, outcome, strict=True) if y == c}) for c in (0, 1)]
    number = min(options.inner_folds, *units)
    length = len(_complexities(options))
    if number < 2:
        # without inner folds nothing speaks for a larger model
        blank = np.zeros((2, len(settings), length))
        return blank, "a class has one group: not tuned, the smallest model was taken"
    fold = stratified_folds(outcome, groups, number, random)
    found = []
    for f in range(number):
        train, test = np.flatnonzero(fold != f), np.flatnonzero(fold == f)
        if outcome[train].all() or not outcome[train].any() or not test.size:
            continue
        inner = select_rows(table, train)
        learned = fit_preprocessing(inner, outcome[train], options.preprocessing)
        x = apply_preprocessing(learned, inner)
        new = apply_preprocessing(learned, select_rows(table, test))
        y = outcome[test].astype(float)[:, None]
        loss = np.empty((test.size, len(settings), length))
        for row, setting in enumerate(settings):
            score = _path(x, outcome[train], setting, options, seed).log_odds(new)
            loss[:, row] = np.logaddexp(0.0, score) - y * score
        found.append(loss)
    if not found:
        blank = np.zeros((2, len(settings), length))
        return blank, "every inner training set holds one class: the smallest model was taken"
    few = f"tuned on {number} inner folds" if number < options.inner_folds else "ok"
    return np.concatenate(found), few


def _choose(losses: Floats, tuning: str) -> tuple[int, int]:
    """Return setting and place on the path; of equal losses the simplest model."""
    mean = losses.mean(axis=0)
    row, place = np.unravel_index(int(np.argmin(mean.T)), mean.T.shape)[::-1]
    if tuning == "one-standard-error":
        error = losses[:, row, place].std(ddof=1) / np.sqrt(losses.shape[0])
        place = np.flatnonzero(mean[row] <= mean[row, place] + error)[0]
    return int(row), int(place)
