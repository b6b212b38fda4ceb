"""Whether small studies differ: regression and rank tests, trim and fill, fail-safe numbers.

None of these tells publication bias from other reasons why small studies show larger effects, and
with fewer than ten studies they find little (Sterne and others, BMJ 2011;343:d4002).

Regression: Egger and others, BMJ 1997;315:629 (``classical``), and mixed-effects regression on
standard error, variance or sample size (Sterne and Egger 2005). Rank: Begg and Mazumdar, Biometrics
1994;50:1088. Trim and fill: Duval and Tweedie, Biometrics 2000;56:455. Fail-safe numbers:
Rosenthal, Psychol Bull 1979;86:638; Orwin, J Educ Stat 1983;8:157; Rosenberg, Evolution
2005;59:464.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtr, stdtrit

from statera.errors import InputError
from statera.evidence.effects import Effects
from statera.evidence.pairwise import pairwise
from statera.evidence.pairwise_result import PairwiseResult, PairwiseStatus
from statera.numerics.weighted_fit import weighted_fit

__all__ = [
    "FailSafe",
    "FailSafeKind",
    "RankTest",
    "RegressionPredictor",
    "RegressionTest",
    "TrimAndFill",
    "TrimEstimator",
    "fail_safe_number",
    "rank_test",
    "regression_test",
    "trim_and_fill",
]

Floats = NDArray[np.float64]
ENOUGH = 10


class RegressionPredictor(StrEnum):
    """What the effect is regressed on."""

    STANDARD_ERROR = "standard error"
    VARIANCE = "variance"
    SIZE = "size"
    INVERSE_SIZE = "1/size"
    ROOT_SIZE = "root of size"
    INVERSE_ROOT_SIZE = "1/root of size"


@dataclass(frozen=True)
class RegressionTest:
    """Regression of effects on the precision of their studies.

    Attributes
    ----------
    slope, se
        Of the predictor.
    statistic, df, p_value
        t with `df`, or z where `df` is NaN.
    limit, limit_low, limit_high
        Effect that a study of infinite size would have; NaN where the predictor does not vanish
        there.
    predictor
    classical
        True for Egger's weighted regression with a factor on the variance, False for mixed effects.
    notes
    """

    slope: float
    se: float
    statistic: float
    df: float
    p_value: float
    limit: float
    limit_low: float
    limit_high: float
    predictor: RegressionPredictor
    classical: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class RankTest:
    """Kendall's correlation of standardised effects with their variances."""

    tau: float
    p_value: float
    exact: bool
    notes: tuple[str, ...] = ()


class TrimEstimator(StrEnum):
    """Estimator of the number of missing studies."""

    L0 = "L0"
    R0 = "R0"
    Q0 = "Q0"


@dataclass(frozen=True)
class TrimAndFill:
    """Studies filled in opposite to those that have no counterpart.

    Attributes
    ----------
    missing, se
        Estimated number and its standard error.
    side
        ``left`` or ``right``: where studies are missing.
    estimator
    p_value
        Of no missing studies; NaN but for R0.
    result
        The synthesis of all studies, filled ones included.
    filled : (k + missing,) bool
        Which studies were filled in.
    notes
    """

    missing: int
    se: float
    side: str
    estimator: TrimEstimator
    p_value: float
    result: PairwiseResult
    filled: NDArray[np.bool_]
    notes: tuple[str, ...] = ()


class FailSafeKind(StrEnum):
    """Which fail-safe number."""

    ROSENTHAL = "Rosenthal"
    ORWIN = "Orwin"
    ROSENBERG = "Rosenberg"


@dataclass(frozen=True)
class FailSafe:
    """Studies of no effect that would undo a result; infinite where none could."""

    number: float
    kind: FailSafeKind


def regression_test(
    result: PairwiseResult,
    predictor: RegressionPredictor | str = RegressionPredictor.STANDARD_ERROR,
    *,
    classical: bool = False,
    sizes: ArrayLike | None = None,
) -> RegressionTest:
    """Test whether effects depend on the precision of their studies.

    Parameters
    ----------
    result
        Its estimator of tau2 and its test are used again.
    predictor
    classical
        Egger's weighted least squares with an estimated factor on the variances.
    sizes : (k,) float64
        Members of the studies used, for the predictors that need them.

    Raises
    ------
    InputError
        If there are fewer than three studies, all have the same precision, or sizes are missing.
    """
    _need(result, 3)
    chosen = RegressionPredictor(predictor)
    column = _predictor(result, chosen, sizes)
    x = np.column_stack([result.design, column])
    if np.linalg.matrix_rank(x / np.abs(x).max(axis=0)) < x.shape[1]:
        raise InputError(
            f"the {chosen} of all studies is the same, so nothing can depend on it",
            where="predictor",
        )
    vanishes = chosen not in (RegressionPredictor.SIZE, RegressionPredictor.ROOT_SIZE)
    limited = vanishes and not result.has_moderators
    notes = _few(result.k)
    if classical:
        return _classical(result, x, chosen, limited, notes)
    fit = pairwise(result.effects, result.options, x)
    j = x.shape[1] - 1
    limit = (fit.estimate, *fit.interval) if limited else (math.nan,) * 3
    return RegressionTest(
        float(fit.beta[j]), float(fit.se[j]), float(fit.statistic[j]), fit.df,
        float(fit.p_value[j]), *limit, chosen, False, notes,
    )  # fmt: skip


