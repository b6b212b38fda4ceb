"""Per cent inhibition between the controls of each group, with the error these bring.

``100 (1 - (x - u) / (s - u))``, u and s the means of unstimulated and stimulated wells of the same
group: plate, donor, cytokine and population. The scale is that of the signal given (linear or
arcsinh): half way on one is not half way on the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError

__all__ = ["PercentInhibition", "percent_inhibition"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PercentInhibition:
    """Inhibition of wells.

    Attributes
    ----------
    value : (n,) float64
        Per cent; NaN where the group lacks a control or its controls are equal.
    se_controls : (n,) float64
        Standard error from the means of the controls (delta method); NaN where a control has
        fewer than two wells. It is shared by all wells of a group: more doses do not average it.
    se_well : (n,) float64
        From the error of the well's own signal; 0 where none was given.
    unstimulated, stimulated : (n,) float64
        Means of the controls of each well's group.
    sentences
        One a group that cannot be computed or is inverted: which, and why.
    """

    value: Floats
    se_controls: Floats
    se_well: Floats
    unstimulated: Floats
    stimulated: Floats
    sentences: tuple[str, ...]


def percent_inhibition(
    signal: ArrayLike,
    group: ArrayLike,
    is_unstimulated: ArrayLike,
    is_stimulated: ArrayLike,
    signal_se: ArrayLike | None = None,
) -> PercentInhibition:
    """Return the inhibition of all wells, each against the controls of its group.

    Parameters
    ----------
    signal : (n,) float64
        One value a well and population; those that are not finite do not count as controls.
    group : (n,)
        Label of plate, donor, cytokine and population.
    is_unstimulated, is_stimulated : (n,) bool
        Which rows are the controls of their groups.
    signal_se : (n,) float64
        Standard errors of the signals, where known.

    Raises
    ------
    InputError
        If lengths differ, or a row is both controls.
    """
    x = np.asarray(signal, dtype=np.float64).ravel()
    labels = np.asarray(group).ravel()
    low = np.asarray(is_unstimulated, dtype=bool).ravel()
    high = np.asarray(is_stimulated, dtype=bool).ravel()
    own = np.zeros(x.size) if signal_se is None else np.asarray(signal_se, dtype=np.float64).ravel()
    if len({x.size, labels.size, low.size, high.size, own.size}) != 1:
        raise InputError("signals, groups and controls differ in number")
    if (low & high).any():
        raise InputError(f"row {int(np.argmax(low & high))} is both controls of its group")
    names, place = np.unique(labels, return_inverse=True)
    place = place.ravel()
    u, var_u = _means(x, place, low, names.size)
    s, var_s = _means(x, place, high, names.size)
    sentences = _sentences(names, u, s)
    u, var_u, s, var_s = u[place], var_u[place], s[place], var_s[place]
    with np.errstate(all="ignore"):
        width = np.where(s == u, np.nan, s - u)
        value = 100.0 * (s - x) / width
        by_u, by_s = 100.0 * (s - x) / width**2, 100.0 * (x - u) / width**2
        se = np.sqrt(by_u**2 * var_u + by_s**2 * var_s)
        se_well = np.abs(100.0 / width) * own
    return PercentInhibition(value, se, se_well, u, s, sentences)


def _means(
    x: Floats, place: NDArray[np.intp], chosen: NDArray[np.bool_], n: int
) -> tuple[Floats, Floats]:
    """Return means by group and the variances of these means, (n,)."""
    k = np.flatnonzero(chosen & np.isfinite(x))
    count = np.bincount(place[k], minlength=n).astype(np.float64)
    with np.errstate(all="ignore"):
        mean = np.bincount(place[k], weights=x[k], minlength=n) / count
        far = x[k] - mean[place[k]]
        squares = np.bincount(place[k], weights=far * far, minlength=n)
        variance = np.where(count > 1, squares / (count - 1.0) / count, np.nan)
    return mean, variance


def _sentences(names: NDArray[np.generic], u: Floats, s: Floats) -> tuple[str, ...]:
    found = []
    for name, low, high in zip(names, u, s, strict=True):
        missing = [w for w, v in (("unstimulated", low), ("stimulated", high)) if np.isnan(v)]
        if missing:
            found.append(f"{name}: no {' and no '.join(missing)} control has a value")
        elif not high > low:
            found.append(f"{name}: stimulated ({high:.4g}) is not above unstimulated ({low:.4g})")
    return tuple(found)
