"""Mean inhibition over a dosing interval where each draw has an IC50 of its own, or Hill is not 1.

The interval is that of `statera.tdm.profile_kernel`: pieces with nodes at ``a + L (j / J)^2``,
integrated by Simpson's rule in j / J.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from statera.engagement.quadrature import mean_inhibition

__all__ = ["inhibited_by_draw", "mean_inhibition_by_draw"]

Floats = NDArray[np.float64]


def inhibited_by_draw(
    profile: Floats, length: Floats, steps: NDArray[np.int64], ic50: float | Floats, hill: float,
    base: Floats, dose: float,
) -> Floats:  # fmt: skip
    """Return integrals of ``C^h / (IC50^h + C^h)`` with ``C = base + dose * profile``, (n_draws,).

    Parameters
    ----------
    profile : (sum of steps + 1, n_draws) float64
        Values at the nodes of all pieces, of 1 mg.
    length : (n_pieces, n_draws) float64, h
    steps : (n_pieces,) int64
    ic50
        One for all, or (n_draws,).
    base : (n_draws,) float64
    """
    out, row, middle = np.zeros(base.size), 0, np.log(ic50)
    for p, count in enumerate(steps.tolist()):
        j = np.arange(1, count + 1)
        weight = np.where(j == count, 1.0, np.where(j % 2 == 1, 4.0, 2.0))
        weight = weight * 2.0 * j / (3.0 * count**2)
        values = np.maximum(0.0, base + dose * profile[row + 1 : row + count + 1])
        with np.errstate(divide="ignore"):  # log(0) is -inf, which expit takes to 0
            found = expit(hill * (np.log(values) - middle))
        # not a matrix product, whose sums may depend on the number of threads
        out += length[p] * np.einsum("j,jn->n", weight, found)
        row += count + 1
    return out


def mean_inhibition_by_draw(
    times: Floats, concentration: Floats, ic50: Floats, hill: float
) -> Floats:
    """Return time averages of inhibition, (n_draws,), of courses at close times.

    Inhibition depends on the ratio of concentration to IC50 alone, so that the courses are put on
    one scale.

    Parameters
    ----------
    times : (n,) float64, h
    concentration : (n_draws, n) float64
    ic50 : (n_draws,) float64
    """
    scaled = np.maximum(concentration, 0.0) / ic50[:, None]
    return mean_inhibition(times, scaled, 1.0, hill)
