"""From concentration to inhibition by the Hill equation, with bounds kept as bounds.

Method: Hill, J Physiol 1910;40:iv-vii, for an inhibitor that can suppress the whole response:
I = C^h / (C^h + IC50^h). Maximal inhibition of 1 is part of the definition used here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from statera.engagement.potency import Potency
from statera.errors import InputError
from statera.numerics.interval import Interval
from statera.sources.fact import Relation

__all__ = ["InhibitionBand", "hill_inhibition", "inhibition", "inhibition_at"]

#: Negative concentrations this small against the largest are solver noise and count as 0.
_NOISE = 1e-6
# Below this, in any unit in use, not one molecule is left; smaller floats lose their digits.
_NOTHING = 1e-200


@dataclass(frozen=True)
class InhibitionBand:
    """Inhibition known to lie between two curves; one curve where the potency is a point.

    Attributes
    ----------
    low, high
        (..., n) float64, fractions 0 to 1, of the shape of the concentrations.
    relation
        Relation of the potency: it says which of the two curves is known.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    relation: Relation

    @property
    def is_point(self) -> bool:
        """True where both curves are the same."""
        return not self.relation.is_bound and self.relation is not Relation.RANGE


def checked_concentrations(concentration: ArrayLike) -> NDArray[np.float64]:
    """Return concentrations as float64, with noise below zero and vanishing ones set to 0.

    Raises
    ------
    InputError
        If one of them is negative beyond noise, or not finite.
    """
    values = np.asarray(concentration, dtype=np.float64)
    if not np.all(np.isfinite(values)):
        raise InputError("a concentration is not finite", where="concentration")
    floor = -_NOISE * float(np.max(values, initial=0.0))
    if np.any(values < floor):
        raise InputError(
            f"a concentration of {float(np.min(values)):g} is negative", where="concentration"
        )
    return np.where(values < _NOTHING, 0.0, values)


def hill_inhibition(
    concentration: NDArray[np.float64], ic50: float, hill: float
) -> NDArray[np.float64]:
    """Return C^h / (C^h + IC50^h), in the limits of an IC50 of 0 or of infinity too.

    Without drug there is no inhibition, whatever the IC50. Computed through logarithms, so that no
    power overflows.
    """
    if ic50 == 0.0:
        return np.where(concentration > 0.0, 1.0, 0.0)
    if np.isinf(ic50):
        return np.zeros_like(concentration)
    with np.errstate(divide="ignore"):  # log(0) is -inf, which expit takes to 0
        exponent = hill * (np.log(concentration) - np.log(ic50))
    return np.asarray(expit(exponent), dtype=np.float64)


def inhibition(concentration_nM: ArrayLike, potency: Potency) -> InhibitionBand:
    """Return the inhibition at each concentration.

    Parameters
    ----------
    concentration_nM
        (..., n), nM; on the basis that the potency calls for (see `concentration_basis`).
    potency
        In nM. ``< 50`` makes `low` the curve of 50 nM ("at least") and `high` 1 wherever there is
        drug; ``> 400`` makes `high` the curve of 400 nM ("at most") and `low` 0. With a bound the
        Hill coefficient is part of what is assumed.

    Raises
    ------
    InputError
        If the potency is not in nM or a concentration is negative or not finite.
    """
    require_nM(potency)
    values = checked_concentrations(concentration_nM)
    ic50 = potency.ic50
    low = hill_inhibition(values, ic50.high, potency.hill)
    high = low if ic50.is_point else hill_inhibition(values, ic50.low, potency.hill)
    return InhibitionBand(low, high, potency.relation)


def inhibition_at(concentration_nM: float, potency: Potency) -> Interval:
    """Return the inhibition at one concentration, nM; see `inhibition`."""
    band = inhibition(np.array([concentration_nM]), potency)
    return Interval(float(band.low[0]), float(band.high[0]))


def require_nM(potency: Potency) -> None:
    """Raise InputError unless the potency is in nM."""
    if potency.unit != "nM":
        raise InputError(
            f"the potency of {potency.drug or 'the drug'} is in {potency.unit}",
            hint="Convert it with Potency.in_nM first.",
        )
