"""Gates drawn at random, for tests that write and read them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from statera.cytometry.biexponential import Biexponential
from statera.cytometry.compensation import Spillover
from statera.cytometry.flowjo_scales import FlooredLog
from statera.cytometry.gates import (
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    PolygonGate,
    QuadrantGate,
    Ratio,
    RectangleGate,
    Reference,
)
from statera.cytometry.scales import Arcsinh, Hyperlog, Linear, Log, Logicle, PlainArcsinh
from statera.cytometry.strategy import GatingStrategy, populations_of

CHANNELS = ("FSC-A", "A/B", "Ç 1")
MATRIX = Spillover(
    ("A/B", "Ç 1"), ("Comp-A/B", "Comp-Ç 1"), np.array([[1.0, 0.2], [0.03, 1.0]]), "own matrix"
)
SCALES = (
    None,
    Linear(1000.0, 100.0),
    Linear(1000.0, -50.0),
    Log(1000.0, 3.0),
    FlooredLog(1000.0, 3.0),
    Arcsinh(1000.0, 3.0, 1.0),
    Arcsinh(1000.0, 3.0, -0.5),
    PlainArcsinh(5.0),
    Logicle(1000.0, 0.5, 3.0, 0.2),
    Hyperlog(1000.0, 0.5, 3.0),
)
BIEXPONENTIAL = Biexponential(0.0, -10.0, 3.0, 1000.0)


def numbers(low: float = -2.0, high: float = 2.0) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


@st.composite
def dimensions(draw: Any, *, across: bool, finite: bool) -> Dimension:
    scales = [*SCALES, BIEXPONENTIAL] if across else list(SCALES)
    if finite:
        scales = [scale for scale in scales if not isinstance(scale, Log)]
    scale = draw(st.sampled_from(scales))
    matrix = draw(st.booleans())
    channel = draw(
        st.sampled_from(
            (*MATRIX.dyes, "FSC-A")
            if matrix
            else (*CHANNELS, Ratio("FSC-A", "A/B", 2.0, 1.0, 0.123))
        )
    )
    return Dimension(channel, scale, "own matrix" if matrix else "uncompensated")


@st.composite
def regions(draw: Any, name: str, parent: str) -> Gate:
    kind = draw(st.sampled_from(("rectangle", "polygon", "ellipsoid", "quadrant")))
    across = kind in ("rectangle", "quadrant")
    two = tuple(draw(dimensions(across=across, finite=kind == "ellipsoid")) for _ in range(2))
    size = [1000.0 if d.scale is None else 2000.0 if d.scale == BIEXPONENTIAL else 1.0 for d in two]
    if kind == "rectangle":
        low = [draw(st.one_of(st.just(-np.inf), numbers(-1.0, 0.5))) * s for s in size]
        high = [draw(st.one_of(st.just(np.inf), numbers(0.55, 1.5))) * s for s in size]
        return RectangleGate(name, two, tuple(low), tuple(high), parent, draw(st.booleans()))
    if kind == "polygon":
        n = draw(st.integers(3, 6))
        points = tuple((draw(numbers()) * size[0], draw(numbers()) * size[1]) for _ in range(n))
        return PolygonGate(name, two, points, parent)
    if kind == "ellipsoid":
        mean = tuple(draw(numbers(0.0, 1.0)) * s for s in size)
        a, b, tilt = draw(numbers(0.1, 1.0)), draw(numbers(0.1, 1.0)), draw(numbers(-0.9, 0.9))
        a, b = a * size[0], b * size[1]
        rows = ((a * a, a * b * tilt), (a * b * tilt, b * b))
        return EllipsoidGate(name, two, mean, rows, draw(numbers(0.5, 2.0)), parent)
    values = [tuple(sorted({draw(numbers(0.1, 0.9)) * s for _ in range(2)})) for s in size]
    cells = [(f"{name} low", (0, -1)), (f"{name} corner", (len(values[0]), len(values[1])))]
    if len(values[1]) == 2:
        cells.append((f"{name} middle", (0, 1)))
    return QuadrantGate(name, two, (values[0], values[1]), tuple(cells), parent)


@st.composite
def gating_strategies(draw: Any) -> GatingStrategy:
    gates: list[Gate] = []
    known: list[str] = []
    for k in range(draw(st.integers(1, 5))):
        parent = draw(st.sampled_from(["", *known]))
        name = f"{k}: T/é <{k}>" if k % 2 else f"gate_{k}"
        if known and draw(st.booleans()):
            operation = draw(st.sampled_from(("and", "or", "not")))
            n = 1 if operation == "not" else draw(st.integers(1, 3))
            references = tuple(
                Reference(draw(st.sampled_from(known)), draw(st.booleans())) for _ in range(n)
            )
            gates.append(BooleanGate(name, operation, references, parent))
        else:
            gates.append(draw(regions(name, parent)))
        known += populations_of(gates[-1])
    return GatingStrategy(tuple(gates), {"own matrix": MATRIX})
