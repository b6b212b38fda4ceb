"""The area corrected for optimism by the bootstrap, with tuning and selection inside.

Methods
-------
Harrell, Lee and Mark, Stat Med 1996;15:361-387,
doi 10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4: the mean loss from each
resample to all subjects is taken off the apparent area. The .632+ estimate: Efron and Tibshirani,
J Am Stat Assoc 1997;92:548-560, doi 10.1080/01621459.1997.10474007, from subjects left out of each
resample, with 0.5 as the area without information. Intervals: the spread of the apparent areas of
the resamples, moved to the corrected area (after the location-shifted intervals of Noma and
others, Stat Med 2021;40:5691-5701, doi 10.1002/sim.9148).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.discrimination import rank_auc
from statera.biomarker.folds import bootstrap_rows
from statera.biomarker.marker_table import MarkerTable, select_rows
from statera.biomarker.nested_validation import Watch
from statera.biomarker.prediction_options import PredictionOptions
from statera.biomarker.tuned_model import (
    TunedModel,
    fit_tuned_model,
    marker_weights,
    predict_log_odds,
)
from statera.errors import InputError
from statera.numerics.streams import stream

__all__ = ["OptimismCorrected", "optimism_corrected_auc", "point_632_plus"]

Floats = NDArray[np.float64]

_CEILING = 0.95
_APART = 0.1


@dataclass(frozen=True)
class OptimismCorrected:
    """Areas from the bootstrap.

    Attributes
    ----------
    apparent
        Of the final model in the subjects it was made from.
    optimism, corrected, low, high
        Mean optimism of the resamples; apparent less optimism, with interval.
    point_632_plus, point_632_low, point_632_high
        The .632+ estimate with interval.
    resamples, requested
        Fitted, and asked for.
    weights : (b, m) float64
        Of the markers in each resample.
    status
        ``ok``, or what is to be known.
    """

    apparent: float
    optimism: float
    corrected: float
    low: float
    high: float
    point_632_plus: float
    point_632_low: float
    point_632_high: float
    resamples: int
    requested: int
    weights: Floats
    status: str


def point_632_plus(apparent: float, left_out: float) -> float:
    """Return the .632+ estimate of an area from the apparent one and that of samples left out.

    The area without information is 0.5; an area left out below that counts as 0.5.
    """
    beyond = max(left_out, 0.5)
    relative = 0.0
    if apparent > beyond and apparent > 0.5:
        relative = (apparent - beyond) / (apparent - 0.5)
    weight = 0.632 / (1.0 - 0.368 * relative)
    return (1.0 - weight) * apparent + weight * beyond


def optimism_corrected_auc(
    table: MarkerTable,
    outcome: NDArray[np.bool_],
    final: TunedModel,
    options: PredictionOptions,
    watch: Watch | None = None,
) -> OptimismCorrected:
    """Repeat the whole making of the model in resamples of subjects.

    Parameters
    ----------
    table
        n samples.
    outcome : (n,) bool
    final
        The model of all samples.
    options
        How; ``bootstraps`` of them.
    watch
        Told how far the work is; where it asks to stop, the resamples that are done are used.
    """
    random = stream(options.seed, "bootstrap")
    apparent = rank_auc(outcome, predict_log_odds(final, table))
    found, weights, failed = list[tuple[float, float, float]](), list[Floats](), 0
    subjects = np.asarray(table.subjects)
    for number in range(options.bootstraps):
        rows = bootstrap_rows(outcome, table.subjects, random)
        drawn = select_rows(table, rows)
        try:
            # drawn copies of a subject are one group, so that no inner fold tests on its training
            fitted = fit_tuned_model(
                drawn, outcome[rows], drawn.subjects, options, f"resample {number}"
            )
        except InputError:
            failed += 1
            continue
        score = predict_log_odds(fitted, table)
        out = ~np.isin(subjects, subjects[rows])
        found.append(
            (
                rank_auc(outcome[rows], score[rows]),
                rank_auc(outcome, score),
                rank_auc(outcome[out], score[out]),
            )
        )
        weights.append(marker_weights(fitted, table.markers))
        if watch is not None and watch("bootstrap", (number + 1) / options.bootstraps):
            break
    return _summary(apparent, found, weights, failed, options, len(table.markers))


def _summary(
    apparent: float, found: list[tuple[float, float, float]], weights: list[Floats], failed: int,
    options: PredictionOptions, markers: int,
) -> OptimismCorrected:  # fmt: skip
    nan = float("nan")
    if len(found) < 2:
        said = f"{len(found)} of {options.bootstraps} resamples were fitted: no correction"
        return OptimismCorrected(apparent, *(nan,) * 7, len(found), options.bootstraps,
                                 np.array(weights).reshape(-1, markers), said)  # fmt: skip
    own, whole, out = np.array(found).T
    optimism = float((own - whole).mean())
    corrected = apparent - optimism
    tail = 50.0 * (1.0 - options.level)
    spread = np.percentile(own, [tail, 100.0 - tail]) - own.mean()
    known = out[np.isfinite(out)]
    plus = point_632_plus(apparent, float(known.mean())) if known.size else nan
    low, high = (float(x) for x in np.clip(corrected + spread, 0.0, 1.0))
    plus_low, plus_high = (float(x) for x in np.clip(plus + spread, 0.0, 1.0))
    remarks = []
    if failed:
        remarks.append(f"{failed} resamples could not be fitted")
    if len(found) + failed < options.bootstraps:
        remarks.append(f"stopped after {len(found)} of {options.bootstraps} resamples")
    if apparent > _CEILING:
        remarks.append(
            f"the apparent area is {apparent:.3f}: the model fits its own subjects almost wholly, "
            "so that the correction is too small and the interval too narrow; read the "
            "cross-validated area"
        )
    elif corrected - plus > _APART:
        remarks.append(
            f"the corrected area exceeds the .632+ estimate by {corrected - plus:.2f}: the model "
            "remembers subjects, and most of those a resample is tested on were in it; read the "
            "cross-validated area"
        )
    return OptimismCorrected(
        apparent, optimism, corrected, low, high, plus, plus_low, plus_high, len(found),
        options.bootstraps, np.array(weights), "; ".join(remarks) or "ok",
    )  # fmt: skip
