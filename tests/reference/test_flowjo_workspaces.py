"""FlowJo's workspaces and Gating-ML against outside reference data; skipped where absent."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from tests.unit.cytometry.fcs_bytes import fcs_bytes

from statera.cytometry.biexponential import Biexponential
from statera.cytometry.compensation import compensate, read_spillover_csv
from statera.cytometry.flowjo import FlowJoSample, FlowJoWorkspace, read_flowjo
from statera.cytometry.flowjo_bins import BinOptions
from statera.cytometry.flowjo_counts import CountOptions, compare_counts, sample_masks
from statera.cytometry.flowkit_counts import flowkit_counts
from statera.cytometry.gates import Dimension, EllipsoidGate, PolygonGate, RectangleGate
from statera.cytometry.gates_toml import read_gates_toml
from statera.cytometry.gates_toml_write import write_gates_toml
from statera.cytometry.gatingml import read_gatingml
from statera.cytometry.gatingml_write import write_gatingml
from statera.cytometry.read_fcs import read_fcs
from statera.cytometry.scales import Logicle
from statera.cytometry.strategy import apply_gates
from statera.errors import InputError

pytestmark = pytest.mark.reference

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = (
    Path(os.environ.get("STATERA_REFERENCE", REPOSITORY.parent / "shared" / "reference")) / "flow"
)
WORKSPACES = FOLDER / "wsp_flowjo"
COMPLIANCE = FOLDER / "gatingml2"


def there(*parts: str) -> Path:
    path = WORKSPACES.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"reference data are not there: {path}")
    return path


def one(*parts: str) -> FlowJoSample:
    (found,) = read_flowjo(there(*parts)).samples
    return found


DIAMOND = {
    "simple_diamond_example_quad_gate.wsp": [49671, 50596, 50330, 49403],
    "test_data_diamond_biex_rect.wsp": [50605],
    "test_data_diamond_asinh_rect.wsp": [50559],
    "test_data_diamond_asinh_rect2.wsp": [50699],
}


@pytest.mark.parametrize("name", sorted(DIAMOND))
def test_counts_of_rectangles_that_flowjo_stored(name: str) -> None:
    sample = one("simple_diamond_example", name)
    file = read_fcs(there("simple_diamond_example", "test_data_diamond_01.fcs"))
    table = compare_counts(sample, file)
    assert (table.events, table.stored_events) == (200_000, 200_000)
    assert [row.stored for row in table.rows] == DIAMOND[name]
    assert [row.exact for row in table.rows] == DIAMOND[name]
    assert [row.binned for row in table.rows] == DIAMOND[name]


def line(name: str) -> FlowJoSample:
    return one("simple_line_example", name)


def test_the_count_of_an_ellipse_that_flowjo_stored() -> None:
    file = read_fcs(there("simple_line_example", "data_set_simple_line_100.fcs"))
    (row,) = compare_counts(line("single_ellipse_51_events.wsp"), file).rows
    assert (row.stored, row.exact, row.binned) == (51, 51, 51)


def test_which_grids_give_the_two_stored_counts() -> None:
    """Of 40 grids only those of bins about whole numbers do; their middle needs whole vertices."""
    file = read_fcs(there("simple_line_example", "data_set_simple_line_100.fcs"))
    ellipse = line("single_ellipse_51_events.wsp")
    polygon = line("simple_poly_and_rect_v2_poly50.wsp")
    assert dict(polygon.counts) == {"poly1": 0, "rect1": 0}
    exact = sample_masks(polygon, file)
    assert (int(exact["poly1"].sum()), int(exact["rect1"].sum())) == (50, 0)
    right = []
    points = (0.0, 0.25, 0.5, 0.75, 1.0)
    for offset, point, whole, edges in itertools.product(
        (0.0, -0.5), points, (False, True), (False, True)
    ):
        options = CountOptions("binned", BinOptions(256, offset, point, whole, edges))
        counts = (
            int(sample_masks(ellipse, file, options)["ellipse1"].sum()),
            int(sample_masks(polygon, file, options)["poly1"].sum()),
        )
        if counts == (51, 0):
            right.append((offset, point, whole))
    assert set(right) == {(-0.5, 0.5, True), (-0.5, 0.75, False), (-0.5, 0.75, True)}
    default = BinOptions()
    assert (default.offset, default.point, default.round_vertices) in right


def workspaces() -> list[str]:
    return sorted(p.name for p in (WORKSPACES / "8_color_wsp_only").glob("*.wsp"))


@pytest.mark.parametrize("name", workspaces() or ["absent.wsp"])
def test_workspaces_without_their_files_are_read_in_full(name: str) -> None:
    found = read_flowjo(there("8_color_wsp_only", name))
    assert found.samples
    allowed = ("statistics are not taken over", "no sample of the group gives their scales")
    other = [u for u in found.untranslated if u.reason not in allowed]
    # FlowJo's seconds are 0.9 to 2.7 % longer than the file's $TIMESTEP says
    assert {u.what for u in other} <= {"gain of Time"}
    for sample in found.samples:
        assert set(sample.strategy.populations) == set(sample.counts)
        assert all(n is not None for n in sample.counts.values())
        (matrix,) = sample.strategy.spillovers.values()
        assert matrix.dyes == tuple(f"Comp-{name}" for name in matrix.detectors)


def eight(name: str) -> FlowJoWorkspace:
    return read_flowjo(there("8_color_wsp_only", name))


def test_a_matrix_of_a_workspace_is_the_one_of_its_table(tmp_path: Path) -> None:
    sample = eight("8_color_ICS.wsp").samples[0]
    text = there("8_color_wsp_only", "den_comp.csv").read_text(encoding="utf-8")
    (tmp_path / "plain.csv").write_text(text.removeprefix("# "), encoding="utf-8")
    table = read_spillover_csv(tmp_path / "plain.csv")
    ours = sample.strategy.spillovers["Acquisition-defined"]
    assert ours.detectors == table.detectors
    np.testing.assert_allclose(ours.matrix, table.matrix, atol=5.1e-7)  # six decimals


def test_gates_groups_and_scales_of_a_workspace() -> None:
    found = eight("8_color_ICS_with_ellipse.wsp")
    sample = found.sample("101_DEN084Y5_15_E03_009_clean.fcs")
    assert sample.total == 283_969
    assert sample.counts["Time/Singlets/aAmine-/CD3+"] == 132_388
    gates = {gate.name: gate for gate in sample.strategy.gates}
    live = gates["Time/Singlets/aAmine-"]
    assert isinstance(live, PolygonGate)
    logicle = Logicle(262144.0, 1.0, 4.418539922)
    assert live.dimensions[0] == Dimension("Comp-Aqua Amine FLR-A", logicle, "Acquisition-defined")
    assert live.dimensions[1].compensation == "uncompensated"
    time = gates["Time"]
    assert isinstance(time, RectangleGate)
    assert (time.high, time.closed) == ((np.inf, np.inf), False)
    assert any(isinstance(gate, EllipsoidGate) for gate in sample.strategy.gates)
    shared = found.group("DEN").strategy
    assert shared is not None
    assert set(shared.populations) == set(sample.strategy.populations)


def corners(gate: RectangleGate | PolygonGate | EllipsoidGate) -> np.ndarray:
    """Return finite points on the scales that span a gate, (n_points, n_dimensions)."""
    if isinstance(gate, PolygonGate):
        return np.array(gate.vertices)
    if isinstance(gate, EllipsoidGate):
        reach = np.sqrt(np.diag(np.array(gate.covariance)))
        return np.array([gate.mean - reach, gate.mean + reach])
    return np.array([gate.low, gate.high])


def events_about_gates(sample: FlowJoSample) -> np.ndarray:
    """Return events spread over where a sample's gates lie, so that deep ones hold some too."""
    rng = np.random.default_rng(20260105)
    spans: dict[str, list[float]] = {}
    for gate in sample.strategy.gates:
        if isinstance(gate, RectangleGate | PolygonGate | EllipsoidGate):
            for d, values in zip(gate.dimensions, corners(gate).T, strict=True):
                kept = values[np.isfinite(values)]
                spans.setdefault(str(d.channel), []).extend(kept.tolist())
    (matrix,) = sample.strategy.spillovers.values()
    names = [v for k, v in sample.keywords.items() if k.startswith("$P") and k.endswith("N")]
    true = {}
    for name in names:
        dye = f"Comp-{name}" if name in matrix.detectors else name
        span = spans.get(dye, [])
        low, high = (min(span), max(span)) if span else (0.3, 0.6)
        on_scale = rng.uniform(low - 0.02, high + 0.02, 120_000)
        scale = sample.scales[dye]
        true[name] = scale.inverse(on_scale * (4096 if not span and "biex" in repr(scale) else 1))
    seen = np.column_stack([true[name] for name in matrix.detectors]) @ matrix.matrix
    for k, name in enumerate(matrix.detectors):
        true[name] = seen[:, k]
    return np.column_stack([true[name] for name in names])


