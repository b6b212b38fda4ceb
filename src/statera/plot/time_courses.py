"""Simulated courses of a pathway with measured points and bands, one panel an observable."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.plot.band import band_handle, fill_band
from statera.plot.points import few_ticks
from statera.plot.svg import to_svg
from statera.plot.theme import INK, MARKERS, colour, new_figure, style_axes, theme

__all__ = ["Course", "CoursePanel", "TimeCourseOptions", "draw_time_courses"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Course:
    """One condition: a curve, and what was measured under it.

    Attributes
    ----------
    times, values : (n,) float64
        The curve.
    low, high : (n,) float64, optional
        Edges of a band.
    measured_times, measured : (k,) float64, optional
        Points.
    """

    label: str
    times: Floats
    values: Floats
    low: Floats | None = None
    high: Floats | None = None
    measured_times: Floats | None = None
    measured: Floats | None = None


@dataclass(frozen=True)
class CoursePanel:
    """An observable and its courses; `axis` is its name with the unit."""

    title: str
    courses: tuple[Course, ...]
    axis: str = ""
    logarithmic: bool = False


@dataclass(frozen=True)
class TimeCourseOptions:
    """How panels are drawn: the name of the time axis, panels in a row, and what a band is."""

    x_label: str = "Time"
    columns: int = 3
    band_label: str = ""


def draw_time_courses(
    panels: Sequence[CoursePanel],
    options: TimeCourseOptions | None = None,
    *,
    key: str,
    title: str,
    alt: str,
) -> str:
    """Return the courses as SVG; conditions share colours and markers over all panels.

    Raises
    ------
    ValueError
        If there is no panel, or one without a course.
    """
    chosen = options or TimeCourseOptions()
    if not panels or any(not p.courses for p in panels):
        raise ValueError("time courses: every panel needs at least one course")
    labels = list(dict.fromkeys(c.label for p in panels for c in p.courses))
    columns = min(chosen.columns, len(panels))
    rows = math.ceil(len(panels) / columns)
    with theme():
        figure = new_figure(max(3.3 * columns, 4.4), 2.5 * rows + 0.35)
        figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.08)
        grid = figure.subplots(rows, columns, squeeze=False)
        handles: dict[str, object] = {}
        for k, axes in enumerate(grid.ravel()):
            if k >= len(panels):
                axes.set_visible(False)
                continue
            panel = panels[k]
            for course in panel.courses:
                number = labels.index(course.label)
                ink, mark = colour(number), MARKERS[number % len(MARKERS)]
                if course.low is not None and course.high is not None:
                    fill_band(axes, course.times, course.low, course.high, ink)
                dash = (0, ()) if number < 6 else (0, (4, 2))
                (line,) = axes.plot(course.times, course.values, color=ink, linestyle=dash,
                                    label=course.label)  # fmt: skip
                handles.setdefault(course.label, line)
                if course.measured is not None and course.measured_times is not None:
                    axes.plot(course.measured_times, course.measured, mark, ms=4, mfc=(ink, 0.7),
                              mec="none")  # fmt: skip
            axes.set_title(panel.title, size=9.5)
            axes.set_ylabel(panel.axis, size=9.5)
            if panel.logarithmic:
                axes.set_yscale("log")
                axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            else:
                few_ticks(axes, "y", 4)
            few_ticks(axes, "x", 5)
            axes.margins(x=0.02)
            style_axes(axes)
        figure.supxlabel(chosen.x_label, size=10, color=INK)
        entries = [handles[label] for label in labels]
        if chosen.band_label:
            entries.append(band_handle(colour(0), chosen.band_label))
        if len(labels) > 1 or chosen.band_label:
            figure.legend(handles=entries, loc="outside upper left", ncols=min(4, len(entries)))
        return to_svg(figure, key, title, alt)
