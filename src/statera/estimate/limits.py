"""Limits of quantification where observed and simulated data are compared."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.estimate.result import FitResult
from statera.estimate.rows import Rows

__all__ = ["lower_limits", "seen_values"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def lower_limits(
    result: FitResult, rows: Rows, lloq: Mapping[str, float]
) -> tuple[Floats, list[str]]:
    """Return the lower limit of each observation, NaN where there is none, and what to know of it.

    Parameters
    ----------
    lloq
        Lower limit by output, where the data do not say it.

    Raises
    ------
    UsageError
        If an output is not known.
    """
    limit = np.where(rows.above, np.nan, rows.limit)
    unknown = set(lloq) - set(rows.outputs)
    if unknown:
        raise UsageError(
            f"'{min(unknown)}' is not an output of the fit",
            where="lloq",
            hint=f"Outputs: {', '.join(rows.outputs)}.",
        )
    remarks = []
    for kind, output in enumerate(rows.outputs):
        here = rows.kind == kind
        missing = here & np.isnan(limit)
        if output in lloq:
            limit[missing] = lloq[output]
        elif (here & rows.below).any() and missing.any():
            known = np.unique(limit[here & rows.below])
            limit[missing] = known.max()
            if known.size > 1:
                remarks.append(
                    f"{output} has several lower limits: simulated values of quantified "
                    f"observations are compared with the highest, {known.max():g}"
                )
    if result.problem.omitted and not np.isfinite(limit).any():
        remarks.append(
            f"{result.problem.omitted} censored observations were left out of the fit and no limit "
            "is known: simulated values are not censored, so that low percentiles may differ"
        )
    return limit, remarks


def seen_values(rows: Rows, here: NDArray[np.int64]) -> Floats:
    """Return observed values; infinite beyond a limit."""
    seen = rows.dv[here].copy()
    seen[rows.below[here]] = -np.inf
    seen[rows.above[here]] = np.inf
    return seen