def _predictor(
    result: PairwiseResult, predictor: RegressionPredictor, sizes: ArrayLike | None
) -> Floats:
    v = result.effects.v
    if predictor is RegressionPredictor.STANDARD_ERROR:
        return np.asarray(np.sqrt(v))
    if predictor is RegressionPredictor.VARIANCE:
        return v
    if sizes is None:
        raise InputError(
            f"the predictor '{predictor}' needs the members of the studies", where="sizes"
        )
    n = np.asarray(sizes, dtype=np.float64)
    if n.shape != v.shape or not (n > 0.0).all():
        raise InputError("one size above 0 is needed for each study used", where="sizes")
    match predictor:
        case RegressionPredictor.SIZE:
            return n
        case RegressionPredictor.INVERSE_SIZE:
            return np.asarray(1.0 / n)
        case RegressionPredictor.ROOT_SIZE:
            return np.asarray(np.sqrt(n))
        case _:
            return np.asarray(1.0 / np.sqrt(n))


def _classical(
    result: PairwiseResult, x: Floats, predictor: RegressionPredictor, limited: bool,
    notes: tuple[str, ...],
) -> RegressionTest:  # fmt: skip
    k, p = x.shape
    fit = weighted_fit(result.effects.y, result.effects.v, x, 0.0)
    df = k - p
    se = np.sqrt(np.diag(fit.covariance) * fit.q / df)
    t = float(fit.beta[-1] / se[-1])
    limit = (math.nan,) * 3
    if limited:
        reach = float(stdtrit(df, 0.5 + result.options.level / 2.0)) * float(se[0])
        middle = float(fit.beta[0])
        limit = (middle, middle - reach, middle + reach)
    return RegressionTest(
        float(fit.beta[-1]), float(se[-1]), t, float(df), 2.0 * float(stdtr(df, -abs(t))),
        *limit, predictor, True, notes,
    )  # fmt: skip


def rank_test(result: PairwiseResult) -> RankTest:
    """Correlate standardised effects with their variances, by ranks.

    Exact without ties, by the normal approximation with them.

    Raises
    ------
    InputError
        If there are moderators or fewer than three studies.
    """
    _need(result, 3)
    _need_mean(result)
    from scipy.stats import kendalltau  # noqa: PLC0415 - slow to import, needed here only

    y, v = result.effects.y, result.effects.v
    total = float(np.sum(1.0 / v))
    mean = float(np.sum(y / v)) / total
    scaled = (y - mean) / np.sqrt(v - 1.0 / total)
    exact = np.unique(scaled).size == y.size and np.unique(v).size == y.size
    found = kendalltau(scaled, v, method="exact" if exact else "asymptotic")
    return RankTest(float(found.statistic), float(found.pvalue), bool(exact), _few(result.k))


def trim_and_fill(
    result: PairwiseResult,
    estimator: TrimEstimator | str = TrimEstimator.L0,
    side: str | None = None,
) -> TrimAndFill:
    """Estimate how many studies are missing on one side, and pool with them filled in.

    Parameters
    ----------
    result
        Its estimator of tau2 and its test are used throughout.
    estimator
    side
        ``left`` or ``right``; where not given, the side to which the regression on standard errors
        points.

    Raises
    ------
    InputError
        If there are moderators or fewer than two studies, or the search goes round in circles.
    """
    _need(result, 3 if side is None else 2)
    _need_mean(result)
    chosen = TrimEstimator(estimator)
    if side is None:
        side = "right" if regression_test(result).slope < 0.0 else "left"
    if side not in ("left", "right"):
        raise InputError(f"'{side}' is no side", where="side", hint="Give left or right.")
    sign = -1.0 if side == "right" else 1.0
    order = np.argsort(sign * result.effects.y, kind="stable")
    y, v = sign * result.effects.y[order], result.effects.v[order]
    missing, spread, mean = _count_missing(result, y, v, chosen)
    p_value = math.nan
    if chosen is TrimEstimator.R0:
        # a run of more ranks on one side than that, each of probability 1/2
        p_value = 0.5 ** (missing + 1)
    names = tuple(f"filled {i + 1}" for i in range(missing))
    k = result.k
    if not missing:
        filled = np.zeros(k, dtype=bool)
        return TrimAndFill(0, spread, side, chosen, p_value, result, filled, _few(k))
    mirrored = 2.0 * sign * mean - sign * y[k - missing :]
    old = result.effects
    effects = Effects(
        old.measure,
        np.concatenate([old.y, mirrored]),
        np.concatenate([old.v, v[k - missing :]]),
        old.names + names,
        old.log,
        notes=old.notes,
    )
    options = result.options
    if options.weights is not None:
        raise InputError("studies filled in have no given weights", where="weights")
    filled = np.concatenate([np.zeros(k, dtype=bool), np.ones(missing, dtype=bool)])
    return TrimAndFill(
        missing, spread, side, chosen, p_value, pairwise(effects, options), filled, _few(k)
    )


