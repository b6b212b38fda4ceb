"""Generalised linear mixed models of rare events: no correction, exact likelihoods.

UM.FS
    Both arms by their own likelihood; a fixed effect per study, profiled out; the effect of
    treatment random over studies.
UM.RS
    The same with random study effects, independent of the random treatment effect.
CM.EL
    Odds ratio: events of the first arm given the total (noncentral hypergeometric). Rate ratio:
    binomial given the total.
CM.AL
    Odds ratio: binomial given the total with offset ln(n1/n2), close where events are rare.

In the unconditional models the arms are coded +1/2 and -1/2 for the random effect: coding them
1 and 0 is another model with another answer.

Methods
-------
Stijnen, Hamza and Ozdemir, Stat Med 2010;29:3046 (doi 10.1002/sim.4040); Jackson and others,
Stat Med 2018;37:1059 (doi 10.1002/sim.7588). Interval of tau2: profile likelihood. I2 and H2 set
tau2 against a typical sampling variance of the studies' own values (1/2 added in empty cells).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from scipy.stats import norm

from statera.errors import InputError
from statera.evidence.heterogeneity import h_squared, i_squared
from statera.evidence.profile_interval import profile_interval
from statera.evidence.rare_events import study_effects, two_arms
from statera.evidence.rare_glmm_heterogeneity import (
    GlmmHeterogeneity,
    OwnEffects,
    heterogeneity_of,
    own_effects,
    own_effects_of_arms,
    own_effects_random,
)
from statera.evidence.rare_glmm_kernels import (
    BinomialArms,
    Hypergeometric,
    Kernel,
    PoissonArms,
    integrate,
)
from statera.numerics.intervals_exact import check_level
from statera.numerics.small_maximum import SmallMaximum, maximise

__all__ = ["GlmmModel", "GlmmOptions", "GlmmResult", "GlmmStatus", "one_arm_glmm", "rare_glmm"]

Floats = NDArray[np.float64]
_ARMS = np.array([0.5, -0.5])


class GlmmModel(StrEnum):
    """Which likelihood."""

    UNCONDITIONAL_FIXED = "UM.FS"
    UNCONDITIONAL_RANDOM = "UM.RS"
    CONDITIONAL_EXACT = "CM.EL"
    CONDITIONAL_APPROXIMATE = "CM.AL"


class GlmmStatus(StrEnum):
    """What came of a fit."""

    OK = "ok"
    TAU_ZERO = "tau2 is estimated as zero: the common-effect model"
    ONE_STUDY = "one study: its own effect, tau2 cannot be estimated"
    NO_EVENTS = "no study has events that tell the arms apart"
    ONE_ARM_EMPTY = "all events fell in one arm: the ratio has no finite estimate"
    NOT_CONVERGED = "the search for the maximum did not settle"


@dataclass(frozen=True)
class GlmmOptions:
    """How a model is fitted.

    Attributes
    ----------
    model
        UM.FS, UM.RS, CM.EL or CM.AL.
    random
        False: the common-effect model (tau2 is 0).
    nodes
        Of the quadrature per random effect; 1 is Laplace's approximation. None: 41, and 15 for
        UM.RS.
    level
        Confidence level.
    tau2_interval
        Also find the profile-likelihood interval of tau2: some tens of fits.
    """

    model: GlmmModel | str = GlmmModel.UNCONDITIONAL_FIXED
    random: bool = True
    nodes: int | None = None
    level: float = 0.95
    tau2_interval: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", GlmmModel(self.model))
        check_level(self.level)
        if self.nodes is not None and not 1 <= self.nodes <= 150:
            raise InputError(f"{self.nodes} nodes cannot be used", where="nodes", hint="1 to 150.")


@dataclass(frozen=True)
class GlmmResult:
    """A pooled log ratio (or log rate of one arm).

    Attributes
    ----------
    measure, model
        OR or IRR (IRLN or PLO of one arm) and the likelihood.
    estimate, se, z, p, interval
        Log scale; NaN where `status` says why.
    tau2, tau2_se
        Variance of the effect between studies; its standard error is NaN at 0.
    tau2_interval
        By profile likelihood; None unless asked for.
    i2, h2
        In per cent, and total over sampling variance; NaN with one study.
    heterogeneity
        Tests against the saturated model; None with one study or without an estimate.
    study_sd
        SD of the study effects under UM.RS; NaN otherwise.
    log_likelihood
        At the maximum, with all constants of the likelihood.
    studies
        Studies that carry information.
    nodes
        Of the quadrature.
    status, notes
        Named outcome, and what was left out.
    """

    measure: str
    model: str
    estimate: float
    se: float
    z: float
    p: float
    interval: tuple[float, float]
    tau2: float
    tau2_se: float
    study_sd: float
    log_likelihood: float
    studies: int
    nodes: int
    status: GlmmStatus
    notes: tuple[str, ...] = ()
    tau2_interval: tuple[float, float] | None = None
    i2: float = math.nan
    h2: float = math.nan
    heterogeneity: GlmmHeterogeneity | None = None


def rare_glmm(
    measure: str,
    events1: ArrayLike,
    size1: ArrayLike,
    events2: ArrayLike,
    size2: ArrayLike,
    options: GlmmOptions | None = None,
) -> GlmmResult:
    """Fit a generalised linear mixed model of two arms.

    Parameters
    ----------
    measure
        OR (sizes are persons) or IRR (sizes are person-times).
    events1, size1, events2, size2 : (k,)
        Events and size of the first and second arm.
    options
        Model and quadrature.

    Raises
    ------
    InputError
        If the measure is not OR or IRR, a count is impossible, or CM.AL is asked of rates (where
        CM.EL is exact).
    """
    options = options or GlmmOptions()
    model = GlmmModel(options.model)
    if measure not in ("OR", "IRR"):
        raise InputError(
            f"no mixed model of {measure} here", where="measure", hint="Use OR or IRR."
        )
    rates = measure == "IRR"
    if rates and model is GlmmModel.CONDITIONAL_APPROXIMATE:
        raise InputError(
            "rates need no approximate conditional model: given the total they are binomial",
            where="model",
            hint="Use CM.EL.",
        )
    a, n1, c, n2 = two_arms(events1, size1, events2, size2, rates=rates)
    silent = (a + c) == 0.0
    if not rates:
        silent |= (a + c) == n1 + n2
    notes: tuple[str, ...] = ()
    if silent.any():
        number = int(silent.sum())
        notes = (
            f"{number} {'study' if number == 1 else 'studies'} without events, or with events "
            "only, in both arms: no information on the ratio, left out",
        )
    a, n1, c, n2 = (part[~silent] for part in (a, n1, c, n2))
    status = _undefined(a, n1, c, n2, rates=rates)
    if status is not None:
        return _nothing(measure, str(model), a.size, options, status, notes)
    fit = _Fit.of(model, a, n1, c, n2, options, rates=rates)
    _, variances, _ = study_effects(measure, a, n1, c, n2)
    return _result(fit, measure, a.size, options, variances, notes)


def one_arm_glmm(
    measure: str, events: ArrayLike, size: ArrayLike, options: GlmmOptions | None = None
) -> GlmmResult:
    """Pool log rates (IRLN) or logits of proportions (PLO) of one arm with a normal effect.

    Parameters
    ----------
    measure
        IRLN (sizes are person-times) or PLO (persons).
    events, size : (k,)
        Counts of each study.
    options
        `random`, `nodes` and `level` are used.

    Raises
    ------
    InputError
        If the measure is another or a count is impossible.
    """
    options = options or GlmmOptions()
    if measure not in ("IRLN", "PLO"):
        raise InputError(
            f"no one-arm mixed model of {measure}", where="measure", hint="Use IRLN or PLO."
        )
    x, t, _, _ = two_arms(events, size, events, size, rates=measure == "IRLN")
    none = float(x.sum()) == 0.0 or (measure == "PLO" and bool((x == t).all()))
    if none:
        return _nothing(measure, "one arm", x.size, options, GlmmStatus.NO_EVENTS, ())
    kernel: Kernel = (PoissonArms if measure == "IRLN" else BinomialArms)(x[:, None], t[:, None])
    crude = np.log(max(x.sum(), 0.5) / t.sum())
    with np.errstate(divide="ignore"):
        variances = 1.0 / np.where(x > 0.0, x, 0.5)
        if measure == "PLO":
            crude = np.log(x.sum() / (t - x).sum())
            half = 0.5 * ((x == 0.0) | (x == t))
            variances = 1.0 / (x + half) + 1.0 / (t - x + half)
    fit = _Fit(kernel, np.zeros((x.size, 1)), "one arm", options.nodes or 41, float(crude))
    return _result(fit, measure, x.size, options, variances, ())


@dataclass(frozen=True)
class _Fit:
    """The likelihood of a model as a function of (beta, tau[, study mean, study SD])."""

    kernel: Kernel
    offset: Floats
    model: str
    nodes: int
    crude: float
    baseline: float = 0.0
    counts: tuple[Floats, Floats] | None = None  # of both arms, where the kernel has both

    @classmethod
    def of(
        cls,
        model: GlmmModel,
        a: Floats,
        n1: Floats,
        c: Floats,
        n2: Floats,
        options: GlmmOptions,
        *,
        rates: bool,
    ) -> _Fit:
        nodes = options.nodes or (15 if model is GlmmModel.UNCONDITIONAL_RANDOM else 41)
        events, sizes = np.column_stack([a, c]), np.column_stack([n1, n2])
        free = 0.0 if rates else 1.0  # persons without the event; person-time counts whole
        odds = (events.sum(axis=0) + 0.5) / (sizes - free * events).sum(axis=0)
        crude = float(np.log(odds[0] / odds[1]))
        kernel: Kernel
        if model in (GlmmModel.UNCONDITIONAL_FIXED, GlmmModel.UNCONDITIONAL_RANDOM):
            kernel = PoissonArms(events, sizes) if rates else BinomialArms(events, sizes)
            # Starts of the study effects: each study's own log odds or log rate, smoothed.
            total = events.sum(axis=1)
            start = np.log((total + 0.5) / (sizes.sum(axis=1) - free * total + 0.5))
            middle = float(start.mean())
            return cls(kernel, start[:, None], model, nodes, crude, middle, (events, sizes))
        offset = np.zeros((a.size, 1))
        if model is GlmmModel.CONDITIONAL_EXACT and not rates:
            kernel = Hypergeometric.of(a, n1, c, n2)
        else:
            kernel = BinomialArms(a[:, None], (a + c)[:, None])
            offset = np.log(n1 / n2)[:, None]
        return cls(kernel, offset, model, nodes, crude)

    def value(self, beta: float, tau: float, rest: Floats) -> float:
        """Return the log likelihood."""
        if self.model == GlmmModel.UNCONDITIONAL_FIXED:
            return self._profiled(beta, tau)
        if self.model == GlmmModel.UNCONDITIONAL_RANDOM:
            base = rest[0] + np.broadcast_to(beta * _ARMS, (self.offset.shape[0], 2))
            loading = np.column_stack([np.full(2, rest[1]), tau * _ARMS])
        else:
            base, loading = self.offset + beta, np.array([[tau]])
        found = integrate(self.kernel, base, loading, self.nodes)
        return float(found.log_marginal.sum())

    def _profiled(self, beta: float, tau: float) -> float:
        """Maximise over each study's own effect; the marginal is concave in it."""
        alpha = self.offset[:, 0]
        loading = (tau * _ARMS)[:, None]
        for _ in range(50):
            found = integrate(self.kernel, alpha[:, None] + beta * _ARMS, loading, self.nodes)
            score, bend = found.first.sum(axis=1), found.second.sum(axis=1)
            slope = (found.weight * score).sum(axis=1)
            spread = (found.weight * (score - slope[:, None]) ** 2).sum(axis=1)
            curve = (found.weight * bend).sum(axis=1) + spread
            step = -slope / np.minimum(curve, -1e-8)
            alpha = alpha + np.clip(step, -2.0, 2.0)
            if float(np.abs(step).max()) < 1e-7:
                break
        return float(found.log_marginal.sum())


