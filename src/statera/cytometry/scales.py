"""Scales on which fluorescence is gated and drawn.

Definitions: Gating-ML 2.0 (Spidlen and others, Cytometry A 2015, doi 10.1002/cyto.a.22690);
logicle: Moore and Parks, Cytometry A 2012, doi 10.1002/cyto.a.22030. All but `Biexponential` take
the top of the data T to 1.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from statera.errors import InputError

__all__ = ["Arcsinh", "Hyperlog", "Linear", "Log", "Logicle", "PlainArcsinh", "Scale"]

Floats = NDArray[np.float64]
LN10 = math.log(10.0)

_OCTAVE_BITS = 12
"""Knots of a table divide every octave into 2^12 parts, or more where that is too coarse."""

_TABLE_ERROR = 5e-9


class Scale(ABC):
    """A monotone map from values to a scale for gates and drawings."""

    @abstractmethod
    def __call__(self, values: ArrayLike) -> Floats:
        """Return values on the scale, an array of the same shape."""

    @abstractmethod
    def inverse(self, scaled: ArrayLike) -> Floats:
        """Return values from those on the scale."""


@dataclass(frozen=True)
class Linear(Scale):
    """``(x + A) / (T + A)``."""

    T: float
    A: float = 0.0

    def __call__(self, values: ArrayLike) -> Floats:
        """See `Scale`."""
        found: Floats = (np.asarray(values, dtype=np.float64) + self.A) / (self.T + self.A)
        return found

    def inverse(self, scaled: ArrayLike) -> Floats:
        """See `Scale`."""
        found: Floats = np.asarray(scaled, dtype=np.float64) * (self.T + self.A) - self.A
        return found


@dataclass(frozen=True)
class Log(Scale):
    """``log10(x / T) / M + 1``; minus infinity at and below 0."""

    T: float
    M: float

    def __call__(self, values: ArrayLike) -> Floats:
        """See `Scale`."""
        x = np.asarray(values, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Floats = np.where(x > 0, np.log10(x / self.T) / self.M + 1.0, -np.inf)
        return np.where(np.isnan(x), np.nan, found)

    def inverse(self, scaled: ArrayLike) -> Floats:
        """See `Scale`."""
        found: Floats = self.T * 10.0 ** (self.M * (np.asarray(scaled, dtype=np.float64) - 1.0))
        return found


@dataclass(frozen=True)
class Arcsinh(Scale):
    """``[asinh(x sinh(M ln 10) / T) + A ln 10] / [(M + A) ln 10]``."""

    T: float
    M: float
    A: float = 0.0

    def __call__(self, values: ArrayLike) -> Floats:
        """See `Scale`."""
        x = np.asarray(values, dtype=np.float64)
        top = math.sinh(self.M * LN10) / self.T
        found: Floats = (np.arcsinh(x * top) + self.A * LN10) / ((self.M + self.A) * LN10)
        return found

    def inverse(self, scaled: ArrayLike) -> Floats:
        """See `Scale`."""
        y = np.asarray(scaled, dtype=np.float64)
        top = math.sinh(self.M * LN10) / self.T
        found: Floats = np.sinh(y * (self.M + self.A) * LN10 - self.A * LN10) / top
        return found


@dataclass(frozen=True)
class PlainArcsinh(Scale):
    """``asinh(x / c)``: c is 5 for mass cytometry, about 150 for fluorescence."""

    cofactor: float = 150.0

    def __call__(self, values: ArrayLike) -> Floats:
        """See `Scale`."""
        return np.arcsinh(np.asarray(values, dtype=np.float64) / self.cofactor)

    def inverse(self, scaled: ArrayLike) -> Floats:
        """See `Scale`."""
        found: Floats = self.cofactor * np.sinh(np.asarray(scaled, dtype=np.float64))
        return found


@dataclass(frozen=True)
class _Solved(Scale):
    """A scale given by its inverse B, which is solved: increasing, and odd about B(x1) = 0."""

    T: float
    W: float
    M: float
    A: float = 0.0

    def __post_init__(self) -> None:
        numbers = (self.T, self.W, self.M, self.A)
        good = all(math.isfinite(x) for x in numbers) and self.T > 0 and self.M > 0
        if not (good and 0 <= 2 * self.W <= self.M and -self.W <= self.A <= self.M - 2 * self.W):
            raise InputError(
                f"T = {self.T:g}, W = {self.W:g}, M = {self.M:g}, A = {self.A:g} make no "
                f"{type(self).__name__.lower()} scale",
                hint="Needed: T > 0, M > 0, 0 <= 2 W <= M and -W <= A <= M - 2 W.",
            )

    @abstractmethod
    def _upward(self, y: Floats) -> tuple[Floats, Floats]:
        """Return B and its derivative at y >= x1."""

    @property
    def _middle(self) -> float:
        w, x2 = self.W / (self.M + self.A), self.A / (self.M + self.A)
        return x2 + w

    def inverse(self, scaled: ArrayLike) -> Floats:
        """See `Scale`."""
        y = np.asarray(scaled, dtype=np.float64)
        x1 = self._middle
        above = np.abs(y - x1) + x1
        value, _ = self._upward(above)
        return np.where(y >= x1, value, -value)

    def exact(self, values: ArrayLike) -> Floats:
        """Return values on the scale, solved to rounding."""
        x = np.asarray(values, dtype=np.float64)
        size = np.abs(x)
        grid = np.linspace(self._middle, 3.0, 4096)
        known, _ = self._upward(grid)
        y = np.interp(size, known, grid)
        for _ in range(8):  # Newton from within 1e-3: B is convex, so it cannot leave
            value, slope = self._upward(y)
            y = np.maximum(y - (value - size) / slope, self._middle)
        found: Floats = np.where(x >= 0, y, 2.0 * self._middle - y)
        return np.where(np.isnan(x), np.nan, found)

    def __call__(self, values: ArrayLike) -> Floats:
        """See `Scale`; by a table, to 1e-8, and exactly outside it."""
        from statera.cytometry.scale_kernel import by_table  # noqa: PLC0415 - compiles

        x = np.asarray(values, dtype=np.float64)
        table = _table(self)
        flat = np.ascontiguousarray(x).reshape(-1)
        found = np.empty_like(flat)
        turned = 2.0 * self._middle
        if by_table(flat, table.offset, table.knots, table.first, table.shift, turned, found):
            outside = ~(np.abs(flat) + table.offset < table.end)
            found[outside] = self.exact(flat[outside])
        return found.reshape(x.shape)


@dataclass(frozen=True)
class Logicle(_Solved):
    """Logicle of data top T, W linear decades, M decades and A further negative ones."""

    def _upward(self, y: Floats) -> tuple[Floats, Floats]:
        k, p, q, b, d = _logicle(self.T, self.W, self.M, self.A)
        rise, fall = np.exp(b * y), p * np.exp(-d * y)
        return k * (rise - fall - q), k * (b * rise + d * fall)


@dataclass(frozen=True)
class Hyperlog(_Solved):
    """Hyperlog of data top T, W linear decades, M decades and A further negative ones."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.W == 0:
            raise InputError("a hyperlog scale needs W above 0", hint="Use a log scale.")

    def _upward(self, y: Floats) -> tuple[Floats, Floats]:
        b = (self.M + self.A) * LN10
        w = self.W / (self.M + self.A)
        x1 = self._middle
        p = math.exp(b * (x1 + w)) / w
        q = math.exp(b * x1) + p * x1
        k = self.T / (math.exp(b) + p - q)
        rise = np.exp(b * y)
        return k * (rise + p * y - q), k * (b * rise + p)


