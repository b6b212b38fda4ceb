"""Figures of a prediction: valid drawings, also of what is empty."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from statera.plot.calibration import draw_calibration
from statera.plot.decision_curve import draw_decision_curve
from statera.plot.roc import draw_roc
from statera.plot.selection_stability import draw_selection_stability

GRID = np.linspace(0.01, 0.99, 30)
NAMES = {"key": "figure", "title": "A figure", "alt": "What it shows."}


def shapes(svg: str) -> int:
    root = ElementTree.fromstring(svg)
    assert root.get("aria-labelledby") == "figure-title figure-desc"
    return sum(1 for element in root.iter() if element.tag.endswith(("path", "use")))


def test_roc() -> None:
    svg = draw_roc(GRID, np.sqrt(GRID), GRID, np.ones(30), label="AUC 0.75", **NAMES)
    assert shapes(svg) > 10
    empty = np.full(30, np.nan)
    assert shapes(draw_roc(GRID, empty, empty, empty, label="", **NAMES)) > 5


@pytest.mark.parametrize("curve", [GRID, np.empty(0)])
def test_calibration(curve: np.ndarray) -> None:
    bins = [(0.2, 0.3, 0.1, 0.5), (0.8, 1.0, float("nan"), float("nan"))]
    y = GRID > 0.4
    svg = draw_calibration(curve, curve, curve, curve, bins, GRID, y, label="slope 1", **NAMES)
    assert shapes(svg) > 30


def test_decision_curve() -> None:
    everybody = (0.3 - GRID) / (1 - GRID)
    svg = draw_decision_curve(GRID, GRID * 0, GRID * 0, GRID * 0, everybody, **NAMES)
    assert shapes(svg) > 10


def test_bars_grow_with_their_number() -> None:
    def height(number: int) -> float:
        names = [f"marker {i} with a long name" for i in range(number)]
        svg = draw_selection_stability(
            names, np.linspace(1, 0.1, number), ["+", "-", ""][:number] * 1 + [""] * (number - 3),
            **NAMES,
        )  # fmt: skip
        assert shapes(svg) > number
        return float(ElementTree.fromstring(svg).attrib["viewBox"].split()[3])

    assert height(20) > height(3)
