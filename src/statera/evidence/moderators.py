"""Moderators: what a meta-regression predicts, and subgroups.

Subgroups are pooled one by one, each with its own tau2 or all with one; the test between them is
the weighted sum of squares of their means, by chi-square (Borenstein and others, Introduction to
Meta-Analysis, 2009, chapter 19).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from statera.errors import InputError
from statera.evidence.effects import Effects
from statera.evidence.pairwise import pairwise
from statera.evidence.pairwise_result import PairwiseOptions, PairwiseResult, PairwiseStatus
from statera.evidence.prediction import PredictionConvention, PredictionInterval, quantile_of

__all__ = ["Prediction", "Subgroups", "predict", "subgroups"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Prediction:
    """Means that a fit gives for new values of its moderators.

    Attributes
    ----------
    mean, se, ci_low, ci_high, pi_low, pi_high : (n,) float64
        On the pooled scale; the last two are where the effect of a new study may lie.
    interval
        Convention of the prediction limits.
    """

    mean: Floats
    se: Floats
    ci_low: Floats
    ci_high: Floats
    pi_low: Floats
    pi_high: Floats
    interval: PredictionInterval


def predict(result: PairwiseResult, rows: ArrayLike) -> Prediction:
    """Return the means at rows of a design.

    Parameters
    ----------
    result
        Of `pairwise`.
    rows : (n, p) or (n, p - 1) float64
        Values of the columns; without the intercept a column of ones is put in front. One value a
        row may be given as (n,).

    Raises
    ------
    InputError
        If the number of columns does not fit.
    """
    x = np.atleast_1d(np.asarray(rows, dtype=np.float64))
    if x.ndim == 1:
        x = x[:, None]
    if x.shape[1] == result.p - 1 and result.terms[0] == "intercept":
        x = np.column_stack([np.ones(x.shape[0]), x])
    if x.shape[1] != result.p:
        raise InputError(
            f"{x.shape[1]} columns were given for {result.p} coefficients",
            where="rows",
            hint=f"The coefficients are {', '.join(result.terms)}.",
        )
    options = result.options
    mean = x @ result.beta
    variance = np.einsum("ij,jk,ik->i", x, result.covariance, x)
    se = np.sqrt(variance)
    k, p = result.k, result.p
    as_test = PredictionConvention.AS_TEST
    _, quantile, _ = quantile_of(as_test, options.level, k, p, options.uses_t)
    meant, reach, df = quantile_of(
        PredictionConvention(options.prediction), options.level, k, p, options.uses_t
    )
    wide = reach * np.sqrt(variance + result.tau2)
    first = PredictionInterval(
        float(mean[0] - wide[0]), float(mean[0] + wide[0]), meant, df, options.level
    )
    return Prediction(
        mean, se, mean - quantile * se, mean + quantile * se, mean - wide, mean + wide, first
    )


@dataclass(frozen=True)
class Subgroups:
    """Pooled effects of subgroups and the test between them.

    Attributes
    ----------
    names
        Of the subgroups, in order of appearance.
    results
        One synthesis a subgroup.
    overall
        Of all studies together.
    q_between, df, p_value
        Test that all subgroups have one mean; NaN where fewer than two could be pooled.
    common_tau2
        True where all subgroups were pooled with one tau2.
    notes
    """

    names: tuple[str, ...]
    results: tuple[PairwiseResult, ...]
    overall: PairwiseResult
    q_between: float
    df: int
    p_value: float
    common_tau2: bool
    notes: tuple[str, ...] = ()


def subgroups(
    effects: Effects,
    options: PairwiseOptions | None = None,
    groups: Sequence[Any] | None = None,
    *,
    common_tau2: bool = False,
) -> Subgroups:
    """Pool each subgroup, and test whether they differ.

    Parameters
    ----------
    effects
    options
        As of `pairwise`.
    groups
        (k,) names; ``effects.group`` where not given.
    common_tau2
        Estimate one tau2 from the spread within all subgroups, for small ones.

    Raises
    ------
    InputError
        If there are no groups.
    """
    chosen = options if options is not None else PairwiseOptions()
    labels = tuple(str(g) for g in groups) if groups is not None else effects.group
    if len(labels) != len(effects):
        raise InputError(
            f"{len(labels)} names of subgroups for {len(effects)} studies",
            where="groups",
            hint="Name the subgroup of each study.",
        )
    names = tuple(dict.fromkeys(labels))
    fixed = None
    if common_tau2 and not chosen.is_common and len(names) > 1:
        fixed = pairwise(effects, chosen, {"group": labels}).tau2
    found = tuple(
        pairwise(
            effects.take([i for i, label in enumerate(labels) if label == name]),
            chosen,
            fixed_tau2=fixed,
        )
        for name in names
    )
    pooled = [r for r in found if r.status in (PairwiseStatus.OK, PairwiseStatus.ONE_STUDY)]
    q, df, p = float("nan"), max(len(pooled) - 1, 0), float("nan")
    if df > 0:
        mean = np.array([r.estimate for r in pooled])
        w = 1.0 / np.array([r.se[0] for r in pooled]) ** 2
        q = float(w @ (mean - (w @ mean) / w.sum()) ** 2)
        p = float(chdtrc(df, q))
    notes = tuple(
        f"subgroup '{name}' has one study, whose error takes no spread between studies into account"
        for name, r in zip(names, found, strict=True)
        if r.status is PairwiseStatus.ONE_STUDY and not chosen.is_common and fixed is None
    )
    overall = pairwise(replace(effects, group=labels), chosen)
    return Subgroups(names, found, overall, q, df, p, fixed is not None, notes)
