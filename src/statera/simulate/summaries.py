"""Percentiles, geometric means and units of endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["describe", "unit_of_endpoint"]


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


def describe(endpoint: str, column: NDArray[np.float64], levels: Sequence[float]) -> dict[str, Any]:
    """Return number, percentiles and geometric mean of one endpoint, ``(n_solved,)``.

    The geometric mean is None where a value is not above zero, and for ``tmax``.
    """
    entry: dict[str, Any] = {"n": int(column.size)}
    if column.size:
        for level, value in zip(levels, np.percentile(column, levels), strict=True):
            entry[f"p{level:g}"] = float(value)
        positive = (column > 0).all() and endpoint != "tmax"
        entry["geometric_mean"] = float(np.exp(np.log(column).mean())) if positive else None
    return entry