def _undefined(a: Floats, n1: Floats, c: Floats, n2: Floats, *, rates: bool) -> GlmmStatus | None:
    if a.size == 0:
        return GlmmStatus.NO_EVENTS
    empty = a.sum() == 0.0 or c.sum() == 0.0
    full = not rates and ((a == n1).all() or (c == n2).all())
    return GlmmStatus.ONE_ARM_EMPTY if empty or full else None


def _nothing(
    measure: str, model: str, studies: int, options: GlmmOptions, status: GlmmStatus,
    notes: tuple[str, ...],
) -> GlmmResult:  # fmt: skip
    nan = float("nan")
    return GlmmResult(
        measure, model, nan, nan, nan, nan, (nan, nan), nan, nan, nan, nan, studies,
        options.nodes or 41, status, notes,
    )  # fmt: skip


def _result(
    fit: _Fit,
    measure: str,
    studies: int,
    options: GlmmOptions,
    variances: Floats,
    notes: tuple[str, ...],
) -> GlmmResult:
    best, tau2, status, common = _maximum(fit, studies, random=options.random)
    covariance = np.linalg.pinv(-best.hessian)
    tau2_se = 2 * np.sqrt(tau2 * max(covariance[1, 1], 0.0)) if tau2 > 0.0 else np.nan
    estimate, se = float(best.x[0]), float(np.sqrt(max(covariance[0, 0], 0.0)))
    half = float(ndtri(0.5 + options.level / 2)) * se
    several = studies > 1
    i2, h2 = _shares(tau2, variances) if several and options.random else (math.nan, math.nan)
    return GlmmResult(
        measure,
        fit.model,
        estimate,
        se,
        estimate / se,
        float(2 * norm.sf(abs(estimate / se))),
        (estimate - half, estimate + half),
        tau2,
        float(tau2_se),
        float(abs(best.x[-1])) if fit.model == GlmmModel.UNCONDITIONAL_RANDOM else math.nan,
        best.value,
        studies,
        fit.nodes,
        status,
        notes,
        _tau2_interval(fit, best, tau2, options) if several and options.tau2_interval else None,
        i2,
        h2,
        heterogeneity_of(_own(fit, common), common.value) if several else None,
    )


