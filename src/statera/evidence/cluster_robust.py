"""Variances of coefficients that hold whatever the covariance within clusters.

Methods
-------
CR0 sums the outer products of the scores of clusters; CR1 multiplies by clusters/(clusters - p)
and refers to t(clusters - p); CR2 corrects residuals for their leverage under the working
covariance (Bell and McCaffrey, Surv Methodol 2002;28:169) with Satterthwaite degrees of freedom
per coefficient (Pustejovsky and Tipton, J Bus Econ Stat 2018;36:672,
doi 10.1080/07350015.2016.1247004).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from statera.errors import InputError

__all__ = ["RobustKind", "RobustVariance", "robust_variance"]

Floats = NDArray[np.float64]
Block = tuple[NDArray[np.int64], Floats]


class RobustKind(StrEnum):
    """Small-sample correction."""

    CR0 = "CR0"
    CR1 = "CR1"
    CR2 = "CR2"


@dataclass(frozen=True)
class RobustVariance:
    """Tests and intervals by a cluster-robust variance.

    Attributes
    ----------
    kind
        Which correction.
    clusters
        Number of clusters.
    beta, se, t, df, p, low, high : (p,) float64
        Coefficients, their standard errors and tests by Student's t.
    covariance : (p, p) float64
        Robust covariance matrix.
    """

    kind: RobustKind
    clusters: int
    beta: Floats
    se: Floats
    t: Floats
    df: Floats
    p: Floats
    low: Floats
    high: Floats
    covariance: Floats


def robust_variance(
    y: Floats,
    x: Floats,
    blocks: Sequence[Block],
    kind: RobustKind | str = RobustKind.CR1,
    level: float = 0.95,
) -> RobustVariance:
    """Return robust variances of generalised least squares with a block-diagonal covariance.

    Parameters
    ----------
    y, x : (k,) and (k, p) float64
        Effects and design.
    blocks
        Rows of each cluster and the working covariance matrix among them.
    kind
        CR0, CR1 or CR2.
    level
        Confidence level.

    Raises
    ------
    InputError
        If there are not more clusters than coefficients.
    """
    kind = RobustKind(kind)
    p, clusters = x.shape[1], len(blocks)
    if clusters <= p:
        raise InputError(
            f"a robust variance of {_many(p, 'coefficient')} needs more than "
            f"{_many(clusters, 'cluster')}",
            where="levels",
            hint="Use the model's own variance, or fewer moderators.",
        )
    weighted = [np.linalg.solve(matrix, x[rows]) for rows, matrix in blocks]
    xwx = sum((x[r].T @ wx for (r, _), wx in zip(blocks, weighted, strict=True)), np.zeros((p, p)))
    bread = np.asarray(np.linalg.inv(xwx), dtype=float)
    beta = bread @ sum(
        (wx.T @ y[rows] for (rows, _), wx in zip(blocks, weighted, strict=True)), np.zeros(p)
    )
    # Rows of each factor turn the residuals of a cluster into its share of the coefficients.
    factors = []
    for (rows, matrix), wx in zip(blocks, weighted, strict=True):
        adjust = _leverage(matrix, x[rows], bread) if kind is RobustKind.CR2 else None
        factors.append(bread @ (wx.T if adjust is None else wx.T @ adjust))
    shares = np.array([f @ (y[r] - x[r] @ beta) for f, (r, _) in zip(factors, blocks, strict=True)])
    covariance = shares.T @ shares
    df = np.full(p, float(clusters - p))
    if kind is RobustKind.CR1:
        covariance = covariance * (clusters / (clusters - p))
    if kind is RobustKind.CR2:
        df = _satterthwaite(factors, blocks, x, bread)
    se = np.sqrt(np.diag(covariance))
    half = student.ppf(0.5 + level / 2, df) * se
    p_values = 2 * student.sf(np.abs(beta / se), df)
    return RobustVariance(
        kind,
        clusters,
        beta,
        se,
        beta / se,
        df,
        np.asarray(p_values, dtype=float),
        beta - half,
        beta + half,
        covariance,
    )


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _leverage(matrix: Floats, x: Floats, bread: Floats) -> Floats:
    """Return A with A (S - X B X') A' = S for the working covariance S of a cluster."""
    root = np.linalg.cholesky(matrix)
    inner = root.T @ (matrix - x @ bread @ x.T) @ root
    values, vectors = np.linalg.eigh((inner + inner.T) / 2)
    # A cluster that decides a coefficient alone leaves a null direction: its inverse is zero there.
    kept = values > 1e-10 * max(float(values[-1]), 0.0)
    power = np.where(kept, 1.0 / np.sqrt(np.where(kept, values, 1.0)), 0.0)
    half = (vectors * power) @ vectors.T
    return np.asarray(root @ half @ root.T)


def _satterthwaite(
    factors: Sequence[Floats], blocks: Sequence[Block], x: Floats, bread: Floats
) -> Floats:
    """Degrees of freedom 2 E^2 / Var of each robust variance under the working covariance."""
    p, clusters = x.shape[1], len(factors)
    df = np.empty(p)
    for j in range(p):
        across = np.array([f[j] @ x[r] for f, (r, _) in zip(factors, blocks, strict=True)])
        gram = -across @ bread @ across.T
        gram[np.diag_indices(clusters)] += [
            f[j] @ m @ f[j] for f, (_, m) in zip(factors, blocks, strict=True)
        ]
        df[j] = np.trace(gram) ** 2 / (gram**2).sum()
    return df