@lru_cache(maxsize=256)
def _logicle(T: float, W: float, M: float, A: float) -> tuple[float, float, float, float, float]:
    w, x2 = W / (M + A), A / (M + A)
    x1, x0, b = x2 + w, x2 + 2 * w, (M + A) * LN10
    d = b
    if w > 0:
        d = brentq(lambda z: 2 * math.log(z / b) + w * (b + z), 1e-300, b, xtol=1e-15, rtol=1e-15)
    p = math.exp(x0 * (b + d))
    q = math.exp(b * x1) - p * math.exp(-d * x1)
    k = T / (math.exp(b) - q - p * math.exp(-d))
    return k, p, q, b, d


@dataclass(frozen=True)
class _Table:
    """A scale at sizes of values, as `scale_kernel.by_table` reads it.

    The last knot lies at a size of `end` less the offset.
    """

    knots: Floats
    offset: float
    end: float
    first: int
    shift: int


@lru_cache(maxsize=64)
def _table(scale: _Solved) -> _Table:
    """Return the scale at sizes that divide the octaves of size + c evenly.

    With c where the scale turns from linear to logarithmic it is nearly straight between knots:
    halfway between them, where it is worst, the table is compared with the solution.
    """
    _, slope = scale._upward(np.array([scale._middle]))
    turn = float(slope[0]) / ((scale.M + scale.A) * LN10)
    for octave_bits in range(_OCTAVE_BITS, 18):
        shift = 52 - octave_bits
        first, last = (np.array([turn, turn + 2.5 * scale.T]).view(np.int64) >> shift).tolist()
        at = (np.arange(first, last + 2, dtype=np.int64) << shift).view(np.float64)
        offset = float(at[0])  # c, rounded so that 0 is a knot
        knots = scale.exact(at - offset)
        halfway = scale.exact(0.5 * (at[1:] + at[:-1]) - offset)
        if np.abs(0.5 * (knots[1:] + knots[:-1]) - halfway).max() < _TABLE_ERROR:
            break
    return _Table(knots, offset, float(at[-1]), first, shift)
