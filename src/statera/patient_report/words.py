"""Numbers, doses and times as they are said on a patient's page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from statera.report.document import Cell
from statera.report.tabulate import format_number

__all__ = ["Clock", "computed", "dose_text", "percent", "range_text", "with_unit"]

Data = Mapping[str, Any]

METRICS = {
    "AUC24": "AUC over 24 h",
    "Cavg": "average concentration",
    "Ctrough": "trough",
    "Cmax": "peak",
    "time_above": "time above the threshold",
    "average_inhibition": "average inhibition",
}


class Clock:
    """Times of a request as dates, or as hours where it was written in hours.

    Parameters
    ----------
    origin
        What hour 0 is, ISO 8601; None where nothing is known.
    """

    def __init__(self, origin: str | None) -> None:
        self.origin = None if origin is None else datetime.fromisoformat(origin)

    def say(self, hours: float | None) -> str:
        """Return a time in words."""
        if hours is None:
            return "not said"
        if self.origin is None:
            return f"{hours:g} h"
        return (self.origin + timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M")


def computed(value: float | None, method: str, unit: str = "", text: str = "") -> Cell:
    """Return a computed number that links to its method; ``not known`` where there is none."""
    if value is None:
        return Cell("not known", "missing")
    shown = text or with_unit(format_number(value), unit)
    return Cell(shown, "computed", method=method, value=value, unit=unit)


def with_unit(text: str, unit: str) -> str:
    """Return a number with its unit, in the signs of print."""
    return f"{text} {unit.replace('*', '·')}".rstrip()


def percent(value: float) -> str:
    """Return a probability in percent; ends are said as bounds, not as certainty."""
    if value > 0.995:
        return "over 99 %"
    if value < 0.005:
        return "under 1 %"
    return f"{100 * value:.0f} %"


def range_text(low: float | None, high: float | None, unit: str) -> str:
    """Return a range with open ends."""
    if low is None and high is None:
        return "any"
    if low is None:
        return with_unit(f"at most {high:g}", unit)
    if high is None:
        return with_unit(f"at least {low:g}", unit)
    return with_unit(f"{low:g} to {high:g}", unit)


def dose_text(amount: float, interval: float, pieces: list[Data] | None = None) -> str:
    """Return a dose such as ``4 mg every 24 h (1 x 4 mg)``."""
    every = {24.0: "once daily", 12.0: "twice daily"}.get(interval, f"every {interval:g} h")
    text = f"{amount:g} mg {every}"
    if not pieces:
        return text
    parts = []
    for piece in pieces:
        of = {1: "", 2: "half of "}.get(piece["parts"], f"1/{piece['parts']} of ")
        parts.append(f"{piece['count']} × {of}{piece['strength']:g} mg")
    return f"{text} ({' + '.join(parts)})"