def _shares(tau2: float, variances: Floats) -> tuple[float, float]:
    """Return I2 and H2 by a typical variance of the studies' own values."""
    w = 1.0 / variances[np.isfinite(variances)]
    typical = float((w.size - 1) / (w.sum() - (w**2).sum() / w.sum()))
    return i_squared(tau2, typical), h_squared(tau2, typical)


def _own(fit: _Fit, common: SmallMaximum) -> OwnEffects:
    """Return the saturated model of the same likelihood."""
    if fit.counts is None:
        return own_effects(fit.kernel, fit.offset)
    rates = isinstance(fit.kernel, PoissonArms)
    own = own_effects_of_arms(*fit.counts, rates=rates)
    if fit.model == GlmmModel.UNCONDITIONAL_FIXED:
        return own
    events, sizes = fit.counts
    rest = np.inf if rates else sizes[:, 0] - events[:, 0]
    # smoothed, so that an empty second arm starts at a finite effect
    odds = (events + 0.5) / (sizes if rates else sizes - events + 0.5)
    start = np.log(odds[:, 0] / odds[:, 1])
    start = np.where(events[:, 0] == 0.0, -np.inf, np.where(rest == 0.0, np.inf, start))
    # a standard deviation of 0 is a stationary point: start away from it
    spread = max(abs(float(common.x[2])), 0.3)
    return own_effects_random(fit.kernel, start, np.array([common.x[1], spread]), fit.nodes)


