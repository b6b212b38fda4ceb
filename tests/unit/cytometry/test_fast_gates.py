"""Gates that look at the events of their parent alone, beside gates that look at all events."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statera.cytometry.biexponential import Biexponential
from statera.cytometry.compensated_values import compensated_values
from statera.cytometry.compensation import Spillover, compensate
from statera.cytometry.gates import (
    FROM_FILE,
    BooleanGate,
    Dimension,
    EllipsoidGate,
    PolygonGate,
    QuadrantGate,
    Ratio,
    RectangleGate,
    Reference,
)
from statera.cytometry.read_fcs import FcsFile, read_fcs
from statera.cytometry.scales import Hyperlog, Logicle, PlainArcsinh
from statera.cytometry.strategy import GatingStrategy, apply_gates, gate_values
from statera.cytometry.write_fcs import write_fcs
from statera.errors import InputError

NAMES = ("FSC-A", "B-A", "R-A", "V-A")
OWN = Spillover(NAMES[1:], NAMES[1:], np.array([[1, 0.3, 0.02], [0.1, 1, 0.2], [0.0, 0.05, 1]]))
SCALE = Logicle(262144.0, 0.5, 4.5, 0.0)
FSC = Dimension("FSC-A")
B, R, V = (Dimension(name, SCALE, FROM_FILE) for name in NAMES[1:])
RATIO = Dimension(Ratio("B-A", "R-A"), None, FROM_FILE)
POINTS = ((0.1, 0.1), (0.8, 0.2), (0.7, 0.7), (0.2, 0.6))
GATES = (
    RectangleGate("cells", (FSC,), (30.0,), (400.0,)),
    PolygonGate("polygon", (B, R), POINTS, "cells"),
    EllipsoidGate("ellipsoid", (R, V), (0.4, 0.4), ((0.05, 0.01), (0.01, 0.03)), 1.0, "polygon"),
    QuadrantGate(
        "q", (B, V), ((0.35,), (0.3, 0.5)), (("low", (0, -1)), ("high", (1, 1))), "polygon"
    ),
    BooleanGate("either", "or", (Reference("low"), Reference("ellipsoid", True)), "polygon"),
    BooleanGate("none", "not", (Reference("either"),), "cells"),
    RectangleGate("ratio", (RATIO,), (0.5,), (4.0,), "none"),
    RectangleGate("last", (V,), (0.3,), (0.6,), "either", closed=True),
)  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> FcsFile:
    source = np.random.default_rng(5)
    events = np.exp(source.normal(5.0, 1.5, (4, 5000))) - 50.0
    events[2, :7] = np.nan
    path = tmp_path_factory.mktemp("gates") / "well.fcs"
    return read_fcs(write_fcs(path, events, NAMES, spillover=OWN))


def by_all_events(file: FcsFile) -> dict[str, np.ndarray]:
    """The same hierarchy, every gate applied to all events and joined with its parents."""
    linear = dict(zip(NAMES, compensate(file, OWN).events, strict=True))
    scaled = {name: SCALE(values) for name, values in linear.items()}
    masks: dict[str, np.ndarray] = {"": np.ones(file.n_events, dtype=bool)}
    for gate in GATES:
        if isinstance(gate, BooleanGate):
            parts = [masks[r.name] ^ r.complement for r in gate.references]
            own = ~parts[0] if gate.operation == "not" else parts[0] | parts[1]
            masks[gate.name] = own & masks[gate.parent]
            continue
        values = []
        for d in gate.dimensions:
            if isinstance(d.channel, Ratio):
                values.append(linear[d.channel.numerator] / linear[d.channel.denominator])
            else:
                values.append((scaled if d.scale else linear)[d.channel])
        found = gate.cells(values) if isinstance(gate, QuadrantGate) else {}
        if not isinstance(gate, QuadrantGate):
            found = {gate.name: gate.inside(values)}
        masks |= {name: own & masks[gate.parent] for name, own in found.items()}
    del masks[""]
    return masks


def test_gates_within_parents_are_those_of_all_events(file: FcsFile) -> None:
    found, wanted = apply_gates(GatingStrategy(GATES), file), by_all_events(file)
    assert set(found) == set(wanted)
    for name, mask in wanted.items():
        np.testing.assert_array_equal(found[name], mask, err_msg=name)
        assert 10 < mask.sum() < 4990


def test_files_in_threads_are_gated_as_one_after_another(file: FcsFile) -> None:
    strategy = GatingStrategy(GATES)
    alone = apply_gates(strategy, file)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: apply_gates(strategy, file), range(8)):
            for name, mask in alone.items():
                np.testing.assert_array_equal(found[name], mask)


def test_values_as_gates_see_them(file: FcsFile) -> None:
    strategy = GatingStrategy(GATES)
    fsc, r = gate_values(strategy, file, (FSC, R))
    np.testing.assert_array_equal(fsc, file.channel("FSC-A"))
    np.testing.assert_array_equal(r, SCALE(compensated_values(file, "R-A", OWN)))
    np.testing.assert_array_equal(r, SCALE(compensate(file, OWN).channel("R-A")))
    mask = fsc > 100.0
    np.testing.assert_array_equal(gate_values(strategy, file, (R,), mask)[0], r[mask])


def test_values_may_be_compared_as_32_bits(tmp_path: Path) -> None:
    scale = PlainArcsinh(5.0)
    values = np.linspace(1.0, 100.0, 50)
    file = read_fcs(write_fcs(tmp_path / "x.fcs", [values], ["A"]))
    exact = scale(file.events[0])
    rounded = exact.astype(np.float32).astype(np.float64)
    at = int(np.argmax(exact - rounded))  # rounding takes it below what it is
    assert rounded[at] < exact[at]
    gate = RectangleGate("g", (Dimension("A", scale),), (float(exact[at]),), (100.0,))
    counts = [
        int(apply_gates(GatingStrategy((gate,)), file, single_precision=single)["g"].sum())
        for single in (False, True)
    ]
    assert counts == [50 - at, 49 - at]


def test_a_circle_of_parents_is_said(file: FcsFile) -> None:
    gates = (
        RectangleGate("a", (FSC,), (0.0,), (1.0,), "b"),
        RectangleGate("b", (FSC,), (0.0,), (1.0,), "a"),
    )
    with pytest.raises(InputError, match="a, b refer to each other in a circle"):
        apply_gates(GatingStrategy(gates), file)


def test_gates_in_an_empty_parent_are_empty(file: FcsFile) -> None:
    empty = RectangleGate("cells", (FSC,), (-2.0,), (-1e9,))
    for mask in apply_gates(GatingStrategy((empty, *GATES[1:])), file).values():
        assert mask.shape == (5000,)
        assert not mask.any()


whole = st.integers(-6, 6)


@given(
    corners=st.lists(st.tuples(whole, whole), min_size=3, max_size=9),
    points=st.lists(st.tuples(whole, whole), min_size=1, max_size=30),
)
def test_polygons_by_exact_crossings(
    corners: list[tuple[int, int]], points: list[tuple[int, int]]
) -> None:
    """A ray to the left crosses edges that reach from its height or below to above it."""
    gate = PolygonGate("p", (FSC, FSC), tuple((float(x), float(y)) for x, y in corners))
    wanted = []
    for x, y in points:
        inside = False
        for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
            if (y1 <= y) != (y2 <= y):
                inside ^= x1 + Fraction((x2 - x1) * (y - y1), y2 - y1) <= x
        wanted.append(inside)
    px, py = np.array(points, dtype=np.float64).T
    assert gate.inside([px, py]).tolist() == wanted


@settings(deadline=None)
@given(
    negative=st.floats(0.0, 2.0), width=st.floats(-1000.0, -1.01), more=st.floats(0.5, 5.0),
    top=st.floats(100.0, 1e6), seed=st.integers(0, 1000),
)  # fmt: skip
def test_biexponential_places_are_those_of_a_search(
    negative: float, width: float, more: float, top: float, seed: int
) -> None:
    scale = Biexponential(negative, width, 0.5 * math.log10(-width) + more, top)
    spread = np.random.default_rng(seed).normal(0.0, 1.0, 500)
    edges = [np.nan, np.inf, -np.inf, 0.0, -0.0, *scale.table[[0, 1, -2, -1]]]
    x = np.concatenate([top * spread, top * spread**9 * 1e-4, scale.table[::7], edges])
    # the same arithmetic, which processors may round once or twice
    np.testing.assert_allclose(scale(x), np.interp(x, scale.table, np.arange(4097.0)), rtol=1e-14)


@settings(deadline=None, max_examples=50)
@given(
    M=st.floats(1.0, 8.0), part=st.floats(0.01, 1.0), more=st.floats(0.01, 1.0),
    top=st.floats(1.0, 1e6), hyper=st.booleans(),
)  # fmt: skip
def test_tables_of_all_scales_are_within_1e_8(
    M: float, part: float, more: float, top: float, hyper: bool
) -> None:
    W = part * M / 2
    scale = (Hyperlog if hyper else Logicle)(top, W, M, -W + 0.999 * more * (M - W))
    x = np.concatenate(
        [np.linspace(-top / 50, top / 50, 2001), np.geomspace(top / 1e6, 3 * top, 999)]
    )
    x = np.concatenate([x, -x])
    y = scale(x)
    assert np.abs(y - scale.exact(x)).max() < 1e-8
    assert float(scale(0.0)) == float(scale.exact(0.0))
    # a value is the same alone and beside others, in the table and outside
    for i in (0, 1000, 2999, -1):
        assert float(scale(x[i])) == y[i]
