"""Whether a likelihood has a maximum at all: separated responses, groups without events.

A likelihood that is concave in its linear predictor has none if it does not fall along some
direction and rises for some row (Albert and Anderson, Biometrika 1984;71:1-10). Such a direction
is looked for by a linear programme.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from statera.response.cox import Cox
from statera.response.outcomes import Outcome

__all__ = ["separating"]

Floats = NDArray[np.float64]
_LEAST = 1e-7


def separating(outcome: Outcome | Cox, design: Floats, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of columns whose coefficients run off to infinity; none if it has a maximum.

    Parameters
    ----------
    outcome
    design : (n, c) float64
        Columns of the linear predictor, the intercept among them.
    names : (c,)
        Of the columns.
    """
    scale = np.abs(design).max(axis=0, initial=0.0)
    used = design / np.where(scale > 0, scale, 1.0)
    at_least, equal = outcome.recession(used)
    if at_least.shape[0] == 0 or at_least.shape[1] == 0:
        return ()
    if isinstance(at_least, np.ndarray):
        at_least = np.unique(at_least, axis=0)
    if isinstance(equal, np.ndarray):
        equal = np.unique(equal, axis=0)
    # scipy takes sparse matrices here, its type descriptions do not
    above: Any = -at_least
    fixed: Any = equal if equal.shape[0] else None
    found = linprog(
        -np.asarray(at_least.sum(axis=0)).ravel(),
        A_ub=above,
        b_ub=np.zeros(at_least.shape[0]),
        A_eq=fixed,
        b_eq=None if fixed is None else np.zeros(equal.shape[0]),
        bounds=(-1.0, 1.0),
        method="highs",
    )
    if found.status != 0 or found.fun is None or found.x is None or -found.fun < _LEAST:
        return ()
    own = found.x[: len(names)]
    return tuple(n for n, d in zip(names, own, strict=True) if abs(d) > _LEAST and n != "intercept")
