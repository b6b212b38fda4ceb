"""Bootstrap and permutation of a pooled effect, all resamples in one batch.

Parametric bootstrap: effects are drawn from the fitted normal model, and the basic percentile
interval is given; nonparametric: whole studies are drawn with replacement. Permutation: without an
effect the sign of every study is as likely as the other (Follmann and Proschan, Biometrics
1999;55:732); all 2^k signs are taken where they are not too many.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError
from statera.evidence.effects import Effects
from statera.evidence.pairwise import PairwiseOptions, pairwise
from statera.evidence.pairwise_result import PairwiseStatus, PairwiseTest
from statera.numerics.tau_squared_batch import PooledBatch, pooled_batch

__all__ = ["Bootstrap", "BootstrapKind", "Permutation", "bootstrap", "permutation_test"]

Floats = NDArray[np.float64]
EXACT_UP_TO = 16


class BootstrapKind(StrEnum):
    """How studies are drawn anew."""

    PARAMETRIC = "parametric"
    STUDIES = "studies"


@dataclass(frozen=True)
class Bootstrap:
    """Resampled means and variances between studies.

    Attributes
    ----------
    mean, tau2 : (n,) float64
        Of each resample, on the pooled scale.
    ci_low, ci_high
        Percentile interval of the mean.
    tau2_low, tau2_high
        Percentile interval of tau2.
    failed
        Resamples whose search did not end; they are not counted in the intervals.
    kind, level, seed
    """

    mean: Floats
    tau2: Floats
    ci_low: float
    ci_high: float
    tau2_low: float
    tau2_high: float
    failed: int
    kind: BootstrapKind
    level: float
    seed: int


@dataclass(frozen=True)
class Permutation:
    """Permutation test of no effect.

    Attributes
    ----------
    p_value
        Two-sided.
    statistic
        Of the studies as they are.
    n
        Permutations used.
    exact
        True where all of them were.
    """

    p_value: float
    statistic: float
    n: int
    exact: bool


def bootstrap(
    effects: Effects,
    options: PairwiseOptions | None = None,
    *,
    n: int = 10_000,
    kind: BootstrapKind | str = BootstrapKind.PARAMETRIC,
    seed: int = 1,
) -> Bootstrap:
    """Resample the studies `n` times and pool each.

    Raises
    ------
    InputError
        If fewer than two studies can be pooled, or the estimator is not one of a batch.
    """
    chosen = options if options is not None else PairwiseOptions()
    drawn = BootstrapKind(kind)
    fit = pairwise(effects, chosen)
    _need_studies(fit.status)
    y, v = fit.effects.y, fit.effects.v
    generator = np.random.default_rng(seed)
    if drawn is BootstrapKind.PARAMETRIC:
        spread = np.sqrt(v + fit.tau2)
        sample, variances = fit.estimate + generator.standard_normal((n, y.size)) * spread, v
    else:
        rows = generator.integers(0, y.size, (n, y.size))
        sample, variances = y[rows], v[rows]
    found = pooled_batch(sample, variances, _method(chosen))
    kept = found.converged
    tails = [0.5 - 0.5 * chosen.level, 0.5 + 0.5 * chosen.level]
    low, high = np.quantile(found.mean[kept], tails)
    tau2_low, tau2_high = np.quantile(found.tau2[kept], tails)
    return Bootstrap(
        found.mean, found.tau2, float(low), float(high), float(tau2_low), float(tau2_high),
        int((~kept).sum()), drawn, chosen.level, seed,
    )  # fmt: skip


def permutation_test(
    effects: Effects,
    options: PairwiseOptions | None = None,
    *,
    n: int = 10_000,
    seed: int = 1,
) -> Permutation:
    """Test that there is no effect by the signs of the studies.

    With up to 16 studies all signs are taken, otherwise `n` random ones.

    Raises
    ------
    InputError
        If fewer than two studies can be pooled.
    """
    chosen = options if options is not None else PairwiseOptions()
    fit = pairwise(effects, chosen)
    _need_studies(fit.status)
    y, v = fit.effects.y, fit.effects.v
    k = y.size
    exact = k <= EXACT_UP_TO
    if exact:
        bits = (np.arange(2**k)[:, None] >> np.arange(k)) & 1
        signs = 1.0 - 2.0 * bits
    else:
        signs = np.random.default_rng(seed).choice([-1.0, 1.0], (n, k))
    observed = abs(float(_statistic(pooled_batch(y, v, _method(chosen)), chosen)[0]))
    size = np.abs(_statistic(pooled_batch(signs * y, v, _method(chosen)), chosen))
    # equal statistics may differ by rounding, and must count
    extreme = int((size >= observed * (1.0 - 1e-9)).sum())
    p = extreme / size.size if exact else (extreme + 1) / (size.size + 1)
    return Permutation(p, observed, size.size, exact)


def _method(options: PairwiseOptions) -> str | None:
    return None if options.is_common else str(options.tau2)


def _statistic(batch: PooledBatch, options: PairwiseOptions) -> Floats:
    scale = np.ones(batch.mean.size)
    if options.test is PairwiseTest.HARTUNG_KNAPP:
        scale = batch.scale
    elif options.test is PairwiseTest.HARTUNG_KNAPP_AD_HOC:
        scale = np.maximum(batch.scale, 1.0)
    return np.asarray(batch.mean / (batch.se * np.sqrt(scale)))


def _need_studies(status: PairwiseStatus) -> None:
    if status is not PairwiseStatus.OK:
        raise InputError(
            "fewer than two studies cannot be resampled",
            where="effects",
            hint=str(status),
        )
