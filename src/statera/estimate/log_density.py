"""The joint log-density of parameters and random effects, with its gradient, for sampling.

Random effects are written as ``eta = T y``. Where the data say little of a block of random effects,
``T T' = Omega``: y is then standard normal before the data, and the shape of the density does not
change with Omega (non-centred). Where the data say much, T is that of the initial Omega and stays
(centred): the data hold eta, and y need not follow Omega. The coordinates are the free numbers of
the problem, then y of every subject.

Priors: those of the model's parameters where it has them; otherwise normal on the free numbers
around the initial value, with a standard deviation of `PriorOptions.spread`. For each block of
Omega the standard deviations are half-normal and all correlation matrices equally likely (LKJ with
shape 1: Lewandowski and others 2009, doi 10.1016/j.jmva.2009.04.008).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.estimate.mixture import refuse_mixture
from statera.estimate.problem import Problem

__all__ = ["LogDensity", "PriorOptions", "factor", "prior_texts"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class PriorOptions:
    """Priors of what the model gives none for.

    Attributes
    ----------
    spread
        Standard deviation of the free number of a fixed effect around its initial value.
    effect_scale
        Scale of the half-normal prior of the standard deviation of each random effect.
    """

    spread: float = 10.0
    effect_scale: float = 1.0

    def __post_init__(self) -> None:
        for name in ("spread", "effect_scale"):
            if not 0.0 < getattr(self, name) < np.inf:
                raise UsageError(f"the prior's {name} must be above 0", where=name)


def prior_texts(problem: Problem, priors: PriorOptions) -> dict[str, str]:
    """Return the prior of everything that is estimated, in words."""
    names = problem.free_names
    told = {i: (mean, sd) for i, mean, sd in problem.priors}
    found: dict[str, str] = {}
    bounds = problem.theta.bounds
    for name, i, (low, high) in zip(names, problem.theta.free, bounds, strict=False):
        start = float(problem.theta.start[i])
        if i in told:
            found[name] = f"normal({told[i][0]:g}, {told[i][1]:g}) of the model"
        elif np.isfinite(low) and np.isfinite(high):
            found[name] = f"logit-normal in ({low:g}, {high:g}), median {start:g}, "
            found[name] += f"SD {priors.spread:g}"
        elif np.isfinite(low):
            above = f" above {low:g}" if low != 0.0 else ""
            found[name] = f"log-normal{above}, median {start:g}, SD of log {priors.spread:g}"
        elif np.isfinite(high):
            found[name] = f"log-normal below {high:g}, median {start:g}, SD {priors.spread:g}"
        else:
            size = priors.spread * abs(problem.theta.scale(i))
            found[name] = f"normal({start:g}, {size:g})"
    for name, (i, j) in zip(names[problem.theta.size :], problem.omega.entries(), strict=True):
        found[name] = "correlation LKJ(1)" if i != j else f"SD half-normal({priors.effect_scale:g})"
    return found


class LogDensity:
    """The log-density as a function of one vector.

    Parameters
    ----------
    problem
        With interaction; see `statera.estimate.make_problem`.
    priors
        Of what the model gives none for.
    centred : (n_etas,) bool, optional
        Which random effects are centred, whole blocks of Omega at a time; by default none.
    base : (n_free,) float64, optional
        Free numbers whose Omega scales those; by default the initial values.

    Attributes
    ----------
    size
        Length of the vector: free numbers, then ``n_subjects * n_etas`` random effects.
    """

    def __init__(
        self,
        problem: Problem,
        priors: PriorOptions | None = None,
        *,
        centred: Mask | None = None,
        base: Floats | None = None,
    ) -> None:
        refuse_mixture(problem, "full Bayes")
        self.problem = problem
        self.priors = priors or PriorOptions()
        of = problem.individuals
        self.shape = (of.n_subjects, of.n_etas)
        self.size = problem.n_free + of.n_subjects * of.n_etas
        told = {i for i, _, _ in problem.priors}
        self.vague = np.array([i not in told for i in problem.theta.free], dtype=bool)
        self.centred = np.zeros(of.n_etas, dtype=bool) if centred is None else centred
        self.fixed = factor(problem.unpack(problem.start if base is None else base)[2])

    def split(self, x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Return fixed effects, Omega of the model, and random effects of all subjects, and y."""
        u = x[: self.problem.n_free]
        theta, omega, full = self.problem.unpack(u)
        y = x[self.problem.n_free :].reshape(self.shape)
        return theta, omega, y @ self._scale(factor(full)).T, y

    def _scale(self, lower: Floats) -> Floats:
        """Return T: the root of Omega, but for centred blocks."""
        if not self.centred.any():
            return lower
        return np.where(self.centred[:, None] & self.centred, self.fixed, lower)

    def __call__(self, x: Floats) -> tuple[float, Floats]:
        """Return the log-density up to a constant, and its gradient; -inf where undefined."""
        problem, of = self.problem, self.problem.individuals
        n_free = problem.n_free
        u = x[:n_free]
        theta, _, full = problem.unpack(u)
        y = x[n_free:].reshape(self.shape)
        try:
            lower = factor(full)
        except np.linalg.LinAlgError:
            return -np.inf, np.zeros(x.size)
        scale = self._scale(lower)
        etas = y @ scale.T
        with np.errstate(all="ignore"):
            e = of.evaluate(theta, etas, by_parameters=True)
            minus_two = float(e.terms.value.sum())
            slopes = of.gradient(e)
        if not (np.isfinite(minus_two) and np.isfinite(slopes).all() and not e.statuses.any()):
            return -np.inf, np.zeros(x.size)
        by_theta, by_eta = slopes[:, : of.n_theta].sum(axis=0), slopes[:, of.n_theta :]
        prior, prior_slope = problem.prior(theta)
        loose = ~self.centred
        value = -0.5 * (minus_two + prior) - 0.5 * float(np.sum(y[:, loose] ** 2))
        by_omega = _omega_slopes(lower, np.where(loose[:, None] & loose, by_eta.T @ y, 0.0))
        if self.centred.any():
            held, by_held, more = _held(full, etas, self.centred)
            value -= 0.5 * held
            by_eta = by_eta + by_held
            by_omega = by_omega + more
        gradient = np.empty(x.size)
        gradient[:n_free] = -0.5 * problem.pull(u, by_theta + prior_slope, by_omega)
        gradient[n_free:] = (-0.5 * by_eta @ scale - np.where(loose, y, 0.0)).ravel()
        own, own_slope = self.prior(u)
        gradient[:n_free] += own_slope
        return value + own, gradient

    def prior(self, u: Floats) -> tuple[float, Floats]:
        """Return the log priors of free numbers, with the change of variables, and their slope."""
        slope = np.zeros(u.size)
        n_theta = self.problem.theta.size
        gap = (u[:n_theta] - self.problem.start[:n_theta]) / self.priors.spread
        value = -0.5 * float(np.sum(gap[self.vague] ** 2))
        slope[:n_theta][self.vague] = -gap[self.vague] / self.priors.spread
        first, told = self._told(u)
        value += first
        slope[:n_theta] += told
        k = n_theta
        for block in self.problem.omega.free:
            n = len(block.members)
            part = u[k : k + n * (n + 1) // 2]
            value, slope[k : k + part.size] = _add(
                value, *_block_prior(part, n, self.priors.effect_scale)
            )
            k += part.size
        return value, slope

    def _told(self, u: Floats) -> tuple[float, Floats]:
        """Return the change of variables for parameters whose prior is on their own scale."""
        n = self.problem.theta.size
        slope = np.zeros(n)
        total = 0.0
        step = 1e-5
        for k in np.flatnonzero(~self.vague):
            ends = []
            for shift in (0.0, step, -step):
                moved = u[:n].copy()
                moved[k] += shift
                ends.append(float(np.log(np.abs(self.problem.theta.unpack(moved)[1][k]))))
            total += ends[0]
            slope[k] = (ends[1] - ends[2]) / (2.0 * step)
        return total, slope


def factor(omega: Floats) -> Floats:
    """Return the Cholesky factor of a covariance.

    Raises
    ------
    numpy.linalg.LinAlgError
        If it is not positive definite.
    """
    lower: Floats = np.linalg.cholesky(omega).astype(np.float64) if omega.size else omega
    return lower


def _held(full: Floats, etas: Floats, centred: Mask) -> tuple[float, Floats, Floats]:
    """Return -2 log-density of centred random effects, and its slopes by them and by Omega."""
    at = np.flatnonzero(centred)
    inside, here = full[np.ix_(at, at)], etas[:, at]
    precision = np.linalg.inv(inside)
    pushed = here @ precision
    value = etas.shape[0] * float(np.linalg.slogdet(inside)[1]) + float(np.sum(pushed * here))
    by_eta, by_omega = np.zeros_like(etas), np.zeros_like(full)
    by_eta[:, at] = 2.0 * pushed
    by_omega[np.ix_(at, at)] = etas.shape[0] * precision - pushed.T @ pushed
    return value, by_eta, by_omega


def _add(total: float, value: float, slope: Floats) -> tuple[float, Floats]:
    return total + value, slope


def _omega_slopes(lower: Floats, by_lower: Floats) -> Floats:
    """Return derivatives by Omega, symmetric, from those by its Cholesky factor.

    The reverse rule of the factorisation (Murray 2016, arXiv 1602.07527): with Phi the lower
    triangle and half the diagonal, ``L^-T Phi(L' G) L^-1``, made symmetric.
    """
    if not lower.size:
        return lower
    inside = np.tril(lower.T @ np.tril(by_lower))
    inside[np.diag_indices_from(inside)] *= 0.5
    inverse = np.linalg.inv(lower)
    found = inverse.T @ inside @ inverse
    symmetric: Floats = 0.5 * (found + found.T)
    return symmetric


def _block_prior(u: Floats, n: int, scale: float) -> tuple[float, Floats]:
    """Return the log prior of a block in log-Cholesky coordinates and its slope.

    ``prod HN(sd_i)`` and uniform correlations, times the Jacobians from standard deviations and
    correlations to the covariance, and from that to the coordinates.
    """
    value, slope = 0.0, np.zeros(u.size)
    k = 0
    for i in range(n):
        row = u[k : k + i]
        diagonal = float(np.exp(u[k + i]))
        variance = float(row @ row) + diagonal**2
        value += -0.5 * variance / scale**2 - 0.5 * n * np.log(variance) + (n - i + 1) * u[k + i]
        by_variance = -0.5 / scale**2 - 0.5 * n / variance
        slope[k : k + i] = 2.0 * by_variance * row
        slope[k + i] = 2.0 * by_variance * diagonal**2 + (n - i + 1)
        k += i + 1
    return value, slope
