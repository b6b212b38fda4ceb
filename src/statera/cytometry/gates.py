"""Gates as data: rectangle, polygon, ellipsoid, quadrant and boolean.

Definitions: Gating-ML 2.0 (Spidlen and others, Cytometry A 2015, doi 10.1002/cyto.a.22690).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.scales import Scale
from statera.errors import InputError

__all__ = [
    "BooleanGate",
    "Dimension",
    "EllipsoidGate",
    "Gate",
    "PolygonGate",
    "QuadrantGate",
    "Ratio",
    "RectangleGate",
    "Reference",
]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

UNCOMPENSATED, FROM_FILE = "uncompensated", "FCS"


@dataclass(frozen=True)
class Ratio:
    """``A (x - B) / (y - C)`` of two channels, a dimension of its own."""

    numerator: str
    denominator: str
    A: float = 1.0
    B: float = 0.0
    C: float = 0.0


@dataclass(frozen=True)
class Dimension:
    """What a gate looks at.

    Attributes
    ----------
    channel
        Name of a channel or of a dye of a spillover matrix; or a ratio.
    scale
        Values are taken on this scale; None for linear as read.
    compensation
        ``uncompensated``, ``FCS`` for the file's own matrix, or the name of a matrix.
    """

    channel: str | Ratio
    scale: Scale | None = None
    compensation: str = UNCOMPENSATED


@dataclass(frozen=True)
class RectangleGate:
    """Between ends along every dimension: ``low <= x < high``.

    Attributes
    ----------
    name, parent
        The gate's name, and that of the gate that it lies in; empty for none.
    dimensions
    low, high
        Ends by dimension; infinite where open.
    closed
        True includes the upper ends, as in FlowJo and R.
    """

    name: str
    dimensions: tuple[Dimension, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    parent: str = ""
    closed: bool = False

    def inside(self, values: list[Floats]) -> Mask:
        """Return which events lie inside, from values by dimension."""
        mask = np.ones(values[0].shape, dtype=bool)
        for x, low, high in zip(values, self.low, self.high, strict=True):
            if low > -np.inf:
                mask &= x >= low
            if high < np.inf:
                mask &= (x <= high) if self.closed else (x < high)
            mask &= ~np.isnan(x)
        return mask


@dataclass(frozen=True)
class PolygonGate:
    """Inside a polygon, by the even-odd rule; left and lower edges belong to it.

    Attributes
    ----------
    vertices
        Points in order; the last joins the first.
    """

    name: str
    dimensions: tuple[Dimension, ...]
    vertices: tuple[tuple[float, float], ...]
    parent: str = ""

    def inside(self, values: list[Floats]) -> Mask:
        """Return which events lie inside, from values by dimension."""
        from statera.cytometry.polygon_kernel import inside_polygon  # noqa: PLC0415 - compiles

        x, y = (np.ascontiguousarray(v, dtype=np.float64) for v in values)
        found = np.empty(x.shape, dtype=bool)
        inside_polygon(x, y, np.array(self.vertices, dtype=np.float64), found)
        return found


@dataclass(frozen=True)
class EllipsoidGate:
    """``(x - mean)' C^-1 (x - mean) <= distance_square``.

    Attributes
    ----------
    covariance
        By rows.
    """

    name: str
    dimensions: tuple[Dimension, ...]
    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    distance_square: float = 1.0
    parent: str = ""

    def inside(self, values: list[Floats]) -> Mask:
        """Return which events lie inside, from values by dimension."""
        matrix = np.array(self.covariance, dtype=np.float64)
        if np.linalg.matrix_rank(matrix) < matrix.shape[0]:
            raise InputError(f"the covariance of gate {self.name} is singular", where=self.name)
        from statera.cytometry.ellipsoid_kernel import squared_distances  # noqa: PLC0415 - compiles

        mean = np.array(self.mean, dtype=np.float64)
        distance = np.empty(values[0].shape)
        squared_distances(np.array(values, dtype=np.float64), mean, np.linalg.inv(matrix), distance)
        found: Mask = distance <= self.distance_square
        return found


@dataclass(frozen=True)
class QuadrantGate:
    """Cells of a grid of dividers; a value on a divider belongs above it.

    Attributes
    ----------
    dividers
        Values by dimension, ascending.
    quadrants
        Name of each cell, with its interval along each dimension: 0 below the first divider, 1
        between it and the second, and so on; -1 where the cell does not look at the dimension.
    """

    name: str
    dimensions: tuple[Dimension, ...]
    dividers: tuple[tuple[float, ...], ...]
    quadrants: tuple[tuple[str, tuple[int, ...]], ...]
    parent: str = ""

    def cells(self, values: list[Floats]) -> dict[str, Mask]:
        """Return which events lie in each cell, from values by dimension."""
        places = []
        for x, dividers in zip(values, self.dividers, strict=True):
            place = np.zeros(x.shape, dtype=np.int32)
            for divider in dividers:
                place += x >= divider
            places.append(place)
        bad = np.zeros(values[0].shape, dtype=bool)
        for x in values:
            bad |= np.isnan(x)
        found = {}
        for name, wanted in self.quadrants:
            mask = ~bad
            for place, interval in zip(places, wanted, strict=True):
                if interval >= 0:
                    mask &= place == interval
            found[name] = mask
        return found


@dataclass(frozen=True)
class Reference:
    """Another gate by its name, or what lies outside it."""

    name: str
    complement: bool = False


@dataclass(frozen=True)
class BooleanGate:
    """Other gates joined by ``and``, ``or`` or ``not``."""

    name: str
    operation: Literal["and", "or", "not"]
    references: tuple[Reference, ...]
    parent: str = ""


Gate = RectangleGate | PolygonGate | EllipsoidGate | QuadrantGate | BooleanGate
