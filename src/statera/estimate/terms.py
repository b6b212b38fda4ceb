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

__all__ = ["ABOVE", "BELOW", "GAUSS", "LIKELIHOOD", "TRUNCATED", "Terms", "terms"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GAUSS, BELOW, ABOVE, TRUNCATED, LIKELIHOOD = range(5)
"""Quantified; below a limit (M3); above a limit; quantified given that it is above the limit (M2);
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


def terms(y: Floats, f: Floats, v: Floats, kind: Ints, limit: Floats) -> Terms:
    """Return the terms of all observations.

    Parameters
    ----------
    y, f, v : (n_obs,) float64
        Observation, prediction and variance on the scale of the residual error.
    kind : (n_obs,) int64
        One of the constants of this module.
    limit : (n_obs,) float64
        Limit of quantification of censored and truncated observations.
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
