"""Several dose-response curves fitted together, with parameters shared between them.

Each curve's parameters are a linear map of the joint ones: ``p_k = base_k + G_k theta``, so that a
parameter may be common to all curves, to groups of them, each curve's own, or fixed. One residual
variance holds for all (give weights where it does not).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import t as student

from statera.assay.fit_curves import Curves, FitOptions, fit_curves
from statera.assay.logistic import LN_IC50, NAMES, logistic, logistic_jacobian
from statera.errors import InputError, UsageError
from statera.numerics.least_squares import LeastSquaresStatus, least_squares

__all__ = ["FittedJoint", "JointOptions", "Sharing", "fit_joint", "own_parameters", "profile_joint"]

Floats = NDArray[np.float64]

Sharing = str | float | Sequence[str]
"""``"shared"`` by all, ``"free"`` for each, a number it keeps, or one label of a group a curve."""


@dataclass(frozen=True)
class JointOptions:
    """How each parameter is shared.

    Attributes
    ----------
    b, c, d, ln_ic50, f
        Slope, lower and upper limit, logarithm of the IC50, asymmetry.
    """

    b: Sharing = "free"
    c: Sharing = "free"
    d: Sharing = "free"
    ln_ic50: Sharing = "free"
    f: Sharing = 1.0

    def sharing(self) -> Mapping[str, Sharing]:
        """Return the sharing of all parameters by name."""
        return dict(zip(NAMES, (self.b, self.c, self.d, self.ln_ic50, self.f), strict=True))


@dataclass(frozen=True)
class FittedJoint:
    """Joint least-squares estimates.

    Attributes
    ----------
    curves, options
    theta : (p,) float64
        Joint parameters.
    names
        Of these: parameter, and group or curve where there is more than one.
    base : (n_curves, 5) float64
    design : (n_curves, 5, p) float64
        The linear map from `theta` to the curves' parameters.
    parameters : (n_curves, 5) float64
    covariance : (p, p) float64
        ``s^2 (J'WJ)^-1``; NaN where it does not exist.
    rss, n, df
        Weighted residual sum of squares, points, and points less joint parameters.
    converged
    """

    curves: Curves
    options: JointOptions
    theta: Floats
    names: tuple[str, ...]
    base: Floats
    design: Floats
    parameters: Floats
    covariance: Floats
    rss: float
    n: int
    df: int
    converged: bool

    @property
    def standard_errors(self) -> Floats:
        """Of the joint parameters, (p,)."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.sqrt(np.diagonal(self.covariance)))

    @property
    def log_likelihood(self) -> float:
        """At the variance RSS / n; weights count as inverse variances."""
        w = self.curves.weight
        logs = float(np.log(w[w > 0]).sum())
        variance = 2.0 * np.pi * max(self.rss, 1e-300) / self.n
        return float(-0.5 * self.n * (np.log(variance) + 1.0) + 0.5 * logs)

    @property
    def aic(self) -> float:
        """Akaike's criterion; the variance counts as a parameter."""
        return 2.0 * (self.theta.size + 1) - 2.0 * self.log_likelihood

    @property
    def aicc(self) -> float:
        """The same for small samples (Hurvich and Tsai 1989)."""
        k = self.theta.size + 1
        if self.n - k - 1 <= 0:
            return float("inf")
        return self.aic + 2.0 * k * (k + 1) / (self.n - k - 1)

    @property
    def bic(self) -> float:
        """Schwarz's criterion."""
        return float(np.log(self.n)) * (self.theta.size + 1) - 2.0 * self.log_likelihood

    def contrast(self, gradient: Floats) -> Floats:
        """Return the row (p,) of a linear combination (n_curves, 5) of the curves' parameters."""
        found: Floats = np.einsum("kj,kjp->p", gradient, self.design)
        return found

    def wald(self, row: Floats, level: float = 0.95) -> tuple[float, float]:
        """Return the interval of ``row . theta`` by its standard error and t."""
        se = float(np.sqrt(row @ self.covariance @ row))
        far = float(student.ppf(0.5 + level / 2.0, max(self.df, 1))) * se
        centre = float(row @ self.theta)
        return centre - far, centre + far


def own_parameters(curves: Curves, options: JointOptions) -> Floats:
    """Return rough parameters of each curve alone, (n_curves, 5), from which joint fits start."""
    fixed = {n: float(h) for n, h in options.sharing().items() if isinstance(h, int | float)}
    rough = FitOptions(fixed=fixed, starts=2, max_steps=50)
    return fit_curves(curves, rough).parameters


def fit_joint(
    curves: Curves, options: JointOptions | None = None, own: Floats | None = None
) -> FittedJoint:
    """Fit all curves together.

    Time and memory grow with points times joint parameters; thousands of curves without shared
    parameters are a task for `fit_curves`.

    Parameters
    ----------
    curves, options
    own : (n_curves, 5) float64
        From `own_parameters` with the same fixed parameters, so that several fits of the same
        curves need not find them anew.

    Raises
    ------
    UsageError
        If a sharing is not known, or nothing is estimated.
    InputError
        If there are no more points than joint parameters.
    """
    chosen = options or JointOptions()
    base, design, names = _design(curves, chosen)
    n, p = int(curves.n_points.sum()), design.shape[2]
    if p == 0:
        raise UsageError("every parameter is fixed", hint="Leave one to be estimated.")
    if n <= p:
        raise InputError(f"{n} points are too few for {p} joint parameters")
    best: tuple[Floats, float, Floats, bool] | None = None
    alone = own_parameters(curves, chosen) if own is None else own
    for start in _starts(curves, alone, design):
        found = _minimise(curves, base, design, start)
        if np.isfinite(found[1]) and (best is None or found[1] < best[1] * (1.0 - 1e-12)):
            best = found
    if best is None:
        raise InputError("no start gives finite responses", hint="Look for extreme values.")
    theta, rss, jacobian, converged = best
    covariance = _covariance(jacobian, rss / (n - p))
    return FittedJoint(
        curves, chosen, theta, names, base, design, base + design @ theta, covariance, rss, n,
        n - p, converged,
    )  # fmt: skip


def profile_joint(
    fitted: FittedJoint, row: Floats, level: float = 0.95, reach: float = 12.0
) -> tuple[float, float]:
    """Return the profile interval of a linear combination of the joint parameters.

    All values with ``RSS <= RSS_min (1 + t^2 / df)``, the rest fitted anew.

    Parameters
    ----------
    fitted
    row : (p,) float64
        Of the combination, such as one entry of 1, or 1 and -1 for a difference.
    level
    reach
        An end further from the estimate than this many standard errors is infinite.
    """
    pivot = int(np.argmax(np.abs(row)))
    others = np.arange(row.size) != pivot
    inner = np.eye(row.size)[:, others]
    inner[pivot] = -row[others] / row[pivot]
    shift = np.zeros(row.size)
    shift[pivot] = 1.0 / row[pivot]
    quantile = float(student.ppf(0.5 + level / 2.0, fitted.df))
    far = quantile * float(np.sqrt(fitted.rss / fitted.df))
    centre, se = float(row @ fitted.theta), float(np.sqrt(row @ fitted.covariance @ row))
    if not np.isfinite(se):
        return float("-inf"), float("inf")
    if not far > 0:
        return centre, centre
    warm = fitted.theta[others].copy()

    known = {centre: -far}  # a search from another side may end elsewhere

    def over(value: float) -> float:
        if value in known:
            return known[value]
        base = fitted.base + fitted.design @ (value * shift)
        found = _minimise(fitted.curves, base, fitted.design @ inner, warm)
        warm[:] = found[0]
        # the root of the rise is near straight
        known[value] = float(np.sqrt(max(found[1] - fitted.rss, 0.0))) - far
        return known[value]

    ends = []
    for sign in (-1.0, 1.0):
        warm[:] = fitted.theta[others]
        inside, step, end = centre, 1.1 * quantile * se, sign * float("inf")
        while step <= reach * se:
            at = centre + sign * step
            if over(at) > 0:
                end = float(brentq(over, inside, at, xtol=1e-5 * se, rtol=1e-8))
                break
            inside, step = at, step * 1.5
        ends.append(end)
    return ends[0], ends[1]


def _design(curves: Curves, options: JointOptions) -> tuple[Floats, Floats, tuple[str, ...]]:
    k = len(curves.names)
    base = np.zeros((k, len(NAMES)))
    names: list[str] = []
    columns: list[tuple[int, int, int]] = []
    for j, (name, how) in enumerate(options.sharing().items()):
        if isinstance(how, int | float) and not isinstance(how, bool):
            base[:, j] = how
            continue
        labels = _labels(name, how, curves)
        for label in dict.fromkeys(labels):
            place = len(names)
            names.append(name if len(set(labels)) == 1 else f"{name}: {label}")
            columns.extend((i, j, place) for i in range(k) if labels[i] == label)
    design = np.zeros((k, len(NAMES), len(names)))
    for i, j, place in columns:
        design[i, j, place] = 1.0
    return base, design, tuple(names)


def _labels(name: str, how: Sharing, curves: Curves) -> list[str]:
    k = len(curves.names)
    if how == "shared":
        return [""] * k
    if how == "free":
        return [f"{i}" for i in range(k)] if len(set(curves.names)) < k else list(curves.names)
    if isinstance(how, str | float | int) or len(how) != k:
        raise UsageError(
            f"'{how}' is no way to share {name}",
            hint="Known: 'shared', 'free', a number, or one label of a group for each curve.",
        )
    return [str(label) for label in how]


def _starts(curves: Curves, alone: Floats, design: Floats) -> list[Floats]:
    """Return joint parameters from the curves' own fits, and from the median of these."""
    own = alone.copy()
    positive = np.where((curves.weight > 0) & (curves.dose > 0), curves.ln_dose, np.nan)
    if np.isnan(positive).all():
        raise InputError("there is no dose above 0")
    own[:, LN_IC50] = np.clip(own[:, LN_IC50], np.nanmin(positive), np.nanmax(positive))
    typical = np.tile(np.median(own, axis=0), (own.shape[0], 1))
    typical[:, LN_IC50] = own[:, LN_IC50]
    member = design > 0
    found = []
    for values in (own, typical):
        wide = np.where(member, values[..., None], np.nan)
        found.append(np.nanmedian(wide.reshape(-1, design.shape[2]), axis=0))
    return found


def _minimise(
    curves: Curves, base: Floats, design: Floats, start: Floats
) -> tuple[Floats, float, Floats, bool]:
    """Return theta, RSS, Jacobian of the weighted residuals, and whether the search converged."""
    root = np.sqrt(curves.weight)
    used = (curves.weight > 0).ravel()
    ln_x, y = curves.ln_dose, curves.response

    def residuals(theta: NDArray[np.floating]) -> NDArray[np.floating]:
        p = base + design @ np.asarray(theta, dtype=np.float64)
        return np.asarray((root * (logistic(ln_x, p) - y)).ravel()[used])

    def jacobian(theta: Floats) -> Floats:
        _, slopes = logistic_jacobian(ln_x, base + design @ theta)
        found: Floats = (root[..., None] * (slopes @ design)).reshape(-1, design.shape[2])[used]
        return found

    if design.shape[2] == 0:
        r = residuals(start)
        return start, float(r @ r), jacobian(start), True
    found = least_squares(residuals, jacobian, start)
    good = found.status is LeastSquaresStatus.CONVERGED
    return found.parameters, found.rss, found.jacobian, good


def _covariance(jacobian: Floats, variance: float) -> Floats:
    size = np.linalg.norm(jacobian, axis=0)
    p = jacobian.shape[1]
    if not np.isfinite(jacobian).all() or (size == 0).any():
        return np.full((p, p), np.nan)
    upper = np.linalg.qr(jacobian / size, mode="r")
    if np.linalg.cond(upper) > 1e7:
        return np.full((p, p), np.nan)
    inverse = np.linalg.inv(upper)
    return np.asarray(variance * (inverse @ inverse.T) / np.outer(size, size))
