"""Groups of one member: a difference that rests on a single value is said to do so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.design import Factor
from statera.numerics.mixed_model import OK

__all__ = ["lone_members"]

Floats = NDArray[np.float64]


def lone_members(
    status: Sequence[str], values: Floats, columns: Mapping[str, Floats | Factor]
) -> tuple[str, ...]:
    """Return the status of each row of `values` (m, n), with levels that hold one value named.

    The numbers of such a row stand: the spread of the other groups is taken for the lone one too.
    """
    present = np.isfinite(values)
    said: list[list[str]] = [[] for _ in status]
    for name, column in columns.items():
        if not isinstance(column, Factor) or len(column.labels) != values.shape[1]:
            continue
        labels = np.array(column.labels)
        for level in column.levels:
            for row in np.flatnonzero(present[:, labels == level].sum(axis=1) == 1):
                said[row].append(f"one value in {name} {level}")
    return tuple(
        "; ".join(words) if old == OK and words else old
        for old, words in zip(status, said, strict=True)
    )
