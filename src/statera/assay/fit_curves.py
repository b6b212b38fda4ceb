"""Fit many dose-response curves at once, by least squares from several starts.

Curves are rows of arrays; every step of Levenberg and Marquardt is taken by all of them together.
Starts: of a grid of slopes and doses, with the limits that fit best to each (they enter linearly:
Golub and Pereyra, SIAM J Numer Anal 1973), the best few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.assay.logistic import LN_IC50, NAMES, B, C, D, F, logistic, logistic_jacobian
from statera.errors import InputError, UsageError

__all__ = ["Curves", "FitOptions", "FittedCurves", "fit_curves", "make_curves"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

CONVERGED, TOO_MANY_STEPS, TOO_FEW_POINTS = range(3)
STATUS = ("converged", "too many steps", "too few points")

_SLOPES = (0.4, 0.7, 1.0, 1.6, 3.0, 6.0)
_GRID = 13


@dataclass(frozen=True)
class Curves:
    """Points of several curves.

    Attributes
    ----------
    dose, response, weight : (n_curves, n) float64
        Points beyond those of a curve have weight 0.
    names
        Of the curves.
    """

    dose: Floats
    response: Floats
    weight: Floats
    names: tuple[str, ...]

    @property
    def ln_dose(self) -> Floats:
        """Logarithms of doses; minus infinity for dose 0."""
        with np.errstate(divide="ignore"):
            return np.log(self.dose)

    @property
    def n_points(self) -> NDArray[np.int64]:
        """Points of each curve."""
        found: NDArray[np.int64] = np.sum(self.weight > 0, axis=1, dtype=np.int64)
        return found


@dataclass(frozen=True)
class FitOptions:
    """Which curve is fitted, and how.

    Attributes
    ----------
    fixed
        Parameters that keep a value, by name of `statera.assay.logistic.NAMES`. By default f = 1:
        the four-parameter logistic. Top fixed: ``{"f": 1, "d": 100}``.
    starts
        How many of the best starts are followed to their end.
    max_steps
        Steps of each.
    robust
        ``""``, ``"huber"`` or ``"bisquare"``: weights from residuals over 1.4826 MAD (Huber 1.345,
        Tukey 4.685), found by repeated fits.
    """

    fixed: Mapping[str, float] = field(default_factory=lambda: {"f": 1.0})
    starts: int = 4
    max_steps: int = 200
    robust: str = ""


@dataclass(frozen=True)
class FittedCurves:
    """Least-squares estimates.

    Attributes
    ----------
    curves, options
    parameters : (n_curves, 5) float64
        In the order of `NAMES`, fixed ones included.
    free : (n_free,) int64
        Columns that were estimated.
    rss : (n_curves,) float64
        Weighted sum of squared residuals.
    df : (n_curves,) int64
        Points less free parameters.
    covariance : (n_curves, n_free, n_free) float64
        ``s^2 (J'WJ)^-1`` (Gauss-Newton); NaN where it does not exist.
    status : (n_curves,) int64
        Index into `STATUS`.
    weight : (n_curves, n) float64
        Weights used, those of robust fitting included.
    """

    curves: Curves
    options: FitOptions
    parameters: Floats
    free: NDArray[np.int64]
    rss: Floats
    df: NDArray[np.int64]
    covariance: Floats
    status: NDArray[np.int64]
    weight: Floats

    @property
    def residual_sd(self) -> Floats:
        """``sqrt(RSS / df)``, (n_curves,)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Floats = np.sqrt(self.rss / self.df)
        return found

    @property
    def standard_errors(self) -> Floats:
        """Of all parameters, (n_curves, 5); 0 for fixed ones."""
        found = np.zeros((self.rss.size, len(NAMES)))
        with np.errstate(invalid="ignore"):
            found[:, self.free] = np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))
        return found

    def standard_error(self, gradient: Floats) -> Floats:
        """Return the error of a quantity by its gradient (n_curves, 5), (n_curves,)."""
        g = gradient[:, self.free]
        with np.errstate(invalid="ignore"):
            found: Floats = np.sqrt(np.einsum("ki,kij,kj->k", g, self.covariance, g))
        return found


