"""The median of some of many values."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["median"]


def median(values: ArrayLike, events: NDArray[np.int64] | None = None) -> float:
    """Return the median, equal to that of sorted values; NaN without values or where one is NaN.

    Parameters
    ----------
    values : (n_events,)
    events : (n,) int64
        Which of them, by their numbers from 0; all by default.
    """
    from statera.cytometry.median_kernel import median_of  # noqa: PLC0415 - compiles

    x = np.asarray(values, dtype=np.float64)
    chosen = x.flatten() if events is None else x[events]
    return float(median_of(chosen)) if chosen.size else np.nan