@pytest.mark.parametrize(
    "name",
    [
        "8_color_ICS_boolean_gate_testing.wsp",
        "8_color_ICS_with_ellipse.wsp",
        "reused_quad_gate_with_child.wsp",
    ],
)
def test_flowkit_counts_the_same_of_events_made_for_the_purpose(name: str, tmp_path: Path) -> None:
    pytest.importorskip("flowkit", reason="needs the extra flowjo")
    sample = eight(name).samples[0]
    names = [v for k, v in sample.keywords.items() if k.startswith("$P") and k.endswith("N")]
    path = tmp_path / sample.name
    path.write_bytes(fcs_bytes(events_about_gates(sample), names, mark="|"))
    theirs = flowkit_counts(there("8_color_wsp_only", name), path)
    ours = {k: int(m.sum()) for k, m in sample_masks(sample, read_fcs(path)).items()}
    assert set(ours) == set(theirs)
    assert ours == theirs
    assert min(ours.values()) > 50


def test_events_compensated_by_a_complete_table() -> None:
    table = read_spillover_csv(there("comp_complete_example.csv"))
    file = read_fcs(there("test_comp_example.fcs"))
    made = compensate(file, table)
    rows = table.rows(file)
    np.testing.assert_allclose(table.matrix.T @ made.events[rows], file.events[rows], atol=1e-8)
    assert not np.array_equal(made.events[rows], file.events[rows])


