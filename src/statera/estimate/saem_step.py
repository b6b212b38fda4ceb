"""The maximisation step of SAEM: fixed effects, Omega and residual error from drawn effects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.estimate.chains import Draw, Likelihood, tile
from statera.estimate.effects import Effects
from statera.estimate.individual import Individuals
from statera.estimate.mu import MuReference
from statera.estimate.problem import Problem
from statera.estimate.saem_omega import kept, moment_block, positive
from statera.estimate.terms import GAUSS, terms

__all__ = ["Maximiser", "Statistics"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_LARGEST_STEP = 0.5
_SCORED = 40.0


@dataclass(frozen=True)
class _Size:
    """A parameter p with variance ``p^power g``: estimated from squared residuals."""

    theta: int
    power: int
    rows: Ints


class Statistics:
    """Averages over iterations that the maximisation needs, by stochastic approximation.

    Attributes
    ----------
    phi : (n_subjects, n_etas) float64
        Individual values: mean plus random effect.
    second : (n_etas, n_etas) float64
        Sum over subjects of the products of individual values.
    squares : (n_sizes,) float64
        Sums of squared standardised residuals.
    information : (m, m) float64
        Curvature by parameters that need numerical steps.
    """

    def __init__(self) -> None:
        self.parts: list[Floats] = []

    def update(self, parts: list[Floats], weight: float) -> None:
        """Move the averages towards new values by a share `weight`."""
        if not self.parts:
            self.parts = [p.copy() for p in parts]
            return
        for k, new in enumerate(parts):
            self.parts[k] = self.parts[k] + weight * (new - self.parts[k])

    @property
    def phi(self) -> Floats:
        """See the class."""
        return self.parts[0]

    @property
    def second(self) -> Floats:
        """See the class."""
        return self.parts[1]

    @property
    def squares(self) -> Floats:
        """See the class."""
        return self.parts[2]

    @property
    def information(self) -> Floats:
        """See the class."""
        return self.parts[3]


class Maximiser:
    """Which parameter is estimated how, and its step.

    Parameters
    ----------
    problem
    mu
        Fixed effects that are means of random effects.
    likelihood
        Of the tiled subjects.
    copies
        Chains of each subject.

    Attributes
    ----------
    sizes
        Residual parameters with a closed form.
    numerical : (m,) int64
        Free fixed effects that need numerical steps; `structural` if predictions depend on any.
    """

    def __init__(
        self, problem: Problem, mu: MuReference, likelihood: Likelihood, copies: int, etas: Floats
    ) -> None:
        self.problem, self.mu = problem, mu
        self.likelihood, self.copies = likelihood, copies
        of = problem.individuals
        self.with_data = (of.counts > 0).astype(np.float64)
        self.present = _present(of) * self.with_data[:, None]
        others = [i for i in problem.theta.free if i not in set(mu.theta.tolist())]
        self.sizes, structural = _split(problem, others, etas, copies)
        taken = {s.theta for s in self.sizes}
        self.numerical: Ints = np.array([i for i in others if i not in taken], dtype=np.int64)
        self.places: Ints = np.array(
            [problem.theta.free.index(int(i)) for i in self.numerical], dtype=np.int64
        )
        self.structural = bool(structural & set(self.numerical.tolist()))
        # derivatives cost several solutions: a part of the chains gives an unbiased score too
        self.scored_copies = min(copies, int(np.ceil(_SCORED / max(of.n_subjects, 1))))
        self.scored = tile(of, self.scored_copies)
        self.score = np.zeros(self.numerical.size)
        count = self.present.T @ self.present
        self.blocks = [moment_block(problem, b.members, count) for b in problem.omega.free]

    def collect(
        self, statistics: Statistics, weight: float, theta: Floats, draw: Draw, mean: Floats
    ) -> None:
        """Add the draws of one iteration to the statistics.

        Parameters
        ----------
        mean : (n_subjects, n_etas) float64
            Means of the random effects at `theta`.
        """
        n, q = mean.shape
        phi = draw.etas.reshape(self.copies, n, q) + mean
        kept = phi * self.present
        second = np.einsum("cik,cil->kl", kept, kept) / self.copies
        squares = np.zeros(len(self.sizes))
        if self.sizes:
            _, f, v = self.likelihood.value(theta, draw.etas, draw.x)
            share = (self.likelihood.of.y - f) ** 2 / v
            for k, size in enumerate(self.sizes):
                scale = abs(theta[size.theta]) ** size.power
                squares[k] = float(share[size.rows].sum()) * scale / self.copies
        information = np.zeros((self.numerical.size, self.numerical.size))
        if self.numerical.size:
            self.score, information = self._curvature(theta, draw)
        statistics.update([phi.mean(axis=0), second, squares, information], weight)

    def _curvature(self, theta: Floats, draw: Draw) -> tuple[Floats, Floats]:
        """Return the gradient of -2 log-likelihood and its expected second derivatives."""
        of, copies = self.likelihood.of, self.copies
        if self.structural:
            of, copies = self.scored, self.scored_copies
            e = of.evaluate(theta, draw.etas[: of.n_subjects], by_parameters=True)
            t, df, dv = e.terms, e.df[:, self.numerical], e.dv[:, self.numerical]
        else:  # states do not move
            none = np.zeros((*draw.x.shape, theta.size + of.n_etas))
            values = of.prepared.system_values(theta, draw.etas)
            f, v, df, dv = of.observations.differentiate(draw.x, none, values, 0)
            df, dv = df[:, self.numerical], dv[:, self.numerical]
            t = terms(of.y, f, v, of.kind, of.limit, of.lower)
        good = np.isfinite(t.value)
        df, dv = np.where(good[:, None], df, 0.0), np.where(good[:, None], dv, 0.0)
        f_, v_ = np.where(good, t.f, 0.0), np.where(good, t.v, 0.0)
        cf, cv = np.where(good, t.curve_f, 0.0), np.where(good, t.curve_v, 0.0)
        score = (f_ @ df + v_ @ dv) / copies
        information = 2.0 * ((cf[:, None] * df).T @ df + (cv[:, None] * dv).T @ dv) / copies
        return score, information

    def fixed_effects(
        self, statistics: Statistics, weight: float, theta: Floats, effects: Effects, keep: float
    ) -> Floats:
        """Return new fixed effects.

        Parameters
        ----------
        keep
            Share of a residual variance that one iteration must leave (annealing); 0 for none.
        """
        mapped = self.problem.theta
        u = mapped.pack(theta)
        start = u.copy()
        precision = effects.precision
        u = self.mu.step(u, statistics.phi, precision, self.with_data)
        if self.numerical.size:
            _, scale = mapped.unpack(start)
            slope = scale[self.places]
            score, matrix = self._prior_terms(theta, slope, statistics.information)
            size = np.sqrt(np.maximum(np.diag(matrix), 1e-12))
            scaled = matrix / size[:, None] / size[None, :] + 1e-8 * np.eye(size.size)
            step = -np.linalg.solve(scaled, score / size) / size
            u[self.places] += np.clip(weight * step, -_LARGEST_STEP, _LARGEST_STEP)
        new, _ = mapped.unpack(u)
        for k, size_of in enumerate(self.sizes):
            i, power = size_of.theta, size_of.power
            found = statistics.squares[k] / (size_of.rows.size / self.copies)
            found = max(found, keep * abs(theta[i]) ** power)
            new[i] = np.copysign(found ** (1.0 / power), theta[i])
        if self.sizes:
            new, _ = mapped.unpack(mapped.pack(new))  # within bounds
        return new

    def _prior_terms(
        self, theta: Floats, slope: Floats, information: Floats
    ) -> tuple[Floats, Floats]:
        score, matrix = self.score.copy(), information.copy()
        for i, mean, sd in self.problem.priors:
            for k in np.flatnonzero(self.numerical == i):
                score[k] += 2.0 * (theta[i] - mean) / sd**2
                matrix[k, k] += 2.0 / sd**2
        return score * slope, matrix * slope[:, None] * slope[None, :]

    def omega(
        self, statistics: Statistics, mean: Floats, old: Floats, keep: float
    ) -> tuple[Floats, bool]:
        """Return the covariance of the model's effects, and whether one met its lower limit.

        Parameters
        ----------
        old : (n_effects, n_effects) float64
        keep
            Share of a variance that one iteration must leave (annealing); 0 for none.
        """
        held = mean * self.present
        cross = held.T @ (statistics.phi * self.present)
        total = statistics.second - cross - cross.T + held.T @ held
        new, limited = old.copy(), False
        for block in self.blocks:
            part = total[block.rows, block.columns].sum(axis=2) / block.count
            part = kept(part, old[block.here], keep)
            size = part.diagonal()
            if (size <= block.floor).any():
                limited = True
                np.fill_diagonal(part, np.maximum(size, block.floor))
            new[block.here] = positive(part)
        return new, limited


def _present(of: Individuals) -> Floats:
    """Return 1 where a subject has a random effect, 0 for occasions that it does not have."""
    columns = of.prepared.columns
    out = np.ones((of.n_subjects, of.n_etas))
    if columns.occasion_etas:
        first = len(columns.subject_etas)
        seen = np.zeros((of.n_subjects, columns.n_occasions), dtype=bool)
        seen[of.prepared.system_subject, of.prepared.occasion] = True
        out[:, first:] = np.repeat(seen, len(columns.occasion_etas), axis=1)
    return out


def _split(
    problem: Problem, others: list[int], etas: Floats, copies: int
) -> tuple[list[_Size], set[int]]:
    """Return parameters that are sizes of a variance, and those on which predictions depend."""
    of = problem.individuals
    theta = problem.theta.start
    e = of.evaluate(theta, etas, by_parameters=True)
    structural = {i for i in others if np.any(e.df[:, i] != 0.0)}
    held = {i for i, _, _ in problem.priors}
    found: list[_Size] = []
    for i in others:
        rows = np.flatnonzero(e.dv[:, i] != 0.0)
        if i in structural or i in held or not rows.size or (of.kind[rows] != GAUSS).any():
            continue
        beside = [j for j in others if j != i and j not in structural]
        if any(np.any(e.dv[rows, j] != 0.0) for j in beside):
            continue
        moved = theta.copy()
        moved[i] *= 1.7
        again = of.evaluate(moved, etas, by_parameters=True)
        powers = np.concatenate(
            [x.dv[rows, i] * t[i] / x.v[rows] for x, t in ((e, theta), (again, moved))]
        )
        power = round(float(np.median(powers)))
        if power in (1, 2) and np.allclose(powers, power, rtol=1e-9):
            moves = of.y.size * np.arange(copies, dtype=np.int64)
            found.append(_Size(i, power, (rows[None, :] + moves[:, None]).ravel()))
    return found, structural
