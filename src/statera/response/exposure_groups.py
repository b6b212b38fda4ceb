"""Rows grouped by exposure: placebo, and quantiles of the positive exposures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError
from statera.numerics.intervals_exact import binomial_exact

__all__ = ["ExposureGroups", "ObservedShare", "exposure_groups", "observed_shares"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ExposureGroups:
    """Groups of n rows.

    Attributes
    ----------
    group : (n,) int64
        Number of the group of each row.
    names
        Such as ``placebo``, ``Q1``.
    median, low, high : (g,) float64
        Exposures of each group.
    """

    group: NDArray[np.int64]
    names: tuple[str, ...]
    median: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class ObservedShare:
    """Share of a group with the answer, with its exact interval (Clopper and Pearson)."""

    name: str
    exposure: float
    events: int
    n: int
    share: float
    low: float
    high: float


def exposure_groups(exposure: ArrayLike, quantiles: int = 4) -> ExposureGroups:
    """Return rows at exposure 0 as one group and the others by quantiles of equal size.

    Equal exposures stay together, so that groups can be fewer or of other sizes.
    """
    x = np.asarray(exposure, dtype=np.float64)
    if quantiles < 1:
        raise InputError(f"{quantiles} groups are not possible", where="quantiles")
    group = np.full(x.size, -1, dtype=np.int64)
    names = []
    if (x == 0).any():
        group[x == 0] = 0
        names.append("placebo")
    positive = x > 0
    if positive.any():
        inner = np.quantile(x[positive], np.arange(1, quantiles) / quantiles)
        place = np.searchsorted(inner, x[positive], side="left")
        present, own = np.unique(place, return_inverse=True)
        group[positive] = own + len(names)
        letter = "Q" if present.size > 1 else ""
        names += [f"{letter}{k + 1}" if letter else "treated" for k in range(present.size)]
    of = [x[group == k] for k in range(len(names))]
    return ExposureGroups(
        group, tuple(names), np.array([np.median(v) for v in of]),
        np.array([v.min() for v in of]), np.array([v.max() for v in of]),
    )  # fmt: skip


def observed_shares(
    answer: NDArray[np.bool_], groups: ExposureGroups, level: float = 0.95
) -> tuple[ObservedShare, ...]:
    """Return the share of each group with the answer.

    Parameters
    ----------
    answer : (n,) bool
        One row a subject: repeated rows would make the intervals too short.
    groups
    level
        Of the intervals.
    """
    found = []
    for k, name in enumerate(groups.names):
        own = answer[groups.group == k]
        ends = binomial_exact(int(own.sum()), own.size, level)
        found.append(
            ObservedShare(
                name,
                float(groups.median[k]),
                int(own.sum()),
                own.size,
                float(own.mean()),
                ends.low,
                ends.high,
            )
        )
    return tuple(found)