def test_the_biexponential_scale_of_a_workspace_has_the_published_table() -> None:
    scale = one("simple_diamond_example", "test_data_diamond_biex_rect.wsp").scales["channel_A"]
    assert scale == Biexponential(0.0, -10.0, 4.418539922, 262144.0)


def compliance() -> list[Path]:
    return sorted((COMPLIANCE / "gml").glob("*.xml"))


@pytest.mark.parametrize("form", ["gatingml", "toml"])
@pytest.mark.parametrize("path", compliance() or [Path("absent.xml")], ids=lambda p: p.stem)
def test_the_compliance_set_is_written_and_read_again(
    path: Path, form: str, tmp_path: Path
) -> None:
    if not path.exists():
        pytest.skip(f"reference data are not there: {COMPLIANCE}")
    file = read_fcs(COMPLIANCE / "data1.fcs")
    strategy = read_gatingml(path)
    copy = tmp_path / "copy"
    if form == "gatingml":
        assert write_gatingml(strategy, copy) == ()
        again = read_gatingml(copy)
    else:
        write_gates_toml(strategy, copy)
        again = read_gates_toml(copy)
    before, after = apply_gates(strategy, file), apply_gates(again, file)
    assert list(before) == list(after)
    for name, mask in before.items():
        np.testing.assert_array_equal(mask, after[name])


@pytest.mark.parametrize("name", workspaces() or ["absent.wsp"])
def test_gates_of_workspaces_are_written_and_read_again(name: str, tmp_path: Path) -> None:
    sample = eight(name).samples[0]
    names = [v for k, v in sample.keywords.items() if k.startswith("$P") and k.endswith("N")]
    (tmp_path / "a.fcs").write_bytes(fcs_bytes(events_about_gates(sample), names, mark="|"))
    file = read_fcs(tmp_path / "a.fcs")
    conversions = write_gatingml(sample.strategy, tmp_path / "gates.xml")
    write_gates_toml(sample.strategy, tmp_path / "gates.toml")
    before = sample_masks(sample, file)
    for again in (read_gatingml(tmp_path / "gates.xml"), read_gates_toml(tmp_path / "gates.toml")):
        after = apply_gates(again, file)
        assert list(before) == list(after)
        for population, mask in before.items():
            np.testing.assert_array_equal(mask, after[population])
    assert {c.gate for c in conversions} <= set(before)


def test_a_polygon_on_a_biexponential_scale_is_refused(tmp_path: Path) -> None:
    sample = one("simple_diamond_example", "test_data_diamond_biex_rect.wsp")
    assert len(write_gatingml(sample.strategy, tmp_path / "gates.xml")) == 2
    file = read_fcs(there("simple_diamond_example", "test_data_diamond_01.fcs"))
    masks = apply_gates(read_gatingml(tmp_path / "gates.xml"), file)
    assert int(masks["upper_right"].sum()) == 50_605
    dimensions = tuple(Dimension(n, sample.scales[n]) for n in ("channel_A", "channel_B"))
    polygon = PolygonGate("p", dimensions, ((0.0, 0.0), (4000.0, 0.0), (0.0, 4000.0)))
    strategy = type(sample.strategy)((polygon,))
    with pytest.raises(InputError, match="p lies on a scale that Gating-ML lacks"):
        write_gatingml(strategy, tmp_path / "gates.xml")
