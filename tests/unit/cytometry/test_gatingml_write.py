"""Gating-ML out: what is read again takes the same events."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from tests.unit.cytometry.fcs_bytes import fcs_bytes
from tests.unit.cytometry.random_strategies import (
    BIEXPONENTIAL,
    CHANNELS,
    MATRIX,
    gating_strategies,
)

from statera.cytometry.flowjo_bins import BinOptions, binned_strategy
from statera.cytometry.flowjo_scales import FlooredLog
from statera.cytometry.gates import (
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    PolygonGate,
    QuadrantGate,
    RectangleGate,
)
from statera.cytometry.gatingml import D, G, read_gatingml
from statera.cytometry.gatingml_convert import expressible
from statera.cytometry.gatingml_write import gatingml_text, write_gatingml
from statera.cytometry.read_fcs import FcsFile, read_fcs
from statera.cytometry.scales import Arcsinh, Linear, PlainArcsinh
from statera.cytometry.strategy import GatingStrategy, apply_gates, populations_of
from statera.errors import InputError


@functools.cache
def events() -> FcsFile:
    """Values of about the size of the scales' top, and whole numbers that lie on ends."""
    rng = np.random.default_rng(20260101)
    values = np.vstack([rng.normal(200.0, 400.0, (3000, 3)), rng.integers(-5, 1100, (3000, 3))])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.fcs"
        path.write_bytes(fcs_bytes(values, CHANNELS, mark="|"))
        return read_fcs(path)


def lowest(gate: PolygonGate | EllipsoidGate) -> list[tuple[Dimension, float]]:
    """Return how low a gate reaches along each of its dimensions."""
    if isinstance(gate, PolygonGate):
        found = [min(values) for values in zip(*gate.vertices, strict=True)]
    else:
        widths = np.sqrt(np.diag(np.array(gate.covariance)) * gate.distance_square)
        found = [float(v) for v in np.array(gate.mean) - widths]
    return list(zip(gate.dimensions, found, strict=True))


def expressible_part(strategy: GatingStrategy) -> GatingStrategy:
    """Leave out gates that reach below the floor of a log scale, and what depends on them."""
    kept: list[Gate] = []
    for gate in strategy.gates:
        wanted = {gate.parent} if gate.parent else set()
        if isinstance(gate, BooleanGate):
            wanted |= {r.name for r in gate.references}
        if not wanted <= {name for g in kept for name in populations_of(g)}:
            continue
        if isinstance(gate, PolygonGate | EllipsoidGate):
            low = lowest(gate)
            if any(isinstance(d.scale, FlooredLog) and v <= 0 for d, v in low):
                with pytest.raises(InputError, match="at and below 0 on a log scale"):
                    expressible(gate)
                continue
        kept.append(gate)
    return GatingStrategy(tuple(kept), strategy.spillovers)


def written_and_read(strategy: GatingStrategy) -> GatingStrategy:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gates.xml"
        write_gatingml(strategy, path)
        assert [p.name for p in Path(folder).iterdir()] == ["gates.xml"]
        return read_gatingml(path)


@given(gating_strategies())
@settings(max_examples=150, deadline=None)
def test_what_is_written_takes_the_same_events(strategy: GatingStrategy) -> None:
    strategy = expressible_part(strategy)
    before = apply_gates(strategy, events())
    if not before:
        return
    after = apply_gates(written_and_read(strategy), events())
    assert list(before) == list(after)
    for name, mask in before.items():
        # rescaled values are rounded: an event on an end of theirs may move, no other
        assert int((mask ^ after[name]).sum()) <= 2, name


@given(gating_strategies())
@settings(max_examples=60, deadline=None)
def test_identifiers_are_valid_and_stand_once(strategy: GatingStrategy) -> None:
    root = ElementTree.fromstring(gatingml_text(expressible_part(strategy))[0])
    ids = [v for e in root.iter() for k, v in e.attrib.items() if k.endswith("}id")]
    assert len(ids) == len(set(ids))
    for identifier in ids:
        assert identifier[0].isalpha() or identifier[0] == "_"
        assert not set(identifier) & set(" /:<>é")
    known = set(ids)
    for element in root.iter(f"{G}gateReference"):
        assert element.get(f"{G}ref") in known
    for junction in ("and", "or"):
        for element in root.iter(f"{G}{junction}"):
            assert len(element) >= 2


X, Y = Dimension("FSC-A"), Dimension("A/B")


