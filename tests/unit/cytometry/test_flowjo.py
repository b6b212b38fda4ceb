"""FlowJo's workspaces, made for the purpose."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.cytometry.fcs_bytes import fcs_bytes
from tests.unit.cytometry.workspace_xml import (
    dimension,
    ellipse,
    group,
    joined,
    matrix,
    polygon,
    population,
    rectangle,
    sample,
    scale,
    workspace,
)

from statera.cytometry.flowjo import FlowJoWorkspace, read_flowjo
from statera.cytometry.flowjo_bins import BinOptions
from statera.cytometry.flowjo_counts import CountOptions, compare_counts, sample_masks
from statera.cytometry.flowjo_scales import FlooredLog
from statera.cytometry.flowkit_counts import flowkit_counts
from statera.cytometry.gates import (
    Dimension,
    EllipsoidGate,
    PolygonGate,
    RectangleGate,
)
from statera.cytometry.gatingml_write import gatingml_text
from statera.cytometry.read_fcs import FcsFile, read_fcs
from statera.cytometry.scales import Linear, Logicle
from statera.cytometry.strategy import apply_gates
from statera.errors import InputError, UnknownNameError, UsageError

LINEAR = scale("linear", "X", minRange=0, maxRange=256) + scale(
    "linear", "Y", minRange=0, maxRange=256
)


def read(folder: Path, samples: str, groups: str = "") -> FlowJoWorkspace:
    path = folder / "plate.wsp"
    path.write_text(workspace(samples, groups), encoding="utf-8")
    return read_flowjo(path)


def fcs(folder: Path, values: NDArray[np.float64], names: tuple[str, ...] = ("X", "Y")) -> FcsFile:
    path = folder / "a.fcs"
    path.write_bytes(fcs_bytes(values, names, mark="|"))
    return read_fcs(path)


def counted(folder: Path, gate: str, values: NDArray[np.float64], *, scales: str = LINEAR) -> int:
    found = read(folder, sample(1, "a.fcs", population("g", gate), scales=scales))
    assert "g" in found.samples[0].strategy.populations, found.untranslated
    return int(sample_masks(found.samples[0], fcs(folder, values))["g"].sum())


def test_samples_groups_keywords_and_paths(tmp_path: Path) -> None:
    inner = population("CD3+", rectangle(dimension("X", 10, 20)), count=7, group="G")
    gates = population("Live", rectangle(dimension("X", 1)), inner, count=12, group="G")
    own = population("Live", rectangle(dimension("X", 5)), count=-1)
    found = read(
        tmp_path,
        sample(1, "a.fcs", gates, scales=LINEAR, channels=("X", "Y"))
        + sample(2, "b.fcs", own, scales=LINEAR, count=50),
        group("All Samples", (1, 2)) + group("G", (1, 2, 9), gates) + group("Empty", (), gates),
    )
    first, second = found.samples
    assert found.version == "10.8.1"
    assert (first.name, first.file_name, first.total) == ("a.fcs", "a.fcs", 100)
    assert first.keywords == {"$P1N": "X", "$P2N": "Y"}
    assert dict(first.counts) == {"Live": 12, "Live/CD3+": 7}
    assert first.strategy.populations == ("Live", "Live/CD3+")
    assert first.strategy.gates[1].parent == "Live"
    assert dict(second.counts) == {"Live": None}
    assert (first.own_gates, second.own_gates) == ((), ("Live",))
    shared = found.group("G")
    assert shared.sample_ids == ("1", "2")
    assert shared.strategy is not None
    assert shared.strategy.populations == ("Live", "Live/CD3+")
    assert found.group("All Samples").strategy is None
    said = {(u.where, u.what): u.reason for u in found.untranslated}
    assert said["group G", "sample 9"] == "is not in the workspace"
    assert "no sample" in said["group Empty", "gates"]
    assert found.sample("b.fcs") is second
    with pytest.raises(UnknownNameError, match=r"no sample is called 'c\.fcs'"):
        found.sample("c.fcs")
    with pytest.raises(UnknownNameError, match="no group is called 'H'"):
        found.group("H")


def test_a_group_gate_is_applied_to_every_well(tmp_path: Path) -> None:
    gates = population("low", rectangle(dimension("X", 10, 20)), group="G")
    found = read(
        tmp_path,
        "".join(sample(i, f"{i}.fcs", "", scales=LINEAR) for i in (1, 2)),
        group("G", (1, 2), gates),
    )
    strategy = found.group("G").strategy
    assert strategy is not None
    for shift in (0.0, 5.0):
        values = np.column_stack([np.arange(30.0) + shift, np.zeros(30)])
        inside = apply_gates(strategy, fcs(tmp_path, values))["low"]
        np.testing.assert_array_equal(inside, (values[:, 0] >= 10) & (values[:, 0] <= 20))


def test_names_of_compensated_channels_are_kept(tmp_path: Path) -> None:
    rows = [[1.0, 0.5], [0.1, 1.0]]
    gates = population("dye", rectangle(dimension("Comp-F_A", 100.0))) + population(
        "plain", rectangle(dimension("F_A", 100.0))
    )
    found = read(
        tmp_path,
        sample(1, "a.fcs", gates, channels=("F/A", "P"), more=matrix(("F_A", "P"), rows)),
    )
    strategy = found.samples[0].strategy
    dye, plain = strategy.gates
    assert isinstance(dye, RectangleGate)
    assert isinstance(plain, RectangleGate)
    assert dye.dimensions == (Dimension("Comp-F_A", None, "set up"),)
    assert plain.dimensions == (Dimension("F/A"),)
    assert strategy.spillovers["set up"].detectors == ("F/A", "P")
    true = np.array([[90.0, 400.0], [110.0, 0.0], [200.0, 50.0]])
    masks = apply_gates(strategy, fcs(tmp_path, true @ np.array(rows), ("F/A", "P")))
    assert masks["dye"].tolist() == [False, True, True]
    assert masks["plain"].tolist() == [True, True, True]


def test_a_name_of_a_matrix_that_is_not_there_asks_for_the_file_s(tmp_path: Path) -> None:
    gates = population("dye", rectangle(dimension("Comp-X", 1.0)))
    found = read(tmp_path, sample(1, "a.fcs", gates, channels=("X",)))
    gate = found.samples[0].strategy.gates[0]
    assert isinstance(gate, RectangleGate)
    assert gate.dimensions == (Dimension("X", None, "FCS"),)
    assert [(u.reason, u.kept) for u in found.untranslated] == [
        ("is compensated by the file's own matrix", True)
    ]


def test_a_gate_on_a_matrix_that_is_refused_is_not_taken_over(tmp_path: Path) -> None:
    gates = population("dye", rectangle(dimension("Comp-X", 1.0)))
    singular = matrix(("X", "Y"), [[1, 1], [1, 1]])
    spectral = matrix(
        ("X", "Y"), [[1, 0], [0, 1]], 'spectral="1" weightOptAlgorithmType="WLS" prefix="Comp-"'
    )
    for more, said in ((singular, "singular"), (spectral, "spectral unmixing by 'WLS'")):
        found = read(tmp_path, sample(1, "a.fcs", gates, channels=("X", "Y"), more=more))
        assert found.samples[0].strategy.populations == ()
        reasons = {u.what: u.reason for u in found.untranslated}
        assert said in reasons["matrix set up"]
        assert said in reasons["dye"]


def test_two_matrices_of_one_name_are_told_apart(tmp_path: Path) -> None:
    first = matrix(("X", "Y"), [[1, 0.1], [0, 1]])
    second = matrix(("X", "Y"), [[1, 0.2], [0, 1]], 'prefix="Comp2-" suffix=""')
    gates = population("a", rectangle(dimension("Comp-X", 1.0))) + population(
        "b", rectangle(dimension("Comp2-X", 1.0))
    )
    text = sample(1, "a.fcs", gates, channels=("X", "Y"), more=first + second, scales=LINEAR)
    (made,) = read(tmp_path, text).samples
    assert list(made.strategy.spillovers) == ["set up", "set up (2)"]
    a, b = made.strategy.gates
    assert isinstance(a, RectangleGate)
    assert isinstance(b, RectangleGate)
    scale_of_x = Linear(256.0, -0.0)
    assert a.dimensions == (Dimension("Comp-X", scale_of_x, "set up"),)
    assert b.dimensions == (Dimension("Comp2-X", scale_of_x, "set up (2)"),)


def test_scales(tmp_path: Path) -> None:
    scales = (
        scale("linear", "A", minRange=50, maxRange=150)
        + scale("log", "B", offset=1, decades=4)
        + scale("logicle", "C", T=1000, W=0.5, M=4.5, A=0, length=256)
        + scale("miltenyi", "D", x=1)
        + scale("linear", "E", minRange=0, maxRange=0)
        + scale("biex", "F", neg=0, width=-10, pos=4.4, maxRange=1000, length=256)
        + scale("logicle", "G", T="many", W=0.5, M=4.5, A=0)
        + scale("biex", "H", neg=0, width=-10, pos=1e9, maxRange=1000, length=256)
    )
    found = read(tmp_path, sample(1, "a.fcs", "", scales=scales))
    made = found.samples[0].scales
    assert made["A"] == Linear(150.0, -50.0)
    np.testing.assert_allclose(made["A"]([50.0, 150.0]), [0.0, 1.0])
    assert made["B"] == FlooredLog(10_000.0, 4.0)
    np.testing.assert_allclose(made["B"]([-5.0, 0.5, 1.0, 10_000.0]), [0.0, 0.0, 0.0, 1.0])
    assert made["C"] == Logicle(1000.0, 0.5, 4.5)
    assert made["F"]([1e9])[0] == 4096.0
    assert {u.what for u in found.untranslated} == {f"scale of {name}" for name in "DEGH"}


def test_a_gain_that_is_not_the_file_s_is_named(tmp_path: Path) -> None:
    time = scale("linear", "Time", minRange=0, maxRange=60).replace(">", ' gain="0.0101">', 1)
    step = "<Keyword name='$TIMESTEP' value='0.01' />"
    text = sample(1, "a.fcs", "", scales=time).replace("<Keywords>", f"<Keywords>{step}")
    (remark,) = read(tmp_path, text).untranslated
    assert remark.what == "gain of Time"
    assert remark.reason == "FlowJo has a gain of 0.0101; times are read with $TIMESTEP = 0.01"
    assert read(tmp_path, text.replace("0.0101", "0.01")).untranslated == ()


def test_rectangles_are_closed_and_quarters_share_no_event(tmp_path: Path) -> None:
    values = np.column_stack([np.arange(0.0, 100.0), np.full(100, 50.0)])
    assert counted(tmp_path, rectangle(dimension("X", 10, 20)), values) == 11
    left = rectangle(dimension("X", None, 40), dimension("Y", 10))
    right = rectangle(dimension("X", 40), dimension("Y", 10))
    assert counted(tmp_path, left, values) + counted(tmp_path, right, values) == 100


@pytest.mark.parametrize("kind", ["logicle", "hyperlog"])
def test_open_ends_stay_open_on_every_scale(tmp_path: Path, kind: str) -> None:
    scales = scale(kind, "X", T=1000, W=0.5, M=3, A=0)
    values = np.column_stack([[-1e6, 5.0, 50.0, 900.0, 1e7], np.zeros(5)])
    assert counted(tmp_path, rectangle(dimension("X", 50)), values, scales=scales) == 3
    assert counted(tmp_path, rectangle(dimension("X", None, 50)), values, scales=scales) == 2


def test_rectangles_that_touch_the_plot_s_edge_take_what_lies_beyond(tmp_path: Path) -> None:
    values = np.column_stack([[-50.0, 0.0, 100.0, 256.0, 900.0], np.zeros(5)])
    assert counted(tmp_path, rectangle(dimension("X", 0, 256)), values) == 5
    assert counted(tmp_path, rectangle(dimension("X", 1, 256)), values) == 3
    assert counted(tmp_path, rectangle(dimension("X", 0, 255)), values) == 3


def test_events_outside_a_gate(tmp_path: Path) -> None:
    values = np.column_stack([np.arange(0.0, 100.0), np.zeros(100)])
    outside = population("out", rectangle(dimension("X", 10, 20), inside=0))
    gates = population("half", rectangle(dimension("X", 1, 49)), outside)
    found = read(tmp_path, sample(1, "a.fcs", gates, scales=LINEAR))
    masks = sample_masks(found.samples[0], fcs(tmp_path, values))
    assert int(masks["half/out"].sum()) == 49 - 11
    assert list(found.samples[0].counts) == ["half", "half/out"]


def test_polygons_are_straight_on_their_scale(tmp_path: Path) -> None:
    scales = scale("log", "X", offset=1, decades=4) + scale("log", "Y", offset=1, decades=4)
    points = [(10.0, 10.0), (1000.0, 10.0), (1000.0, 1000.0)]
    # on the diagonal of the logarithms, but far above a line between the values
    values = np.array([[100.0, 90.0], [100.0, 110.0], [20.0, 19.0]])
    assert counted(tmp_path, polygon("X", "Y", points), values, scales=scales) == 2


def test_what_has_no_logarithm_lies_at_the_edge_of_its_plot(tmp_path: Path) -> None:
    scales = scale("log", "X", offset=1, decades=4) + scale("log", "Y", offset=1, decades=4)
    points = [(1.0, 10.0), (1000.0, 10.0), (1000.0, 1000.0), (1.0, 1000.0)]
    values = np.array([[-3.0, 100.0], [0.0, 100.0], [0.5, 100.0], [100.0, -1.0], [9e9, 100.0]])
    assert counted(tmp_path, polygon("X", "Y", points), values, scales=scales) == 3
    assert counted(tmp_path, rectangle(dimension("X", 1, 1000)), values, scales=scales) == 4
    found = read(
        tmp_path,
        sample(1, "a.fcs", population("g", polygon("X", "Y", points)), scales=scales),
    )
    with pytest.raises(InputError, match="at and below 0 on a log scale"):
        gatingml_text(found.samples[0].strategy)


@pytest.mark.parametrize("turned", [False, True])
def test_polygons_that_touch_the_plot_s_edge_take_what_lies_beyond(
    tmp_path: Path, turned: bool
) -> None:
    points = [(0.0, 0.0), (60.0, 0.0), (100.0, 80.0), (0.0, 100.0)]
    beyond = np.array([[-500.0, 50.0], [30.0, -9.0], [-7.0, -7e4], [-9.0, 120.0], [80.0, -1.0]])
    inside = np.array([[10.0, 10.0], [0.0, 50.0], [90.0, 90.0]])
    values = np.vstack([beyond, inside])
    gate = polygon("X", "Y", points[::-1] if turned else points)
    found = read(tmp_path, sample(1, "a.fcs", population("g", gate), scales=LINEAR))
    mask = sample_masks(found.samples[0], fcs(tmp_path, values))["g"]
    assert mask.tolist() == [True, True, True, False, False, True, True, False]
    assert "touches the edge" in found.untranslated[0].reason


def test_what_touches_an_edge_is_what_its_nearest_point_of_the_plot_says(tmp_path: Path) -> None:
    rng = np.random.default_rng(20260103)
    values = np.round(rng.uniform(-300.0, 556.0, (4000, 2)), 3)
    # a polygon may touch a corner with its tip alone: then there is no nearest point to speak of
    values = values[((values < 0) | (values > 256)).sum(axis=1) < 2]
    for _ in range(20):
        points = np.clip(np.round(rng.uniform(-80.0, 336.0, (6, 2))), 0.0, 256.0)
        gate = polygon("X", "Y", points)
        found = read(tmp_path, sample(1, "a.fcs", population("g", gate), scales=LINEAR))
        mask = sample_masks(found.samples[0], fcs(tmp_path, values))["g"]
        near = np.clip(values, 1e-4, 256.0 - 1e-4)  # within the edge, which is half-open
        plain = PolygonGate("g", (Dimension("X"), Dimension("Y")), tuple(map(tuple, points)))
        assert int((plain.inside([near[:, 0], near[:, 1]]) ^ mask).sum()) <= 2


FOCI = [(96.0, 128.0), (160.0, 128.0)]
EDGE = [(88.0, 128.0), (168.0, 128.0), (128.0, 104.0), (128.0, 152.0)]


def test_ellipses_are_given_on_the_display(tmp_path: Path) -> None:
    scales = scale("linear", "X", minRange=1000, maxRange=3560) + LINEAR
    scales = scales.replace('data-type:name="X"', 'data-type:name="Z"', 1)
    found = read(
        tmp_path,
        sample(1, "a.fcs", population("g", ellipse("Z", "Y", FOCI, EDGE)), scales=scales),
    )
    gate = found.samples[0].strategy.gates[0]
    assert isinstance(gate, EllipsoidGate)
    np.testing.assert_allclose(gate.mean, (0.5, 0.5))
    # half axes of 40 and 24 units of 256
    np.testing.assert_allclose(np.sqrt(np.diag(gate.covariance)) * 256, (40.0, 24.0), rtol=1e-12)
    values = np.array([[1000 + 10 * 88.1, 128.0], [1000 + 10 * 87.9, 128.0], [2280.0, 151.9]])
    mask = sample_masks(found.samples[0], fcs(tmp_path, values, ("Z", "Y")))["g"]
    assert mask.tolist() == [True, False, True]


def test_an_ellipse_over_the_plot_s_edge_takes_what_lies_beyond(tmp_path: Path) -> None:
    shifted = [[(x - 100.0, y) for x, y in part] for part in (FOCI, EDGE)]
    found = read(
        tmp_path,
        sample(1, "a.fcs", population("g", ellipse("X", "Y", *shifted)), scales=LINEAR),
    )
    values = np.array([[-90.0, 128.0], [-90.0, 160.0], [60.0, 128.0]])
    mask = sample_masks(found.samples[0], fcs(tmp_path, values))["g"]
    assert mask.tolist() == [True, False, True]
    assert "a polygon of 360 vertices" in found.untranslated[0].reason


def test_boolean_gates_refer_to_paths(tmp_path: Path) -> None:
    inner = (
        population("a", rectangle(dimension("X", 10, 30)))
        + population("b", rectangle(dimension("X", 20, 40)))
        + joined("AndNode", "both", "half/a", "half/b")
        + joined("OrNode", "either", "half/a", "half/b")
        + joined("NotNode", "a-", "half/a")
    )
    gates = population("half", rectangle(dimension("X", 1, 50)), inner)
    found = read(tmp_path, sample(1, "a.fcs", gates, scales=LINEAR))
    values = np.column_stack([np.arange(0.0, 100.0), np.zeros(100)])
    masks = sample_masks(found.samples[0], fcs(tmp_path, values))
    counts = {name: int(mask.sum()) for name, mask in masks.items()}
    assert counts == {
        "half": 50,
        "half/a": 21,
        "half/b": 21,
        "half/both": 11,
        "half/either": 31,
        "half/a-": 29,
    }


def test_what_cannot_be_taken_over_is_named_and_the_rest_read(tmp_path: Path) -> None:
    curly = "<gating:CurlyQuad />"
    bad = scale("miltenyi", "Z", x=1)
    gates = (
        population("good", rectangle(dimension("X", 1, 9)), count=3)
        + population("good", rectangle(dimension("X", 2, 9)), count=3)
        + population("curly", curly, population("below", rectangle(dimension("X", 1, 2))), count=5)
        + joined("AndNode", "and curly", "good", "curly")
        + population("odd scale", polygon("Z", "Y", [(0, 0), (1, 0), (0, 1)]))
        + population("range", rectangle(dimension("Z", 1, 5)))
        + population("derived", rectangle(dimension("FSC ratio", 1, 5)))
        + population("nan", rectangle(dimension("X", "x")))  # type: ignore[arg-type]
        + population("line", polygon("X", "Y", [(0, 0), (1, 0)]))
        + '<Statistic name="Median" />'
        + "<Strange name='thing' />"
    )
    more = '<DerivedParameters><DerivedParameter name="FSC ratio" /></DerivedParameters>'
    more += matrix(("X", "Y"), [[1, 1], [1, 1]])
    found = read(tmp_path, sample(1, "a.fcs", gates, scales=LINEAR + bad, more=more))
    assert found.samples[0].strategy.populations == ("good", "range")
    said = {u.what: u.reason for u in found.untranslated}
    assert "second population" in said["good"]
    assert "CurlyQuad" in said["curly"]
    assert "lies in curly" in said["curly/below"]
    assert "refers to curly" in said["and curly"]
    assert "scale" in said["odd scale"]
    assert "units of the data" in said["range"]
    assert "derived parameter" in said["derived"]
    assert "no number" in said["nan"]
    assert "2 vertices" in said["line"]
    assert "singular" in said["matrix set up"]
    assert "not taken over" in said["Statistic Median"]
    assert said["Strange thing"] == "not known"
    assert {u.what for u in found.untranslated if u.kept} == {"range"}
    table = compare_counts(found.samples[0], fcs(tmp_path, np.ones((4, 2)), ("X", "Z")))
    rows = {row.population: row for row in table.rows}
    assert (rows["good"].exact, rows["good"].stored, rows["good"].exact_difference) == (4, 3, 1)
    assert rows["curly"].exact is None
    assert "not taken over" in rows["curly"].reason


def test_a_channel_that_the_file_lacks_is_a_reason_on_its_row(tmp_path: Path) -> None:
    gates = population("x", rectangle(dimension("X", 1, 9)), count=3) + population(
        "w", rectangle(dimension("W", 1, 9)), count=2
    )
    found = read(tmp_path, sample(1, "a.fcs", gates, scales=LINEAR))
    table = compare_counts(found.samples[0], fcs(tmp_path, np.ones((4, 2))))
    x, w = table.rows
    assert (x.exact, x.binned, x.stored) == (4, 4, 3)
    assert (w.exact, w.binned, w.reason) == (None, None, "no channel is called 'W'")
    shown = str(table).splitlines()
    assert shown[0] == "a.fcs: 4 events, 100 stored"
    assert shown[2].split() == ["x", "4", "4", "3", "1", "1"]
    assert shown[3].split()[:5] == ["w", "none", "none", "2", "none"]


def test_bins_are_in_or_out_as_a_whole(tmp_path: Path) -> None:
    points = [(10.0, 10.0), (20.0, 10.0), (20.0, 20.0), (10.0, 20.0)]
    found = read(
        tmp_path, sample(1, "a.fcs", population("g", polygon("X", "Y", points)), scales=LINEAR)
    )
    x = np.arange(0.0, 40.0, 0.125)
    file = fcs(tmp_path, np.column_stack([x, np.full(x.size, 15.0)]))

    def inside(**grid: object) -> tuple[float, float]:
        options = CountOptions("binned", BinOptions(**grid))  # type: ignore[arg-type]
        mask = sample_masks(found.samples[0], file, options)["g"]
        return float(x[mask].min()), float(x[mask].max())

    assert inside() == (9.5, 20.375)  # bins about 10 to 20, the last included
    assert inside(edges_inside=False) == (9.5, 19.375)
    assert inside(offset=0.0, edges_inside=False) == (10.0, 19.875)
    assert inside(offset=0.0, point=0.0) == (10.0, 20.875)
    assert inside(bins=64, offset=0.0, edges_inside=False) == (12.0, 19.875)  # to 12, 20


def test_grids_that_are_none_are_refused() -> None:
    for wrong in ({"bins": 0}, {"offset": 1.0}, {"point": -0.1}):
        with pytest.raises(InputError, match="make no grid"):
            BinOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<Workspace", "not well-formed"),
        ("<Gating-ML />", "this is no workspace of FlowJo: it begins with 'Gating-ML'"),
        ("<Workspace />", "holds no samples"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><Workspace>&a;</Workspace>', "defines entities"),
        ('<?xml version="1.0" encoding="klingon"?><Workspace />', "cannot be decoded|well-formed"),
    ],
)
def test_files_that_are_no_workspaces(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "plate.wsp"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_flowjo(path)
    with pytest.raises(InputError, match="cannot read the file"):
        read_flowjo(tmp_path / "none.wsp")


def test_entities_in_utf_16_are_found(tmp_path: Path) -> None:
    path = tmp_path / "plate.wsp"
    path.write_text('<!DOCTYPE x [<!ENTITY a "b">]><Workspace />', encoding="utf-16")
    with pytest.raises(InputError, match="defines entities"):
        read_flowjo(path)


def test_populations_too_deep_in_each_other_are_one_sample_s_fault(tmp_path: Path) -> None:
    gate = rectangle(dimension("X", 1, 2))
    deep = population("p", gate)
    for _ in range(250):
        deep = population("p", gate, deep)
    good = population("p", gate)
    found = read(tmp_path, sample(1, "a.fcs", deep) + sample(2, "b.fcs", good))
    assert [s.name for s in found.samples] == ["b.fcs"]
    assert "more than 200 times deep" in found.untranslated[-1].reason


def test_without_flowkit_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "flowkit", None)
    with pytest.raises(UsageError, match=r'pip install "statera\[flowjo\]"'):
        flowkit_counts(tmp_path / "plate.wsp", tmp_path / "a.fcs")


def test_flowkit_counts_the_same(tmp_path: Path) -> None:
    pytest.importorskip("flowkit", reason="needs the extra flowjo")
    rng = np.random.default_rng(20260104)
    inner = population("wedge", polygon("X", "Y", [(50, 50), (200, 60), (90, 190)]))
    gates = population("box", rectangle(dimension("X", 20, 220), dimension("Y", 30, 200)), inner)
    (tmp_path / "plate.wsp").write_text(
        workspace(
            sample(1, "a.fcs", gates, scales=LINEAR, channels=("X", "Y")),
            group("All Samples", (1,)),
        ),
        encoding="utf-8",
    )
    file = fcs(tmp_path, rng.normal(120.0, 60.0, (5000, 2)))
    found = read_flowjo(tmp_path / "plate.wsp").samples[0]
    ours = {name: int(mask.sum()) for name, mask in sample_masks(found, file).items()}
    assert flowkit_counts(tmp_path / "plate.wsp", tmp_path / "a.fcs") == ours
    assert min(ours.values()) > 500
    (tmp_path / "b.fcs").write_bytes((tmp_path / "a.fcs").read_bytes())
    with pytest.raises(InputError, match=r"no sample of the file|cannot read"):
        flowkit_counts(tmp_path / "plate.wsp", tmp_path / "b.fcs")
