"""Figures of the page from the results."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.plot.exposure_response import (
    ResponseCurve,
    ResponseFigure,
    draw_exposure_response,
)
from statera.plot.survival_curves import SurvivalGroup, draw_survival_curves
from statera.report.document import Cell, Figure, Inline
from statera.report.tabulate import format_number
from statera.response.analysis import ResponseAnalysis, dose_size
from statera.response.binary import Binary
from statera.response.cox import Cox
from statera.response.ordinal import Ordinal
from statera.response.predict import chances
from statera.response.time_to_event import TimeToEvent

__all__ = ["response_figure", "survival_figure"]

Floats = NDArray[np.float64]
_TIMES = 60


def response_figure(found: ResponseAnalysis, x_label: str) -> Figure:
    """Return the curves with observed groups and the exposures by dose."""
    outcome = found.outcome
    labels = [""]
    if isinstance(outcome, Ordinal):
        labels = [f"{level} or more" for level in outcome.levels[1:]]
    empty = np.zeros(0)
    curves = []
    for k, label in enumerate(labels):
        seen = found.observed[k] if k < len(found.observed) else ()
        points = np.array([[o.exposure, o.share, o.low, o.high] for o in seen]).reshape(-1, 4)
        line = found.curves[k] if found.curves else None
        band = found.band if k == 0 else None
        curves.append(
            ResponseCurve(
                label,
                *((line.exposure, line.estimate, line.low, line.high) if line else (empty,) * 4),
                points[np.isfinite(points).all(axis=1)],
                np.stack([band.low, band.high]) if band is not None else np.zeros((2, 0)),
            )
        )
    what = found.curves[0].what if found.curves else "chance"
    y_label = "chance of the grade" if isinstance(outcome, Ordinal) else what
    exact = isinstance(outcome, Binary | Ordinal)
    figure = ResponseFigure(
        x_label, y_label[0].upper() + y_label[1:], found.options.level, isinstance(outcome, Cox),
        "observed, exact interval" if exact else "Kaplan-Meier",
    )  # fmt: skip
    order = sorted(range(len(found.dose)), key=lambda i: dose_size(found.dose[i]))
    dose = [found.dose[i] for i in order]
    exposure = found.exposure[order] if dose else found.exposure
    alt = f"{y_label} over exposures from {exposure.min():.3g} to {exposure.max():.3g}."
    svg = draw_exposure_response(
        curves, exposure, dose, figure, key="response", title="Response by exposure", alt=alt
    )
    below = "exposures of the subjects by dose" if dose else "exposures of the subjects"
    grouped = any(found.observed)
    above = ", and groups of subjects at their median exposure" if grouped else ""
    caption: list[Inline] = [
        f"Above: the model{above}. Below: {below}; bars hold the middle half.",
        Cell(" Bands", "computed", method="band"),
    ]
    if grouped:
        caption.append(Cell(" groups", "computed", method="observed"))
    data = {}
    if found.curves:
        one = found.curves[0]
        data = {"exposure": one.exposure, "estimate": one.estimate, "low": one.low,
                "high": one.high}  # fmt: skip
    return Figure("response-figure", svg, "Response by exposure", alt, tuple(caption), data)


def survival_figure(found: ResponseAnalysis, time_label: str) -> Figure | None:
    """Return survival by group of exposure, with the model where it has chances."""
    outcome, groups = found.outcome, found.groups
    if not found.survival or groups is None or not isinstance(outcome, Cox | TimeToEvent):
        return None
    leaving = outcome.time if isinstance(outcome, Cox) else outcome.left
    drawn = []
    for k, (name, steps) in enumerate(found.survival):
        own = groups.group == k
        last = float(leaving[own].max())
        drawn.append(
            SurvivalGroup(
                name,
                steps.time,
                steps.estimate,
                steps.low,
                steps.high,
                steps.censored,
                last,
                outcome.entry[own],
                leaving[own],
                _model(found, own, last),
            )
        )
    alt = f"Kaplan-Meier curves of {', '.join(g.label for g in drawn)}."
    svg = draw_survival_curves(
        drawn, x_label=time_label, y_label="Without the event", key="survival",
        title="Time to the event by exposure", alt=alt, bands=len(drawn) < 4,
    )  # fmt: skip
    spans = ", ".join(
        f"{name} {format_number(float(low))} to {format_number(float(high))}"
        for name, low, high in zip(groups.names, groups.low, groups.high, strict=True)
        if high > 0
    )
    caption = (
        f"Steps: Kaplan and Meier by exposure ({spans}); ticks are members who left without an "
        "event; below, the numbers under observation.",
        Cell(" Groups", "computed", method="observed"),
    )
    return Figure("survival-figure", svg, "Time to the event by exposure", alt, caption)


def _model(found: ResponseAnalysis, own: NDArray[np.bool_], last: float) -> Floats:
    """Return the mean survival of members of a group by the model, (2, times)."""
    fit = found.fit
    if fit is None or not fit.usable or isinstance(found.outcome, Cox):
        return np.zeros((2, 0))
    times = np.linspace(0.0, last, _TIMES)
    x, covariates = found.exposure[own], fit.problem.covariates[own]
    kept = [
        1.0 - float(chances(fit.problem, fit.theta, x, covariates, float(t))[0].mean())
        for t in times
    ]
    return np.stack([times, np.array(kept)])
