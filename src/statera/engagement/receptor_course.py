"""Inhibition of kinases, and of receptors, at many concentrations at once.

The same rules as in `statera.engagement.receptor`, for arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.engagement.basis import concentration_basis
from statera.engagement.inhibition import inhibition
from statera.engagement.potency import Potency
from statera.engagement.receptor import JAKS, PairAssumption, ReceptorKinases
from statera.engagement.stated import Matrix
from statera.engagement.summary import Bounds

__all__ = ["kinase_course", "receptor_course"]

Floats = NDArray[np.float64]


def _independent(values: Sequence[Floats]) -> Floats:
    return np.asarray(1.0 - reduce(np.multiply, [1.0 - v for v in values]))


# The formulas of `statera.engagement.ASSUMPTIONS`, for arrays.
_JOINS: dict[str, Callable[[Sequence[Floats]], Floats]] = {
    "limiting_kinase": lambda values: np.asarray(reduce(np.maximum, values)),
    "independent": _independent,
    "least_inhibited": lambda values: np.asarray(reduce(np.minimum, values)),
}


def kinase_course(
    total_nM: ArrayLike,
    potencies: Iterable[Potency],
    unbound_fraction: float | None,
    matrices: Sequence[Matrix] = ("enzyme",),
) -> dict[str, Bounds]:
    """Return the inhibition of each kinase that has a potency of its own.

    Parameters
    ----------
    total_nM
        (...) total concentrations, nM.
    potencies, unbound_fraction, matrices
        As in `statera.engagement.kinase_inhibition`.

    Returns
    -------
    dict
        By kinase: fractions of the shape of the concentrations, which span all potencies used.
    """
    values = np.asarray(total_nM, dtype=np.float64)
    found: dict[str, Bounds] = {}
    for potency in potencies:
        kinase = potency.target.strip().upper()
        usable = potency.matrix in matrices and not potency.is_of_metabolite
        if kinase not in JAKS or not usable:
            continue
        band = inhibition(concentration_basis(potency, unbound_fraction).apply(values), potency)
        known = found.get(kinase)
        if known is None:
            found[kinase] = Bounds(band.low, band.high)
        else:
            found[kinase] = Bounds(
                np.minimum(known.low, band.low), np.maximum(known.high, band.high)
            )
    return found


def receptor_course(
    kinases: ReceptorKinases, by_kinase: Mapping[str, Bounds], rule: PairAssumption, like: ArrayLike
) -> Bounds | None:
    """Join the inhibition of a receptor's kinases under a rule.

    Parameters
    ----------
    kinases
        Of the receptor.
    by_kinase
        From `kinase_course`. A kinase that is absent, or ``?``, may have any value from 0 to 1.
    rule
        The assumption.
    like
        Any array of the shape of the concentrations.

    Returns
    -------
    Bounds or None
        Fractions; None where the kinases of the receptor are not known at all.
    """
    if not kinases.names:
        return None
    shape = np.shape(like)
    unknown = Bounds(np.zeros(shape), np.ones(shape))
    ends = [by_kinase.get(name, unknown) for name in kinases.names]
    join = _JOINS[rule.key]
    low = join([e.low for e in ends])
    if all(e.low is e.high for e in ends):  # points alone: once is enough
        return Bounds(low, low)
    return Bounds(low, join([e.high for e in ends]))
