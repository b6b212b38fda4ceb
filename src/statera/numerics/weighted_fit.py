"""Weighted least squares with known variances, and the traces that its tests need.

With weights ``a`` and a design X, ``P = A - A X (X'AX)^-1 X'A = s (I - QQ') s``, where ``s`` is the
root of the weights and Q an orthonormal basis of ``s X``. Every trace below is then a sum over rows
and a product of (p, p) matrices: time and memory grow with the number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError

__all__ = ["Projection", "WeightedFit", "checked", "is_constant", "weighted_fit"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WeightedFit:
    """Weighted least squares at one tau2.

    Attributes
    ----------
    beta : (p,) float64
    covariance : (p, p) float64
        ``(X'WX)^-1``.
    residuals, weights : (k,) float64
    q
        Weighted sum of squared residuals.
    trace_p, trace_pp
        Of P and of PP.
    log_determinant
        Of X'WX.
    """

    beta: Floats
    covariance: Floats
    residuals: Floats
    weights: Floats
    q: float
    trace_p: float
    trace_pp: float
    log_determinant: float


def is_constant(x: Floats) -> bool:
    """Return whether a design is one column of ones."""
    return x.shape[1] == 1 and bool((x == 1.0).all())


def checked(
    estimates: ArrayLike, variances: ArrayLike, design: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Return estimates, variances and design as arrays that a variance can be estimated from.

    Raises
    ------
    InputError
        If lengths differ, a value is not finite, a variance not above 0, the design does not have
        full rank, or there are not more rows than columns.
    """
    y = np.asarray(estimates, dtype=np.float64).ravel()
    v = np.asarray(variances, dtype=np.float64).ravel()
    x = np.ones((y.size, 1)) if design is None else np.asarray(design, dtype=np.float64)
    if x.ndim == 1:
        x = x[:, None]
    if not y.size == v.size == x.shape[0]:
        raise InputError(f"{y.size} estimates, {v.size} variances, {x.shape[0]} rows of design")
    if not (np.isfinite(y).all() and np.isfinite(v).all() and np.isfinite(x).all()):
        raise InputError("an estimate, variance or covariate is no number")
    if not (v > 0).all():
        raise InputError(f"the variance of row {int(np.argmin(v))} is not above 0")
    if y.size <= x.shape[1]:
        raise InputError(
            f"{y.size} rows cannot show a variance beside {x.shape[1]} coefficients",
            hint="Two rows more than coefficients are the least.",
        )
    if not is_constant(x) and np.linalg.matrix_rank(x) < x.shape[1]:
        raise InputError("columns of the design depend on each other", where="design")
    return y, v, x


@dataclass(frozen=True)
class Projection:
    """The matrix P of a design and weights, by an orthonormal basis.

    Attributes
    ----------
    weights, root : (k,) float64
    basis : (k, p) float64
        Orthonormal, of ``root * X``.
    triangle : (p, p) float64
        ``root * X = basis @ triangle``.
    leverage : (k,) float64
    """

    weights: Floats
    root: Floats
    basis: Floats
    triangle: Floats
    leverage: Floats

    @classmethod
    def of(cls, x: Floats, weights: Floats, constant: bool | None = None) -> Projection:
        """Return the projection of a design ``x : (k, p)`` with ``weights : (k,)``."""
        root = np.sqrt(weights)
        if is_constant(x) if constant is None else constant:
            total = float(weights.sum())
            length = total**0.5
            basis = (root / length)[:, None]
            return cls(weights, root, basis, np.array([[length]]), weights / total)
        basis, triangle = np.linalg.qr(root[:, None] * x)
        return cls(weights, root, basis, triangle, np.einsum("ij,ij->i", basis, basis))

    def residual(self, values: Floats) -> Floats:
        """Return ``(I - QQ') values`` of values already scaled by the root of the weights."""
        return np.asarray(values - self.basis @ (self.basis.T @ values))

    def trace(self, scaled: Floats) -> float:
        """Return tr(P D) for diagonal D, given ``scaled = weights * D``."""
        return float(scaled @ (1.0 - self.leverage))

    def trace_of_two(self, first: Floats, second: Floats) -> float:
        """Return tr(P D P E) for diagonal D and E, given ``weights * D`` and ``weights * E``."""
        if self.triangle.size == 1:
            # one column: the inner products are sums over leverages
            h = self.leverage
            both = float((first * second) @ (1.0 - 2.0 * h))
            return both + float(first @ h) * float(second @ h)
        inner = self.basis.T @ (first[:, None] * self.basis)
        outer = inner if second is first else self.basis.T @ (second[:, None] * self.basis)
        return float((first * second) @ (1.0 - 2.0 * self.leverage) + np.sum(inner * outer))

    def coefficients(self, y: Floats) -> Floats:
        """Return the least squares coefficients of ``y``."""
        projected = self.basis.T @ (self.root * y)
        if self.triangle.size == 1:
            return np.asarray(projected / self.triangle[0])
        return np.asarray(np.linalg.solve(self.triangle, projected))

    def covariance(self) -> Floats:
        """Return ``(X'AX)^-1``."""
        if self.triangle.size == 1:
            return np.asarray(1.0 / self.triangle**2)
        inverse = np.linalg.inv(self.triangle)
        return np.asarray(inverse @ inverse.T)

    def log_determinant(self) -> float:
        """Return ``ln |X'AX|``."""
        return 2.0 * float(np.sum(np.log(np.abs(np.diag(self.triangle)))))


def weighted_fit(y: Floats, v: Floats, x: Floats, tau2: float) -> WeightedFit:
    """Return the weighted least squares with weights ``1 / (v + tau2)``."""
    projection = Projection.of(x, 1.0 / (v + tau2))
    w = projection.weights
    beta = projection.coefficients(y)
    r = y - x @ beta
    return WeightedFit(
        beta, projection.covariance(), r, w, float(w @ (r * r)), projection.trace(w),
        projection.trace_of_two(w, w), projection.log_determinant(),
    )  # fmt: skip
