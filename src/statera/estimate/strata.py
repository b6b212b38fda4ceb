"""Groups of observations by a covariate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from statera.errors import UnknownNameError, UsageError

__all__ = ["MOST_LEVELS", "strata_of"]

MOST_LEVELS = 8
"""Distinct values up to which a covariate divides without cuts."""


def strata_of(
    covariates: Mapping[str, NDArray[np.float64]], name: str, cuts: Sequence[float] = ()
) -> list[tuple[str, NDArray[np.bool_]]]:
    """Return a label and the members of each group; missing values form a group of their own.

    Parameters
    ----------
    covariates
        ``(n_obs,)`` float64 by name.
    name
        Covariate; '' for a single group.
    cuts
        Where a continuous covariate is divided: a group holds its lower cut and not its upper one.

    Raises
    ------
    UnknownNameError, UsageError
        If there is no such covariate, or it has many values and no cuts.
    """
    if not name:
        size = next(iter(covariates.values())).size if covariates else 1
        return [("", np.ones(size, dtype=bool))]
    if name not in covariates:
        raise UnknownNameError("covariate", name, list(covariates), where="stratify")
    values = covariates[name]
    known = np.isfinite(values)
    found: list[tuple[str, NDArray[np.bool_]]] = []
    if cuts:
        ends = [-np.inf, *sorted(cuts), np.inf]
        for low, high in pairwise(ends):
            if low == -np.inf:
                label = f"{name} < {high:g}"
            elif high == np.inf:
                label = f"{name} ≥ {low:g}"
            else:
                label = f"{name} {low:g} to < {high:g}"
            found.append((label, known & (values >= low) & (values < high)))
    else:
        levels = np.unique(values[known])
        if levels.size > MOST_LEVELS:
            raise UsageError(
                f"{name} has {levels.size} values",
                where="stratify",
                hint=f"Divide it: cuts=({float(np.median(values[known])):g},).",
            )
        found = [(f"{name} = {level:g}", values == level) for level in levels]
    if not known.all():
        found.append((f"{name} missing", ~known))
    return [(label, members) for label, members in found if members.any()]
