"""Columns of a meta-regression from named moderators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError

__all__ = ["design_of"]

Floats = NDArray[np.float64]


def design_of(
    moderators: Mapping[str, Sequence[Any]], k: int, *, intercept: bool = True
) -> tuple[Floats, tuple[str, ...]]:
    """Return the design (k, p) and the names of its columns.

    Parameters
    ----------
    moderators
        Values by name, k each. Numbers make one column; words make one for each level but the
        first in alphabetical order (for each level where there is no intercept yet).
    k
        Number of studies.
    intercept
        Put a column of ones in front.

    Raises
    ------
    InputError
        If a moderator has another length, or a value is missing.
    """
    columns: list[Floats] = []
    terms: list[str] = []
    if intercept:
        columns.append(np.ones(k))
        terms.append("intercept")
    for name, values in moderators.items():
        if len(values) != k:
            raise InputError(
                f"moderator '{name}' has {len(values)} values for {k} studies", where=name
            )
        missing = [i + 1 for i, x in enumerate(values) if _is_missing(x)]
        if missing:
            raise InputError(
                f"moderator '{name}' is missing in study {missing[0]}",
                where=name,
                hint="Leave these studies out, or the moderator.",
            )
        if all(isinstance(x, int | float | np.number) for x in values):
            columns.append(np.asarray(values, dtype=np.float64))
            terms.append(name)
            continue
        levels = sorted({str(x) for x in values})
        for level in levels[1:] if columns else levels:
            columns.append(np.array([float(str(x) == level) for x in values]))
            terms.append(f"{name}: {level}")
    return np.column_stack(columns) if columns else np.ones((k, 0)), tuple(terms)


def _is_missing(value: Any) -> bool:
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    return isinstance(value, float | np.floating) and not np.isfinite(value)
