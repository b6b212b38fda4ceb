"""Bayesian random effects by deterministic integration over the heterogeneity tau.

Given tau everything is normal, so mu, a new study's effect and the effects of the studies are
mixtures of normals over the posterior of tau. No random numbers are drawn.

Methods
-------
Roever, J Stat Softw 2020;93(6) (doi 10.18637/jss.v093.i06); priors: Gelman, Bayesian Anal
2006;1:515 (doi 10.1214/06-BA117A), Roever and others, Res Synth Methods 2021;12:448
(doi 10.1002/jrsm.1475). Integration: Gauss-Legendre panels on tau/(tau + s).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.special import gammaln, ndtr
from scipy.stats import norm

from statera.errors import InputError
from statera.evidence.multilevel import checked_rows
from statera.numerics.intervals_exact import check_level

__all__ = [
    "BayesianResult",
    "IntervalKind",
    "Posterior",
    "TauPrior",
    "TauPriorFamily",
    "bayesian",
]

Floats = NDArray[np.float64]
_PANELS, _NODES = 24, 24


class TauPriorFamily(StrEnum):
    """Family of the prior of tau."""

    HALF_NORMAL = "half-normal"
    HALF_CAUCHY = "half-Cauchy"
    HALF_T = "half-t"
    UNIFORM = "uniform"
    LOG_NORMAL = "lognormal"


class IntervalKind(StrEnum):
    """Which credible interval."""

    SHORTEST = "shortest"
    CENTRAL = "central"


@dataclass(frozen=True)
class TauPrior:
    """Prior of the standard deviation tau between studies.

    Attributes
    ----------
    family
        Half-normal, half-Cauchy, half-t, uniform from 0 to `scale`, or lognormal.
    scale
        Scale on tau's own scale; the median for the lognormal.
    shape
        Degrees of freedom of the half-t; standard deviation of ln tau for the lognormal.
    """

    family: TauPriorFamily | str = TauPriorFamily.HALF_NORMAL
    scale: float = 0.5
    shape: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "family", TauPriorFamily(self.family))
        if not 0.0 < self.scale < math.inf:
            raise InputError(
                f"the scale {self.scale:g} of the prior of tau is not positive", where="scale"
            )
        needs = self.family in (TauPriorFamily.HALF_T, TauPriorFamily.LOG_NORMAL)
        if needs and (self.shape is None or not 0.0 < self.shape < math.inf):
            raise InputError(
                f"a {self.family} prior needs a positive shape",
                where="shape",
                hint="Degrees of freedom for half-t, the SD of ln tau for lognormal.",
            )

    def log_density(self, tau: Floats) -> Floats:
        """Return the log density at tau >= 0."""
        z, s = tau / self.scale, self.scale
        shape = self.shape or 1.0
        match self.family:
            case TauPriorFamily.HALF_NORMAL:
                return np.asarray(-0.5 * z**2 + 0.5 * math.log(2 / math.pi) - math.log(s))
            case TauPriorFamily.UNIFORM:
                return np.where(z <= 1.0, -math.log(s), -np.inf)
            case TauPriorFamily.LOG_NORMAL:
                above = np.maximum(tau, 1e-300)  # the density falls to 0 at tau = 0
                u = np.log(above / self.scale) / shape
                constant = math.log(shape) + 0.5 * math.log(2 * math.pi)
                return np.asarray(-0.5 * u**2 - np.log(above) - constant)
            case _:
                df = 1.0 if self.family is TauPriorFamily.HALF_CAUCHY else shape
                constant = gammaln((df + 1) / 2) - gammaln(df / 2)
                constant += math.log(2 / s) - 0.5 * math.log(df * math.pi)
                return np.asarray(constant - (df + 1) / 2 * np.log1p(z**2 / df))

    @property
    def tail(self) -> float:
        """The density falls as tau to the power of minus this; infinite for light tails."""
        if self.family is TauPriorFamily.HALF_CAUCHY:
            return 2.0
        return (self.shape or 1.0) + 1.0 if self.family is TauPriorFamily.HALF_T else math.inf


@dataclass(frozen=True)
class Posterior:
    """Summary of one quantity: mode, median, mean, SD and credible interval.

    With two studies and a half-Cauchy prior the tail is so heavy that the SD does not exist: it is
    infinite here, and a mean that does not exist is NaN.
    """

    mode: float
    median: float
    mean: float
    sd: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class BayesianResult:
    """Posterior of a random-effects synthesis.

    Attributes
    ----------
    tau, mu, new_study
        Heterogeneity, mean effect, and the effect of a study not yet done (prediction).
    studies : (k,)
        Shrunken effects of the studies.
    shrinkage : (k,) float64
        Posterior mean share of the pooled mean in each of them.
    log_evidence
        Log marginal likelihood; NaN under a flat prior of mu, which has none.
    prior, mu_prior
        As given; `mu_prior` None means flat.
    interval, level
        Which intervals.
    """

    tau: Posterior
    mu: Posterior
    new_study: Posterior
    studies: tuple[Posterior, ...]
    shrinkage: Floats
    log_evidence: float
    prior: TauPrior
    mu_prior: tuple[float, float] | None
    interval: IntervalKind
    level: float


def bayesian(
    y: ArrayLike,
    v: ArrayLike,
    prior: TauPrior | None = None,
    mu_prior: tuple[float, float] | None = None,
    interval: IntervalKind | str = IntervalKind.SHORTEST,
    level: float = 0.95,
) -> BayesianResult:
    """Return the posterior of a random-effects synthesis.

    Parameters
    ----------
    y, v : (k,)
        Effects and sampling variances; ratios on the log scale.
    prior
        Of tau; half-normal with scale 0.5 unless given.
    mu_prior
        Mean and standard deviation of a normal prior of mu; flat unless given.
    interval
        Shortest (unimodal posteriors) or central.
    level
        Credibility.

    Raises
    ------
    InputError
        If a variance is not positive, or there is one study and a flat prior of mu.
    """
    check_level(level)
    prior, kind = prior or TauPrior(), IntervalKind(interval)
    if mu_prior is not None and not 0.0 < mu_prior[1] < math.inf:
        raise InputError("the SD of the prior of mu is not positive", where="mu_prior")
    # A proper prior of mu allows even one study; a flat one does not.
    columns = None if mu_prior is None else np.ones((np.size(y), 0))
    effects, variances, _ = checked_rows(y, v, columns)
    grid = _Grid.of(effects, variances, prior, mu_prior)
    tau, weight = grid.tau, grid.weight
    mean, precision = _conditional(effects, variances, tau, mu_prior)
    spread2 = 1.0 / precision
    # The likelihood falls as tau^-(k - 1), or tau^-k under a normal prior of mu: moments of tau
    # exist below this order.
    order = prior.tail + effects.size - (1 if mu_prior is None else 0) - 1.0
    tau2 = tau**2
    share = variances[:, None] / (variances[:, None] + tau2)
    centres = share * mean + (1.0 - share) * effects[:, None]
    spreads = (1.0 - share) * variances[:, None] + share**2 * spread2
    return BayesianResult(
        _existing(_tau_posterior(grid, kind, level), order),
        _existing(
            _mixture(mean, spread2, weight, kind, level), order if mu_prior is None else math.inf
        ),
        _existing(_mixture(mean, spread2 + tau2, weight, kind, level), order),
        tuple(
            _mixture(centre, spread, weight, kind, level)
            for centre, spread in zip(centres, spreads, strict=True)
        ),
        share @ weight,
        grid.log_total if mu_prior is not None else math.nan,
        prior,
        mu_prior,
        kind,
        level,
    )


@dataclass(frozen=True)
class _Grid:
    """Posterior weights of tau at quadrature nodes, and the density itself."""

    tau: Floats
    weight: Floats
    log_total: float
    density: Callable[[Floats], Floats]
    scale: float
    highest: float

    @classmethod
    def of(
        cls, y: Floats, v: Floats, prior: TauPrior, mu_prior: tuple[float, float] | None
    ) -> _Grid:
        def log_posterior(tau: Floats) -> Floats:
            return _log_likelihood(y, v, tau, mu_prior) + prior.log_density(tau)

        highest = prior.scale if prior.family is TauPriorFamily.UNIFORM else math.inf
        # Half of the transformed axis lies below the scale that prior and data suggest.
        scale = min(prior.scale, max(float(np.std(y)), float(np.sqrt(np.median(v)))))
        end = highest / (highest + scale) if math.isfinite(highest) else 1.0
        u, w = _legendre(0.0, end)
        tau = scale * u / (1.0 - u)
        logs = log_posterior(tau) + np.log(w * scale / (1.0 - u) ** 2)
        top = float(logs.max())
        total = top + math.log(float(np.exp(logs - top).sum()))

        def density(at: Floats) -> Floats:
            return np.exp(log_posterior(np.asarray(at, dtype=float)) - total)

        return cls(tau, np.exp(logs - total), total, density, scale, highest)

    def below(self, t: float) -> float:
        """Return the posterior probability that tau is at most t."""
        u, w = _legendre(0.0, t / (t + self.scale))
        tau = self.scale * u / (1.0 - u)
        return float((self.density(tau) * w * self.scale / (1.0 - u) ** 2).sum())

    def quantile(self, p: float) -> float:
        """Return the quantile of tau."""
        if p <= 0.0:
            return 0.0
        high = min(self.scale, self.highest)
        while self.below(high) < p and high < self.highest:
            high = min(2.0 * high, self.highest)
        return float(brentq(lambda t: self.below(t) - p, 0.0, high, xtol=1e-10))


def _legendre(low: float, high: float) -> tuple[Floats, Floats]:
    """Return nodes and weights of composite Gauss-Legendre quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    width = (high - low) / _PANELS
    left = low + width * np.arange(_PANELS)[:, None]
    u = (left + 0.5 * width * (nodes + 1.0)).ravel()
    return u, np.tile(0.5 * width * weights, _PANELS)


