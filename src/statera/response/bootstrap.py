"""Bands of a curve from resampled subjects (percentile bootstrap; Efron, Ann Stat 1979;7:1-26).

Subjects are drawn with all their rows; each sample is fitted anew from the estimates. A sample
whose fit has no maximum is counted, and is not in the band.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError
from statera.numerics.intervals_exact import check_level
from statera.numerics.streams import stream
from statera.response.cox import Cox
from statera.response.fit import ResponseFit, likelihood_of
from statera.response.maximise import maximise
from statera.response.predict import chances
from statera.response.problem import Problem

__all__ = ["BootstrapBand", "bootstrap_band"]

Floats = NDArray[np.float64]
_FAR_APART = 25.0


@dataclass(frozen=True)
class BootstrapBand:
    """Percentile band.

    Attributes
    ----------
    exposure, low, high : (n,) float64
    theta : (b, p) float64
        Estimates of the samples that were fitted.
    failed
        Samples without events or a maximum: not in the band.
    unidentified
        Samples in which EC50 ran off: their curves are in the band.
    """

    exposure: Floats
    low: Floats
    high: Floats
    theta: Floats
    failed: int
    unidentified: int


def bootstrap_band(
    fit: ResponseFit,
    exposure: ArrayLike,
    at: float | None = None,
    *,
    samples: int = 500,
    level: float = 0.95,
    seed: int = 1,
) -> BootstrapBand:
    """Return the band of the chance (hazard ratio against 0 for Cox) over exposures.

    Parameters
    ----------
    fit
    exposure : (n,) float64
    at
        As of `statera.response.predict.predict`.
    samples
        Drawn.
    level, seed

    Raises
    ------
    InputError
        If the fit cannot be used or no sample can be fitted.
    """
    if not fit.usable:
        raise InputError(f"the fit has no curve ({fit.status})", where="fit")
    tail = 0.5 * (1.0 - check_level(level))
    x = np.asarray(exposure, dtype=np.float64)
    problem = fit.problem
    _, person = np.unique(problem.outcome.people, return_inverse=True)
    rows_of = np.split(np.argsort(person, kind="stable"), np.cumsum(np.bincount(person))[:-1])
    random = stream(seed, "resampled subjects")
    free = np.array([name not in fit.held for name in fit.parameters])
    lines, thetas, failed, unidentified = [], [], 0, 0
    for _ in range(samples):
        drawn = random.integers(0, len(rows_of), len(rows_of))
        index = np.concatenate([rows_of[k] for k in drawn])
        again = Problem(
            problem.outcome.take(index), problem.exposure[index], problem.covariates[index],
            problem.names, problem.form, problem.centre,
        )  # fmt: skip
        if again.outcome.events == 0:
            failed += 1
            continue
        found = maximise(likelihood_of(again, fit.firth), fit.theta.copy(), free)
        # a saturating curve whose EC50 runs off is still a curve; a line that runs off is none
        if found.status != "converged":
            effect, _, _ = again.form.evaluate(x, found.x[again.slice_of_effect()])
            apart = not np.isfinite(found.at.value) or np.ptp(effect) > _FAR_APART
            if again.form.is_linear or apart:
                failed += 1
                continue
            unidentified += 1
        thetas.append(found.x)
        lines.append(_line(again, found.x, x, at))
    if not lines:
        raise InputError("no resampled data could be fitted", where="fit")
    with np.errstate(invalid="ignore"):  # ratios may have overflowed
        low, high = np.quantile(np.stack(lines), [tail, 1.0 - tail], axis=0)
    return BootstrapBand(x, low, high, np.stack(thetas), failed, unidentified)


def _line(problem: Problem, theta: Floats, x: Floats, at: float | None) -> Floats:
    if isinstance(problem.outcome, Cox):
        effect, _, _ = problem.form.evaluate(np.append(x, 0.0), theta[problem.slice_of_effect()])
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(effect[:-1] - effect[-1]))
    covariates = problem.covariates
    if covariates.shape[1] == 0:
        return chances(problem, theta, x, np.zeros((x.size, 0)), at)[0]
    k = covariates.shape[0]
    all_rows, _ = chances(problem, theta, np.repeat(x, k), np.tile(covariates, (x.size, 1)), at)
    return np.asarray(all_rows.reshape(-1, k).mean(axis=1))
