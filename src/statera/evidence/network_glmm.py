"""Random-effects networks of counts: generalised linear mixed models by arm.

Each study has an effect of its own, fixed and profiled out. Log odds (persons) or log rates
(person-time) of its arms differ by the treatments' effects and by random deviations with variance
tau2 of every contrast and correlation 1/2 of contrasts that share an arm. The deviations of the
arms of a study sum to zero, so that no arm stands out: with two arms they are +1/2 and -1/2 of the
random effect, as in the model UM.FS of two treatments. Coding a base arm by 0 is another model.

Methods
-------
Exact likelihoods: Stijnen, Hamza and Ozdemir, Stat Med 2010;29:3046 (doi 10.1002/sim.4040);
variances of contrasts over several arms: Higgins and Whitehead, Stat Med 1996;15:2733; adaptive
Gauss-Hermite quadrature at the mode of each study: Pinheiro and Bates 1995
(doi 10.1080/10618600.1995.10474663), as a product over the m - 1 random effects of m arms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from statera.errors import InputError, NumericalError
from statera.evidence.network_counts import (
    ArmCounts,
    arm_counts,
    check_estimable,
    informative_studies,
)
from statera.evidence.network_glm import common_fit, deviance_of
from statera.evidence.network_rare import (
    RareNetwork,
    RareNetworkMethod,
    RareNetworkOptions,
    rare_network_result,
)
from statera.evidence.rare_glmm_kernels import BinomialArms, Kernel, PoissonArms, integrate

__all__ = ["glmm_network"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
#: Nodes per random effect by their number, that is arms less one.
_NODES = {1: 25, 2: 15, 3: 9, 4: 7, 5: 5}
_FEWEST = 3
_MOST_POINTS = 300_000  # of a study; beyond it the memory of a product of nodes is not reasonable
_CLOSE = 1e-3


def glmm_network(
    studies: Sequence[str],
    treatments: Sequence[str],
    events: ArrayLike,
    size: ArrayLike,
    *,
    rates: bool = False,
    options: RareNetworkOptions | None = None,
) -> RareNetwork:
    """Fit random effects of treatments on the log odds, or the log rate, with study effects.

    Parameters
    ----------
    events, size : (arms,)
        Events, and persons, or person-time where `rates` is true.
    options
        Reference, level and nodes of the quadrature.

    Returns
    -------
    RareNetwork
        With tau2 by maximum likelihood; standard errors from the observed information. A note
        says where tau2 is zero, and where more nodes would change the likelihood.

    Raises
    ------
    InputError
        For a network in several parts, or a ratio that is not finite.
    NumericalError
        Where the search does not come to rest.
    """
    options = options or RareNetworkOptions()
    counts = informative_studies(arm_counts(studies, treatments, events, size, rates=rates))
    check_estimable(counts)
    start = common_fit(counts)
    groups = _groups(counts, start.baseline, options.nodes)
    notes: tuple[str, ...] = ()
    common = _likelihood(groups, np.append(start.beta, 0.0))[0]
    df = counts.events.size - len(counts.studies) - len(counts.treatments) + 1
    best = _maximum(groups, start.beta) if df > 0 else None
    if best is None or best[1] <= common + 1e-8 or abs(best[0][-1]) < 1e-3:
        why = "is estimated as zero" if best else "cannot be estimated and is set to zero"
        notes = (f"tau2 {why}: the estimates are the common effects.",)
        return rare_network_result(
            counts, RareNetworkMethod.MIXED, options, (start.beta, start.covariance), common,
            tau2=(0.0, float("nan")), deviance=deviance_of(counts, start), notes=notes,
        )  # fmt: skip
    theta, value = best
    covariance = np.asarray(np.linalg.inv(-_hessian(groups, theta)), dtype=np.float64)
    finer = _groups(counts, start.baseline, options.nodes, finer=True)
    change = abs(_likelihood(finer, theta)[0] - value)
    if change > _CLOSE:
        notes = (
            f"More nodes of the quadrature change the log-likelihood by {change:.2g}: give more "
            "nodes.",
        )
    coarse = [group for group, more in zip(groups, finer, strict=True) if group.nodes == more.nodes]
    if coarse:
        notes += (
            f"Studies of {coarse[0].loading.shape[0]} arms and more have {coarse[0].nodes} nodes "
            "for each random effect, and memory leaves no room to try more.",
        )
    tau2 = float(theta[-1] ** 2)
    tau2_se = 2 * np.sqrt(tau2 * max(float(covariance[-1, -1]), 0.0))
    return rare_network_result(
        counts, RareNetworkMethod.MIXED, options, (theta[:-1], covariance[:-1, :-1]), value,
        tau2=(tau2, float(tau2_se)), deviance=deviance_of(counts, start), notes=notes,
    )  # fmt: skip


@dataclass
class _Group:
    """Studies with the same number of arms; `alpha` keeps the study effects last found."""

    kernel: Kernel
    design: Floats  # (k, arms, n - 1)
    loading: Floats  # (arms, arms - 1), of a unit tau
    nodes: int
    alpha: Floats = field(repr=False)

    def profile(self, beta: Floats, tau: float) -> tuple[float, Floats]:
        """Return the log-likelihood at its best study effects, and its gradient in (beta, tau)."""
        base, loading = self.design @ beta, tau * self.loading
        alpha = self.alpha
        for _ in range(60):
            found = integrate(self.kernel, alpha[:, None] + base, loading, self.nodes)
            each = found.first.sum(axis=1)
            slope = (found.weight * each).sum(axis=1)
            spread = (found.weight * (each - slope[:, None]) ** 2).sum(axis=1)
            curve = (found.weight * found.second.sum(axis=1)).sum(axis=1) + spread
            step = -slope / np.minimum(curve, -1e-8)
            alpha = alpha + np.clip(step, -2.0, 2.0)
            if float(np.abs(step).max()) < 1e-9:
                break
        self.alpha = alpha
        found = integrate(self.kernel, alpha[:, None] + base, loading, self.nodes)
        score = np.einsum("kn,kan->ka", found.weight, found.first)
        by_tau = np.einsum("kn,kan,ad,kdn->", found.weight, found.first, self.loading, found.effect)
        gradient = np.append(np.einsum("ka,kap->p", score, self.design), by_tau)
        return float(found.log_marginal.sum()), gradient


def _groups(
    counts: ArmCounts, baseline: Floats, nodes: int | None, *, finer: bool = False
) -> tuple[_Group, ...]:
    rows: dict[int, list[Ints]] = {}
    for one in counts.of_studies():
        rows.setdefault(one.size, []).append(one)
    unit = np.eye(len(counts.treatments))[:, 1:]
    kind = PoissonArms if counts.rates else BinomialArms
    made = []
    for m, group in sorted(rows.items()):
        at = np.stack(group)
        # an orthonormal basis of the deviations of m arms that sum to zero
        basis = np.linalg.svd(np.eye(m) - 1.0 / m)[0][:, : m - 1]
        points = _points(m - 1, nodes, finer=finer)
        made.append(
            _Group(
                kind(counts.events[at], counts.size[at]), unit[counts.treatment[at]],
                basis * np.sqrt(0.5), points, baseline[counts.study[at[:, 0]]].copy(),
            )
        )  # fmt: skip
    return tuple(made)


def _points(effects: int, nodes: int | None, *, finer: bool) -> int:
    """Return nodes for each of so many random effects; up to four more where `finer`.

    Raises
    ------
    InputError
        If their product does not fit into memory.
    """
    points = nodes or _NODES.get(effects, _FEWEST)
    if points**effects > _MOST_POINTS:
        raise InputError(
            f"{points} nodes for each of {effects} random effects of a study of {effects + 1} arms "
            "are too many",
            where="nodes",
            hint="Give fewer nodes, split the study, or use common effects.",
        )
    while finer and (points + 1) ** effects <= _MOST_POINTS:
        points += 1
        if points - (nodes or _NODES.get(effects, _FEWEST)) == 4:
            break
    return points


def _likelihood(groups: tuple[_Group, ...], theta: Floats) -> tuple[float, Floats]:
    """Return the profile log-likelihood over (treatments, tau) and its gradient."""
    parts = [group.profile(theta[:-1], float(theta[-1])) for group in groups]
    return sum(value for value, _ in parts), np.sum([slope for _, slope in parts], axis=0)


def _maximum(groups: tuple[_Group, ...], beta: Floats) -> tuple[Floats, float]:
    """Return the maximum over (treatments, tau) and the likelihood there."""

    def loss(theta: Floats) -> tuple[float, Floats]:
        value, slope = _likelihood(groups, theta)
        return -value, -slope

    # the likelihood is even in tau, so that 0 is a stationary point: start away from it
    found = minimize(loss, np.append(beta, 0.4), jac=True, method="BFGS", options={"gtol": 1e-4})
    theta = np.asarray(found.x, dtype=np.float64)
    if abs(theta[-1]) < 1e-3:
        return theta, float(-found.fun)
    for _ in range(20):
        slope = _likelihood(groups, theta)[1]
        step = np.linalg.solve(-_hessian(groups, theta), slope)
        theta = theta + step / max(1.0, float(np.abs(step).max()) / 0.5)
        if float(np.abs(step).max()) < 1e-7:
            return theta, _likelihood(groups, theta)[0]
    raise NumericalError(
        "the mixed model of the network does not settle",
        where="network",
        hint="Use common effects, or give more nodes.",
    )


def _hessian(groups: tuple[_Group, ...], theta: Floats, step: float = 1e-4) -> Floats:
    """Return second derivatives by central differences of the gradient."""
    columns = [
        (_likelihood(groups, theta + h)[1] - _likelihood(groups, theta - h)[1]) / (2 * step)
        for h in step * np.eye(theta.size)
    ]
    whole = np.stack(columns)
    return np.asarray(0.5 * (whole + whole.T))
