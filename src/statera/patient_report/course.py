"""The course of concentrations: bands, samples and doses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from statera.patient_report.words import Clock
from statera.plot.forecast import ForecastBand, ForecastOptions, ForecastPoint, draw_forecast
from statera.report.document import Block, Callout, Figure, Section

__all__ = ["course_section"]

Data = Mapping[str, Any]

_DIRECT = {"Cmax": "peak", "Ctrough": "trough", "Cavg": "average"}
"""Targets that stand on the axis of concentrations."""


def course_section(result: Data) -> Section:
    """Return the figure with the bands, or the reason why there is none."""
    course = result["course"]
    if course is None:
        why = ("No dose is known, so that no course can be computed.",)
        return Section("course", "Course", (Callout("missing", "No course", why),))
    blocks: tuple[Block, ...] = (_figure(result, course),)
    return Section("course", "Course", blocks)


def _figure(result: Data, course: Data) -> Figure:
    times = course["time"]
    first, last = times[0], times[-1]
    clock = Clock(result["request"]["origin"])
    days = last - first > 72.0
    scale = 24.0 if days else 1.0
    bands = [
        ForecastBand(
            band["label"], _scaled(times, scale), _known(band["p5"]), _known(band["p50"]),
            _known(band["p95"]),
        )
        for band in course["bands"]
    ]  # fmt: skip
    points = [
        ForecastPoint(
            s["time"] / scale, s["value"], s["censored"], doubtful=bool(s.get("unlikely"))
        )
        for s in result["samples"]
        if s["analyte"] == course["output"] and first <= s["time"] <= last
    ]
    doses = [t / scale for t in _dose_times(result) if first <= t <= last]
    origin = "" if clock.origin is None else f" since {clock.say(0.0)}"
    options = ForecastOptions(
        x_label=f"Time ({'days' if days else 'h'}){origin}",
        y_label=f"{course['output']} ({course['unit'].replace('*', '·')})",
        now=result["time"] / scale,
        **_target(result),
    )
    title = "Course of concentrations"
    alt = _alt(course, len(points), len(doses))
    svg = draw_forecast(bands, points, doses, options, key="course", title=title, alt=alt)
    data = {"time (h)": times} | {
        f"{band['label']}, {name}": band[key]
        for band in course["bands"]
        for name, key in (("5 %", "p5"), ("median", "p50"), ("95 %", "p95"))
    }
    caption = (
        "What is expected of anybody (population), of a patient with these covariates (a priori), "
        "and of this patient after the samples (a posteriori). From the line on it is a forecast, "
        f"with doses {_later(result)}.",
    )
    return Figure("course", svg, title, alt, caption, data)


def _scaled(times: Sequence[float], scale: float) -> list[float]:
    return [t / scale for t in times]


def _known(values: Sequence[float | None]) -> list[float]:
    return [float("nan") if v is None else v for v in values]


def _dose_times(result: Data) -> list[float]:
    found = []
    for dose in (*result["doses"], *result["later"]["doses"]):
        if dose["taken"]:
            found += [dose["time"] + k * dose["interval"] for k in range(dose["additional"] + 1)]
    return found


def _target(result: Data) -> dict[str, Any]:
    for target in result["targets"]:
        if target["metric"] in _DIRECT:
            name = f"target of the {_DIRECT[target['metric']]}"
            return {"target": (target["low"], target["high"]), "target_label": name}
    return {}


def _later(result: Data) -> str:
    return {
        "advised": "as advised",
        "best candidate": "of the best candidate, which does not reach the target as asked",
        "as before": "as before",
    }.get(result["later"]["basis"], "as taken")


def _alt(course: Data, samples: int, doses: int) -> str:
    last = course["bands"][-1]
    top = max((v for v in last["p50"] if v is not None), default=0.0)
    return (
        f"{course['output']} over time with bands of {len(course['bands'])} states of knowledge, "
        f"{samples} samples and {doses} doses. The last median peaks at {top:.3g} "
        f"{course['unit']}."
    )
