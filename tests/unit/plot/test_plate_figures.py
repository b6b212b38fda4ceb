"""Figures of a plate: wells, gates, dose-response curves, IC50s."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from statera.plot.dose_response import DoseCurve, DosePanel, draw_dose_response
from statera.plot.gate_plot import (
    GateAxes,
    GatePanel,
    clip_segment,
    draw_gate,
    nice_ticks,
    run_shapes,
)
from statera.plot.ic50_forest import Ic50Group, Ic50Row, draw_ic50_forest
from statera.plot.inhibition import contrast
from statera.plot.plate_heat import (
    Category,
    PlateCell,
    PlatePanel,
    PlateSize,
    draw_plates,
    ink_on_shade,
    shade_colour,
)
from statera.report.check import svg_problems

Checked = Callable[[str], Any]
SVG = "{http://www.w3.org/2000/svg}"


def texts(root: Any) -> list[str]:
    return [e.text for e in root.iter(f"{SVG}text")]


def fills(root: Any, name: str = "rect") -> list[str]:
    return [e.get("fill", "") for e in root.iter(f"{SVG}{name}")]


def test_size_of_a_plate() -> None:
    assert PlateSize.of([(7, 11)]) == PlateSize(8, 12)
    assert PlateSize.of([(8, 0)]) == PlateSize(16, 24)
    assert PlateSize.of([(0, 12)]) == PlateSize(16, 24)


@pytest.mark.parametrize("size", [PlateSize(), PlateSize(16, 24)])
def test_every_well_has_its_value_and_unused_ones_are_hatched(
    checked: Checked, names: dict[str, str], size: PlateSize
) -> None:
    wells = [(r, c) for r in range(size.rows) for c in range(size.columns)][1:]
    cells = tuple(PlateCell(r, c, f"v{i}", float(i)) for i, (r, c) in enumerate(wells))
    panel = PlatePanel("Median", cells, ends=("low", "high"))
    svg = draw_plates([panel], size, **names)
    root = checked(svg)
    assert svg_problems(svg) == ()
    assert {f"v{i}" for i in range(len(wells))} <= set(texts(root))
    hatched = fills(root).count("url(#fig-hatch)")
    assert hatched == 2, "the unused well and its entry in the legend"
    assert fills(root)[1] == shade_colour(0.0)
    assert shade_colour(1.0) in fills(root)
    assert {"low", "high", "not used"} <= set(texts(root))
    assert svg == draw_plates([panel], size, **names)


def test_a_given_span_keeps_small_differences_pale(names: dict[str, str]) -> None:
    cells = (PlateCell(0, 0, "98", 98.0), PlateCell(0, 1, "100", 100.0))
    own = draw_plates([PlatePanel("Events", cells)], PlateSize(), **names)
    given = draw_plates([PlatePanel("Events", cells, span=(0.0, 100.0))], PlateSize(), **names)
    assert f'fill="{shade_colour(0.0)}"' in own
    assert f'fill="{shade_colour(0.98)}"' in given


def test_a_text_too_long_for_its_well_is_left_out(names: dict[str, str]) -> None:
    long = PlatePanel("Median", (PlateCell(0, 0, "a long remark", 1.0),))
    assert "a long remark" not in draw_plates([long], PlateSize(), **names)


def test_wells_without_value_and_failed_wells_are_told_apart(
    checked: Checked, names: dict[str, str]
) -> None:
    kinds = (Category("analysed", "#cfe1ee"), Category("no file", "#ffffff", crossed=True))
    states = tuple(PlateCell(0, c, category=k.name) for c, k in enumerate(kinds))
    values = (PlateCell(0, 0, "5", 5.0), PlateCell(0, 1, "", math.nan))
    svg = draw_plates(
        [PlatePanel("Status", states, kinds), PlatePanel("Median", values)], PlateSize(), **names
    )
    root = checked(svg)
    shown = texts(root)
    assert {"analysed", "no file", "no value"} <= set(shown)
    assert shown.count("–") == 2, "the well and its entry in the legend"
    strokes = [e for e in root.iter(f"{SVG}path") if e.get("stroke-width") == "1.2"]
    assert len(strokes) == 2, "a failed well is crossed, not only coloured"


def test_values_stand_out_from_every_shade() -> None:
    shades = [shade_colour(s) for s in np.linspace(0.0, 1.0, 101)]
    assert min(contrast(ink_on_shade(shade), shade) for shade in shades) >= 4.5


def test_wells_outside_the_plate_are_an_error(names: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="outside the plate"):
        draw_plates([PlatePanel("x", (PlateCell(8, 0, "1", 1.0),))], PlateSize(), **names)
    with pytest.raises(ValueError, match="at least one panel"):
        draw_plates([], PlateSize(), **names)


def test_runs_of_bins_cover_exactly_the_bins() -> None:
    mask = np.random.default_rng(4).random((20, 30)) < 0.4
    found = np.zeros_like(mask)
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1", run_shapes(mask)):
        assert not found[int(y), int(x) : int(x) + int(width)].any()
        found[int(y), int(x) : int(x) + int(width)] = True
    assert (found == mask).all()


def _cloud(label: str, events: int, seed: int = 1) -> GatePanel:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(5.0, 1.0, events), rng.normal(2.0, 1.0, events)
    corners = np.array([[4.0, 1.0], [np.inf, 1.0], [np.inf, 3.0], [4.0, 3.0], [4.0, 1.0]])
    return GatePanel(label, x, y, corners, 0.57, int(0.57 * events), "far off")


def test_a_gate_over_wells_says_share_and_count(checked: Checked, names: dict[str, str]) -> None:
    panels = [_cloud(f"A0{i}", 2000, i) for i in range(1, 9)]
    svg = draw_gate(panels, GateAxes("FSC-A", "SSC-A"), **names)
    root = checked(svg)
    assert svg_problems(svg) == ()
    shown = texts(root)
    assert {"A01", "A08", "57.0 %", "1\u2009140 events", "far off", "FSC-A", "SSC-A"} <= set(shown)
    gates = [e for e in root.iter(f"{SVG}path") if e.get("stroke") == "#c8501e"]
    assert len(gates) == 8
    ends = [float(v) for d in gates for v in re.findall(r"[ML]([\d.]+) ", d.get("d", ""))]
    assert max(ends) == 132.0, "an open side ends on the frame"


def test_edges_of_a_gate_keep_their_slope_where_corners_lie_outside(
    checked: Checked, names: dict[str, str]
) -> None:
    """A line y = x / 2 from far below to far above every event."""
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0.0, 100.0, 500), rng.uniform(0.0, 100.0, 500)
    corners = np.array([[-2e6, -1e6], [2e6, 1e6], [-2e6, 1e6], [-2e6, -1e6]])
    panel = GatePanel("A01", x, y, corners, 0.75, 375)
    root = checked(draw_gate([panel], GateAxes("x", "y"), **names))
    (line,) = [e for e in root.iter(f"{SVG}path") if e.get("stroke") == "#c8501e"]
    drawn = [float(v) for v in re.findall(r"-?[\d.]+", line.get("d", ""))]
    assert len(drawn) == 4, "the edges outside are not drawn"
    assert min(drawn) >= 0.0
    assert max(drawn) <= 132.0
    slope = (drawn[1] - drawn[3]) / (drawn[2] - drawn[0])  # y grows downwards
    # both axes run over nearly the same range, with a margin for the far corners
    assert slope == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("p", "q", "part"),
    [
        ((1.0, 1.0), (2.0, 3.0), ((1.0, 1.0), (2.0, 3.0))),
        ((-10.0, 5.0), (20.0, 5.0), ((0.0, 5.0), (10.0, 5.0))),
        ((-5.0, -5.0), (15.0, 15.0), ((0.0, 0.0), (10.0, 10.0))),
        ((0.0, -5.0), (0.0, 15.0), ((0.0, 0.0), (0.0, 10.0))),
        ((-5.0, 1.0), (-1.0, 9.0), None),
        ((11.0, -5.0), (11.0, 5.0), None),
        ((-1.0, 9.0), (3.0, 15.0), None),
        ((math.nan, 1.0), (3.0, 1.0), None),
    ],
)
def test_segments_are_cut_at_the_frame(p: Any, q: Any, part: Any) -> None:
    assert clip_segment(p, q, 10.0) == part


def test_a_drawing_does_not_grow_with_the_events(names: dict[str, str]) -> None:
    few, many = (
        len(draw_gate([_cloud("A01", n)], GateAxes("x", "y"), **names)) for n in (2_000, 200_000)
    )
    assert many < 2.5 * few
    assert many < 25_000


def test_a_gate_of_one_dimension_marks_its_threshold(
    checked: Checked, names: dict[str, str]
) -> None:
    x = np.concatenate([np.linspace(0.0, 0.4, 500), np.linspace(0.8, 1.0, 100)])
    outline = np.array([[-np.inf, np.nan], [0.5, np.nan]])
    panel = GatePanel("A01", x, np.zeros(0), outline, 500 / 600, 500)
    root = checked(draw_gate([panel], GateAxes("Live"), **names))
    marks = [e for e in root.iter(f"{SVG}path") if e.get("stroke") == "#c8501e"]
    assert len(marks) == 1, "the open end has no line"
    at = float(re.findall(r"M([\d.]+)", marks[0].get("d", ""))[0]) / 132.0
    low, high = -0.04, 1.04
    assert at == pytest.approx((0.5 - low) / (high - low), abs=0.01)


@pytest.mark.parametrize("events", [np.zeros(0), np.full(3, np.nan), np.full(4, 7.0)])
def test_gates_over_no_or_equal_events_are_drawn(
    checked: Checked, names: dict[str, str], events: np.ndarray
) -> None:
    panel = GatePanel("A01", events, events, np.zeros((0, 2)), math.nan, 0)
    assert "no events" in texts(checked(draw_gate([panel], GateAxes("x", "y"), **names)))
    flat = GatePanel("A01", events, np.zeros(0), np.zeros((0, 2)), math.nan, 0)
    checked(draw_gate([flat], GateAxes("x"), **names))


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0.0, 1.0, (0.0, 0.5, 1.0)), (-0.2, 0.9, (0.0, 0.5)), (0, 262144, (0.0, 100e3, 200e3))],
)
def test_ticks_are_round_and_few(low: float, high: float, ticks: tuple[float, ...]) -> None:
    assert nice_ticks(low, high) == ticks


def _curve(label: str, refused: str = "", interval: Any = (20.0, 60.0)) -> DoseCurve:
    dose = np.array([0.0, 0.0, 1.0, 10.0, 100.0, 1000.0])
    x = np.geomspace(0.5, 2000.0, 30)
    return DoseCurve(
        label,
        dose,
        100.0 / (1.0 + dose / 40.0),
        np.zeros((2, 0)) if refused else np.stack([x, 100.0 / (1.0 + x / 40.0)]),
        None if refused else 40.0,
        None if refused else interval,
        refused,
    )


def test_dose_response_with_every_kind_of_curve(checked: Checked, names: dict[str, str]) -> None:
    curves = (
        _curve("D1"),
        _curve("D2", interval=(20.0, math.inf)),
        _curve("D3", interval=(0.0, 60.0)),
        _curve("D4", refused="stimulation does not raise the signal " * 4),
    )
    panels = [DosePanel("CD4", curves), DosePanel("CD8", curves[:1])]
    svg = draw_dose_response(panels, **names)
    checked(svg)
    assert svg_problems(svg) == ()
    assert svg == draw_dose_response(panels, **names)


def test_a_refused_curve_is_grey_and_does_not_set_the_scale(names: dict[str, str]) -> None:
    alone = draw_dose_response([DosePanel("CD4", (_curve("D1", refused="no signal"),))], **names)
    assert "#8a949e" in alone
    assert "#0072b2" not in alone
    wild = DoseCurve("D2", np.array([1.0, 10.0]), np.array([-9e3, 9e3]), refused="no signal")
    both = draw_dose_response([DosePanel("CD4", (_curve("D1"), wild))], **names)
    calm = DoseCurve("D2", np.array([1.0, 10.0]), np.array([40.0, 60.0]), refused="no signal")
    other = draw_dose_response([DosePanel("CD4", (_curve("D1"), calm))], **names)
    pattern = r'd="(M[^"]*)"[^>]*stroke:#0072b2'
    assert re.findall(pattern, both) == re.findall(pattern, other) != []


def test_dose_response_needs_a_dose(names: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="at least one panel"):
        draw_dose_response([], **names)
    none = DoseCurve("D1", np.zeros(2), np.zeros(2))
    with pytest.raises(ValueError, match="above 0"):
        draw_dose_response([DosePanel("CD4", (none,))], **names)


def test_ic50_forest_with_every_status(checked: Checked, names: dict[str, str]) -> None:
    rows = (
        Ic50Row("D1", "20 (15 to 30), determined", 20.0, (15.0, 30.0)),
        Ic50Row("D2", "at least 300", None, (300.0, math.inf)),
        Ic50Row("D3", "at most 2", None, (0.0, 2.0)),
        Ic50Row("D4", "not determined", None, (0.0, math.inf)),
        Ic50Row("D5", "refused: no signal"),
        Ic50Row("Mean", "22 (18 to 27)", 22.0, (18.0, 27.0), pooled=True),
    )
    svg = draw_ic50_forest([Ic50Group("IL-6, CD4", rows)], (1.0, 1000.0), **names)
    checked(svg)
    assert svg_problems(svg) == ()
    one = draw_ic50_forest([Ic50Group("IL-6, CD4", rows[:1])], (1.0, 1000.0), **names)
    assert len(one) < len(svg)
    with pytest.raises(ValueError, match="above 0"):
        draw_ic50_forest([Ic50Group("IL-6, CD4", rows)], (0.0, 1.0), **names)
