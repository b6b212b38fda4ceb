"""-2 log-likelihood of one patient's samples under many draws of the random effects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.estimate.individual import Individuals
from statera.estimate.observations import Observations
from statera.estimate.shares import Share
from statera.estimate.terms import GAUSS, TRUNCATED, terms
from statera.tdm.draw_states import DrawStates

__all__ = ["DrawLikelihood", "predictions"]

Floats = NDArray[np.float64]

_TOGETHER = 32_768
"""Predictions found in one call: enough to make calls cheap, few enough for the near memory."""


def predictions(
    of: Observations, states: DrawStates, theta: Floats, etas: Floats, x: Floats
) -> tuple[Floats, Floats]:
    """Return predictions and residual variances, (n_obs, n_draws) each.

    Parameters
    ----------
    x : (n_rows, n_states, n_draws) float64
    """
    n = etas.shape[0]
    f, v = np.empty((of.count, n)), np.empty((of.count, n))
    prepared = states.prepared
    by_system: dict[int, dict[str, Floats | float]] = {}
    columns = np.asfortranarray(etas)
    most = max(1, _TOGETHER // max(1, n))
    for group, place in zip(of.groups, of.places, strict=True):
        systems = prepared.row_system[group.rows]
        ends = np.flatnonzero(np.diff(systems)) + 1
        for start, end in zip([0, *ends], [*ends, systems.size], strict=True):
            if start == end:
                continue
            system = int(systems[start])
            if system not in by_system:
                by_system[system] = states.values(theta, columns, system)
            for first in range(start, end, most):
                part = slice(first, min(end, first + most))
                rows = group.rows[part]
                here = dict(by_system[system])
                for k, name in enumerate(prepared.model.states):
                    here[name] = x[rows, k]
                for name, values in group.extra.items():
                    here[name] = values[part, None]
                here["t"] = prepared.row_time[rows, None]
                f[place[part]], v[place[part]] = group.values(here, (rows.size, n))
    return f, v


class DrawLikelihood:
    """The likelihood of one patient's samples.

    Parameters
    ----------
    of
        Of one subject.
    theta : (n_theta,) float64
    """

    def __init__(self, of: Individuals, theta: Floats) -> None:
        self.of, self.theta = of, theta
        self.states = DrawStates(of.prepared)

    @property
    def constant(self) -> float:
        """What `minus_two_log` lacks to be -2 log of the density of the samples as measured.

        ``ln 2 pi`` of every quantified sample, and ``2 ln y`` where the error is log-normal.
        """
        of, model = self.of, self.of.prepared.model
        rows = np.zeros(of.y.size)
        rows[np.isin(of.kind, (GAUSS, TRUNCATED))] = np.log(2.0 * np.pi)
        for kind, place in zip(of.observations.kinds, of.observations.places, strict=True):
            residual = model.residuals.get(kind.name)
            if residual is not None and residual.lognormal:
                rows[place] += np.where(rows[place] > 0.0, 2.0 * of.y[place], 0.0)
        if of.share is None:
            return float(rows.sum())
        first = of.share.starts()  # alternatives are of one sample
        return float((rows * of.share.weight)[first].sum())

    def minus_two_log(self, etas: Floats) -> Floats:
        """Return -2 log-likelihood, (n_draws,); infinite where a draw cannot be solved."""
        x, _ = self.states(self.theta, etas)
        f, v = predictions(self.of.observations, self.states, self.theta, etas, x)
        return self.of_predictions(f, v)

    def of_predictions(self, f: Floats, v: Floats) -> Floats:
        """Return -2 log-likelihood from predictions and variances, (n_obs, n_draws)."""
        of = self.of
        with np.errstate(all="ignore"):
            if of.share is None:
                total = np.zeros(f.shape[1])
                for j in range(of.y.size):
                    total += self._row(j, f[j], v[j])
            else:
                rows = np.stack([self._row(j, f[j], v[j]) for j in range(of.y.size)])
                total = _shared(rows, of.share)
        return np.where(np.isfinite(total), total, np.inf)

    def _row(self, j: int, f: Floats, v: Floats) -> Floats:
        """Return what one observation adds, (n_draws,)."""
        of = self.of
        if of.kind[j] == GAUSS:
            r = of.y[j] - f
            return np.asarray(np.log(v) + r * r / v)
        lower = None if of.lower is None else np.full_like(f, of.lower[j])
        return terms(
            np.full_like(f, of.y[j]), f, v, np.full(f.size, of.kind[j]),
            np.full_like(f, of.limit[j]), lower,
        ).value  # fmt: skip


def _shared(rows: Floats, share: Share) -> Floats:
    """Return weighted sums, with ``-2 ln sum p exp(-rho / 2)`` over alternatives of a sample."""
    total = np.zeros(rows.shape[1])
    starts = share.starts()
    for first, last in zip(starts, [*starts[1:], rows.shape[0]], strict=True):
        value = rows[first]
        if last > first + 1:
            logs = np.log(share.chance[first:last, None]) - 0.5 * rows[first:last]
            top = np.max(logs, axis=0)
            value = -2.0 * (top + np.log(np.exp(logs - top).sum(axis=0)))
        total += share.weight[first] * value
    return total
