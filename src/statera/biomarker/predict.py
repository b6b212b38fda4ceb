"""Prediction of response from markers, with every step inside the folds.

`predict_response` measures how well response can be predicted, by models that never saw the
subjects they predict, and makes the model of all subjects that is kept for new tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from statera.biomarker.calibration import Calibration, brier_score, calibrate
from statera.biomarker.decision_curve import DecisionCurve, decision_curve
from statera.biomarker.discrimination import (
    AucDifference,
    AucEstimate,
    clustered_error,
    cross_validated_auc,
    difference_of,
    rank_auc,
    roc_curve,
    within_folds,
)
from statera.biomarker.marker_table import MarkerTable, select_rows
from statera.biomarker.measurements import listed
from statera.biomarker.nested_validation import NestedPredictions, Watch, nested_predictions
from statera.biomarker.optimism import OptimismCorrected, optimism_corrected_auc
from statera.biomarker.prediction_options import PredictionOptions
from statera.biomarker.require_sklearn import require_sklearn
from statera.biomarker.responders import Responders
from statera.biomarker.sample_size import SampleSize, judge_sample_size
from statera.biomarker.score_model import probability
from statera.biomarker.selection_stability import SelectionStability, selection_stability
from statera.biomarker.tuned_model import TunedModel, fit_tuned_model
from statera.errors import InputError
from statera.numerics.streams import stream

__all__ = [
    "PermutationTest",
    "Prediction",
    "Reference",
    "RocCurve",
    "join_response",
    "predict_response",
]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_ROC_RESAMPLES = 400


@dataclass(frozen=True)
class RocCurve:
    """Mean over repeats, with a pointwise band over subjects.

    Attributes
    ----------
    false_positives, sensitivity, low, high : (q,) float64
    """

    false_positives: Floats
    sensitivity: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Reference:
    """What covariates predict without any marker, on the same folds.

    Attributes
    ----------
    auc
        Of covariates alone.
    gain
        Of markers and covariates over covariates alone.
    """

    auc: AucEstimate
    gain: AucDifference


@dataclass(frozen=True)
class PermutationTest:
    """The area against areas with permuted labels, the whole procedure repeated on each.

    Attributes
    ----------
    observed
        Of one repeat, as those of the permutations are.
    permuted : (b,) float64
    p_value
        The observed labels count as one permutation.
    requested
    """

    observed: float
    permuted: Floats
    p_value: float
    requested: int


@dataclass(frozen=True)
class Prediction:
    """How well response is predicted, n samples and m markers.

    Attributes
    ----------
    options
        As given.
    table
        What was used.
    outcome : (n,) bool
    groups : (n,)
        What folds kept together.
    marker_status : tuple of str
        ``ok``, ``constant``, ``all below LOD``, ``not measured`` or ``one value``.
    nested
        Predictions of samples that were left out.
    auc
        The cross-validated area (pairs within folds).
    auc_pooled
        Mean over repeats of the area of all left-out samples together.
    brier, brier_null
        Mean squared error with interval; that of predicting the share of responders.
    calibration, decision, roc
        Of samples left out.
    rank_correlation
        Spearman's rho of prediction and uncut outcome, with interval; nan where there is none.
    stability
        Of selection over the bootstrap, or over outer folds where there is none.
    optimism
        None where no bootstrap was asked for.
    reference, permutation
        None where not asked for.
    final
        The model of all samples.
    sample_size
        Subjects against predictors.
    notes, warnings
        Sentences.
    """

    options: PredictionOptions
    table: MarkerTable
    outcome: Bools
    groups: tuple[str, ...]
    marker_status: tuple[str, ...]
    nested: NestedPredictions
    auc: AucEstimate
    auc_pooled: float
    brier: tuple[float, float, float]
    brier_null: float
    calibration: Calibration
    decision: DecisionCurve
    roc: RocCurve
    rank_correlation: tuple[float, float, float]
    stability: SelectionStability
    optimism: OptimismCorrected | None
    reference: Reference | None
    permutation: PermutationTest | None
    final: TunedModel
    sample_size: SampleSize
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def join_response(
    table: MarkerTable, found: Responders
) -> tuple[MarkerTable, Bools, Floats, tuple[str, ...]]:
    """Return the samples of subjects with a decided response.

    Returns
    -------
    table, outcome (n,), uncut outcome (n,), notes

    Raises
    ------
    InputError
        If no sample is left.
    """
    place = {s: i for i, s in enumerate(found.subjects)}
    rows = [place.get(subject, -1) for subject in table.subjects]
    response = np.array([found.response[r] if r >= 0 else np.nan for r in rows])
    keep = np.flatnonzero(np.isfinite(response))
    if not keep.size:
        raise InputError(
            "no measured subject has a decided response",
            where="outcome",
            hint=f"Measured: {listed(table.subjects, 3)}. With outcomes: "
            f"{listed(found.subjects, 3)}.",
        )
    notes = []
    absent = list(dict.fromkeys(s for s in table.subjects if s not in place))
    if absent:
        notes.append(f"{len(absent)} measured subjects have no outcome: {listed(absent)}.")
    unmeasured = [s for s in found.subjects if s not in set(table.subjects)]
    if unmeasured:
        notes.append(f"{len(unmeasured)} subjects were not measured: {listed(unmeasured)}.")
    uncut = np.array([found.continuous[rows[i]] for i in keep])
    return select_rows(table, keep), response[keep] == 1.0, uncut, tuple(notes)


def predict_response(
    table: MarkerTable,
    outcome: Bools,
    options: PredictionOptions | None = None,
    *,
    groups: tuple[str, ...] = (),
    uncut: Floats | None = None,
    watch: Watch | None = None,
) -> Prediction:
    """Measure how well response is predicted, and make the model of all samples.

    Parameters
    ----------
    table
        n samples.
    outcome : (n,) bool
        The same in all samples of a subject.
    options
        How.
    groups : (n,), optional
        Sites that folds keep together; subjects unless given.
    uncut : (n,) float64, optional
        The outcome before it was cut in two.
    watch
        Told the stage and the share of it that is done; where it returns True the work ends with
        what is there (at least one repeat of the cross-validation).

    Raises
    ------
    InputError
        If a class has too few subjects, no marker varies, or an outcome differs within a subject.
    UsageError
        If scikit-learn is absent.
    """
    chosen = options if options is not None else PredictionOptions()
    require_sklearn("sklearn")
    status = _marker_status(table)
    kept = _grouped(table, groups)
    _check(table, outcome, status, kept, chosen)
    notes = list(_remarks(table, groups, status))
    nested = nested_predictions(table, outcome, kept, chosen, watch)
    final = fit_tuned_model(table, outcome, kept, chosen, "final")
    optimism = (
        optimism_corrected_auc(table, outcome, final, chosen, watch) if chosen.bootstraps else None
    )
    reference = _reference(table, outcome, kept, chosen, nested) if table.covariates else None
    permutation = (
        _permutation(table, outcome, kept, chosen, nested, watch) if chosen.permutations else None
    )
    weights = optimism.weights if optimism and len(optimism.weights) > 1 else nested.weights
    size = _sample_size(table, outcome, status)
    failed = [o for o in nested.outcomes if o.status.startswith("not fitted")]
    warnings = list(size.warnings)
    if failed:
        warnings.append(f"{len(failed)} of {len(nested.outcomes)} folds: {failed[0].status}.")
    if len(nested.log_odds) < nested.requested:
        warnings.append(f"Stopped after {len(nested.log_odds)} of {nested.requested} repeats.")
    measures = _measures(table, outcome, nested, chosen, uncut)
    return Prediction(
        chosen, table, outcome, kept, status, nested, *measures,
        selection_stability(weights, chosen.level), optimism, reference, permutation, final, size,
        tuple(notes), tuple(warnings),
    )  # fmt: skip


def _measures(
    table: MarkerTable, outcome: Bools, nested: NestedPredictions, options: PredictionOptions,
    uncut: Floats | None,
) -> tuple[
    AucEstimate, float, tuple[float, float, float], float, Calibration, DecisionCurve, RocCurve,
    tuple[float, float, float],
]:  # fmt: skip
    """Return what is measured on samples left out; rows of all repeats are taken together."""
    scores, level = nested.log_odds, options.level
    known = np.isfinite(scores)
    rows = np.nonzero(known)[1]
    y, chance = outcome[rows], probability(scores[known])
    people = [table.subjects[r] for r in rows]
    ranks = _ranked_within(scores, nested.folds)
    if np.ptp(ranks[known]) == 0.0:
        # models without a marker differ by the share of responders they were given, which is
        # high where that of the samples left out is low: a slope of that would mean nothing
        chance = np.full(chance.size, chance.mean())
    pooled = [rank_auc(outcome[k], s[k]) for s, k in zip(scores, known, strict=True)]
    rate = float(outcome.mean())
    return (
        cross_validated_auc(outcome, scores, nested.folds, table.subjects, level),
        float(np.nanmean(pooled)) if np.isfinite(pooled).any() else float("nan"),
        brier_score(y, chance, people, level),
        rate * (1.0 - rate),
        calibrate(y, chance, people, level=level),
        decision_curve(y, chance, people, level=level),
        _roc(table, outcome, ranks, options),
        _rank_correlation(table, scores, uncut, level),
    )


def _grouped(table: MarkerTable, groups: tuple[str, ...]) -> tuple[str, ...]:
    """Return what folds keep together; a subject in two sites ties them."""
    if not groups:
        return table.subjects
    if len(groups) != len(table):
        raise InputError("groups need one entry a sample")
    site = dict(zip(table.subjects, groups, strict=True))
    twice = [s for s, g in zip(table.subjects, groups, strict=True) if site[s] != g]
    if twice:
        raise InputError(
            f"{len(set(twice))} subjects stand in two groups: {listed(sorted(set(twice)))}",
            hint="Give each subject one site.",
        )
    return groups


def _marker_status(table: MarkerTable) -> tuple[str, ...]:
    known = ~np.isnan(table.values)
    informed = known | table.below_lod
    low = np.where(known, table.values, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, table.values, -np.inf).max(axis=0, initial=-np.inf)
    found = np.full(len(table.markers), "ok", dtype="<U16")
    found[(known.sum(axis=0) > 1) & (low == high) & ~table.below_lod.any(axis=0)] = "constant"
    found[(known.sum(axis=0) == 1) & ~table.below_lod.any(axis=0)] = "one value"
    found[(informed.sum(axis=0) > 0) & (table.below_lod >= informed).all(axis=0)] = "all below LOD"
    found[informed.sum(axis=0) == 0] = "not measured"
    return tuple(found.tolist())


def _check(
    table: MarkerTable, outcome: Bools, status: tuple[str, ...], groups: tuple[str, ...],
    options: PredictionOptions,
) -> None:  # fmt: skip
    first: dict[str, bool] = {}
    for subject, y in zip(table.subjects, outcome.tolist(), strict=True):
        if first.setdefault(subject, y) != y:
            raise InputError(f"subject {subject} is a responder in one sample and not in another")
    if "ok" not in status and not table.covariates:
        counts = {s: status.count(s) for s in dict.fromkeys(status)}
        said = ", ".join(f"{n} {s}" for s, n in counts.items()) or "none was given"
        raise InputError(f"no marker can predict anything: {said}", where="measurements")
    responders = sum(first.values())
    for name, number in (("responders", responders), ("non-responders", len(first) - responders)):
        if number < max(options.outer_folds, 4):
            raise InputError(
                f"too few {name}: {number} of {len(first)} subjects, and {options.outer_folds} "
                f"outer folds need at least {max(options.outer_folds, 4)}",
                where="outcome",
                hint="Choose another rule or fewer folds; with so few, nothing can be validated.",
            )
    if len(set(groups)) < options.outer_folds:
        raise InputError(
            f"{len(set(groups))} groups cannot be split into {options.outer_folds} outer folds",
            hint="Ask for fewer folds, or group by something finer.",
        )


def _remarks(table: MarkerTable, groups: tuple[str, ...], status: tuple[str, ...]) -> list[str]:
    notes = []
    people = len(set(table.subjects))
    if people < len(table):
        notes.append(
            f"{len(table)} samples of {people} subjects: samples of a subject stay in one fold, "
            "and intervals take them together."
        )
    if groups:
        notes.append(f"Folds keep {len(set(groups))} groups together.")
    bad = {s: status.count(s) for s in dict.fromkeys(status) if s != "ok"}
    if bad:
        said = ", ".join(f"{n} {s}" for s, n in bad.items())
        notes.append(f"Markers that predict nothing: {said}.")
    return notes


def _sample_size(table: MarkerTable, outcome: Bools, status: tuple[str, ...]) -> SampleSize:
    subjects = dict(zip(table.subjects, outcome.tolist(), strict=True))
    candidates = status.count("ok") + len(table.covariates)
    return judge_sample_size(len(subjects), sum(subjects.values()), candidates)


def _ranked_within(scores: Floats, folds: NDArray[np.intp]) -> Floats:
    """Return the mean ranks (r, n) of scores within their folds, 0 to 1."""
    found = np.full(scores.shape, np.nan)
    for r, (score, fold) in enumerate(zip(scores, folds, strict=True)):
        for number in np.unique(fold):
            own = np.flatnonzero((fold == number) & np.isfinite(score))
            found[r, own] = stats.rankdata(score[own]) / (own.size + 1.0)
    return found


def _roc(
    table: MarkerTable, outcome: Bools, scores: Floats, options: PredictionOptions
) -> RocCurve:
    at = np.linspace(0.0, 1.0, 101)
    _, member = np.unique(np.asarray(table.subjects), return_inverse=True)
    rows_of = [np.flatnonzero(member == s) for s in range(int(member.max()) + 1)]
    random = stream(options.seed, "band of the ROC curve")

    def mean(rows: NDArray[np.intp]) -> Floats:
        curves = []
        for score in scores:
            own = rows[np.isfinite(score[rows])]
            if own.size and 0 < outcome[own].sum() < own.size:
                curves.append(roc_curve(outcome[own], score[own], at))
        return np.mean(curves, axis=0) if curves else np.full(at.size, np.nan)

    drawn = [
        mean(np.concatenate([rows_of[s] for s in random.integers(len(rows_of), size=len(rows_of))]))
        for _ in range(_ROC_RESAMPLES)
    ]
    tail = 50.0 * (1.0 - options.level)
    good = np.array([curve for curve in drawn if np.isfinite(curve).all()])
    low = high = np.full(at.size, np.nan)
    if good.size:
        low, high = np.percentile(good, [tail, 100.0 - tail], axis=0)
    return RocCurve(at, mean(np.arange(outcome.size)), low, high)


def _rank_correlation(
    table: MarkerTable, scores: Floats, uncut: Floats | None, level: float
) -> tuple[float, float, float]:
    """Return Spearman's rho by subject with an interval by Fisher's z."""
    nan = float("nan")
    if uncut is None:
        return nan, nan, nan
    with np.errstate(invalid="ignore"):
        known = np.isfinite(scores).any(axis=0) & np.isfinite(uncut)
    if known.sum() < 5 or np.unique(uncut[known]).size < 3:
        return nan, nan, nan
    mean = np.nanmean(scores[:, known], axis=0)
    _, member = np.unique(np.asarray(table.subjects)[known], return_inverse=True)
    size = np.bincount(member)
    mean = np.bincount(member, weights=mean) / size
    value = np.bincount(member, weights=uncut[known]) / size
    if np.ptp(mean) == 0.0 or mean.size < 5:
        return nan, nan, nan
    rho = float(stats.spearmanr(mean, value).statistic)
    # the variance of Bonett and Wright (Psychometrika 2000;65:23-28) for ranks
    half = stats.norm.ppf(0.5 + level / 2.0) * np.sqrt((1.0 + rho**2 / 2.0) / (mean.size - 3))
    middle = np.arctanh(np.clip(rho, -0.999999, 0.999999))
    return rho, float(np.tanh(middle - half)), float(np.tanh(middle + half))


def _reference(
    table: MarkerTable, outcome: Bools, groups: tuple[str, ...], options: PredictionOptions,
    nested: NestedPredictions,
) -> Reference:  # fmt: skip
    bare = replace(
        table, markers=(), values=table.values[:, :0], below_lod=table.below_lod[:, :0],
        lod=table.lod[:, :0],
    )  # fmt: skip
    simple = replace(options, model="elastic-net", repeats=len(nested.log_odds))
    alone = nested_predictions(bare, outcome, groups, simple)
    auc = cross_validated_auc(outcome, alone.log_odds, alone.folds, table.subjects, options.level)
    with_markers, one = within_folds(outcome, nested.log_odds, nested.folds)
    without, two = within_folds(outcome, alone.log_odds, alone.folds)
    good = np.isfinite(with_markers) & np.isfinite(without)
    if not good.any():
        return Reference(auc, difference_of(float("nan"), float("nan"), options.level))
    error = clustered_error((one - two)[good], table.subjects)
    gap = float((with_markers - without)[good].mean())
    return Reference(auc, difference_of(gap, error, options.level))


def _permutation(
    table: MarkerTable, outcome: Bools, groups: tuple[str, ...], options: PredictionOptions,
    nested: NestedPredictions, watch: Watch | None,
) -> PermutationTest:  # fmt: skip
    """Repeat one repeat of the cross-validation on labels permuted over subjects."""
    observed = float(within_folds(outcome, nested.log_odds[:1], nested.folds[:1])[0][0])
    response: Mapping[str, bool] = dict(zip(table.subjects, outcome.tolist(), strict=True))
    people = list(response)
    labels = np.array([response[s] for s in people])
    random = stream(options.seed, "permutation")
    found = []
    for number in range(options.permutations):
        drawn = dict(zip(people, random.permutation(labels).tolist(), strict=True))
        shuffled = np.array([drawn[s] for s in table.subjects])
        one = replace(options, repeats=1, seed=int(random.integers(2**31)))
        again = nested_predictions(table, shuffled, groups, one)
        found.append(float(within_folds(shuffled, again.log_odds, again.folds)[0][0]))
        if watch is not None and watch("permutations", (number + 1) / options.permutations):
            break
    areas = np.array(found)
    above = int((areas >= observed - 1e-12).sum())
    return PermutationTest(observed, areas, (above + 1) / (areas.size + 1), options.permutations)
