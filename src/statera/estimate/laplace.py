"""FOCE, FOCEI and Laplace: the objective by a normal approximation at each subject's mode.

``O_i = J(eta^) + ln det Omega + ln det H`` with H the expected (FOCE, FOCEI) or exact (Laplace)
half of the second derivatives of J. Conventions and checked values: ``docs/estimation.md``.
Gradients follow Almquist et al. 2015 (doi 10.1007/s10928-015-9409-1).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from statera.estimate.individual import Evaluation, Individuals, Second
from statera.estimate.inner import Inner, InnerOptions, find_etas, inverse_of, solve_many

__all__ = [
    "FLAT",
    "Expansion",
    "LaplaceOptions",
    "expand",
    "expand_gradient",
    "flat_modes",
    "limited_volume",
]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


FLAT = 0.1
"""Smallest curvature of a mode that counts, relative to that of the prior, by exact second
derivatives."""


@dataclass(frozen=True)
class LaplaceOptions:
    """Which second derivatives, and how exactly the modes are found."""

    exact: bool = False
    inner: InnerOptions = field(default_factory=InnerOptions)


@dataclass(frozen=True)
class Expansion:
    """The objective of every subject and what it was made of.

    Attributes
    ----------
    objective : (n_subjects,) float64
    inner
        Modes.
    half : (n_subjects, n_etas, n_etas) float64
        H.
    frozen
        Variances of FOCE, with derivatives; None with interaction.
    inverse : (n_subjects, n_etas, n_etas) float64, optional
        Derivative of ln det H by H where it is not its inverse, see `limited_volume`.
    """

    objective: Floats
    inner: Inner
    half: Floats
    frozen: tuple[Floats, Floats] | None
    inverse: Floats | None = field(default=None, kw_only=True)


def log_det(matrices: Floats) -> Floats:
    """Return ln det of symmetric matrices; NaN where one is not positive definite."""
    if matrices.shape[1] == 0:
        return np.zeros(matrices.shape[0])
    sign, value = np.linalg.slogdet(matrices)
    lowest = np.linalg.eigvalsh(np.where(np.isfinite(matrices), matrices, 0.0))[:, 0]
    return np.where((sign > 0) & (lowest > 0), value, np.nan)


def _whitened(half: Floats, omega: Floats) -> tuple[Floats, Floats]:
    lower: Floats = np.linalg.cholesky(omega).astype(np.float64)
    return lower.T @ half @ lower, lower


def flat_modes(half: Floats, omega: Floats) -> Mask:
    """Return which subjects have a mode so flat that the approximation cannot be trusted.

    Relative to the prior, whose own curvature is 1 in every direction.
    """
    if not omega.size or not np.isfinite(half).all():
        return np.zeros(half.shape[0], dtype=bool)
    flat: Mask = np.linalg.eigvalsh(_whitened(half, omega)[0])[:, 0] < 2.0 * FLAT
    return flat


def limited_volume(half: Floats, omega: Floats) -> tuple[Floats, Floats]:
    """Return ln det H with curvatures kept from vanishing, and its derivative by H.

    Exact second derivatives may vanish at a mode, between two modes about to merge: ln det H has
    no lower bound there, and a search would be drawn to it although the integral it stands for
    hardly changes. A curvature c below twice `FLAT` of the prior's counts as
    ``FLAT + c^2 / (4 FLAT)``, and one below 0 as `FLAT`: above nothing changes, and the objective
    keeps a continuous gradient.

    Returns
    -------
    (n_subjects,) float64, (n_subjects, n_etas, n_etas) float64
    """
    if not half.shape[1] or not np.isfinite(half).all():
        return log_det(half), np.full_like(half, np.nan)
    white, lower = _whitened(half, omega)
    values, vectors = np.linalg.eigh(white)
    low = np.clip(values, 0.0, 2.0 * FLAT)
    kept = np.where(values < 2.0 * FLAT, FLAT + low * low / (4.0 * FLAT), values)
    slopes = np.where(values < 2.0 * FLAT, low / (2.0 * FLAT), 1.0) / kept
    by_white = (vectors * slopes[:, None, :]) @ vectors.transpose(0, 2, 1)
    total = np.log(kept).sum(axis=1) - np.linalg.slogdet(omega)[1]
    return total, lower @ by_white @ lower.T


def expand(
    of: Individuals,
    theta: Floats,
    omega: Floats,
    start: Floats,
    options: LaplaceOptions,
    curvature: Floats | None = None,
) -> Expansion:
    """Return the objective of every subject.

    Parameters
    ----------
    omega : (n_etas, n_etas) float64
    start : (n_subjects, n_etas) float64
        Where the search for the modes begins.
    """
    precision = inverse_of(omega)
    frozen = None if of.interaction else of.frozen_variance(theta)
    inner = find_etas(
        of, theta, precision, start, options.inner, frozen=frozen, curvature=curvature
    )
    e = of.evaluate(theta, inner.etas, by_parameters=False, frozen=frozen)
    half = of.expected(e, 0) + precision
    if options.exact:
        s = of.second(theta, inner.etas, by_parameters=False, frozen=frozen is not None)
        half = 0.5 * of.exact(e, s, 0) + precision
        half = 0.5 * (half + half.transpose(0, 2, 1))
    base = np.linalg.slogdet(omega)[1] if omega.size else 0.0
    with np.errstate(all="ignore"):
        volume, inverse = limited_volume(half, omega) if options.exact else (log_det(half), None)
        objective = inner.objective + base + volume
    return Expansion(objective, inner, half, frozen, inverse=inverse)


@dataclass(frozen=True)
class Slopes:
    """Gradient of the objective by subject.

    Attributes
    ----------
    theta : (n_subjects, n_theta) float64
    omega : (n_subjects, n_etas, n_etas) float64
        Symmetric: the derivative along a symmetric change dOmega is the sum of its products.
    curvature : (n_subjects, n_etas, n_etas) float64
        Exact second derivatives of J at the modes.
    mixed : (n_subjects, n_etas, n_theta) float64, optional
        Those by random effects and fixed effects.
    """

    theta: Floats
    omega: Floats
    curvature: Floats
    mixed: Floats | None = None


def expand_gradient(
    of: Individuals, theta: Floats, omega: Floats, at: Expansion, options: LaplaceOptions
) -> Slopes:
    """Return the gradient of the objective at an expansion."""
    p = of.n_theta
    precision = inverse_of(omega)
    etas, frozen = at.inner.etas, at.frozen
    e = of.evaluate(theta, etas, by_parameters=True, frozen=frozen)
    s = of.second(theta, etas, by_parameters=True, frozen=frozen is not None)
    exact = of.exact(e, s, p)
    eta_eta = 0.5 * (exact[:, :, p:] + exact[:, :, p:].transpose(0, 2, 1)) + 2.0 * precision
    eta_theta = exact[:, :, :p]
    inverse = inverse_of(at.half) if at.inverse is None else at.inverse
    if options.exact:
        trace = _trace_exact(of, theta, etas, inverse, frozen is not None)
    else:
        trace = _trace_expected(of, e, s, inverse, p)
    # the modes move so that the gradient of J stays zero
    weight = solve_many(eta_eta, trace[:, p:])
    by_theta = of.total(e.terms.f[:, None] * e.df[:, :p] + e.terms.v[:, None] * e.dv[:, :p])
    by_theta += trace[:, :p] - np.einsum("iq,iqm->im", weight, eta_theta)
    inside, moved = etas @ precision, weight @ precision
    by_omega = (
        -inside[:, :, None] * inside[:, None, :] + (at.half - precision) @ inverse @ precision
    )
    by_omega = 0.5 * (by_omega + by_omega.transpose(0, 2, 1))
    cross = moved[:, :, None] * inside[:, None, :]
    by_omega += cross + cross.transpose(0, 2, 1)
    return Slopes(by_theta, by_omega, eta_eta, eta_theta)


def _trace_expected(of: Individuals, e: Evaluation, s: Second, inverse: Floats, p: int) -> Floats:
    """Return ``tr(H^-1 dB)`` by every column, B the expected curvature of the data."""
    t = e.terms
    a, c = e.df[:, p:], e.dv[:, p:]
    spread = inverse[of.subject]
    left = np.einsum("jkl,jl->jk", spread, a)
    size = np.einsum("jk,jk->j", left, a)
    rows = 2.0 * t.curve_f[:, None] * np.einsum("jk,jkm->jm", left, s.ff)
    rows += size[:, None] * (t.curve_f_f[:, None] * e.df + t.curve_f_v[:, None] * e.dv)
    if c.any():
        left = np.einsum("jkl,jl->jk", spread, c)
        size = np.einsum("jk,jk->j", left, c)
        rows += 2.0 * t.curve_v[:, None] * np.einsum("jk,jkm->jm", left, s.vv)
        rows += size[:, None] * t.curve_v_v[:, None] * e.dv
    return of.total(rows)


def _trace_exact(
    of: Individuals, theta: Floats, etas: Floats, inverse: Floats, frozen: bool
) -> Floats:
    """Return ``tr(H^-1 dH)`` by every column, H exact, by central differences of it."""
    p, q = of.n_theta, of.n_etas
    trace = np.zeros((of.n_subjects, p + q))

    def half(moved_theta: Floats, moved_etas: Floats) -> Floats:
        fixed = of.frozen_variance(moved_theta) if frozen else None
        e = of.evaluate(moved_theta, moved_etas, by_parameters=False, frozen=fixed)
        s = of.second(moved_theta, moved_etas, by_parameters=False, frozen=frozen)
        return 0.5 * of.exact(e, s, 0)

    for m in range(p + q):
        step = 10.0 * of.step * (max(abs(theta[m]), 0.1) if m < p else 1.0)
        ends = []
        for sign in (1.0, -1.0):
            moved_theta, moved_etas = theta.copy(), etas.copy()
            if m < p:
                moved_theta[m] += sign * step
            else:
                moved_etas[:, m - p] += sign * step
            ends.append(half(moved_theta, moved_etas))
        change = (ends[0] - ends[1]) / (2.0 * step)
        trace[:, m] = np.einsum("ikl,ikl->i", inverse, change)
    return trace
