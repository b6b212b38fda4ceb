"""Variance between studies of a network: moments, Q, likelihoods, and its interval.

Sources: DerSimonian and Laird's moments over several arms, as in `network_fit`; Paule and Mandel
1982 (doi 10.6028/jres.087.022); restricted likelihood, Viechtbauer 2005
(doi 10.3102/10769986030003261); Q-profile, Viechtbauer 2007 (doi 10.1002/sim.2514), which holds
over several arms too, since Q at the true tau2 is chi-square there as well.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from statera.errors import NumericalError
from statera.evidence.network_gls import Block, Fit, fit_blocks, weights_of

__all__ = [
    "NETWORK_TAU2",
    "tau2_by_likelihood",
    "tau2_by_moments",
    "tau2_by_q",
    "tau2_interval",
]

Floats = NDArray[np.float64]
#: Names of the estimators.
NETWORK_TAU2 = ("REML", "ML", "DL", "PM", "REML-approximate", "EE")
_STEPS = 200
_LARGEST = 1e8
_NEWTON = 12


def tau2_by_moments(blocks: tuple[Block, ...], df: int) -> float:
    """Return tau2 by DerSimonian and Laird's moments, (Q - df) / tr(PU), not below zero."""
    if df <= 0:
        return 0.0
    fit = fit_blocks(blocks, 0.0)
    return max(0.0, (fit.q - df) / _traces(blocks, 0.0, fit)[0])


def tau2_by_q(blocks: tuple[Block, ...], df: int, target: float) -> float:
    """Return the tau2 at which Q is `target`; 0 where Q is below it from the start.

    The target df gives Paule and Mandel's estimate.

    Raises
    ------
    NumericalError
        Where Q stays above the target whatever tau2.
    """
    if df <= 0:
        return 0.0
    tau2, (q, slope) = 0.0, _q_and_slope(blocks, 0.0)
    if q <= target:
        return 0.0
    # 1 / Q is close to a line in tau2, where Newton's steps are few
    for _ in range(_NEWTON):
        tau2 = max(0.0, tau2 + q * (q - target) / (target * -slope))
        q, slope = _q_and_slope(blocks, tau2)
        if abs(q - target) <= 1e-13 * target:
            return tau2
    high = max(tau2_by_moments(blocks, df), 1e-4)
    while _q_and_slope(blocks, high)[0] > target:
        high *= 4.0
        if high > _LARGEST:
            raise NumericalError(
                f"Q stays above {target:.4g} whatever tau2",
                where="network",
                hint="Look at the scale of the effects: are standard errors given as variances?",
            )
    found = brentq(lambda t: _q_and_slope(blocks, t)[0] - target, 0.0, high, xtol=1e-13, rtol=1e-13)
    return float(found)


def _q_and_slope(blocks: tuple[Block, ...], tau2: float) -> tuple[float, float]:
    """Return Q at `tau2` and its derivative, -y'PUPy."""
    p = blocks[0].design.shape[2]
    cross, right = np.zeros((p, p)), np.zeros(p)
    parts = []
    for block in blocks:
        weight, flat = weights_of(block, tau2), block.design.reshape(-1, p)
        carried = (weight @ block.design).reshape(-1, p)
        cross += flat.T @ carried
        right += block.y.reshape(-1) @ carried
        parts.append((block, weight, flat))
    beta = np.linalg.solve(cross, right)
    q, slope = 0.0, 0.0
    for block, weight, flat in parts:
        rest = block.y - (flat @ beta).reshape(block.y.shape)
        pulled = (weight @ rest[:, :, None])[:, :, 0]
        q += float((rest * pulled).sum())
        slope -= float(((pulled @ block.spread) * pulled).sum())
    return q, slope


def tau2_interval(blocks: tuple[Block, ...], df: int, level: float) -> tuple[float, float]:
    """Return the Q-profile interval of tau2; NaN without degrees of freedom.

    Q at the true tau2 is chi-square with df degrees of freedom, for normal contrasts also over
    studies of several arms.
    """
    if df <= 0:
        return float("nan"), float("nan")
    tail = 0.5 * (1 - level)
    low = tau2_by_q(blocks, df, float(stats.chi2.isf(tail, df)))
    return low, tau2_by_q(blocks, df, float(stats.chi2.ppf(tail, df)))


def tau2_by_likelihood(
    blocks: tuple[Block, ...], df: int, start: float | None = None, *, restricted: bool = True
) -> float:
    """Return tau2 by (restricted) maximum likelihood: Fisher scoring with halving of steps.

    Raises
    ------
    NumericalError
        Where the search does not come to rest.
    """
    if df <= 0:
        return 0.0
    tau2 = tau2_by_moments(blocks, df) if start is None else start
    fit = fit_blocks(blocks, tau2)
    for _ in range(_STEPS):
        first, second, quadratic = _traces(blocks, tau2, fit, project=restricted)
        trial = max(0.0, tau2 + (quadratic - first) / second)
        moved = fit_blocks(blocks, trial)
        height = fit.restricted if restricted else fit.likelihood
        while abs(trial - tau2) > 1e-14:
            if (moved.restricted if restricted else moved.likelihood) >= height - 1e-12:
                break
            trial = 0.5 * (trial + tau2)
            moved = fit_blocks(blocks, trial)
        change, tau2, fit = abs(trial - tau2), trial, moved
        if change <= 1e-12 * (1.0 + tau2):
            return tau2
    raise NumericalError(
        f"the search for tau2 by likelihood did not settle in {_STEPS} steps",
        where="network",
        hint="Use tau2 by moments (DL).",
    )


def _traces(
    blocks: tuple[Block, ...], tau2: float, fit: Fit, *, project: bool = True
) -> tuple[float, float, float]:
    """Return tr(PU), tr(PUPU) and y'PUPy; W in place of P in the traces unless `project`."""
    p = fit.beta.size
    first, second, quadratic = 0.0, 0.0, 0.0
    outer, outer2 = np.zeros((p, p)), np.zeros((p, p))
    for block in blocks:
        weight, spread = weights_of(block, tau2), block.spread
        wu = weight @ spread
        wuw = wu @ weight
        first += float(np.trace(wu, axis1=1, axis2=2).sum())
        second += float(np.einsum("sij,sji->", wu, wu))
        rest = block.y - block.design @ fit.beta
        quadratic += float(np.einsum("si,sij,sj->", rest, wuw, rest))
        if project:
            flat = block.design.reshape(-1, p)
            outer += flat.T @ (wuw @ block.design).reshape(-1, p)
            outer2 += flat.T @ (wu @ wuw @ block.design).reshape(-1, p)
    if project:
        inner = fit.cov @ outer
        first -= float(np.trace(inner))
        second += -2 * float(np.trace(fit.cov @ outer2)) + float(np.trace(inner @ inner))
    return first, second, quadratic