def make_curves(
    dose: Sequence[ArrayLike],
    response: Sequence[ArrayLike],
    weight: Sequence[ArrayLike] | None = None,
    names: Sequence[str] | None = None,
) -> Curves:
    """Return curves of any lengths; points that are not finite are refused.

    Raises
    ------
    InputError
        If lengths differ, a dose is negative or a value is not finite: the curve is named.
    """
    labels = [str(n) for n in names] if names is not None else [str(i) for i in range(len(dose))]
    if not len(dose) == len(response) == len(labels) or len(dose) == 0:
        raise InputError("doses, responses and names of curves differ in number, or are none")
    xs = [np.asarray(x, dtype=np.float64).ravel() for x in dose]
    ys = [np.asarray(y, dtype=np.float64).ravel() for y in response]
    ws = [np.ones(x.size) for x in xs]
    if weight is not None:
        ws = [np.asarray(w, dtype=np.float64).ravel() for w in weight]
    for name, x, y, w in zip(labels, xs, ys, ws, strict=True):
        if not x.size == y.size == w.size:
            raise InputError(f"curve {name}: {x.size} doses, {y.size} responses", where=name)
        if not (np.isfinite(x).all() and np.isfinite(y).all() and np.isfinite(w).all()):
            raise InputError(f"curve {name} holds what is no number", where=name)
        if (x < 0).any() or (w < 0).any():
            raise InputError(f"curve {name} has a negative dose or weight", where=name)
    longest = max(x.size for x in xs)

    def padded(rows: list[Floats], filler: float) -> Floats:
        return np.array([np.pad(r, (0, longest - r.size), constant_values=filler) for r in rows])

    return Curves(padded(xs, 1.0), padded(ys, 0.0), padded(ws, 0.0), tuple(labels))


def fit_curves(curves: Curves, options: FitOptions | None = None) -> FittedCurves:
    """Fit all curves.

    Raises
    ------
    UsageError
        If an option is not known. A curve that cannot be fitted has a status.
    """
    chosen = options or FitOptions()
    unknown = set(chosen.fixed) - set(NAMES)
    if unknown:
        raise UsageError(f"'{min(unknown)}' is no parameter", hint=f"Known: {', '.join(NAMES)}.")
    if chosen.robust not in ("", "huber", "bisquare"):
        raise UsageError(
            f"'{chosen.robust}' is no way of weighting", hint="Known: huber, bisquare."
        )
    free = np.array([i for i, n in enumerate(NAMES) if n not in chosen.fixed], dtype=np.int64)
    fixed = np.array([chosen.fixed.get(n, np.nan) for n in NAMES])
    weight = curves.weight
    enough = curves.n_points > free.size
    best, rss = _from_starts(curves, weight, free, fixed, chosen)
    if chosen.robust:
        best = _least_absolute(curves, best, fixed)
        for _ in range(30):
            new = weight_by_residuals(curves, best, chosen.robust)
            moved, rss, _ = minimise(curves, new, best, free, chosen.max_steps)
            done = np.abs(moved - best).max(initial=0.0) < 1e-8
            best, weight = moved, new
            if done:
                break
    best, rss, converged = minimise(curves, weight, best, free, chosen.max_steps)
    best = _upright(best, fixed)
    status = np.where(converged, CONVERGED, TOO_MANY_STEPS)
    status = np.where(enough, status, TOO_FEW_POINTS)
    df = curves.n_points - free.size
    covariance = _covariance(curves, weight, best, free, rss, df)
    return FittedCurves(curves, chosen, best, free, rss, df, covariance, status, weight)


def _from_starts(
    curves: Curves, weight: Floats, free: NDArray[np.int64], fixed: Floats, options: FitOptions
) -> tuple[Floats, Floats]:
    """Return the best end of several starts, (n_curves, 5), and its RSS."""
    starts = _starts(curves, weight, fixed)  # (n_starts, n_curves, 5)
    found = np.stack([_rss(curves, weight, s) for s in starts])
    order = np.argsort(found, axis=0, kind="stable")
    k = np.arange(found.shape[1])
    best, lowest = starts[order[0], k], np.full(k.size, np.inf)
    for i in range(min(options.starts, len(starts))):
        end, rss, _ = minimise(curves, weight, starts[order[i], k], free, options.max_steps)
        better = rss < lowest * (1 - 1e-12)
        best = np.where(better[:, None], end, best)
        lowest = np.where(better, rss, lowest)
    return best, lowest


