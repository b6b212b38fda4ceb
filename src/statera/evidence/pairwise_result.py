"""What a pairwise synthesis was asked for, and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, UsageError
from statera.evidence.effects import Effects
from statera.evidence.heterogeneity import TauSquaredInterval, TauSquaredIntervalMethod
from statera.evidence.prediction import PredictionConvention, PredictionInterval
from statera.numerics.intervals_exact import check_level, normal_quantile
from statera.numerics.tau_squared import TauSquaredMethod, tau_squared_method

__all__ = ["COMMON_EFFECT", "PairwiseOptions", "PairwiseResult", "PairwiseStatus", "PairwiseTest"]

Floats = NDArray[np.float64]

#: Name of the model without variance between studies.
COMMON_EFFECT = "EE"
_COMMON_NAMES = frozenset({"ee", "fe", "ce", "common", "fixed"})


class PairwiseTest(StrEnum):
    """How coefficients are tested."""

    WALD = "z"
    HARTUNG_KNAPP = "knha"
    HARTUNG_KNAPP_AD_HOC = "adhoc"


_TEST_NAMES = {
    "z": PairwiseTest.WALD,
    "wald": PairwiseTest.WALD,
    "knha": PairwiseTest.HARTUNG_KNAPP,
    "hksj": PairwiseTest.HARTUNG_KNAPP,
    "hartung-knapp": PairwiseTest.HARTUNG_KNAPP,
    "adhoc": PairwiseTest.HARTUNG_KNAPP_AD_HOC,
    "hartung-knapp-adhoc": PairwiseTest.HARTUNG_KNAPP_AD_HOC,
}


class PairwiseStatus(StrEnum):
    """Outcome of a synthesis, each a sentence."""

    OK = "ok"
    ONE_STUDY = "only one study: its own effect is shown, and nothing is known of others"
    NO_STUDY = "no study has an effect that can be pooled"
    TOO_FEW_STUDIES = "not more studies than coefficients: nothing is left to judge the spread by"
    DEPENDENT_MODERATORS = "the moderators depend on each other, so their effects cannot be told"


@dataclass(frozen=True)
class PairwiseOptions:
    """How studies are pooled.

    Attributes
    ----------
    tau2
        Estimator (`TauSquaredMethod`), or ``EE`` (also ``common``, ``fixed``) for a common effect.
    test
        ``z`` (Wald), ``knha`` (Hartung-Knapp) or ``adhoc`` (Hartung-Knapp, never narrower than
        Wald); ``hartung-knapp`` and ``hartung-knapp-adhoc`` mean the same.
    level
        Of all intervals.
    prediction
        Convention of the prediction interval.
    tau2_interval
        Q-profile, profile likelihood (ML and REML), or none.
    weights
        (k,) given weights of the mean, and of GENQ; reciprocal variances are GENQ's default.
    """

    tau2: TauSquaredMethod | str = TauSquaredMethod.REML
    test: PairwiseTest | str = PairwiseTest.WALD
    level: float = 0.95
    prediction: PredictionConvention | str = PredictionConvention.AS_TEST
    tau2_interval: TauSquaredIntervalMethod | str = TauSquaredIntervalMethod.Q_PROFILE
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        name = str(self.tau2).strip().lower()
        chosen = COMMON_EFFECT if name in _COMMON_NAMES else tau_squared_method(self.tau2)
        object.__setattr__(self, "tau2", chosen)
        test = _TEST_NAMES.get(str(self.test).strip().lower())
        if test is None:
            raise UsageError(
                f"'{self.test}' is no test of a pooled effect",
                where="test",
                hint=f"Known: {', '.join(_TEST_NAMES)}.",
            )
        object.__setattr__(self, "test", test)
        check_level(self.level)
        for what, kind in (
            ("prediction", PredictionConvention),
            ("tau2_interval", TauSquaredIntervalMethod),
        ):
            try:
                object.__setattr__(self, what, kind(getattr(self, what)))
            except ValueError:
                raise UsageError(
                    f"'{getattr(self, what)}' is not known",
                    where=what,
                    hint=f"Known: {', '.join(kind)}.",
                ) from None
        if self.weights is not None:
            weights = tuple(float(w) for w in self.weights)
            if not all(np.isfinite(w) and w > 0.0 for w in weights):
                raise InputError("a weight is not above 0", where="weights")
            object.__setattr__(self, "weights", weights)

    @property
    def is_common(self) -> bool:
        """True for a common effect."""
        return self.tau2 == COMMON_EFFECT

    @property
    def uses_t(self) -> bool:
        """True where coefficients are tested by t and F."""
        return self.test is not PairwiseTest.WALD


@dataclass(frozen=True)
class PairwiseResult:
    """A pooled effect, or a regression of effects on moderators.

    Attributes
    ----------
    effects
        The k studies that were used.
    options
    status
        `PairwiseStatus`; numbers that do not exist are NaN.
    terms
        Names of the p coefficients; ``intercept`` alone without moderators.
    design : (k, p) float64
    beta, se, statistic, p_value, ci_low, ci_high : (p,) float64
        On the pooled scale.
    covariance : (p, p) float64
    df
        Of t; NaN for the normal test.
    scale
        Hartung and Knapp's factor of the variance before any limit; NaN for the normal test.
    tau2, se_tau2
        Variance between studies; 0 and NaN for a common effect.
    tau2_truncated
        True where the estimate would have been below 0.
    ci_tau2
        None where there is none.
    i2, h2, r2
        I2 and R2 in per cent; R2 is NaN without moderators.
    q, q_df, q_p
        Test of (residual) heterogeneity, Q or QE.
    qm, qm_df, qm_p
        Test of all coefficients but the intercept (of the intercept where it is alone): chi-square
        with ``qm_df[0]``, or F with both.
    prediction
        Of the effect in a new study; None for a common effect or with moderators.
    weights : (k,) float64
        Per cent.
    log_likelihood, deviance, aic, bic, aicc
        Restricted for REML, else full.
    omitted
        Name and reason of the studies without a usable effect.
    notes
        What a reader must know, as sentences.
    tau2_is_given
        True where tau2 was known beforehand.
    """

    effects: Effects
    options: PairwiseOptions
    status: PairwiseStatus
    terms: tuple[str, ...]
    design: Floats
    beta: Floats
    se: Floats
    statistic: Floats
    p_value: Floats
    ci_low: Floats
    ci_high: Floats
    covariance: Floats
    df: float
    scale: float
    tau2: float
    se_tau2: float
    tau2_truncated: bool
    ci_tau2: TauSquaredInterval | None
    i2: float
    h2: float
    r2: float
    q: float
    q_df: int
    q_p: float
    qm: float
    qm_df: tuple[int, float]
    qm_p: float
    prediction: PredictionInterval | None
    weights: Floats
    log_likelihood: float
    deviance: float
    aic: float
    bic: float
    aicc: float
    omitted: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    tau2_is_given: bool = False

    @property
    def k(self) -> int:
        """Number of studies used."""
        return len(self.effects)

    @property
    def p(self) -> int:
        """Number of coefficients."""
        return len(self.terms)

    @property
    def has_moderators(self) -> bool:
        """True for a regression."""
        return self.terms != ("intercept",)

    @property
    def estimate(self) -> float:
        """First coefficient: the pooled effect where there are no moderators."""
        return float(self.beta[0])

    @property
    def interval(self) -> tuple[float, float]:
        """Confidence interval of the first coefficient, on the pooled scale."""
        return float(self.ci_low[0]), float(self.ci_high[0])

    @property
    def natural(self) -> tuple[float, float, float]:
        """Pooled effect with its interval on the natural scale, such as an odds ratio."""
        values = self.effects.natural([self.estimate, *self.interval])
        return float(values[0]), float(values[1]), float(values[2])

    @property
    def wald_interval(self) -> tuple[float, float]:
        """Interval of the first coefficient that takes tau2 for known, whatever the test."""
        if not self.options.uses_t or not self.scale > 0.0:
            return self.interval
        limited = self.options.test is PairwiseTest.HARTUNG_KNAPP_AD_HOC
        factor = max(self.scale, 1.0) if limited else self.scale
        reach = normal_quantile(self.options.level) * float(self.se[0]) / factor**0.5
        return self.estimate - reach, self.estimate + reach

    @property
    def fitted(self) -> Floats:
        """(k,) float64, effects that the coefficients give."""
        return np.asarray(self.design @ self.beta)
