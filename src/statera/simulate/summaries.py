"""Percentiles, geometric means and units of endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["describe", "sorted_quantiles", "unit_of_endpoint"]


def unit_of_endpoint(endpoint: str, unit: str) -> str:
    """Return the unit of an endpoint of an output with this unit."""
    if endpoint == "tmax" or endpoint.startswith("time above"):
        return "h"
    if endpoint.startswith("mean inhibition"):
        return "1"
    if endpoint == "AUC":
        head, _, tail = unit.partition("/")
        return f"{head}*h/{tail}" if tail else f"{head}*h".lstrip("*")
    return unit


def sorted_quantiles(rising: NDArray[np.float64], shares: Sequence[float]) -> NDArray[np.float64]:
    """Return quantiles along the last axis of values that rise along it, without NaN.

    As `numpy.quantile` interpolates them, in a tenth of its time where values are few.
    """
    last = rising.shape[-1] - 1
    found = np.empty((len(shares), *rising.shape[:-1]))
    for k, share in enumerate(shares):
        place = share * last
        low = int(place)
        weight = place - low
        below, above = rising[..., low], rising[..., min(low + 1, last)]
        step = above - below
        # from the nearer end, so that equal ends stay as they are
        found[k] = below + step * weight if weight < 0.5 else above - step * (1.0 - weight)
    return found


def describe(endpoint: str, column: NDArray[np.float64], levels: Sequence[float]) -> dict[str, Any]:
    """Return number, percentiles and geometric mean of one endpoint, ``(n_solved,)``.

    The geometric mean is None where a value is not above zero, and for ``tmax``.
    """
    entry: dict[str, Any] = {"n": int(column.size)}
    if column.size:
        if np.isfinite(column).all():
            found = sorted_quantiles(np.sort(column), [level / 100.0 for level in levels])
        else:
            found = np.percentile(column, levels)
        for level, value in zip(levels, found.tolist(), strict=True):
            entry[f"p{level:g}"] = value
        positive = (column > 0).all() and endpoint != "tmax"
        entry["geometric_mean"] = float(np.exp(np.log(column).mean())) if positive else None
    return entry
