"""Predictions of every sample by models that never saw it: repeated nested cross-validation.

Varma and Simon, BMC Bioinformatics 2006;7:91, doi 10.1186/1471-2105-7-91: the model is tuned
within each outer training set, or the estimate is too good.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.discrimination import rank_auc
from statera.biomarker.folds import stratified_folds
from statera.biomarker.marker_table import MarkerTable, select_rows
from statera.biomarker.prediction_options import PredictionOptions
from statera.biomarker.tuned_model import fit_tuned_model, marker_weights, predict_log_odds
from statera.errors import InputError
from statera.numerics.streams import stream

__all__ = ["FoldOutcome", "NestedPredictions", "Watch", "nested_predictions"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
#: Called with a stage and the share done; returns True to stop.
Watch = Callable[[str, float], bool]


@dataclass(frozen=True)
class FoldOutcome:
    """What became of one outer fold.

    Attributes
    ----------
    repeat, fold
        From 1.
    train, test, responders
        Training samples, left-out samples, and responders among the latter.
    setting, complexity
        What the tuning chose; nan where nothing was fitted.
    selected
        Predictors in use.
    auc
        Of the left-out samples; nan for one class.
    status
        ``ok``, or what happened.
    """

    repeat: int
    fold: int
    train: int
    test: int
    responders: int
    setting: float
    complexity: float
    selected: int
    auc: float
    status: str


@dataclass(frozen=True)
class NestedPredictions:
    """Predictions of left-out samples.

    Attributes
    ----------
    log_odds : (r, n) float64
        By repeat; nan where the fold could not be fitted.
    folds : (r, n) int
        From 0.
    outcomes
        One a fold.
    weights : (f, m) float64
        Of the markers in each fitted fold.
    requested
        Repeats asked for; fewer were done where the work was stopped.
    """

    log_odds: Floats
    folds: NDArray[np.intp]
    outcomes: tuple[FoldOutcome, ...]
    weights: Floats
    requested: int


def nested_predictions(
    table: MarkerTable,
    outcome: Bools,
    groups: tuple[str, ...],
    options: PredictionOptions,
    watch: Watch | None = None,
) -> NestedPredictions:
    """Predict every sample by models of the others.

    Parameters
    ----------
    table
        n samples.
    outcome : (n,) bool
    groups : (n,)
        Kept together: subjects, or sites.
    options
        How.
    watch
        Told how far the work is; where it asks to stop, whole repeats that are done are returned.

    Raises
    ------
    InputError
        If a class has fewer groups than outer folds, or no fold could be fitted.
    """
    scores, splits = list[Floats](), list[NDArray[np.intp]]()
    outcomes, weights = list[FoldOutcome](), list[Floats]()
    total = options.repeats * options.outer_folds
    for repeat in range(options.repeats):
        random = stream(options.seed, f"outer folds {repeat}")
        fold = stratified_folds(outcome, groups, options.outer_folds, random)
        score = np.full(len(table), np.nan)
        done, used, stopped = list[FoldOutcome](), list[Floats](), False
        for f in range(options.outer_folds):
            one = _one_fold(table, outcome, groups, options, (repeat, f), fold == f)
            done.append(one[0])
            if one[1] is not None and one[2] is not None:
                score[fold == f] = one[1]
                used.append(one[2])
            share = (repeat * options.outer_folds + f + 1) / total
            stopped = watch is not None and watch("cross-validation", share)
            if stopped and scores and f + 1 < options.outer_folds:
                break
        else:
            scores.append(score)
            splits.append(fold)
            outcomes += done
            weights += used
        if stopped and scores:
            break
    if not weights:
        raise InputError(
            f"no fold could be fitted: {outcomes[0].status}",
            hint="Ask for fewer folds, or group by something finer.",
        )
    return NestedPredictions(
        np.array(scores), np.array(splits), tuple(outcomes), np.array(weights), options.repeats
    )


def _one_fold(
    table: MarkerTable, outcome: Bools, groups: tuple[str, ...], options: PredictionOptions,
    number: tuple[int, int], left_out: Bools,
) -> tuple[FoldOutcome, Floats | None, Floats | None]:  # fmt: skip
    repeat, fold = number
    train, test = np.flatnonzero(~left_out), np.flatnonzero(left_out)
    responders = int(outcome[test].sum())
    counts = (repeat + 1, fold + 1, train.size, test.size, responders)
    nan = float("nan")
    try:
        fitted = fit_tuned_model(
            select_rows(table, train), outcome[train], tuple(groups[i] for i in train), options,
            f"repeat {repeat} fold {fold}",
        )  # fmt: skip
    except InputError as error:
        said = f"not fitted: {error.what}"
        return FoldOutcome(*counts, nan, nan, 0, nan, said), None, None
    score = predict_log_odds(fitted, select_rows(table, test))
    status = fitted.status
    if responders in (0, test.size):
        status = "one class among the samples left out: no area of its own"
    weights = marker_weights(fitted, table.markers)
    used = int((marker_weights(fitted, fitted.preprocessing.names) != 0.0).sum())
    area = rank_auc(outcome[test], score)
    return (
        FoldOutcome(*counts, fitted.setting, fitted.complexity, used, area, status),
        score,
        weights,
    )
