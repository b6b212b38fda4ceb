"""Distribution of a weighted sum of chi-squares, as quadratic forms of normal variables have.

The probability above q is a contour integral of the moment generating function,
``1/(2 pi i) int exp(K(s) - s q) / s ds`` (Rice, SIAM J Sci Stat Comput 1980;1:438), here along a
parabola that bends away from the cut on the real axis: the integrand falls like a Gaussian, and the
trapezoidal rule converges geometrically.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from statera.numerics.weighted_fit import Projection

__all__ = ["generalised_q_median", "weighted_chi_square_above"]

Floats = NDArray[np.float64]


def weighted_chi_square_above(q: float, scales: Floats) -> float:
    """Return the probability that ``sum scales * chi2(1)`` exceeds `q`.

    Parameters
    ----------
    q
    scales : (m,) float64
        Above 0.
    """
    if q <= 0.0:
        return 1.0
    largest = float(scales.max())
    share, point = scales / largest, q / largest
    # the contour passes half way between the pole at 0 and the first branch point at 1/2
    start, bend = 0.25, 0.5
    step = 0.02
    reach = float(np.arcsinh(np.sqrt(40.0 / (bend * point)) + 5.0))
    t = step * (np.arange(int(reach / step) + 1) + 0.5)
    # points grow apart with the distance, over which a small q spreads the integrand
    u, spacing = np.sinh(t), np.cosh(t)
    s = start + 1j * u + bend * u * u
    exponent = -0.5 * np.log(1.0 - 2.0 * s[:, None] * share[None, :]).sum(axis=1) - s * point
    values = np.exp(exponent) / s * (1j + 2.0 * bend * u) * spacing
    return float(np.clip(step / np.pi * values.imag.sum(), 0.0, 1.0))


def generalised_q_median(projection: Projection, v: Floats, form: float) -> float:
    """Return the tau2 at which the quadratic form found is the median of its distribution.

    Parameters
    ----------
    projection
        Of the weights.
    v : (k,) float64
        Sampling variances.
    form
        ``y'Py`` as found.

    Returns
    -------
    float
        -1 where even tau2 = 0 puts the form below its median.
    """
    root, basis = projection.root, projection.basis
    p = basis.shape[1]

    def excess(t: float) -> float:
        spread = root * np.sqrt(v + t)
        inner = np.diag(spread**2) - (spread[:, None] * basis) @ (spread[:, None] * basis).T
        scales: Floats = np.asarray(np.linalg.eigvalsh(inner)[p:], dtype=np.float64)
        return weighted_chi_square_above(form, scales[scales > 0.0]) - 0.5

    if excess(0.0) >= 0.0:
        return -1.0
    high = float(v.max())
    while excess(high) < 0.0:
        high *= 4.0
    return float(brentq(excess, 0.0, high, xtol=1e-14 * high, rtol=1e-12))
