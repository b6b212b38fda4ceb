"""The course of one patient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from statera.plot.forecast import ForecastBand, ForecastOptions, ForecastPoint, draw_forecast

Checked = Callable[[str], Any]
TIME = np.linspace(0.0, 48.0, 97)
CURVE = 40.0 * np.exp(-0.1 * np.mod(TIME, 24.0))
BANDS = [
    ForecastBand(label, TIME, CURVE / spread, CURVE, CURVE * spread)
    for label, spread in (("population", 3.0), ("a priori", 2.0), ("a posteriori", 1.2))
]


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_bands_samples_doses_and_target(
    checked: Checked, names: dict[str, str], count: int, logarithmic: bool
) -> None:
    options = ForecastOptions(now=30.0, target=(10.0, None), logarithmic=logarithmic)
    points = [ForecastPoint(2.0, 35.0), ForecastPoint(23.0, 0.2, "below", doubtful=True)]
    svg = draw_forecast(BANDS[:count], points, [0.0, 24.0], options, **names)
    checked(svg)
    assert svg == draw_forecast(BANDS[:count], points, [0.0, 24.0], options, **names)
    assert svg != draw_forecast(BANDS[:count], points[:1], [0.0, 24.0], options, **names)


def test_bands_of_other_lengths_and_too_many_are_refused(names: dict[str, str]) -> None:
    short = ForecastBand("short", TIME, CURVE[1:], CURVE, CURVE)
    with pytest.raises(ValueError, match="expected 97 values"):
        draw_forecast([short], **names)
    with pytest.raises(ValueError, match="one to three"):
        draw_forecast([*BANDS, *BANDS], **names)
