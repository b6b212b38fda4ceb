"""Gates and their hierarchy on events made for the purpose."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.cytometry.fcs_bytes import fcs_bytes

from statera.cytometry.compensation import Spillover
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
from statera.cytometry.gatingml import read_gatingml
from statera.cytometry.read_fcs import FcsFile, read_fcs
from statera.cytometry.scales import Linear
from statera.cytometry.strategy import GatingStrategy, apply_gates
from statera.errors import InputError, UnknownNameError

X, Y = Dimension("X"), Dimension("Y")
SQUARE = ((0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0))


@pytest.fixture
def grid(tmp_path: Path) -> FcsFile:
    """Whole numbers from -1 to 6 in two channels."""
    x, y = np.meshgrid(np.arange(-1.0, 7.0), np.arange(-1.0, 7.0))
    path = tmp_path / "grid.fcs"
    path.write_bytes(fcs_bytes(np.column_stack([x.ravel(), y.ravel()]), ("X", "Y")))
    return read_fcs(path)


def count(file: FcsFile, *gates: Gate) -> dict[str, int]:
    masks = apply_gates(GatingStrategy(gates), file)
    return {name: int(mask.sum()) for name, mask in masks.items()}


def test_edges_of_rectangles_and_polygons_are_half_open(grid: FcsFile) -> None:
    inf = float("inf")
    assert count(
        grid,
        RectangleGate("r", (X, Y), (0.0, 0.0), (4.0, 4.0)),
        RectangleGate("closed", (X, Y), (0.0, 0.0), (4.0, 4.0), closed=True),
        RectangleGate("open", (X,), (3.0,), (inf,)),
        PolygonGate("p", (X, Y), SQUARE),
        PolygonGate("reversed", (X, Y), SQUARE[::-1]),
    ) == {"r": 16, "closed": 25, "open": 32, "p": 16, "reversed": 16}


def test_neighbouring_polygons_share_no_event(grid: FcsFile) -> None:
    lower = PolygonGate("lower", (X, Y), ((0.0, 0.0), (4.0, 0.0), (4.0, 4.0)))
    upper = PolygonGate("upper", (X, Y), ((0.0, 0.0), (4.0, 4.0), (0.0, 4.0)))
    masks = apply_gates(GatingStrategy((lower, upper, PolygonGate("all", (X, Y), SQUARE))), grid)
    assert not (masks["lower"] & masks["upper"]).any()
    np.testing.assert_array_equal(masks["lower"] | masks["upper"], masks["all"])


def test_a_polygon_that_crosses_itself_is_even_odd(grid: FcsFile) -> None:
    inner = ((1.0, 1.0), (3.0, 1.0), (3.0, 3.0), (1.0, 3.0))
    doubled = PolygonGate("ring", (X, Y), (*SQUARE, SQUARE[0], *inner, inner[0]))
    assert count(grid, doubled)["ring"] == 16 - 4


def test_ellipsoids_hold_their_edge(grid: FcsFile) -> None:
    gate = EllipsoidGate("e", (X, Y), (2.0, 2.0), ((4.0, 0.0), (0.0, 1.0)), 1.0)
    assert count(grid, gate) == {"e": 7}  # (0..4, 2) and (2, 1), (2, 3)
    with pytest.raises(InputError, match="singular"):
        count(grid, EllipsoidGate("e", (X, Y), (0.0, 0.0), ((1.0, 1.0), (1.0, 1.0))))


def test_quadrants_share_all_events_and_a_divider_belongs_above(grid: FcsFile) -> None:
    cells = (("--", (0, 0)), ("-+", (0, 1)), ("+-", (1, 0)), ("++", (1, 1)), ("x+", (1, -1)))
    counts = count(grid, QuadrantGate("q", (X, Y), ((2.0,), (2.0,)), cells))
    assert counts == {"--": 9, "-+": 15, "+-": 15, "++": 25, "x+": 40}


def test_boolean_gates_parents_ratios_and_scales(grid: FcsFile) -> None:
    low = RectangleGate("low", (X,), (-9.0,), (3.0,))
    child = RectangleGate("child", (Y,), (0.0,), (2.0,), parent="low")
    counts = count(
        grid,
        low,
        child,
        BooleanGate("both", "and", (Reference("low"), Reference("child", complement=True))),
        BooleanGate("either", "or", (Reference("low"), Reference("child"))),
        BooleanGate("none", "not", (Reference("low"),)),
        RectangleGate("ratio", (Dimension(Ratio("X", "Y", 1.0, 0.0, -2.0)),), (1.0,), (9.0,)),
        RectangleGate("scaled", (Dimension("X", Linear(10.0)),), (0.3,), (0.5,)),
    )
    assert counts["low"] == 32
    assert counts["child"] == 8
    assert counts["both"] == 24
    assert counts["either"] == 32
    assert counts["none"] == 32
    x, y = grid.events
    assert counts["ratio"] == int(((x / (y + 2) >= 1) & (x / (y + 2) < 9)).sum())
    assert counts["scaled"] == 16


def test_gates_name_their_compensation(grid: FcsFile) -> None:
    matrix = Spillover(("X", "Y"), ("dye", "other"), np.array([[1.0, 0.5], [0.0, 1.0]]), "m")
    gates = (
        RectangleGate("dye", (Dimension("other", None, "m"),), (0.0,), (1.0,)),
        RectangleGate("raw", (Dimension("Y"),), (0.0,), (1.0,)),
    )
    masks = apply_gates(GatingStrategy(gates, {"m": matrix}), grid)
    x, y = grid.events
    np.testing.assert_array_equal(masks["dye"], (y - 0.5 * x >= 0) & (y - 0.5 * x < 1))
    np.testing.assert_array_equal(masks["raw"], (y >= 0) & (y < 1))
    with pytest.raises(UnknownNameError, match="no spillover matrix is called 'm'"):
        apply_gates(GatingStrategy(gates[:1]), grid)


def test_names_that_lead_nowhere_or_in_a_circle(grid: FcsFile) -> None:
    with pytest.raises(UnknownNameError, match="no gate is called 'nobody'"):
        GatingStrategy((RectangleGate("r", (X,), (0.0,), (1.0,), parent="nobody"),))
    with pytest.raises(InputError, match="two gates are called 'r'"):
        GatingStrategy((RectangleGate("r", (X,), (0.0,), (1.0,)),) * 2)
    circle = (
        BooleanGate("a", "and", (Reference("b"), Reference("b"))),
        BooleanGate("b", "not", (Reference("a"),)),
    )
    with pytest.raises(InputError, match="in a circle"):
        apply_gates(GatingStrategy(circle), grid)


@given(
    points=st.lists(
        st.tuples(st.floats(-10, 10), st.floats(-10, 10)), min_size=3, max_size=8, unique=True
    ),
    shift=st.tuples(st.floats(-5, 5), st.floats(-5, 5)),
)
def test_polygons_turn_with_their_vertices(
    points: list[tuple[float, float]], shift: tuple[float, float]
) -> None:
    generator = np.random.default_rng(1)
    x, y = generator.uniform(-10, 10, (2, 200))
    gate = PolygonGate("p", (X, Y), tuple(points))
    rolled = PolygonGate("p", (X, Y), tuple(points[1:] + points[:1]))
    np.testing.assert_array_equal(gate.inside([x, y]), rolled.inside([x, y]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<x", "not well-formed XML"),
        ("<x/>", "holds no gates"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><x/>', "defines entities"),
    ],
)
def test_files_that_are_no_gates(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "gates.xml"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_gatingml(path)
