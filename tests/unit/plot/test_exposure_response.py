"""Curves of response by exposure, and survival curves."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np

from statera.plot.exposure_response import (
    ResponseCurve,
    ResponseFigure,
    draw_exposure_response,
)
from statera.plot.survival_curves import SurvivalGroup, draw_survival_curves

X = np.linspace(0.0, 10.0, 21)
LINE = X / (2.0 + X)
EMPTY = np.zeros(0)


def draw(curves: list[ResponseCurve], exposure: np.ndarray, dose: list[str], ratio: bool) -> str:
    labels = ResponseFigure("AUC (ng·h/mL)", "Chance", ratio=ratio)
    return draw_exposure_response(
        curves, exposure, dose, labels, key="response", title="Response", alt="A curve."
    )


def test_a_curve_with_points_and_doses() -> None:
    points = np.array([[0.0, 0.1, 0.05, 0.2], [4.0, 0.6, 0.5, 0.7]])
    one = ResponseCurve("", X, LINE, 0.9 * LINE, np.minimum(1.0, 1.1 * LINE), points)
    exposure = np.repeat([0.0, 4.0, 8.0], 30) * np.linspace(0.8, 1.2, 90)
    svg = draw([one], exposure, ["placebo"] * 30 + ["2 mg"] * 30 + ["4 mg"] * 30, False)
    ElementTree.fromstring(svg)
    assert svg == draw([one], exposure, ["placebo"] * 30 + ["2 mg"] * 30 + ["4 mg"] * 30, False)
    assert len(svg) > len(draw([one], exposure, [], False)) * 0.9


def test_points_without_a_curve_and_a_ratio_without_points() -> None:
    points = np.array([[0.0, 0.1, 0.05, 0.2]])
    ElementTree.fromstring(
        draw([ResponseCurve("", EMPTY, EMPTY, EMPTY, EMPTY, points)], X, [], False)
    )
    ratio = ResponseCurve("", X, np.exp(-0.1 * X), np.exp(-0.2 * X), np.ones(21))
    ElementTree.fromstring(draw([ratio], X, [f"{v:g}" for v in X], True))


def test_survival_with_a_group_that_has_no_event() -> None:
    some = SurvivalGroup(
        "Q1", np.array([0.0, 2.0, 5.0]), np.array([1.0, 0.7, 0.4]),
        np.array([np.nan, 0.5, 0.2]), np.array([np.nan, 0.9, 0.6]), np.array([3.0]), 8.0,
        np.zeros(4), np.array([2.0, 3.0, 5.0, 8.0]), np.array([[0.0, 8.0], [1.0, 0.3]]),
    )  # fmt: skip
    none = SurvivalGroup(
        "placebo", np.zeros(1), np.ones(1), np.full(1, np.nan), np.full(1, np.nan),
        np.array([4.0, 6.0]), 6.0, np.zeros(2), np.array([4.0, 6.0]),
    )  # fmt: skip
    svg = draw_survival_curves(
        [some, none], x_label="week", y_label="Without the event", key="survival",
        title="Survival", alt="Steps.",
    )  # fmt: skip
    ElementTree.fromstring(svg)
    assert 'id="survival-title"' in svg
