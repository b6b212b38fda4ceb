"""Gates and compensation in words."""

from __future__ import annotations

import math

from statera.cytometry.gates import (
    FROM_FILE,
    UNCOMPENSATED,
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    PolygonGate,
    QuadrantGate,
    Ratio,
    RectangleGate,
)
from statera.plate.settings import CompensationKind, GatingMethod, PlateSettings
from statera.plate_report.parts import counted, digits, listed, unique

__all__ = [
    "compensation_words",
    "dimension_words",
    "gate_words",
    "gating_words",
    "scale_name",
    "scale_words",
    "scales_of",
]


def compensation_words(settings: PlateSettings) -> str:
    """Return where the spillover matrix comes from."""
    match settings.compensation.kind:
        case CompensationKind.NONE:
            return "None: values are as the cytometer wrote them."
        case CompensationKind.TABLE:
            name = settings.compensation.file.name if settings.compensation.file else "a table"
            return f"By the spillover matrix in {name}, the same for every well."
        case CompensationKind.GATES:
            return "By the spillover matrix that stands beside the gates."
        case CompensationKind.SINGLE_STAINS:
            return "By a matrix computed from the single stains of the plate."
        case _:
            return "By the spillover matrix that each file carries."


def gating_words(settings: PlateSettings) -> str:
    """Return where the gates come from."""
    gating = settings.gating
    name = gating.file.name if gating.file else "a file"
    match gating.method:
        case GatingMethod.AUTOMATIC:
            return (
                f"Automatic, from {gating.events} events of each well at most (seed {gating.seed}),"
                " valleys of the density pooled over the plate."
            )
        case GatingMethod.GATINGML:
            return f"From Gating-ML in {name}, the same for every well."
        case GatingMethod.FLOWJO:
            return (
                f"From the FlowJo workspace {name}, each well by its own sample, "
                "wells that it does not hold by a group."
            )
        case _:
            return f"From {name}, the same for every well."


def dimension_words(dimension: Dimension) -> str:
    """Return the name of an axis."""
    channel = dimension.channel
    if isinstance(channel, Ratio):
        return f"{channel.numerator} / {channel.denominator}"
    return channel


def scale_name(dimension: Dimension) -> str:
    """Return the name of a scale, such as ``logicle``."""
    if dimension.scale is None:
        return "linear"
    name = type(dimension.scale).__name__
    return "".join(f" {c}" if c.isupper() and i else c for i, c in enumerate(name)).lower()


def scale_words(dimension: Dimension) -> str:
    """Return scale and compensation of an axis, such as ``logicle, compensated``."""
    name = scale_name(dimension)
    if dimension.compensation == UNCOMPENSATED:
        return name
    source = "" if dimension.compensation == FROM_FILE else f" by {dimension.compensation}"
    return f"{name}, compensated{source}"


def gate_words(gate: Gate) -> str:
    """Return what a gate is, with its ends where they are few."""
    match gate:
        case RectangleGate():
            parts = [
                _range(d, low, high)
                for d, low, high in zip(gate.dimensions, gate.low, gate.high, strict=True)
            ]
            return " and ".join(parts)
        case PolygonGate():
            names = listed([dimension_words(d) for d in gate.dimensions])
            return f"polygon of {counted(len(gate.vertices), 'corner')} in {names}"
        case EllipsoidGate():
            return f"ellipse in {listed([dimension_words(d) for d in gate.dimensions])}"
        case QuadrantGate():
            cuts = [
                f"{dimension_words(d)} at {', '.join(_value(d, v) for v in dividers)}"
                for d, dividers in zip(gate.dimensions, gate.dividers, strict=True)
            ]
            return f"quadrants divided in {listed(cuts)}"
        case BooleanGate():
            others = [f"not {r.name}" if r.complement else r.name for r in gate.references]
            if gate.operation == "not":
                return f"not {others[0]}"
            return f" {gate.operation} ".join(others)


def scales_of(gate: Gate) -> str:
    """Return the scales of a gate's axes, each once."""
    if isinstance(gate, BooleanGate):
        return "–"
    return "; ".join(unique(scale_words(d) for d in gate.dimensions))


def _value(dimension: Dimension, value: float) -> str:
    """Return a value on the scale of a dimension, with the value before it in parentheses."""
    if dimension.scale is None:
        return digits(value, 4)
    return f"{digits(value, 4)} ({digits(float(dimension.scale.inverse(value)), 4)})"


def _range(dimension: Dimension, low: float, high: float) -> str:
    name = dimension_words(dimension)
    if math.isinf(low) and math.isinf(high):
        return f"any {name}"
    if math.isinf(high):
        return f"{name} at or above {_value(dimension, low)}"
    if math.isinf(low):
        return f"{name} below {_value(dimension, high)}"
    return f"{name} from {_value(dimension, low)} to {_value(dimension, high)}"