def _count_missing(
    result: PairwiseResult, y: Floats, v: Floats, estimator: TrimEstimator
) -> tuple[int, float, float]:
    """Return the number of missing studies, its error and the mean of the trimmed studies.

    `y` is sorted, with the missing studies on its left.
    """
    k = y.size
    options = replace(result.options, tau2_interval="none")
    missing = 0
    for _ in range(100):
        part = Effects("GEN", y[: k - missing], v[: k - missing], result.effects.names[missing:])
        mean = pairwise(part, options).estimate
        centred = y - mean
        ranks = np.empty(k)
        ranks[np.argsort(np.abs(centred), kind="stable")] = np.arange(1, k + 1)
        number, spread = _missing_by(estimator, np.sign(centred) * ranks)
        rounded = max(0, int(np.round(number)))
        if rounded == missing:
            return missing, spread, mean
        missing = min(rounded, k - 1)
    raise InputError(
        "trim and fill goes round in circles with these studies",
        where="estimator",
        hint="Try another estimator of the number of missing studies.",
    )


def _missing_by(estimator: TrimEstimator, signed: Floats) -> tuple[float, float]:
    k = signed.size
    if estimator is TrimEstimator.R0:
        left = -signed[signed < 0.0]
        number = k - (left.max() if left.size else 0.0) - 1.0
        return float(number), math.sqrt(2.0 * max(0.0, number) + 2.0)
    total = float(signed[signed > 0.0].sum())
    if estimator is TrimEstimator.L0:
        number = (4.0 * total - k * (k + 1)) / (2 * k - 1)
    else:
        number = k - 0.5 - math.sqrt(max(0.0, 2.0 * k**2 - 4.0 * total + 0.25))
    n = number
    variance = (
        k * (k + 1) * (2 * k + 1)
        + 10.0 * n**3
        + 27.0 * n**2
        + 17.0 * n
        - 18.0 * k * n**2
        - 18.0 * k * n
        + 6.0 * k**2 * n
    ) / 24.0
    root = math.sqrt(max(0.0, variance))
    if estimator is TrimEstimator.L0:
        return number, 4.0 * root / (2 * k - 1)
    divisor = (k - 0.5) ** 2 - n * (2 * k - n - 1)
    return number, 2.0 * root / math.sqrt(divisor) if divisor > 0.0 else math.nan


def fail_safe_number(
    effects: Effects,
    kind: FailSafeKind | str = FailSafeKind.ROSENTHAL,
    *,
    alpha: float = 0.05,
    target: float | None = None,
) -> FailSafe:
    """Return how many studies of no effect would undo the result.

    Rosenthal's tests one side at `alpha`, Rosenberg's both; Orwin's `target` is half the mean where
    not given. The number is reported because it is asked for; it is no measure of bias.
    """
    used = effects.usable()
    if len(used) == 0:
        raise InputError("no study has an effect", where="effects")
    y, w, k = used.y, 1.0 / used.v, len(used)
    chosen = FailSafeKind(kind)
    if chosen is FailSafeKind.ROSENTHAL:
        z = abs(float(np.sum(y * np.sqrt(w)))) / math.sqrt(k)
        ratio = z / float(ndtri(1.0 - alpha))
        number = k * ratio * ratio - k  # may be infinite, where a power would raise
    elif chosen is FailSafeKind.ORWIN:
        mean = float(y.mean())
        wanted = mean / 2.0 if target is None else target
        if wanted == 0.0 or wanted * mean < 0.0:
            return FailSafe(math.inf, chosen)
        number = k * (mean - wanted) / wanted
    else:
        total = float(w.sum())
        ratio = float(w @ y) / float(ndtri(1.0 - alpha / 2.0))
        number = k * (ratio * ratio - total) / total
    if not math.isfinite(number):
        return FailSafe(math.inf, chosen)
    return FailSafe(float(math.ceil(max(0.0, number))), chosen)


def _few(k: int) -> tuple[str, ...]:
    if k >= ENOUGH:
        return ()
    return (f"{k} studies are too few to tell small-study effects from chance",)


def _need(result: PairwiseResult, k: int) -> None:
    if result.status is not PairwiseStatus.OK or result.k < k:
        raise InputError(
            f"{result.k} studies are too few to look for small-study effects",
            where="result",
            hint=f"At least {k} are needed.",
        )


def _need_mean(result: PairwiseResult) -> None:
    if result.has_moderators:
        raise InputError(
            "this is made for a pooled effect without moderators",
            where="result",
            hint="Fit without moderators.",
        )
