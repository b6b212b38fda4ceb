"""The drawing of a plate."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from statera.plot.plate_map import (
    DOSE,
    STIMULATED,
    UNSTAINED,
    WellMark,
    draw_plate_map,
)

KINDS = (STIMULATED, DOSE, UNSTAINED)
GROUPS = ("D1, IL-6", "D1, IL-15", "a donor with a long name, no cytokine")
WELLS = (
    WellMark(1, 1, 0, "S", 0),
    WellMark(1, 2, 1, "10 µM", 1, 1.0),
    WellMark(1, 3, 1, "1 nM", 1, 0.0),
    WellMark(2, 1, 2, "a label that is far too long", 2),
)
Check = Callable[[str], ElementTree.Element]


@pytest.mark.parametrize("shape", [(8, 12), (16, 24)])
def test_every_place_is_drawn_and_labels_stand(
    shape: tuple[int, int], checked: Check, names: dict[str, str]
) -> None:
    root = checked(draw_plate_map(WELLS, KINDS, GROUPS, shape_of=shape, **names))
    words = [e.text for e in root.iter() if e.tag.endswith("text")]
    assert {"S", "10 µM", "1 nM", "A", "12"} <= set(words)
    assert "D1, IL-6" in words
    rects = [e for e in root.iter() if e.tag.endswith("rect")]
    places, bars, legend = shape[0] * shape[1], len(WELLS), 3 + 3
    assert len(rects) == places + bars + legend


def test_letters_on_dark_wells_are_white(names: dict[str, str]) -> None:
    svg = draw_plate_map(WELLS, KINDS, GROUPS, shape_of=(8, 12), **names)
    root = ElementTree.fromstring(svg)
    ink = {e.text: e.get("fill") for e in root.iter() if e.tag.endswith("text")}
    assert ink["10 µM"] == "#ffffff"
    assert ink["1 nM"] != "#ffffff"


def test_long_labels_are_cut(names: dict[str, str]) -> None:
    svg = draw_plate_map(WELLS, KINDS, GROUPS, shape_of=(8, 12), **names)
    assert "far too long" not in svg
    assert "…" in svg


@pytest.mark.parametrize(
    "wells", [(WELLS[0], WELLS[0]), (WellMark(8, 0, 0, ""),), (WellMark(0, 12, 0, ""),)]
)
def test_places_taken_twice_or_outside_are_refused(
    wells: tuple[WellMark, ...], names: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="place of its own"):
        draw_plate_map(wells, KINDS, GROUPS, shape_of=(8, 12), **names)