def _least_absolute(curves: Curves, best: Floats, fixed: Floats) -> Floats:
    """Return the start with the least sum of absolute residuals, (n_curves, 5).

    The least squares themselves may run through an outlier, and weights found from there keep it.
    """
    starts = np.concatenate([best[None], _starts(curves, curves.weight, fixed)])
    sums = np.stack(
        [
            np.sum(curves.weight * np.abs(curves.response - logistic(curves.ln_dose, s)), axis=1)
            for s in starts
        ]
    )
    found: Floats = starts[np.argmin(sums, axis=0), np.arange(best.shape[0])]
    return found


def _starts(curves: Curves, weight: Floats, fixed: Floats) -> Floats:
    ln_x = curves.ln_dose
    known = np.where((weight > 0) & np.isfinite(ln_x), ln_x, np.nan)
    with np.errstate(all="ignore"):
        empty = np.isnan(known).all(axis=1)
        known[empty] = 0.0
        low, high = np.nanmin(known, axis=1), np.nanmax(known, axis=1)
    found = []
    slopes = _SLOPES if np.isnan(fixed[B]) else (fixed[B],)
    mirrored = fixed[F] == 1.0 and np.isnan(fixed[[C, D]]).all()
    if np.isnan(fixed[B]) and not mirrored:
        # limits that may change places cover both directions; here a falling curve is not a rising
        slopes = (*slopes, *(-s for s in slopes))
    for slope in slopes:
        for share in np.linspace(-0.1, 1.1, _GRID):
            p = np.ones((low.size, 5))
            p[:, B], p[:, LN_IC50] = slope, low + share * (high - low)
            p[:, F] = 1.0
            p = np.where(np.isnan(fixed), p, fixed)
            found.append(_with_limits(curves, weight, p, fixed))
    return np.stack(found)


def _with_limits(curves: Curves, weight: Floats, p: Floats, fixed: Floats) -> Floats:
    """Return the parameters with the limits that fit best: they enter linearly."""
    unit = p.copy()
    unit[:, C], unit[:, D] = 0.0, 1.0
    g = logistic(curves.ln_dose, unit)
    h, y = 1.0 - g, curves.response
    free_c, free_d = np.isnan(fixed[C]), np.isnan(fixed[D])
    out = p.copy()
    if free_c and free_d:
        hh, hg, gg = (np.sum(weight * a * b, axis=1) for a, b in ((h, h), (h, g), (g, g)))
        hy, gy = np.sum(weight * h * y, axis=1), np.sum(weight * g * y, axis=1)
        det = hh * gg - hg * hg + 1e-12 * (hh + gg) ** 2 + 1e-300
        out[:, C] = (gg * hy - hg * gy) / det
        out[:, D] = (hh * gy - hg * hy) / det
    elif free_c:
        rest = y - g * p[:, D, None]
        out[:, C] = np.sum(weight * h * rest, axis=1) / (np.sum(weight * h * h, axis=1) + 1e-300)
    elif free_d:
        rest = y - h * p[:, C, None]
        out[:, D] = np.sum(weight * g * rest, axis=1) / (np.sum(weight * g * g, axis=1) + 1e-300)
    return out


def _upright(p: Floats, fixed: Floats) -> Floats:
    """Return the same curves with c below d: where f = 1 each curve has two such writings."""
    if fixed[F] != 1.0 or not np.isnan(fixed[[B, C, D]]).all():
        return p
    turned = p.copy()
    turned[:, [B, C, D]] = np.column_stack([-p[:, B], p[:, D], p[:, C]])
    return np.where((p[:, C] > p[:, D])[:, None], turned, p)


def _rss(curves: Curves, weight: Floats, p: Floats) -> Floats:
    r = curves.response - logistic(curves.ln_dose, p)
    found: Floats = np.sum(weight * r * r, axis=1)
    return np.where(np.isfinite(found), found, np.inf)