def _conditional(
    y: Floats, v: Floats, tau: Floats, mu_prior: tuple[float, float] | None
) -> tuple[Floats, Floats]:
    """Return mean and precision of mu given each tau, both (nodes,)."""
    w = 1.0 / (v[:, None] + tau**2)
    top, precision = (w * y[:, None]).sum(axis=0), w.sum(axis=0)
    if mu_prior is not None:
        top = top + mu_prior[0] / mu_prior[1] ** 2
        precision = precision + 1.0 / mu_prior[1] ** 2
    return top / precision, precision


def _log_likelihood(
    y: Floats, v: Floats, tau: Floats, mu_prior: tuple[float, float] | None
) -> Floats:
    """Return log p(y | tau) with mu integrated out."""
    mean, precision = _conditional(y, v, tau, mu_prior)
    spread = v[:, None] + tau**2
    value = -0.5 * (np.log(2 * np.pi * spread) + (y[:, None] - mean) ** 2 / spread).sum(axis=0)
    value = value - 0.5 * np.log(precision / (2 * np.pi))
    if mu_prior is not None:
        m, s = mu_prior
        value = value - 0.5 * (math.log(2 * math.pi * s**2) + ((mean - m) / s) ** 2)
    return np.asarray(value)


def _tau_posterior(grid: _Grid, kind: IntervalKind, level: float) -> Posterior:
    mean = float(grid.weight @ grid.tau)
    sd = math.sqrt(max(float(grid.weight @ (grid.tau - mean) ** 2), 0.0))
    high = grid.quantile(0.5 + level / 2)
    found = minimize_scalar(
        lambda t: -float(grid.density(np.array([t]))[0]),
        bounds=(0.0, high),
        method="bounded",
        options={"xatol": 1e-9},
    )
    mode = float(found.x)
    if grid.density(np.array([0.0]))[0] >= -float(found.fun):
        mode = 0.0
    limits = _limits(grid.quantile, kind, level, lowest=0.0)
    return Posterior(mode, grid.quantile(0.5), mean, sd, limits)