def test_a_closed_rectangle_keeps_its_upper_ends() -> None:
    gate = RectangleGate("r", (X, Y), (0.0, 0.0), (100.0, np.inf), closed=True)
    _, conversions = gatingml_text(GatingStrategy((gate,)))
    assert [c.gate for c in conversions] == ["r"]
    assert "moved up by the least step" in conversions[0].sentence
    read = written_and_read(GatingStrategy((gate,))).gates[0]
    assert isinstance(read, RectangleGate)
    assert read.high == (np.nextafter(100.0, np.inf), np.inf)
    on_end = events().channel("FSC-A") == 100.0
    assert on_end.any()
    mask = apply_gates(written_and_read(GatingStrategy((gate,))), events())["r"]
    assert (mask & on_end).sum() == (on_end & (events().channel("A/B") >= 0)).sum()


def test_a_plain_arcsinh_becomes_a_fasinh() -> None:
    dimension = Dimension("FSC-A", PlainArcsinh(150.0))
    gate = RectangleGate("r", (dimension,), (1.0,), (2.0,))
    text, conversions = gatingml_text(GatingStrategy((gate,)))
    assert "arcsinh of x / 150 is written as fasinh" in conversions[0].sentence
    assert "fasinh" in text
    read = written_and_read(GatingStrategy((gate,))).gates[0]
    assert isinstance(read, RectangleGate)
    scale = read.dimensions[0].scale
    assert isinstance(scale, Arcsinh)
    assert scale.A == 0.0
    np.testing.assert_allclose(
        scale.inverse([read.low[0], read.high[0]]), 150.0 * np.sinh([1.0, 2.0]), rtol=1e-12
    )


def test_a_linear_scale_that_begins_above_zero_is_undone() -> None:
    dimension = Dimension("FSC-A", Linear(150.0, -50.0))
    gate = RectangleGate("r", (dimension,), (0.25,), (0.5,))
    read = written_and_read(GatingStrategy((gate,))).gates[0]
    assert isinstance(read, RectangleGate)
    assert read.dimensions[0].scale is None
    assert (read.low, read.high) == ((75.0,), (100.0,))


def biexponential(gate: str) -> Gate:
    b = Dimension("FSC-A", BIEXPONENTIAL)
    if gate == "polygon":
        return PolygonGate("p", (b, Y), ((0.0, 0.0), (1000.0, 0.0), (0.0, 9.0)))
    if gate == "rectangle":
        return RectangleGate("r", (b,), (0.0,), (4096.0,), closed=True)
    return QuadrantGate("q", (b, Y), ((2000.0,), (5.0,)), (("q1", (1, 1)),))


def test_ends_on_a_biexponential_scale_are_given_in_units_of_the_data() -> None:
    strategy = GatingStrategy((biexponential("rectangle"), biexponential("quadrant")))
    assert [c.gate for c in gatingml_text(strategy)[1]] == ["r", "r", "q"]
    before, after = (apply_gates(s, events()) for s in (strategy, written_and_read(strategy)))
    assert before["r"].all()  # the scale is clamped at its ends
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])


def test_what_cannot_be_expressed_is_refused_by_name(tmp_path: Path) -> None:
    grid = binned_strategy(
        GatingStrategy(
            (
                PolygonGate(
                    "on bins", (Dimension("FSC-A", Linear(9.0)), Y), ((0, 0), (1, 0), (0, 9))
                ),
            )
        ),
        BinOptions(),
    ).gates[0]
    nowhere = RectangleGate("nowhere", (X,), (float("nan"),), (1.0,))
    path = tmp_path / "gates.xml"
    with pytest.raises(InputError) as caught:
        write_gatingml(GatingStrategy((biexponential("polygon"), grid, nowhere)), path)
    said = str(caught.value)
    assert "cannot express 3 of the gates" in said
    assert "p lies on a scale that Gating-ML lacks: Biexponential" in said
    assert "on bins lies on a scale" in said
    assert "nowhere has the ends nan and 1.0" in said
    assert not path.exists()


def test_a_matrix_that_is_not_there_is_named() -> None:
    gate = RectangleGate("r", (Dimension("FSC-A", None, "lost"),), (0.0,), (1.0,))
    with pytest.raises(InputError, match="no matrix 'lost'"):
        gatingml_text(GatingStrategy((gate,)))


def test_a_detector_of_a_matrix_is_written_as_its_dye() -> None:
    gate = RectangleGate("r", (Dimension("A/B", None, "own matrix"),), (0.0,), (1.0,))
    text, _ = gatingml_text(GatingStrategy((gate,), {"own matrix": MATRIX}))
    root = ElementTree.fromstring(text)
    names = [e.get(f"{D}name") for e in root.iterfind(f".//{G}dimension/{D}fcs-dimension")]
    assert names == ["Comp-A/B"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    gate = RectangleGate("r", (X,), (0.0,), (1.0,))
    with pytest.raises(InputError, match="cannot write the file"):
        write_gatingml(GatingStrategy((gate,)), tmp_path / "nowhere" / "gates.xml")
