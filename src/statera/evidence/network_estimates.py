"""Estimates of all pairs of treatments, whatever method of the network they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from statera.errors import InputError, UnknownNameError

__all__ = [
    "HasEstimates",
    "NetworkEstimates",
    "PairTable",
    "check_effects",
    "pairs_against_reference",
    "place_of_reference",
    "prediction_limits",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PairTable:
    """Row against column for all treatments, (n, n) each; antisymmetric estimates.

    `cov` is the covariance of the treatments against the reference, (n, n), zero for itself.
    """

    estimate: Floats
    se: Floats
    low: Floats
    high: Floats
    cov: Floats


@dataclass(frozen=True)
class NetworkEstimates:
    """What rankings, league tables and figures need of a network.

    Attributes
    ----------
    treatments, reference
        Names, and the name of the base treatment.
    measure, log
        Code such as ``OR``; ``log`` is true where estimates are logarithms.
    pairs
        Estimates of all pairs.
    predict_low, predict_high : (n, n) float64
        Prediction intervals; NaN where the method has none.
    df
        Degrees of freedom of the t that intervals and P-scores take; infinite for the normal.
    """

    treatments: tuple[str, ...]
    reference: str
    measure: str
    log: bool
    pairs: PairTable
    predict_low: Floats
    predict_high: Floats
    df: float = float("inf")


class HasEstimates(Protocol):
    """A result of any method for networks."""

    def estimates(self, effects: str = "random") -> NetworkEstimates:
        """Return estimates with ``random`` or ``common`` effects."""
        ...


def check_effects(effects: str) -> None:
    """Refuse what is neither ``random`` nor ``common``."""
    if effects not in ("random", "common"):
        raise InputError(
            f"effects {effects} are not known", where="network", hint="Use random or common."
        )


def place_of_reference(treatments: tuple[str, ...], name: str | None) -> int:
    """Return the place of the reference; the first in the alphabet where none is named."""
    if name is None:
        return 0
    if name not in treatments:
        raise UnknownNameError("treatment", name, treatments)
    return treatments.index(name)


def pairs_against_reference(
    beta: Floats, covariance: Floats, reference: int, level: float, df: float = float("inf")
) -> PairTable:
    """Return all pairs from estimates of the other treatments against the reference.

    Parameters
    ----------
    beta : (n - 1,)
    covariance : (n - 1, n - 1)
    reference
        Its place among the n treatments.
    level, df
        Of the intervals: by the normal distribution, or t where `df` is finite.
    """
    d = np.insert(beta, reference, 0.0)
    cov = np.insert(np.insert(covariance, reference, 0.0, axis=0), reference, 0.0, axis=1)
    estimate = d[:, None] - d[None, :]
    diagonal = np.diag(cov)
    se = np.sqrt(np.maximum(diagonal[:, None] + diagonal[None, :] - 2 * cov, 0.0))
    half = float(stats.t.ppf(0.5 + level / 2, df)) * se
    return PairTable(estimate, se, estimate - half, estimate + half, cov)


def prediction_limits(
    pairs: PairTable, tau2: float, df: int, level: float
) -> tuple[Floats, Floats]:
    """Return prediction intervals by t with `df`, (n, n) each; NaN where df is not positive."""
    if df <= 0:
        return np.full_like(pairs.se, np.nan), np.full_like(pairs.se, np.nan)
    half = float(stats.t.ppf(0.5 + level / 2, df)) * np.sqrt(pairs.se**2 + tau2)
    np.fill_diagonal(half, 0.0)
    return pairs.estimate - half, pairs.estimate + half
