"""Response at doses that were not given: exposures simulated, then the fitted curve.

Each subject of the data is given each regimen in turn; its exposures are drawn from the population
model, and the chance is averaged over subjects and draws. The band is that of the response model;
the population model's own estimates are taken as known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from statera.errors import InputError
from statera.model import Model
from statera.response.exposures import simulate_exposures
from statera.response.fit import ResponseFit
from statera.response.predict import predict_group

__all__ = ["PredictedDose", "predict_doses"]


@dataclass(frozen=True)
class PredictedDose:
    """Mean chance under a regimen.

    Attributes
    ----------
    regimen
    exposure : (3,) tuple
        Median, 5th and 95th percentile over subjects and draws.
    chance : (3,) tuple
        Mean and band.
    beyond
        Share of exposures above the largest of the data: there the curve is extrapolated.
    """

    regimen: str
    exposure: tuple[float, float, float]
    chance: tuple[float, float, float]
    beyond: float


def predict_doses(
    fit: ResponseFit,
    model: Model,
    regimens: Sequence[str],
    covariates: Mapping[str, ArrayLike] | None = None,
    *,
    metric: str = "AUC24",
    output: str | None = None,
    at: float | None = None,
    draws: int = 50,
    level: float = 0.95,
    seed: int = 1,
    workers: int = 1,
) -> tuple[PredictedDose, ...]:
    """Return the mean chance of the subjects of the data under each regimen.

    Parameters
    ----------
    fit
        Of n subjects, by exposures of the same metric and output.
    model
        Population model.
    regimens
        Such as ``3 mg q24h ss``.
    covariates
        Of the population model, (n,) by name.
    metric, output
        As of `statera.response.exposures.simulate_exposures`.
    at, level
        As of `statera.response.predict.predict`.
    draws
        Exposures for each subject; at least 1.
    seed, workers

    Raises
    ------
    InputError
        If there are no draws, the fit has no curve, or a regimen cannot be simulated.
    """
    if draws < 1:
        raise InputError("at least one draw of exposure is needed", where="draws")
    problem = fit.problem
    n = problem.outcome.n
    rows = np.repeat(problem.covariates, draws, axis=0)
    largest = float(problem.exposure.max())
    found = []
    for regimen in regimens:
        own = simulate_exposures(
            model, [regimen] * n, covariates, metric=metric, output=output, draws=draws,
            seed=seed, workers=workers,
        )  # fmt: skip
        if any(status != "ok" for status in own.status):
            bad = next(status for status in own.status if status != "ok")
            raise InputError(f"{regimen}: {bad}", where="regimen")
        assert own.draws is not None
        x = own.draws.ravel()
        mean = predict_group(fit, x, rows, at, level)
        low, middle, high = (float(v) for v in np.quantile(x, [0.05, 0.5, 0.95]))
        found.append(
            PredictedDose(
                own.regimen[0],
                (middle, low, high),
                (float(mean.estimate[0]), float(mean.low[0]), float(mean.high[0])),
                float((x > largest).mean()),
            )
        )
    return tuple(found)
