"""What ``statera simulate`` asks of windows: their ends, percentiles, thresholds, inhibition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from statera.errors import UsageError

__all__ = ["WindowOptions", "read_window_options"]

_PERCENTILES = (5.0, 50.0, 95.0)


@dataclass(frozen=True)
class WindowOptions:
    """What is asked of windows, as `statera.simulate.simulate` takes it.

    Attributes
    ----------
    levels
        Percentiles of all that is printed.
    windows
        h; None for the first and the last dosing interval.
    """

    levels: tuple[float, ...] = _PERCENTILES
    windows: list[tuple[float, float]] | None = None
    thresholds: dict[str, list[float]] = field(default_factory=dict)
    inhibition: dict[str, list[tuple[float, float]]] = field(default_factory=dict)


def read_window_options(
    percentiles: str | None,
    window: Sequence[str] | None,
    above: Sequence[str] | None,
    inhibition: Sequence[str] | None,
) -> WindowOptions:
    """Read the texts of the options.

    Raises
    ------
    UsageError
        If one cannot be read; the option is named.
    """
    levels: tuple[float, ...] = _PERCENTILES
    if percentiles is not None:
        levels = tuple(dict.fromkeys(_numbers(percentiles, "--percentiles", "5,50,95")))
        if not all(0.0 <= level <= 100.0 for level in levels):
            raise UsageError("percentiles lie between 0 and 100", where="--percentiles")
    windows = [_pair(text, "--window", "0,24") for text in window or ()]
    thresholds: dict[str, list[float]] = {}
    for text in above or ():
        name, values = _named(text, "--above", "CP=20")
        thresholds.setdefault(name, []).extend(values)
    inhibited: dict[str, list[tuple[float, float]]] = {}
    for text in inhibition or ():
        name, values = _named(text, "--inhibition", "CP=4.2,1")
        ic50, *hill = values
        if len(hill) > 1:
            raise _wrong(text, "--inhibition", "CP=4.2,1")
        inhibited.setdefault(name, []).append((ic50, hill[0] if hill else 1.0))
    return WindowOptions(levels, windows or None, thresholds, inhibited)


def _wrong(text: str, option: str, example: str) -> UsageError:
    return UsageError(
        f"'{text}' cannot be read", where=option, hint=f"Write it like {option} {example}."
    )


def _numbers(text: str, option: str, example: str) -> list[float]:
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = [math.nan]
    if not all(math.isfinite(x) for x in found):
        raise _wrong(text, option, example)
    return found


def _pair(text: str, option: str, example: str) -> tuple[float, float]:
    found = _numbers(text, option, example)
    if len(found) != 2:
        raise _wrong(text, option, example)
    return found[0], found[1]


def _named(text: str, option: str, example: str) -> tuple[str, list[float]]:
    name, sign, rest = (part.strip() for part in text.partition("="))
    if not (name and sign):
        raise _wrong(text, option, example)
    return name, _numbers(rest, option, example)
