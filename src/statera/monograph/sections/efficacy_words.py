"""Endpoints, times and arms of trials in words."""

from __future__ import annotations

import re

__all__ = ["arm_text", "endpoint_text", "signed", "time_text"]

_LONG = {
    "bari": "baricitinib",
    "JAKi": "JAK inhibitors",
    "MTX": "methotrexate",
    "PBO": "placebo",
    "RDV": "remdesivir",
    "TCS": "topical steroid",
    "UC": "usual care",
    "vs": "against",
    "mono": "alone",
    "Q2W": "every 2 weeks",
}
_SHORT = re.compile(rf"\b({'|'.join(_LONG)})\b")


def endpoint_text(endpoint: str) -> str:
    """Return an endpoint with its signs set as in print, without a time of its own."""
    text = re.sub(r"^\d+-d ", "", endpoint).replace("all wk16 endpoints", "all endpoints")
    text = (
        text.replace("<=", " ≤ ")
        .replace(" >=", " ≥ ")
        .replace(">=", " ≥ ")
        .replace(" vs ", " against ")
    )
    return re.sub(r"(?<=\S)<(?=\d)", " < ", text)


def time_text(timepoint: str) -> str:
    """Return a time such as ``wk12`` in words."""
    span = re.fullmatch(r"wk(\d+)-(\d+)", timepoint)
    if span:
        return f"weeks {span.group(1)} to {span.group(2)}"
    week = re.fullmatch(r"wk(\d+)(.*)|(\d+) wk()", timepoint)
    if week:
        tail = (week.group(2) or "").strip()
        number = week.group(1) or week.group(3)
        return f"week {number}{' (open-label lead-in)' if tail == 'OLLI' else ''}"
    days = re.fullmatch(r"(\d+) d", timepoint)
    if days:
        return f"day {days.group(1)}"
    return "double-blind period" if timepoint == "DBW" else timepoint


def signed(value: float, decimals: int = 1) -> str:
    """Return a number with a true minus sign."""
    return f"{value:.{decimals}f}".replace("-", "−")


def arm_text(arm: str) -> str:
    """Return an arm's name without abbreviations and with its signs set as in print."""
    text = arm.replace("->", " to ").replace("+", " + ").replace("  ", " ")
    return _SHORT.sub(lambda found: _LONG[found.group(0)], text)