def minimise(
    curves: Curves, weight: Floats, start: Floats, free: NDArray[np.int64], max_steps: int
) -> tuple[Floats, Floats, Mask]:
    """Take Levenberg-Marquardt steps with all curves until none moves.

    Returns
    -------
    tuple
        Parameters (n_curves, 5), weighted RSS and whether the curve converged, (n_curves,).
    """
    p, ln_x, y = start.copy(), curves.ln_dose, curves.response
    n, q = p.shape[0], free.size
    rss = _rss(curves, weight, p)
    damping, growth = np.full(n, 1e-3), np.full(n, 2.0)
    scale = np.zeros((n, q))
    done = np.zeros(n, dtype=bool)
    stuck = ~np.isfinite(rss) | (q == 0)
    eye = np.eye(q)
    for _ in range(max_steps):
        k = np.flatnonzero(~(done | stuck))
        if k.size == 0:
            break
        value, slopes = logistic_jacobian(ln_x[k], p[k])
        j = slopes[..., free]
        w = weight[k]
        r = y[k] - value
        a = np.einsum("kn,kni,knj->kij", w, j, j)
        gradient = np.einsum("kn,kni,kn->ki", w, j, r)
        scale[k] = np.maximum(scale[k], np.sqrt(np.diagonal(a, axis1=1, axis2=2)))
        s = np.where(scale[k] > 0, scale[k], 1.0)
        a = a / (s[:, :, None] * s[:, None, :])
        gradient = gradient / s
        move = np.linalg.solve(a + damping[k, None, None] * eye, gradient[..., None])[..., 0]
        tried = p[k].copy()
        tried[:, free] += move / s
        rest = y[k] - logistic(ln_x[k], tried)
        with np.errstate(over="ignore", invalid="ignore"):
            new = np.sum(w * rest * rest, axis=1)
        foreseen = np.einsum("ki,ki->k", move, damping[k, None] * move + gradient)
        better = np.isfinite(new) & (new < rss[k])
        with np.errstate(over="ignore", invalid="ignore"):
            gain = (rss[k] - new) / np.maximum(foreseen, 1e-300)
        size = np.linalg.norm(p[k][:, free] * s, axis=1)
        small = (np.linalg.norm(move, axis=1) <= 1e-11 * (size + 1e-11)) | (
            foreseen <= 1e-20 * rss[k] + 1e-300
        )
        p[k[better]] = tried[better]
        rss[k] = np.where(better, new, rss[k])
        with np.errstate(over="ignore", invalid="ignore"):
            shrink = np.maximum(1.0 / 3.0, 1.0 - (2.0 * np.maximum(gain, 0.0) - 1.0) ** 3)
        damping[k] = np.where(better, damping[k] * shrink, damping[k] * growth[k])
        growth[k] = np.where(better, 2.0, growth[k] * 2.0)
        done[k] = small | (damping[k] > 1e20)
    return p, rss, done


def weight_by_residuals(curves: Curves, p: Floats, how: str) -> Floats:
    """Return weights that fall with the size of residuals over their robust spread."""
    inside = curves.weight > 0
    r = np.where(inside, curves.response - logistic(curves.ln_dose, p), np.nan)
    with np.errstate(all="ignore"):
        spread = 1.4826 * np.nanmedian(np.abs(r), axis=1)
        z = np.abs(r) / np.maximum(spread, 1e-300)[:, None]
        if how == "huber":
            factor = np.minimum(1.0, 1.345 / z)
        else:
            factor = np.where(z < 4.685, (1.0 - (z / 4.685) ** 2) ** 2, 0.0)
    found: Floats = np.where(inside, curves.weight * np.nan_to_num(factor, nan=0.0), 0.0)
    return found


def _covariance(
    curves: Curves,
    weight: Floats,
    p: Floats,
    free: NDArray[np.int64],
    rss: Floats,
    df: NDArray[np.int64],
) -> Floats:
    _, slopes = logistic_jacobian(curves.ln_dose, p)
    j = slopes[..., free]
    a = np.einsum("kn,kni,knj->kij", weight, j, j)
    found = np.full_like(a, np.nan)
    size = np.sqrt(np.diagonal(a, axis1=1, axis2=2))
    for k in range(a.shape[0]):
        if df[k] <= 0 or not np.isfinite(a[k]).all() or (size[k] == 0).any():
            continue
        scaled = a[k] / np.outer(size[k], size[k])
        if np.linalg.cond(scaled) < 1e14:
            found[k] = np.linalg.inv(scaled) / np.outer(size[k], size[k]) * (rss[k] / df[k])
    covariance: Floats = found
    return covariance