def _tau2_interval(
    fit: _Fit, best: SmallMaximum, tau2: float, options: GlmmOptions
) -> tuple[float, float] | None:
    if not options.random:
        return None
    rest = best.x[-2:] if fit.model == GlmmModel.UNCONDITIONAL_RANDOM else best.x[:0]
    start = np.concatenate([best.x[:1], rest])

    def profile(tau: float) -> float:
        return maximise(lambda theta: fit.value(theta[0], tau, theta[1:]), start).value

    return profile_interval(profile, math.sqrt(tau2), best.value, options.level)


def _maximum(
    fit: _Fit, studies: int, *, random: bool
) -> tuple[SmallMaximum, float, GlmmStatus, SmallMaximum]:
    """Return the maximum over (beta[, tau][, study mean, study SD]), tau2, status, and at tau 0."""
    more = np.array([fit.baseline, 0.7] if fit.model == GlmmModel.UNCONDITIONAL_RANDOM else [])

    def with_tau(theta: Floats) -> float:
        return fit.value(theta[0], theta[1], theta[2:])

    def common(theta: Floats) -> float:
        return fit.value(theta[0], 0.0, theta[1:])

    best, tau2 = maximise(common, np.concatenate([[fit.crude], more])), 0.0
    without = best
    status = GlmmStatus.OK if studies > 1 else GlmmStatus.ONE_STUDY
    if random and studies > 1:
        # The likelihood is even in tau, so that tau = 0 is a stationary point: start away from it.
        wide = maximise(with_tau, np.concatenate([[best.x[0], 0.5], best.x[1:]]))
        if abs(wide.x[1]) > 1e-3 and wide.value > best.value + 1e-8:
            best, tau2 = wide, float(wide.x[1] ** 2)
        else:
            status = GlmmStatus.TAU_ZERO
    status = status if best.converged else GlmmStatus.NOT_CONVERGED
    return best, tau2, status, without
