"""The IC50 as a log-normal quantity: quantiles, draws, and inhibition at quantiles of it.

Inhibition at a given concentration falls with the IC50, and so do its time average and its
extremes. A quantile p of any of them is therefore exactly its value at the quantile 1 - p of the
IC50; nothing has to be sampled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from statera.engagement.ic50_uncertainty import Spread
from statera.engagement.inhibition import inhibition
from statera.engagement.potency import Potency
from statera.errors import InputError
from statera.sources.fact import Relation

__all__ = [
    "at_quantile",
    "has_distribution",
    "ic50_draws",
    "inhibition_quantiles",
    "mean_interval",
]

Floats = NDArray[np.float64]


def has_distribution(potency: Potency, spread: Spread = Spread.PERSON) -> bool:
    """Return whether the IC50 is a point whose spread is known."""
    known = potency.uncertainty
    point = potency.relation in (Relation.EQUAL, Relation.ABOUT)
    return point and known is not None and known.ln_sd(spread) is not None


def at_quantile(potency: Potency, probability: float, spread: Spread = Spread.PERSON) -> Potency:
    """Return the potency with the IC50 at a quantile of its distribution, as if it were known.

    Parameters
    ----------
    probability
        Above 0 and below 1.
    spread
        Of what: the mean over donors, donors about it, or a new person.

    Raises
    ------
    InputError
        If the IC50 has no distribution, or the probability is not one.
    """
    if not 0.0 < probability < 1.0:
        raise InputError(
            f"{probability:g} is not a quantile", hint="Give a number between 0 and 1."
        )
    value = _median(potency) * float(np.exp(ndtri(probability) * _ln_sd(potency, spread)))
    return replace(potency, value=value, uncertainty=None)


def mean_interval(potency: Potency) -> tuple[Potency, Potency] | None:
    """Return the potency at both ends of the interval of its mean, as if each were known.

    The interval is the one that the fit gave; where there is none, that of a normal ln IC50 with
    its standard error. None where neither is known, or the IC50 is a bound.
    """
    known = potency.uncertainty
    if known is None or not has_distribution(potency):
        return None
    if known.low is not None and known.high is not None:
        low, high = (replace(potency, value=x, uncertainty=None) for x in (known.low, known.high))
        return low, high
    if known.ln_se is None:
        return None
    tail = 0.5 * (1.0 - known.level)
    return (
        at_quantile(potency, tail, Spread.MEAN),
        at_quantile(potency, 1.0 - tail, Spread.MEAN),
    )


def ic50_draws(
    potency: Potency, n: int, generator: np.random.Generator, spread: Spread = Spread.PERSON
) -> Floats:
    """Return draws of the IC50, (n,), in the unit of the potency.

    Raises
    ------
    InputError
        If the IC50 has no distribution.
    """
    sd = _ln_sd(potency, spread)
    return np.asarray(_median(potency) * np.exp(sd * generator.standard_normal(n)))


def inhibition_quantiles(
    concentration_nM: ArrayLike,
    potency: Potency,
    probabilities: Sequence[float],
    spread: Spread = Spread.PERSON,
) -> Floats:
    """Return quantiles of the inhibition that the spread of the IC50 leaves, exactly.

    Parameters
    ----------
    concentration_nM
        (..., n), nM, on the basis that the potency calls for.
    potency
        In nM, with a distribution; its Hill coefficient is used as fitted.
    probabilities
        Such as 0.05 and 0.95.
    spread
        Uncertainty of the mean, differences between donors, or both.

    Returns
    -------
    (n_probabilities, ..., n) float64, fractions 0 to 1.

    Raises
    ------
    InputError
        If the IC50 has no distribution, or a concentration is negative or not finite.
    """
    bands = [
        inhibition(concentration_nM, at_quantile(potency, 1.0 - p, spread)) for p in probabilities
    ]
    return np.stack([band.low for band in bands])


def _median(potency: Potency) -> float:
    if potency.value is None:
        raise InputError(f"{potency.name} is a range and has no distribution")
    return potency.value


def _ln_sd(potency: Potency, spread: Spread) -> float:
    known = potency.uncertainty
    sd = None if known is None else known.ln_sd(spread)
    if sd is None or not has_distribution(potency, spread):
        why = (
            "it is known only as a bound"
            if potency.relation.is_bound
            else f"its spread ({spread}) is not known"
        )
        raise InputError(
            f"the IC50 of {potency.name} has no distribution: {why}",
            hint="Use the value alone, or a potency fitted from a plate.",
        )
    return sd
