"""What one observation adds to the objective, with its derivatives by prediction and variance.

Each kind of observation is a function ``rho(f, v)`` of the prediction f and the residual variance
v, such that -2 log-likelihood is the sum of rho (without ``ln 2 pi`` for quantified values, as is
the convention of NONMEM). Everything that methods need follows from its first and second
derivatives, so that censored values and user likelihoods are treated as Gaussian ones are.

Censored values: Beal 2001 (doi 10.1023/A:1011907920641).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

__all__ = [
    "ABOVE",
    "BELOW",
    "BETWEEN",
    "GAUSS",
    "LIKELIHOOD",
    "POSITIVE",
    "TRUNCATED",
    "Terms",
    "terms",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GAUSS, BELOW, ABOVE, TRUNCATED, BETWEEN, POSITIVE, LIKELIHOOD = range(7)
"""Quantified; below a limit (M3); above a limit; quantified given that it is above the limit (M2,
and M4 with a limit of 0); between two limits; between 0 and a limit given that it is above 0 (M4);
f is itself a log-likelihood."""

_LOG_ROOT_2PI = 0.9189385332046727


@dataclass(frozen=True)
class Terms:
    """Values and derivatives of rho, ``(n_obs,)`` float64 each.

    Attributes
    ----------
    value, f, v, ff, fv, vv
        rho and its derivatives.
    curve_f, curve_v
        Expected curvature of rho / 2 along f and along v, for the approximations by expected
        second derivatives: ``1 / v`` and ``1 / (2 v^2)`` for quantified values.
    curve_f_f, curve_f_v, curve_v_v
        Derivatives of ``curve_f`` by f and by v, and of ``curve_v`` by v.
    """

    value: Floats
    f: Floats
    v: Floats
    ff: Floats
    fv: Floats
    vv: Floats
    curve_f: Floats
    curve_v: Floats
    curve_f_f: Floats
    curve_f_v: Floats
    curve_v_v: Floats


def terms(
    y: Floats, f: Floats, v: Floats, kind: Ints, limit: Floats, lower: Floats | None = None
) -> Terms:
    """Return the terms of all observations.

    Parameters
    ----------
    y, f, v : (n_obs,) float64
        Observation, prediction and variance on the scale of the residual error.
    kind : (n_obs,) int64
        One of the constants of this module.
    limit : (n_obs,) float64
        Limit of quantification of censored and truncated observations.
    lower : (n_obs,) float64, optional
        Lower end of observations between two limits.
    """
    with np.errstate(all="ignore"):
        r = y - f
        w = 1.0 / v
        found = [
            np.log(v) + r * r * w, -2.0 * r * w, w - r * r * w * w,
            2.0 * w, 2.0 * r * w * w, -w * w + 2.0 * r * r * w**3,
            w, 0.5 * w * w, np.zeros_like(f), -w * w, -(w**3),
        ]  # fmt: skip
        for which, sign, scale in ((BELOW, 1.0, -2.0), (ABOVE, -1.0, -2.0), (TRUNCATED, -1.0, 2.0)):
            rows = np.flatnonzero(kind == which)
            if rows.size:
                tail = _tail(limit[rows], f[rows], v[rows], sign, scale)
                for total, part in zip(found, tail, strict=True):
                    total[rows] = total[rows] + part if which == TRUNCATED else part
        for which in (BETWEEN, POSITIVE):
            rows = np.flatnonzero(kind == which)
            if rows.size:
                low = np.zeros(rows.size) if lower is None or which == POSITIVE else lower[rows]
                parts = _between(low, limit[rows], f[rows], v[rows])
                if which == POSITIVE:
                    above = _tail(np.zeros(rows.size), f[rows], v[rows], -1.0, 2.0)
                    parts = [a + b for a, b in zip(parts, above, strict=True)]
                for total, part in zip(found, parts, strict=True):
                    total[rows] = part
        rows = np.flatnonzero(kind == LIKELIHOOD)
        if rows.size:
            for total in found:
                total[rows] = 0.0
            found[0][rows] = -2.0 * f[rows]
            found[1][rows] = -2.0
            found[6][rows] = 1.0  # the expectation of the square of the score
    return Terms(*found)


def _tail(limit: Floats, f: Floats, v: Floats, sign: float, scale: float) -> list[Floats]:
    """Return ``scale * ln Phi(sign (limit - f) / sd)`` and its derivatives, as in `Terms`."""
    sd = np.sqrt(v)
    z = sign * (limit - f) / sd
    log_phi = log_ndtr(z)
    hazard = np.exp(-0.5 * z * z - _LOG_ROOT_2PI - log_phi)
    bend = -hazard * (hazard + z)  # the derivative of the hazard
    z_f, z_v = -sign / sd, -0.5 * z / v
    z_fv, z_vv = 0.5 * sign / (sd * v), 0.75 * z / (v * v)
    g_f, g_v = scale * hazard * z_f, scale * hazard * z_v
    g_ff = scale * bend * z_f * z_f
    g_fv = scale * (bend * z_f * z_v + hazard * z_fv)
    g_vv = scale * (bend * z_v * z_v + hazard * z_vv)
    # third derivatives of the curvature along f: bend'' by z
    third = -bend * (hazard + z) - hazard * (bend + 1.0)
    half = 0.5 * scale
    curve = half * bend / v
    zero = np.zeros_like(f)
    return [
        scale * log_phi, g_f, g_v, g_ff, g_fv, g_vv, curve, zero,
        half * third * z_f / v, half * (third * z_v / v - bend / (v * v)), zero,
    ]  # fmt: skip


def _between(low: Floats, high: Floats, f: Floats, v: Floats) -> list[Floats]:
    """Return ``-2 ln (Phi(b) - Phi(a))`` and its derivatives, as in `Terms`.

    With ``A_k = (b^(k-1) phi(b) - a^(k-1) phi(a)) / (Phi(b) - Phi(a))`` all derivatives are
    polynomials in A_1 to A_4.
    """
    sd = np.sqrt(v)
    a, b = (low - f) / sd, (high - f) / sd
    turned = a > 0.0  # in the upper tail the complement keeps the digits
    first, last = np.where(turned, -b, a), np.where(turned, -a, b)
    log_last = log_ndtr(last)
    log_d = log_last + np.log1p(-np.exp(log_ndtr(first) - log_last))
    at_a = np.exp(-0.5 * a * a - _LOG_ROOT_2PI - log_d)
    at_b = np.exp(-0.5 * b * b - _LOG_ROOT_2PI - log_d)
    a_0, b_0 = np.where(np.isfinite(a), a, 0.0), np.where(np.isfinite(b), b, 0.0)
    a1, a2, a3, a4 = (b_0**k * at_b - a_0**k * at_a for k in range(4))
    curve = (a2 + a1 * a1) / v
    zero = np.zeros_like(f)
    return [
        -2.0 * log_d,
        2.0 * a1 / sd,
        a2 / v,
        2.0 * curve,
        (a3 + a1 * a2 - a1) / (sd * v),
        (a4 + a2 * a2 - 3.0 * a2) / (2.0 * v * v),
        curve,
        zero,
        (a3 - a1 + a1 * a2 + 2.0 * a1 * (a2 + a1 * a1)) / (v * sd),
        ((a4 - a2 + a2 * a2) + 2.0 * a1 * (a3 + a1 * a2)) / (2.0 * v * v) - curve / v,
        zero,
    ]
