"""Gates as JSON, as in a file of gates (``statera.gates/1``) but with scales in their place."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from statera.web.task import Request

__all__ = ["Axis", "Dimension", "Gate", "Gates", "Matrix", "Name", "Scale"]

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
MaybeName = Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f]*$")]
Channel = Annotated[str, StringConstraints(min_length=1, max_length=200)]
End = float | None
Point = tuple[float, float]


class Scale(Request):
    """A scale: its kind and the numbers that this kind has."""

    kind: Literal[
        "linear",
        "log",
        "floored_log",
        "arcsinh",
        "plain_arcsinh",
        "logicle",
        "hyperlog",
        "biexponential",
    ]
    numbers: Annotated[dict[str, float], Field(default_factory=dict, max_length=8)]


class Ratio(Request):
    """``A (x - B) / (y - C)`` of two channels."""

    numerator: Channel
    denominator: Channel
    A: float = 1.0
    B: float = 0.0
    C: float = 0.0


class Dimension(Request):
    """What a gate looks at; without a scale, values as read or compensated."""

    channel: Channel = "ratio"
    ratio: Ratio | None = None
    scale: Scale | None = None
    compensation: Annotated[str, StringConstraints(min_length=1, max_length=200)] = "uncompensated"


class _Gate(Request):
    name: Name
    parent: MaybeName = ""


class Rectangle(_Gate):
    """A range of one dimension, or a rectangle of several; null where open."""

    kind: Literal["rectangle"]
    dimensions: Annotated[list[Dimension], Field(min_length=1, max_length=8)]
    low: Annotated[list[End], Field(min_length=1, max_length=8)]
    high: Annotated[list[End], Field(min_length=1, max_length=8)]
    closed: bool = False


class Polygon(_Gate):
    """Corners in order."""

    kind: Literal["polygon"]
    dimensions: Annotated[list[Dimension], Field(min_length=2, max_length=2)]
    vertices: Annotated[list[Point], Field(min_length=3, max_length=1000)]


class Ellipsoid(_Gate):
    """Mean and covariance; events within a squared distance."""

    kind: Literal["ellipsoid"]
    dimensions: Annotated[list[Dimension], Field(min_length=2, max_length=8)]
    mean: Annotated[list[float], Field(min_length=2, max_length=8)]
    covariance: Annotated[
        list[Annotated[list[float], Field(min_length=2, max_length=8)]],
        Field(min_length=2, max_length=8),
    ]
    distance_square: Annotated[float, Field(gt=0)] = 1.0


class Cell(Request):
    """A cell of a quadrant gate: its interval along each dimension, -1 for any."""

    name: Name
    place: Annotated[list[Annotated[int, Field(ge=-1, le=50)]], Field(min_length=1, max_length=4)]


class Quadrant(_Gate):
    """Dividers by dimension, and the cells between them."""

    kind: Literal["quadrant"]
    dimensions: Annotated[list[Dimension], Field(min_length=1, max_length=4)]
    dividers: Annotated[
        list[Annotated[list[float], Field(min_length=1, max_length=50)]],
        Field(min_length=1, max_length=4),
    ]
    cells: Annotated[list[Cell], Field(min_length=1, max_length=200)]


class Reference(Request):
    """Another gate, or what lies outside it."""

    name: Name
    complement: bool = False


class Boolean(_Gate):
    """Other gates joined."""

    kind: Literal["boolean"]
    operation: Literal["and", "or", "not"]
    of: Annotated[list[Reference], Field(min_length=1, max_length=50)]


Gate = Annotated[Rectangle | Polygon | Ellipsoid | Quadrant | Boolean, Field(discriminator="kind")]


class Matrix(Request):
    """A spillover matrix: a row for each dye, a column for each detector."""

    detectors: Annotated[list[Channel], Field(min_length=1, max_length=60)]
    dyes: Annotated[list[Channel], Field(min_length=1, max_length=60)]
    rows: Annotated[
        list[Annotated[list[float], Field(min_length=1, max_length=60)]],
        Field(min_length=1, max_length=60),
    ]


class Gates(Request):
    """Gates with the matrices that they name."""

    gates: Annotated[list[Gate], Field(default_factory=list, max_length=200)]
    matrices: Annotated[dict[str, Matrix], Field(default_factory=dict, max_length=10)]


class Axis(Request):
    """An axis of a plot: a dimension as gates have it, or a channel on the scale that suits it."""

    channel: Channel = ""
    dimension: Dimension | None = None
