"""-2 log-likelihood of one patient's samples under many draws of the random effects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.estimate.individual import Individuals
from statera.estimate.observations import Observations
from statera.estimate.terms import GAUSS, TRUNCATED, terms
from statera.tdm.draw_states import DrawStates

__all__ = ["DrawLikelihood", "predictions"]

Floats = NDArray[np.float64]


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
    model = states.prepared.model
    by_system: dict[int, dict[str, Floats | float]] = {}
    columns = np.asfortranarray(etas)
    for group, place in zip(of.groups, of.places, strict=True):
        for j, row in enumerate(group.rows.tolist()):
            system = int(states.prepared.row_system[row])
            if system not in by_system:
                by_system[system] = states.values(theta, columns, system)
            here = by_system[system] | dict(zip(model.states, x[row], strict=True))
            here |= {name: float(values[j]) for name, values in group.extra.items()}
            here["t"] = float(states.prepared.row_time[row])
            f[place[j]], v[place[j]] = group.values(here, n)
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
        quantified = np.isin(of.kind, (GAUSS, TRUNCATED))
        found = float(quantified.sum() * np.log(2.0 * np.pi))
        for kind, place in zip(of.observations.kinds, of.observations.places, strict=True):
            residual = model.residuals.get(kind.name)
            if residual is not None and residual.lognormal:
                found += 2.0 * float(of.y[place[quantified[place]]].sum())
        return found

    def minus_two_log(self, etas: Floats) -> Floats:
        """Return -2 log-likelihood, (n_draws,); infinite where a draw cannot be solved."""
        x, _ = self.states(self.theta, etas)
        f, v = predictions(self.of.observations, self.states, self.theta, etas, x)
        return self.of_predictions(f, v)

    def of_predictions(self, f: Floats, v: Floats) -> Floats:
        """Return -2 log-likelihood from predictions and variances, (n_obs, n_draws)."""
        of = self.of
        total = np.zeros(f.shape[1])
        with np.errstate(all="ignore"):
            for j in range(of.y.size):
                if of.kind[j] == GAUSS:
                    r = of.y[j] - f[j]
                    total += np.log(v[j]) + r * r / v[j]
                    continue
                same = np.full(f.shape[1], of.y[j])
                lower = None if of.lower is None else np.full_like(same, of.lower[j])
                total += terms(
                    same, f[j], v[j], np.full(same.size, of.kind[j]),
                    np.full_like(same, of.limit[j]), lower,
                ).value  # fmt: skip
        return np.where(np.isfinite(total), total, np.inf)
