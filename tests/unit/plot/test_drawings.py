"""Hand-built drawings: pathway and protocol; how an inhibition is said and coloured."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statera.numerics.interval import Interval
from statera.plot.band import pale
from statera.plot.inhibition import contrast, inhibition_colour, ink_on, say_percent
from statera.plot.pathway import Kinase, Pathway, PathwayOptions, draw_pathway
from statera.plot.protocol import ProtocolStep, draw_protocol
from statera.plot.shapes import lines_of

Checked = Callable[[str], Any]


def _pathway(inhibition: Interval | None, name: str = "IL-6") -> Pathway:
    kinases = (Kinase("JAK1", inhibition), Kinase("JAK2", Interval.point(0.5)))
    return Pathway(name, ("chain a", "chain b"), kinases, ("STAT1", "STAT3"), inhibition)


def _texts(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


@pytest.mark.parametrize("count", [1, 2, 4, 6])
def test_pathways_side_by_side(checked: Checked, names: dict[str, str], count: int) -> None:
    pathways = [_pathway(Interval.point(0.81), f"IL-{i}") for i in range(count)]
    svg = draw_pathway(pathways, PathwayOptions("drug", "at 54 nM"), **names)
    root = checked(svg)
    width = float(root.get("viewBox").split()[2])
    texts = _texts(svg)
    assert texts.count("81 %") == 2 * count
    assert {f"IL-{i}" for i in range(count)} <= set(texts)
    assert "drug, at 54 nM" in texts
    xs = [float(x) for x in re.findall(r'<text x="([\d.]+)"', svg)]
    assert max(xs) < width
    assert svg == draw_pathway(pathways, PathwayOptions("drug", "at 54 nM"), **names)


@pytest.mark.parametrize(
    ("inhibition", "said"),
    [
        (Interval.point(0.81), "81 %"),
        (Interval(0.0, 0.12), "at most 12 %"),
        (Interval(0.62, 1.0), "at least 62 %"),
        (Interval(0.2, 0.4), "20 to 40 %"),
        (Interval(0.0, 1.0), "not known"),
        (None, "not known"),
    ],
)
def test_the_inhibition_stands_beside_the_arrow(
    checked: Checked, names: dict[str, str], inhibition: Interval | None, said: str
) -> None:
    svg = draw_pathway([_pathway(inhibition)], PathwayOptions("drug"), **names)
    checked(svg)
    assert said in _texts(svg)


def test_arrows_are_thinner_the_more_is_inhibited(names: dict[str, str]) -> None:
    def width(inhibition: float) -> float:
        svg = draw_pathway([_pathway(Interval.point(inhibition))], PathwayOptions("d"), **names)
        arrow = re.findall(r'<polygon points="([\d., ]+)"', svg)
        corners = next(a.split() for a in arrow if len(a.split()) == 7)
        return float(corners[1].split(",")[0]) - float(corners[0].split(",")[0])

    widths = [width(i) for i in (0.0, 0.3, 0.81, 1.0)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 3 * widths[2]


def test_a_bound_is_dashed_and_a_point_is_not(names: dict[str, str]) -> None:
    def dashes(inhibition: Interval) -> int:
        svg = draw_pathway([_pathway(inhibition)], PathwayOptions("d"), **names)
        return len(re.findall(r'stroke-dasharray="\d', svg))

    assert dashes(Interval.point(0.6)) == 0
    assert dashes(Interval(0.6, 1.0)) > 0


def test_names_are_escaped(checked: Checked, names: dict[str, str]) -> None:
    svg = draw_pathway([_pathway(None, "<IL> & 6")], PathwayOptions('"drug"'), **names)
    checked(svg)
    assert "&lt;IL&gt; &amp; 6" in svg


def test_pathway_names_what_is_wrong(names: dict[str, str]) -> None:
    point = Interval.point(0.5)
    jak = Kinase("JAK1", point)
    with pytest.raises(ValueError, match="STATs must be 1 to 3"):
        Pathway("x", ("a",), (jak,), (), point)
    with pytest.raises(ValueError, match="kinases must be 1 to 3, got 4"):
        Pathway("x", ("a",), (jak,) * 4, ("STAT1",), point)
    with pytest.raises(ValueError, match="from 0 to 1"):
        Pathway("x", ("a",), (jak,), ("STAT1",), Interval.point(81.0))
    with pytest.raises(ValueError, match="one to six"):
        draw_pathway([], PathwayOptions("d"), **names)


@given(st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted))
def test_bounds_are_never_said_to_be_tighter_than_they_are(ends: list[float]) -> None:
    interval = Interval(*ends)
    said = [float(n) for n in re.findall(r"\d+", say_percent(interval))]
    if interval.is_point or not said:
        return
    words = say_percent(interval)
    low = 0.0 if words.startswith("at most") else said[0]
    high = 100.0 if words.startswith("at least") else said[-1]
    assert low <= 100 * interval.low + 1e-5
    assert high >= 100 * interval.high - 1e-5


@given(st.floats(0, 1), st.floats(0, 1))
def test_text_on_coloured_kinases_is_readable(low: float, high: float) -> None:
    grounds = [pale(inhibition_colour(end), 0.62) for end in (low, high)]
    assert min(contrast("#1b2430", ground) for ground in grounds) >= 4.5


def test_contrast_of_known_colours() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # WCAG's own example
    assert ink_on("#ffffff") == "#1b2430"
    assert ink_on("#0b2a4a") == "#ffffff"


def test_protocol(checked: Checked, names: dict[str, str]) -> None:
    steps = [ProtocolStep(f"Step {i}", ("detail " * 12,), "control") for i in range(1, 6)]
    svg = draw_protocol(steps, **names)
    root = checked(svg)
    assert [t for t in _texts(svg) if t.startswith("Step")] == [f"Step {i}" for i in range(1, 6)]
    # Four joints between five boxes.
    assert len(re.findall("<polygon", svg)) == 4
    heights = [float(h) for h in re.findall(r'<rect[^>]* height="([\d.]+)"', svg)]
    assert float(root.get("viewBox").split()[3]) > heights[0] + heights[-1]
    with pytest.raises(ValueError, match="at least one step"):
        draw_protocol([], **names)


def test_lines_fit_their_box() -> None:
    lines = lines_of("one two three four five", 60, 10)
    assert " ".join(lines) == "one two three four five"
    assert all(len(line) * 5.6 <= 60 for line in lines)
    assert lines_of("", 60, 10) == []
