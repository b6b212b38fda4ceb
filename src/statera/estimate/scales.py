"""Fixed effects as free numbers: bounds are kept by a change of variable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ThetaMap"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Scale:
    """One fixed effect: identity scaled by its size, log above (below) a bound, or logit."""

    low: float
    high: float
    size: float

    def pack(self, x: float) -> float:
        if np.isfinite(self.low) and np.isfinite(self.high):
            part = (x - self.low) / (self.high - self.low)
            part = min(max(part, 1e-9), 1.0 - 1e-9)
            return float(np.log(part / (1.0 - part)))
        if np.isfinite(self.low):
            return float(np.log(max(x - self.low, 1e-9 * self.size)))
        if np.isfinite(self.high):
            return float(-np.log(max(self.high - x, 1e-9 * self.size)))
        return x / self.size

    def unpack(self, u: float) -> tuple[float, float]:
        """Return the value and its derivative."""
        if np.isfinite(self.low) and np.isfinite(self.high):
            part = 1.0 / (1.0 + np.exp(-u))
            width = self.high - self.low
            return float(self.low + width * part), float(width * part * (1.0 - part))
        if np.isfinite(self.low):
            gap = float(np.exp(min(u, 300.0)))
            return self.low + gap, gap
        if np.isfinite(self.high):
            gap = float(np.exp(min(-u, 300.0)))
            return self.high - gap, gap
        return u * self.size, self.size


class ThetaMap:
    """Between free numbers and fixed effects.

    Parameters
    ----------
    start : (n_theta,) float64
    low, high : (n_theta,) float64
        Bounds; infinite where there are none.
    fixed
        For each fixed effect.
    logarithms
        Which fixed effects are logarithms or logits: their size is 1 whatever their value.
    """

    def __init__(
        self,
        start: Floats,
        low: Floats,
        high: Floats,
        fixed: Sequence[bool],
        logarithms: Sequence[bool] | None = None,
    ) -> None:
        self.start = start.copy()
        self.free = [i for i, stays in enumerate(fixed) if not stays]
        self.size = len(self.free)
        self._scales = [
            _Scale(
                float(low[i]),
                float(high[i]),
                1.0 if logarithms is not None and logarithms[i] else max(abs(float(start[i])), 0.1),
            )
            for i in self.free
        ]

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """Bounds of the free ones, infinite where there are none."""
        return [(s.low, s.high) for s in self._scales]

    def scale(self, index: int) -> float:
        """Return the size by which a free number without bounds is multiplied."""
        return self._scales[self.free.index(index)].size

    def pack(self, theta: Floats) -> Floats:
        """Return the free numbers."""
        pairs = zip(self._scales, self.free, strict=True)
        return np.array([s.pack(float(theta[i])) for s, i in pairs])

    def unpack(self, u: Floats) -> tuple[Floats, Floats]:
        """Return fixed effects (n_theta,) and the derivatives of the free ones (size,)."""
        theta = self.start.copy()
        slopes = np.empty(self.size)
        for k, (scale, i) in enumerate(zip(self._scales, self.free, strict=True)):
            theta[i], slopes[k] = scale.unpack(float(u[k]))
        return theta, slopes
