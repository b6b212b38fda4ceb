"""What every method of pooling has in common: an effect with its interval, and how studies spread.

Figures, tables of findings and summaries take this, whatever method it came from. Numbers that a
method does not have are NaN, and weights that it does not have are absent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from statera.evidence.bayesian import BayesianResult
from statera.evidence.cluster_robust import RobustVariance
from statera.evidence.effects import Effects
from statera.evidence.multilevel import MultilevelResult
from statera.evidence.pairwise_result import PairwiseResult, PairwiseTest
from statera.evidence.prediction import PredictionConvention, prediction_interval
from statera.evidence.rare_events import RareEvents
from statera.evidence.rare_glmm import GlmmResult

__all__ = [
    "PooledEffect",
    "pooled_by_bayes",
    "pooled_by_glmm",
    "pooled_by_levels",
    "pooled_by_pairwise",
    "pooled_robustly",
    "pooled_without_correction",
]

Floats = NDArray[np.float64]
NAN = math.nan

_TESTS = {
    PairwiseTest.WALD: "Wald",
    PairwiseTest.HARTUNG_KNAPP: "Hartung-Knapp",
    PairwiseTest.HARTUNG_KNAPP_AD_HOC: "Hartung-Knapp, never narrower than Wald",
}


@dataclass(frozen=True)
class PooledEffect:
    """An effect pooled from several studies, on the pooled scale (logarithms of ratios).

    Attributes
    ----------
    effects
        The studies used.
    method
        In words, such as ``REML, Wald``.
    estimate, se, low, high, p
        With its interval; `p` of no effect is NaN for posteriors.
    level
        Of all intervals.
    statistic, df
        z, or t with `df`; NaN for posteriors.
    tau2, i2
        Variance between studies, and its share in per cent; 0 and the share by Q for methods that
        take one effect for all.
    q, q_df, q_p
        Test of heterogeneity.
    random
        False for methods that take one effect for all studies.
    is_posterior
        True where intervals are credible ones.
    tau2_interval
    prediction
        Limits of the effect of a new study.
    prediction_name
        Its convention.
    weights : (k,) float64 or None
        Per cent.
    """

    effects: Effects
    method: str
    estimate: float
    se: float
    low: float
    high: float
    p: float
    level: float = 0.95
    statistic: float = NAN
    df: float = NAN
    tau2: float = NAN
    i2: float = NAN
    q: float = NAN
    q_df: int = 0
    q_p: float = NAN
    random: bool = True
    is_posterior: bool = False
    tau2_interval: tuple[float, float] | None = None
    prediction: tuple[float, float] | None = None
    prediction_name: str = ""
    weights: Floats | None = None

    @property
    def k(self) -> int:
        """Studies used."""
        return len(self.effects)

    @property
    def measure(self) -> str:
        """Code of the measure."""
        return self.effects.measure

    @property
    def natural(self) -> tuple[float, float, float]:
        """Estimate and limits on the natural scale."""
        values = self.effects.natural([self.estimate, self.low, self.high])
        return float(values[0]), float(values[1]), float(values[2])

    @property
    def natural_prediction(self) -> tuple[float, float] | None:
        """Limits of the effect of a new study on the natural scale."""
        if self.prediction is None or math.isnan(self.prediction[0]):
            return None
        values = self.effects.natural(self.prediction)
        return float(values[0]), float(values[1])


def pooled_by_pairwise(result: PairwiseResult) -> PooledEffect:
    """Return the pooled effect of inverse-variance weights; without moderators."""
    options = result.options
    test = _TESTS[PairwiseTest(options.test)]
    interval, pi = result.ci_tau2, result.prediction
    one = result.k == 1
    return PooledEffect(
        result.effects,
        "one study" if one else f"{'common effect' if options.is_common else options.tau2}, {test}",
        result.estimate, float(result.se[0]), *result.interval, float(result.p_value[0]),
        options.level, float(result.statistic[0]), result.df, result.tau2, result.i2, result.q,
        result.q_df, result.q_p, random=not options.is_common,
        tau2_interval=(interval.low, interval.high) if interval is not None else None,
        prediction=(pi.low, pi.high) if pi is not None else None,
        prediction_name=str(pi.convention) if pi is not None else "",
        weights=result.weights,
    )  # fmt: skip


def pooled_without_correction(
    found: RareEvents, effects: Effects, weights: Floats, level: float
) -> PooledEffect:
    """Return the pooled effect of Mantel-Haenszel's or Peto's method."""
    return PooledEffect(
        effects, found.method, found.estimate, found.se, *found.interval, found.p, level, found.z,
        tau2=0.0, i2=found.i2, q=found.q, q_df=found.q_df, q_p=found.q_p, random=False,
        weights=weights,
    )  # fmt: skip


def pooled_by_glmm(found: GlmmResult, effects: Effects, level: float, random: bool) -> PooledEffect:
    """Return the pooled effect of a mixed model; its test of heterogeneity is the likelihood ratio.

    The prediction interval takes the normal quantile.
    """
    tests = found.heterogeneity
    pi = None
    if random and found.studies > 1 and math.isfinite(found.tau2):
        pi = prediction_interval(
            found.estimate, found.se, found.tau2, PredictionConvention.NORMAL, level=level,
            k=found.studies,
        )  # fmt: skip
    return PooledEffect(
        effects, f"{found.model} mixed model" if "M." in found.model else "mixed model",
        found.estimate, found.se, *found.interval, found.p, level, found.z, tau2=found.tau2,
        i2=found.i2,
        q=tests.likelihood_ratio if tests else NAN, q_df=tests.df if tests else 0,
        q_p=tests.likelihood_ratio_p if tests else NAN,
        random=random, tau2_interval=found.tau2_interval,
        prediction=(pi.low, pi.high) if pi is not None else None,
        prediction_name="z" if pi is not None else "",
    )  # fmt: skip


def pooled_by_bayes(found: BayesianResult, effects: Effects) -> PooledEffect:
    """Return the posterior of the mean: median, SD and credible interval."""
    return PooledEffect(
        effects, f"Bayes, {found.prior.family} prior of tau, scale {found.prior.scale:g}",
        found.mu.median, found.mu.sd, *found.mu.interval, NAN, found.level,
        tau2=found.tau.median**2, is_posterior=True,
        tau2_interval=(found.tau.interval[0] ** 2, found.tau.interval[1] ** 2),
        prediction=found.new_study.interval, prediction_name="posterior",
    )  # fmt: skip


def pooled_by_levels(
    found: MultilevelResult, effects: Effects, level: float, weights: Floats | None = None
) -> PooledEffect:
    """Return the mean of nested random effects; tau2 is the sum of the variances."""
    tau2 = float(found.sigma2.sum())
    pi = prediction_interval(
        float(found.beta[0]), float(found.se[0]), tau2, PredictionConvention.NORMAL, level=level,
        k=len(effects),
    )  # fmt: skip
    return PooledEffect(
        effects, f"{len(found.sigma2) + 1} levels, {found.method}, Wald",
        float(found.beta[0]), float(found.se[0]), float(found.low[0]), float(found.high[0]),
        float(found.p[0]), level, float(found.z[0]), tau2=tau2, q=found.q, q_df=found.q_df,
        q_p=found.q_p, prediction=(pi.low, pi.high), prediction_name="z", weights=weights,
    )  # fmt: skip


def pooled_robustly(plain: PooledEffect, found: RobustVariance) -> PooledEffect:
    """Return the effect with a cluster-robust error; prediction by t with its degrees of freedom.

    Parameters
    ----------
    plain
        By the model's own error.
    found
        Of the same fit.
    """
    se, df = float(found.se[0]), float(found.df[0])
    prediction = None
    if plain.random and math.isfinite(plain.tau2):
        reach = float(stdtrit(df, 0.5 + plain.level / 2.0)) * math.sqrt(plain.tau2 + se**2)
        prediction = (plain.estimate - reach, plain.estimate + reach)
    return replace(
        plain, method=f"{plain.method.removesuffix(', Wald')}, {found.kind} by {found.clusters} "
        "clusters", estimate=float(found.beta[0]), se=se, low=float(found.low[0]),
        high=float(found.high[0]), p=float(found.p[0]), statistic=float(found.t[0]), df=df,
        prediction=prediction, prediction_name=f"t({df:.3g})" if prediction else "",
    )  # fmt: skip
