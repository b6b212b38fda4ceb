"""What is learned from training samples before a model is: limits, gaps, batches, filter, scale.

`fit_preprocessing` sees training samples only, and `apply_preprocessing` changes nothing of what
was learned. All steps of a prediction pass through these two functions, so that nothing of a
sample that is predicted can reach the model.

Methods
-------
Batches: means of batches drawn to the grand mean by the share of variance between batches, as the
location part of ComBat (Johnson, Li and Rabinovic, Biostatistics 2007;8:118-127,
doi 10.1093/biostatistics/kxj037), marker by marker and by the method of moments. The filter
ranks markers by Welch's t statistic.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.design import Factor
from statera.biomarker.lod import LodPolicy
from statera.biomarker.marker_table import MarkerTable
from statera.errors import InputError, UsageError

__all__ = ["Preprocessing", "PreprocessingOptions", "apply_preprocessing", "fit_preprocessing"]

Floats = NDArray[np.float64]
_FOLD = {"limit": 0.0, "half": 1.0, "over-sqrt-2": 0.5}


@dataclass(frozen=True)
class PreprocessingOptions:
    """How values become predictors.

    Attributes
    ----------
    lod
        ``keep``, ``substitute`` or ``exclude`` (by the share below the limit in the training
        samples). Values are on log2. Below the limit without a number: the limit where known,
        else the lowest training value.
    largest_missing
        Share of missing values in the training samples beyond which a marker is not used.
    filter_top
        Markers kept by the size of Welch's t in the training samples; all where None.
    """

    lod: LodPolicy = field(default_factory=LodPolicy)
    largest_missing: float = 0.5
    filter_top: int | None = None

    def __post_init__(self) -> None:
        if self.lod.name not in ("keep", "substitute", "exclude"):
            raise UsageError(
                f"prediction does not take the policy '{self.lod.name}' for values below LOD",
                hint="Use keep, substitute or exclude.",
            )
        if self.filter_top is not None and self.filter_top < 1:
            raise UsageError("a filter keeps at least one marker", where="filter_top")
        if not 0.0 <= self.largest_missing < 1.0:
            raise UsageError("a share of missing values is at least 0 and below 1")


@dataclass(frozen=True)
class Preprocessing:
    """What was learned from training samples; k predictors, the markers first.

    Attributes
    ----------
    names : tuple of str
        Predictors; a level of a factor is ``name[level]``.
    n_markers
        How many of them are markers.
    floor : (q,) float64
        Stands for values below a limit that is not known.
    fill : (k,) float64
        Median of the training samples, for gaps; of markers after the adjustment of batches.
    centre, scale : (k,) float64
        Mean and standard deviation of the training samples.
    batches : tuple of str
        Known batches.
    shift : (b, q) float64
        Taken off the markers of each batch.
    covariates
        Name and levels (empty for numbers) of each covariate.
    low, high : (k,) float64
        Range of the training samples, to tell extrapolation.
    policy
        For values below the limit.
    """

    names: tuple[str, ...]
    n_markers: int
    floor: Floats
    fill: Floats
    centre: Floats
    scale: Floats
    batches: tuple[str, ...]
    shift: Floats
    covariates: tuple[tuple[str, tuple[str, ...]], ...]
    low: Floats
    high: Floats
    policy: LodPolicy


def fit_preprocessing(
    table: MarkerTable, outcome: NDArray[np.bool_], options: PreprocessingOptions
) -> Preprocessing:
    """Learn all steps from training samples.

    Parameters
    ----------
    table
        Training samples, n of them.
    outcome : (n,) bool
        Used by the filter only.
    options
        How.

    Raises
    ------
    InputError
        If no predictor is left.
    """
    known = ~np.isnan(table.values) | table.below_lod
    use = known.mean(axis=0) >= 1.0 - options.largest_missing - 1e-12
    if options.lod.name == "exclude":
        below = table.below_lod.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        use &= below <= options.lod.largest_share + 1e-12
    use &= ~(table.below_lod | np.isnan(table.values)).all(axis=0)
    floor = np.where(np.isnan(table.values), np.inf, table.values).min(axis=0, initial=np.inf)
    values = _with_limits(table, np.where(np.isfinite(floor), floor, 0.0), options.lod)
    batches = tuple(sorted(set(table.batches)))
    shift = np.zeros((len(batches), len(table.markers)))
    if len(batches) > 1:
        shift = _batch_shift(values, table.batches, batches)
        values = values - shift[_codes(table.batches, batches)]
    covariates = tuple(
        (name, c.levels if isinstance(c, Factor) else ()) for name, c in table.covariates.items()
    )
    beside, names = _coded(table, covariates)
    fill = _median(values)
    whole = np.where(np.isnan(values), fill, values)
    use &= whole.std(axis=0) > 1e-12 * np.maximum(np.abs(whole).max(axis=0, initial=0.0), 1.0)
    kept = np.flatnonzero(use)
    if options.filter_top is not None and kept.size > options.filter_top:
        t = np.abs(_welch(whole[:, kept], outcome))
        best = np.argsort(-np.where(np.isfinite(t), t, -1.0), kind="stable")
        kept = np.sort(kept[best[: options.filter_top]])
    fill_beside = _median(beside)
    beside = np.where(np.isnan(beside), fill_beside, beside)
    varied = beside.std(axis=0) > 0.0
    x = np.hstack([whole[:, kept], beside])
    if not kept.size and not varied.any():
        raise InputError(
            "no marker varies in the training samples",
            hint="All are constant, missing or below the limit of detection.",
        )
    spread = x.std(axis=0)
    return Preprocessing(
        (*(table.markers[i] for i in kept), *names), int(kept.size), floor[kept],
        np.concatenate([fill[kept], fill_beside]), x.mean(axis=0),
        np.where(spread > 0.0, spread, 1.0), batches, shift[:, kept], covariates,
        x.min(axis=0), x.max(axis=0), options.lod,
    )  # fmt: skip


def apply_preprocessing(fitted: Preprocessing, table: MarkerTable) -> Floats:
    """Return predictors (n, k), standardised; a batch that is not known is not shifted.

    Raises
    ------
    InputError
        If the table lacks a marker or a covariate.
    """
    place = {name: i for i, name in enumerate(table.markers)}
    wanted = fitted.names[: fitted.n_markers]
    lacking = [name for name in wanted if name not in place]
    lacking += [name for name, _ in fitted.covariates if name not in table.covariates]
    if lacking:
        raise InputError(
            f"the table lacks {len(lacking)} predictors of the model: {', '.join(lacking[:8])}",
            hint="Name them as in the table the model was made from.",
        )
    columns = [place[name] for name in wanted]
    part = MarkerTable(
        wanted, table.values[:, columns], table.below_lod[:, columns], table.lod[:, columns],
        table.samples, table.subjects, table.covariates, table.batches,
    )  # fmt: skip
    values = _with_limits(part, fitted.floor, fitted.policy)
    if len(fitted.batches) > 1 and part.batches:
        codes = _codes(part.batches, fitted.batches)
        values = values - np.where((codes >= 0)[:, None], fitted.shift[codes], 0.0)
    x = np.hstack([values, _coded(part, fitted.covariates)[0]])
    x = np.where(np.isnan(x), fitted.fill, x)
    return np.ascontiguousarray((x - fitted.centre) / fitted.scale)


def _with_limits(table: MarkerTable, floor: Floats, policy: LodPolicy) -> Floats:
    """Return values with a number for each one below the limit."""
    limit = np.where(np.isnan(table.lod), floor, table.lod)
    if policy.name == "substitute":
        return np.where(table.below_lod, limit - _FOLD[policy.replacement], table.values)
    return np.where(table.below_lod & np.isnan(table.values), limit, table.values)


def _codes(batches: tuple[str, ...], known: tuple[str, ...]) -> NDArray[np.intp]:
    place = {name: i for i, name in enumerate(known)}
    return np.array([place.get(name, -1) for name in batches], dtype=np.intp)


def _batch_shift(values: Floats, batches: tuple[str, ...], known: tuple[str, ...]) -> Floats:
    """Return the shrunken deviation of each batch from the mean of all, (b, m)."""
    codes = _codes(batches, known)
    member = np.eye(len(known))[codes]
    seen = ~np.isnan(values)
    count = member.T @ seen
    total = member.T @ np.where(seen, values, 0.0)
    means = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    n = count.sum(axis=0)
    grand = np.divide(total.sum(axis=0), n, out=np.zeros_like(n), where=n > 0)
    within = np.where(seen, (values - means[codes]) ** 2, 0.0).sum(axis=0)
    groups = (count > 0).sum(axis=0)
    error = within / np.maximum(n - groups, 1.0)
    between = (count * (means - grand) ** 2).sum(axis=0) / np.maximum(groups - 1.0, 1.0)
    size = (n - (count**2).sum(axis=0) / np.maximum(n, 1.0)) / np.maximum(groups - 1.0, 1.0)
    tau = np.maximum(0.0, between - error) / np.maximum(size, 1e-300)
    bottom = tau * count + error
    share = np.divide(tau * count, bottom, out=np.zeros_like(bottom), where=bottom > 0)
    return np.asarray(np.where(count > 0, share * (means - grand), 0.0))


def _coded(
    table: MarkerTable, covariates: tuple[tuple[str, tuple[str, ...]], ...]
) -> tuple[Floats, list[str]]:
    """Return columns of covariates by treatment coding; a level not known counts as the first."""
    blocks, names = [np.empty((len(table), 0))], list[str]()
    for name, levels in covariates:
        column = table.covariates[name]
        if isinstance(column, Factor) != bool(levels):
            raise InputError(f"the covariate {name} holds numbers here and words there")
        if isinstance(column, Factor):
            blocks.append(np.array([[x == y for y in levels[1:]] for x in column.labels], float))
            names += [f"{name}[{level}]" for level in levels[1:]]
        else:
            blocks.append(column[:, None])
            names.append(name)
    return np.hstack(blocks), names


def _median(x: Floats) -> Floats:
    """Return medians of columns without NaN; 0 where a column is empty."""
    found = np.zeros(x.shape[1])
    some = ~np.isnan(x).all(axis=0)
    found[some] = np.nanmedian(x[:, some], axis=0)
    return found


def _welch(x: Floats, outcome: NDArray[np.bool_]) -> Floats:
    a, b = x[outcome], x[~outcome]
    if min(len(a), len(b)) < 2:
        return np.zeros(x.shape[1])
    error = np.sqrt(a.var(axis=0, ddof=1) / len(a) + b.var(axis=0, ddof=1) / len(b))
    gap = a.mean(axis=0) - b.mean(axis=0)
    return np.asarray(np.divide(gap, error, out=np.zeros_like(gap), where=error > 0.0))
