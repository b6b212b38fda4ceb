"""FlowJo's biexponential scale: a table of 4097 points, joined by lines and clamped at its ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from statera.cytometry.scales import LN10, Scale
from statera.errors import InputError

__all__ = ["Biexponential"]

Floats = NDArray[np.float64]
_LENGTH = 4096
_OCTAVE_BITS = 9


@dataclass(frozen=True)
class Biexponential(Scale):
    """FlowJo's scale, from 0 to 4096.

    Attributes
    ----------
    negative
        Extra negative decades.
    width
        Width basis, below 0, such as -10.
    positive
        Decades above 0.
    top
        Largest value of the channel.
    """

    negative: float = 0.0
    width: float = -10.0
    positive: float = 4.418540
    top: float = 262144.000029

    def __post_init__(self) -> None:
        if self.width >= 0 or self.top <= 0 or self.positive <= 0.5 * math.log10(-self.width):
            raise InputError(
                f"width {self.width:g}, {self.positive:g} decades and a top of {self.top:g} make "
                "no biexponential scale",
                hint="Needed: width < 0 < top, and more decades than the width takes.",
            )

    def __call__(self, values: ArrayLike) -> Floats:
        """See `Scale`."""
        from statera.cytometry.scale_kernel import by_steps  # noqa: PLC0415 - compiles

        x = np.asarray(values, dtype=np.float64)
        flat = np.ascontiguousarray(x).reshape(-1)
        found = np.empty_like(flat)
        starts = _starts(self)
        by_steps(
            flat,
            _table(self)[1],
            starts.above,
            starts.below,
            starts.offset,
            starts.first,
            starts.shift,
            found,
        )
        return found.reshape(x.shape)

    def inverse(self, scaled: ArrayLike) -> Floats:
        """See `Scale`."""
        places, table = _table(self)
        return np.interp(np.asarray(scaled, dtype=np.float64), places, table)

    @property
    def table(self) -> Floats:
        """Values at 0 to 4096 of the scale, (4097,)."""
        return _table(self)[1]


@dataclass(frozen=True)
class _Starts:
    """Where in the table to look for a value, by its bits (see `scale_kernel.by_steps`)."""

    above: NDArray[np.int64]
    below: NDArray[np.int64]
    offset: float
    first: int
    shift: int


@lru_cache(maxsize=64)
def _starts(scale: Biexponential) -> _Starts:
    table = _table(scale)[1]
    shift = 52 - _OCTAVE_BITS
    # about 0, where steps are smallest, a start then serves no more than one of them
    offset = float(np.diff(table).min()) * 2.0**_OCTAVE_BITS
    ends = np.array([offset, offset + np.abs(table[[0, -1]]).max()]).view(np.int64) >> shift
    counts = np.arange(ends[0], ends[1] + 2, dtype=np.int64)
    sizes = (counts << shift).view(np.float64) - offset
    above = np.searchsorted(table, sizes[:-1], side="right") - 1
    below = np.searchsorted(table, -sizes[1:], side="right") - 1
    # sizes are rounded: one index lower is safe
    above, below = (np.clip(x - 1, 0, _LENGTH - 1) for x in (above, below))
    return _Starts(above, below, offset, int(ends[0]), shift)


@lru_cache(maxsize=64)
def _table(scale: Biexponential) -> tuple[Floats, Floats]:
    n = _LENGTH + 1
    half = 0.5 * math.log10(-scale.width)
    extra = max(scale.negative, 0.0) + half
    above = scale.positive - half
    zero = min(int(_LENGTH * extra / (extra + above)), _LENGTH // 2)
    decades = extra * _LENGTH / zero if zero else above
    omega = half / decades
    p = decades * LN10
    down = brentq(lambda z: 2 * math.log(z / p) + omega * (p + z), 1e-300, p, xtol=1e-15)
    scale_down = math.exp((p + down) * (omega + extra / decades))
    at = np.arange(n, dtype=np.float64)
    g = np.exp(p * at / n) - scale_down * np.exp(-down * at / n)
    values = scale.top * math.exp(-p) * (g - g[zero])
    values[:zero] = -values[2 * zero : zero : -1]
    return at, values