def _existing(found: Posterior, order: float) -> Posterior:
    """Replace moments of an order that does not exist."""
    mean = found.mean if order > 1.0 else math.nan
    return replace(found, mean=mean, sd=found.sd if order > 2.0 else math.inf)


def _mixture(
    mean: Floats, variance: Floats, weight: Floats, kind: IntervalKind, level: float
) -> Posterior:
    sd = np.sqrt(np.maximum(variance, 1e-300))
    centre = float(weight @ mean)
    spread = math.sqrt(float(weight @ (variance + (mean - centre) ** 2)))

    def below(x: float) -> float:
        return float(weight @ ndtr((x - mean) / sd))

    def quantile(p: float) -> float:
        step = spread
        low, high = centre - step, centre + step
        while below(low) > p:
            step, low = 2 * step, low - step
        step = spread
        while below(high) < p:
            step, high = 2 * step, high + step
        return float(brentq(lambda x: below(x) - p, low, high, xtol=1e-10 * max(spread, 1e-8)))

    median = quantile(0.5)
    found = minimize_scalar(
        lambda x: -float(weight @ (norm.pdf((x - mean) / sd) / sd)),
        bounds=(median - spread, median + spread),
        method="bounded",
        options={"xatol": 1e-8 * spread},
    )
    limits = _limits(quantile, kind, level)
    return Posterior(float(found.x), median, centre, spread, limits)


def _limits(
    quantile: Callable[[float], float],
    kind: IntervalKind,
    level: float,
    lowest: float | None = None,
) -> tuple[float, float]:
    """Return the limits; `lowest` is the end of the support, where a falling density is highest."""
    tail = 1.0 - level
    if kind is IntervalKind.CENTRAL:
        return quantile(tail / 2), quantile(1.0 - tail / 2)
    found = minimize_scalar(
        lambda p: quantile(p + level) - quantile(p),
        bounds=(1e-9, tail - 1e-9),
        method="bounded",
        options={"xatol": 1e-5 * tail},
    )
    if lowest is not None and quantile(level) - lowest <= float(found.fun):
        return lowest, quantile(level)
    lower = float(found.x)
    return quantile(lower), quantile(lower + level)
