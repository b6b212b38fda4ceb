"""Linear mixed models of independent groups from their cross-products.

``y_i = X_i beta + Z_i b_i + e_i``, ``b_i ~ N(0, sigma^2 L L')``, ``e_i ~ N(0, sigma^2)``. With L
relative to sigma, ``M_i = I + L' Z_i'Z_i L`` is all that is factorised: q by q a group, whatever
its rows (Bates and DebRoy, J Multivar Anal 2004). A zero on the diagonal of L is no special case.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CrossProducts",
    "MixedSolution",
    "cross_products",
    "log_likelihood",
    "log_likelihood_gradient",
    "solve_mixed",
]

Floats = NDArray[np.float64]

_LN_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class CrossProducts:
    """Sums over the rows of each group.

    Attributes
    ----------
    xx : (m, p, p) float64
    zx : (m, q, p) float64
    zz : (m, q, q) float64
    xy : (m, p) float64
    zy : (m, q) float64
    yy : (m,) float64
    n
        Rows of all groups.
    log_weight
        Sum of the logarithms of their weights.
    """

    xx: Floats
    zx: Floats
    zz: Floats
    xy: Floats
    zy: Floats
    yy: Floats
    n: int
    log_weight: float


@dataclass(frozen=True)
class MixedSolution:
    """Generalised least squares and predictions of random effects at one L.

    Attributes
    ----------
    beta : (p,) float64
    effects : (m, q) float64
        Best linear unbiased predictions of ``L^-1 b_i``.
    information : (p, p) float64
        sigma^2 times the information of beta.
    sum_of_squares
        Of residuals in the metric of the covariance: sigma^2 is this over n (or n - p).
    log_determinant
        Sum of ``ln |M_i|``.
    """

    beta: Floats
    effects: Floats
    information: Floats
    sum_of_squares: float
    log_determinant: float


def cross_products(x: Floats, z: Floats, y: Floats, weight: Floats) -> CrossProducts:
    """Return sums over rows.

    Parameters
    ----------
    x : (m, n, p) float64
    z : (m, n, q) float64
    y, weight : (m, n) float64
        Rows of weight 0 do not count.
    """
    wx, wz = weight[..., None] * x, weight[..., None] * z
    return CrossProducts(
        np.einsum("mni,mnj->mij", wx, x),
        np.einsum("mni,mnj->mij", wz, x),
        np.einsum("mni,mnj->mij", wz, z),
        np.einsum("mni,mn->mi", wx, y),
        np.einsum("mni,mn->mi", wz, y),
        np.einsum("mn,mn->m", weight * y, y),
        int((weight > 0).sum()),
        float(np.log(weight[weight > 0]).sum()),
    )


def solve_mixed(sums: CrossProducts, relative: Floats) -> MixedSolution:
    """Return beta and effects for the Cholesky factor L (q, q), relative to sigma."""
    q = relative.shape[0]
    m = np.eye(q) + relative.T @ sums.zz @ relative
    factor = np.linalg.cholesky(m)
    right = np.concatenate([sums.zx, sums.zy[..., None]], axis=-1)
    half = np.linalg.solve(factor, relative.T @ right)
    t, s = half[..., :-1], half[..., -1]
    information = sums.xx.sum(0) - np.einsum("mqi,mqj->ij", t, t)
    score = sums.xy.sum(0) - np.einsum("mqi,mq->i", t, s)
    beta = np.linalg.solve(information, score)
    rest = s - t @ beta
    effects = np.linalg.solve(np.swapaxes(factor, -1, -2), rest[..., None])[..., 0]
    squares = float(sums.yy.sum() - np.sum(s * s) - beta @ score)
    diagonal = np.diagonal(factor, axis1=-2, axis2=-1)
    return MixedSolution(
        beta, effects, information, max(squares, 0.0), 2.0 * float(np.log(diagonal).sum())
    )


def log_likelihood(
    sums: CrossProducts, solution: MixedSolution, reml: bool = False, sigma: float | None = None
) -> float:
    """Return the log-likelihood, restricted or not, of a solution.

    Parameters
    ----------
    sums, solution
    reml
        Restricted: ``- 1/2 ln |X' V^-1 X|`` added, and p rows fewer.
    sigma
        Residual standard deviation; the best one where not given.
    """
    p = solution.beta.size
    n = sums.n - p if reml else sums.n
    variance = solution.sum_of_squares / n if sigma is None else sigma**2
    if not variance > 0:
        return -np.inf
    found = -0.5 * (n * (_LN_2PI + np.log(variance)) + solution.sum_of_squares / variance)
    found += 0.5 * (sums.log_weight - solution.log_determinant)
    if reml:
        found -= 0.5 * float(np.linalg.slogdet(solution.information)[1])
    return float(found)


def log_likelihood_gradient(
    sums: CrossProducts, relative: Floats, solution: MixedSolution, reml: bool = False
) -> Floats:
    """Return derivatives of the log-likelihood, at the best sigma, by the entries of L, (q, q).

    Only the sum of squares, ``ln |M_i|`` and, restricted, ``ln |X' V^-1 X|`` depend on L; the first
    is a minimum over beta and effects, so that these may be held.
    """
    n = sums.n - (solution.beta.size if reml else 0)
    m = np.eye(relative.shape[0]) + relative.T @ sums.zz @ relative
    u = solution.effects
    rest = sums.zy - sums.zx @ solution.beta - np.einsum("mij,mj->mi", sums.zz @ relative, u)
    found = (n / solution.sum_of_squares) * np.einsum("mi,mj->ij", rest, u)
    found = found - np.swapaxes(np.linalg.solve(m, relative.T @ sums.zz), 1, 2).sum(0)
    if reml:
        inner = np.linalg.solve(m, relative.T @ sums.zx)
        outer = sums.zx - sums.zz @ relative @ inner
        inverse = np.linalg.inv(solution.information)
        found = found + np.einsum("mip,pr,mjr->ij", outer, inverse, inner)
    return np.asarray(found, dtype=np.float64)
