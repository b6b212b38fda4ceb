"""Volcano plot and trajectories."""

from __future__ import annotations

import numpy as np
import pytest

from statera.plot.theme import theme
from statera.plot.trajectories import group_means
from statera.plot.volcano import _figure


def test_names_cover_neither_each_other_nor_points() -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    random = np.random.default_rng(1)
    x, p = random.normal(size=300), random.uniform(size=300) ** 4
    x[:8], p[:8] = 2.0 + 0.01 * np.arange(8), 1e-9
    with theme():
        figure = _figure([f"LONGNAME{i}" for i in range(300)], x, p, p, "x", 0.05, 12)
        renderer = FigureCanvasAgg(figure).get_renderer()  # type: ignore[no-untyped-call]
        axes = figure.axes[0]

        extents = [Text.get_window_extent(t, renderer) for t in axes.texts]
    assert 2 <= len(extents) <= 12
    for i, one in enumerate(extents):
        assert not any(one.overlaps(other) for other in extents[i + 1 :])


def test_failed_rows_are_not_drawn() -> None:
    x, p = np.array([1.0, np.nan, -1.0]), np.array([0.001, np.nan, 0.5])
    with theme():
        axes = _figure(["a", "b", "c"], x, p, p, "x", 0.05, 5).axes[0]
    assert sorted(t.get_text() for t in axes.texts) == ["a", "c"]
    drawn = sum(np.asarray(line.get_xdata()).size for line in axes.lines[:-1])
    assert drawn == 2


def test_means_have_t_intervals() -> None:
    mean, half, n = group_means(np.array([1.0, 2.0, 3.0, np.nan]))
    assert (mean, n) == (2.0, 3)
    assert half == pytest.approx(4.302653 / 3**0.5, rel=1e-6)  # t of 2 degrees of freedom
    assert np.isnan(group_means(np.array([1.0]))[1])
