"""Quality of a plate's controls, and how far two IC50s must differ to be told apart.

Sources: Z', Zhang, Chung and Oldenburg, J Biomol Screen 1999 (doi 10.1177/108705719900400206);
minimum significant ratio, Eastwood et al., J Biomol Screen 2006 (doi 10.1177/1087057105285611).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError

__all__ = [
    "PlateQuality",
    "minimum_significant_ratio",
    "minimum_significant_ratio_of_pairs",
    "plate_quality",
    "signal_to_background",
    "signal_window",
    "z_prime",
]

Floats = NDArray[np.float64]
Direction = Literal["up", "either"]


@dataclass(frozen=True)
class PlateQuality:
    """Quality of the window between two controls.

    Attributes
    ----------
    upward
        Stimulated above unstimulated. Z' does not see it, so that it is asked first.
    z_prime, signal_window, signal_to_background
        NaN where the signal does not rise, or a control has too few wells for it.
    sentence
        For a reader.
    """

    upward: bool
    z_prime: float
    signal_window: float
    signal_to_background: float
    sentence: str


def plate_quality(unstimulated: ArrayLike, stimulated: ArrayLike) -> PlateQuality:
    """Return all measures of the window, the direction first.

    Parameters
    ----------
    unstimulated, stimulated : (n,) float64
        One value a well, such as its median fluorescence; values that are not finite are left out.
    """
    u, s = _finite(unstimulated), _finite(stimulated)
    if not (u.size and s.size):
        which = "unstimulated" if not u.size else "stimulated"
        return PlateQuality(False, np.nan, np.nan, np.nan, f"there is no {which} control")
    upward = bool(s.mean() > u.mean())
    z, window = z_prime(u, s), signal_window(u, s)
    ratio = signal_to_background(u, s)
    if not upward:
        said = "stimulation does not raise the signal, so that Z' says nothing"
    elif np.isnan(z):
        said = "a control has one well: Z' needs the spread of two or more"
    else:
        said = f"Z' {z:.2f}, signal window {window:.3g}, signal over background {ratio:.3g}"
    return PlateQuality(upward, z, window, ratio, said)


def z_prime(unstimulated: ArrayLike, stimulated: ArrayLike, direction: Direction = "up") -> float:
    """Return ``1 - 3 (SD + SD) / (stimulated - unstimulated)`` of means and SDs.

    NaN where a control has fewer than two wells, or where the signal does not rise; with
    ``direction="either"`` the size of the difference is taken, as in the printed definition.
    """
    u, s = _finite(unstimulated), _finite(stimulated)
    if min(u.size, s.size) < 2:
        return float("nan")
    width = _width(u, s, direction)
    return 1.0 - 3.0 * (_sd(u) + _sd(s)) / width if width > 0 else float("nan")


def signal_window(
    unstimulated: ArrayLike, stimulated: ArrayLike, direction: Direction = "up"
) -> float:
    """Return the room between the 3-SD bands of the controls, in SDs of the stimulated one.

    ``(stimulated - unstimulated - 3 (SD + SD)) / SD of stimulated``; infinite where that SD is 0,
    NaN as for `z_prime`.
    """
    u, s = _finite(unstimulated), _finite(stimulated)
    if min(u.size, s.size) < 2:
        return float("nan")
    width = _width(u, s, direction)
    if not width > 0:
        return float("nan")
    room, unit = width - 3.0 * (_sd(u) + _sd(s)), _sd(s)
    return room / unit if unit > 0 else float(np.copysign(np.inf, room))


def signal_to_background(unstimulated: ArrayLike, stimulated: ArrayLike) -> float:
    """Return mean stimulated over mean unstimulated; NaN where the latter is not above 0."""
    u, s = _finite(unstimulated), _finite(stimulated)
    if not (u.size and s.size) or not u.mean() > 0:
        return float("nan")
    return float(s.mean() / u.mean())


def minimum_significant_ratio(ic50: ArrayLike) -> float:
    """Return the smallest ratio of two IC50s that differs from 1, from runs of one compound.

    ``10^(2 sqrt(2) s)``, s the standard deviation of log10 IC50 between runs.

    Parameters
    ----------
    ic50 : (n_runs,) float64
        All above 0, in one unit.

    Raises
    ------
    InputError
        If there are fewer than two runs, or an IC50 is not positive and finite.
    """
    return float(10.0 ** (2.0 * np.sqrt(2.0) * _sd(_logs(ic50, "IC50s of runs"))))


def minimum_significant_ratio_of_pairs(first: ArrayLike, second: ArrayLike) -> float:
    """Return the same from several compounds, each in two runs.

    ``10^(2 s)``, s the standard deviation of the differences of log10 IC50 between the runs.

    Parameters
    ----------
    first, second : (n_compounds,) float64
        IC50s of the same compounds in the same order.

    Raises
    ------
    InputError
        If the runs differ in length, or hold fewer than two compounds or an impossible IC50.
    """
    a, b = _logs(first, "IC50s of the first run"), _logs(second, "IC50s of the second run")
    if a.size != b.size:
        raise InputError(
            f"the first run has {a.size} IC50s, the second {b.size}",
            hint="Give both runs of each compound, in one order.",
        )
    return float(10.0 ** (2.0 * _sd(a - b)))


def _width(u: Floats, s: Floats, direction: Direction) -> float:
    width = float(s.mean() - u.mean())
    return abs(width) if direction == "either" else width


def _finite(values: ArrayLike) -> Floats:
    found = np.asarray(values, dtype=np.float64).ravel()
    return found[np.isfinite(found)]


def _sd(values: Floats) -> float:
    return float(values.std(ddof=1))


def _logs(ic50: ArrayLike, what: str) -> Floats:
    values = np.asarray(ic50, dtype=np.float64).ravel()
    if values.size < 2:
        raise InputError(f"{what}: {values.size} given", hint="Two or more give a spread.")
    if not (np.isfinite(values) & (values > 0)).all():
        raise InputError(f"{what}: not all are above 0", hint="Leave out those not determined.")
    found: Floats = np.log10(values)
    return found
