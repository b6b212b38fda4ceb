"""Log likelihoods of one study given its linear predictors, and their integral over normal effects.

Methods
-------
Adaptive Gauss-Hermite quadrature at the mode of each study: Pinheiro and Bates, J Comput Graph Stat
1995;4:12 (doi 10.1080/10618600.1995.10474663); one node is Laplace's approximation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln, log_expit

__all__ = ["BinomialArms", "Hypergeometric", "Integral", "Kernel", "PoissonArms", "integrate"]

Floats = NDArray[np.float64]


class Kernel(Protocol):
    """Log likelihood by study and arm."""

    def logs(self, eta: Floats) -> tuple[Floats, Floats, Floats]:
        """Return value, first and second derivative, shaped as `eta` (k, arms, nodes)."""
        ...


@dataclass(frozen=True)
class BinomialArms:
    """x of n with logit eta; each (k, arms)."""

    x: Floats
    n: Floats

    def logs(self, eta: Floats) -> tuple[Floats, Floats, Floats]:
        """Return log likelihood and derivatives."""
        x, n = self.x[:, :, None], self.n[:, :, None]
        constant = gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
        p = expit(eta)
        value = constant + n * log_expit(eta) - (n - x) * eta
        return value, x - n * p, -n * p * (1 - p)


@dataclass(frozen=True)
class PoissonArms:
    """x events in time t with rate exp(eta); each (k, arms)."""

    x: Floats
    t: Floats

    def logs(self, eta: Floats) -> tuple[Floats, Floats, Floats]:
        """Return log likelihood and derivatives."""
        x, t = self.x[:, :, None], self.t[:, :, None]
        mean = t * np.exp(np.minimum(eta, 600.0))
        return x * (eta + np.log(t)) - mean - gammaln(x + 1), x - mean, -mean


@dataclass(frozen=True)
class Hypergeometric:
    """Events of the first arm given the total; eta is the log odds ratio.

    Attributes
    ----------
    x : (k,)
        Events of the first arm.
    support : (k, s)
        Values that x could have; padded with 0.
    log_weight : (k, s)
        Their log weights at an odds ratio of 1; -inf where padded.
    """

    x: Floats
    support: Floats
    log_weight: Floats

    @classmethod
    def of(cls, a: Floats, n1: Floats, c: Floats, n2: Floats) -> Hypergeometric:
        """Build it from the counts of two arms, each (k,)."""
        m = a + c
        low, high = np.maximum(0.0, m - n2), np.minimum(m, n1)
        s = low[:, None] + np.arange(int((high - low).max()) + 1, dtype=float)
        inside = s <= high[:, None]
        s = np.where(inside, s, 0.0)
        rest = np.where(inside, m[:, None] - s, 0.0)
        logs = gammaln(n1[:, None] + 1) - gammaln(s + 1) - gammaln(n1[:, None] - s + 1)
        logs += gammaln(n2[:, None] + 1) - gammaln(rest + 1) - gammaln(n2[:, None] - rest + 1)
        return cls(a, np.asarray(s, dtype=float), np.where(inside, logs, -np.inf))

    def logs(self, eta: Floats) -> tuple[Floats, Floats, Floats]:
        """Return log likelihood and derivatives; eta is (k, 1, nodes)."""
        s = self.support[:, None, None, :]
        terms = self.log_weight[:, None, None, :] + s * eta[..., None]
        top = terms.max(axis=-1, keepdims=True)
        weights = np.exp(terms - top)
        total = weights.sum(axis=-1, keepdims=True)
        mean = (weights * s).sum(axis=-1) / total[..., 0]
        variance = (weights * (s - mean[..., None]) ** 2).sum(axis=-1) / total[..., 0]
        x = self.x[:, None, None]
        # The weight of x itself enters as the reference of the sum.
        own = np.where(self.support == self.x[:, None], self.log_weight, -np.inf).max(axis=1)
        value = own[:, None, None] + x * eta - (top + np.log(total))[..., 0]
        return value, x - mean, -variance


@dataclass(frozen=True)
class Integral:
    """Integrated likelihood of each study with what its derivatives need.

    Attributes
    ----------
    log_marginal : (k,)
        Log likelihoods with the random effects integrated out.
    weight : (k, nodes)
        Posterior weights of the nodes.
    first, second : (k, arms, nodes)
        Derivatives of the log likelihood in the linear predictors at the nodes.
    effect : (k, d, nodes)
        Standard normal effects at the nodes.
    """

    log_marginal: Floats
    weight: Floats
    first: Floats
    second: Floats
    effect: Floats


def integrate(kernel: Kernel, base: Floats, loading: Floats, nodes: int) -> Integral:
    """Integrate exp(log likelihood) over standard normal effects b, eta = base + loading b.

    Parameters
    ----------
    kernel
        Log likelihood; concave in eta.
    base : (k, arms)
        Linear predictors without random effects.
    loading : (arms, d)
        Standard deviations with sign; d effects.
    nodes
        Per dimension.
    """
    k, (_, d) = base.shape[0], loading.shape
    mode, root = _modes(kernel, base, loading)
    x1, w1 = np.polynomial.hermite.hermgauss(nodes)
    grid = np.stack(np.meshgrid(*[x1] * d, indexing="ij")).reshape(d, -1)
    log_w = np.sum(np.meshgrid(*[np.log(w1) + x1**2] * d, indexing="ij"), axis=0).ravel()
    # b = mode + sqrt(2) R^-T x with the curvature R R'.
    inverse = np.linalg.inv(root).transpose(0, 2, 1)
    b = mode[:, :, None] + np.sqrt(2.0) * inverse @ grid
    value, first, second = kernel.logs(base[:, :, None] + loading @ b)
    logs = value.sum(axis=1) - 0.5 * (b**2).sum(axis=1) + log_w
    top = logs.max(axis=1)
    weights = np.exp(logs - top[:, None])
    total = weights.sum(axis=1)
    half_log_determinant = np.log(np.abs(np.linalg.det(root))) if k else np.zeros(0)
    # (2 pi)^(-d/2) of the normal density against 2^(d/2) of the change of scale.
    marginal = top + np.log(total) - half_log_determinant - 0.5 * d * np.log(np.pi)
    return Integral(marginal, weights / total[:, None], first, second, b)


def _modes(kernel: Kernel, base: Floats, loading: Floats) -> tuple[Floats, Floats]:
    """Return the mode of b of each study, (k, d), and the Cholesky root of its curvature."""
    d = loading.shape[1]
    b = np.zeros((base.shape[0], d))
    for _ in range(60):
        _, first, second = kernel.logs((base + b @ loading.T)[:, :, None])
        gradient = first[:, :, 0] @ loading - b
        curvature = np.eye(d) - np.einsum("ka,ad,ae->kde", second[:, :, 0], loading, loading)
        step = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]
        # Far from the mode a Newton step of a Poisson mean overshoots: at most 2 SD at a time.
        longest = np.abs(step).max(axis=1, keepdims=True)
        b = b + step * np.minimum(1.0, 2.0 / np.maximum(longest, 1e-300))
        if float(longest.max(initial=0.0)) < 1e-9:
            break
    _, _, second = kernel.logs((base + b @ loading.T)[:, :, None])
    curvature = np.eye(d) - np.einsum("ka,ad,ae->kde", second[:, :, 0], loading, loading)
    return b, np.linalg.cholesky(curvature)
