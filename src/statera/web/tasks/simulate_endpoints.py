"""Endpoints of several arms side by side, and the distribution of one of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.errors import UnknownNameError
from statera.simulate import ENDPOINTS, SimulationResult
from statera.simulate.summaries import describe
from statera.web.requests.simulate import Distribution

__all__ = ["Endpoints", "distribution", "endpoint_rows"]

Floats = NDArray[np.float64]

_GROWING = ("AUC", "time above")
_OF_READOUTS = ("mean inhibition", "time above IC50")
_FEWEST_BINS, _MOST_BINS = 12, 40


@dataclass(frozen=True)
class Endpoints:
    """The endpoints of one arm.

    Attributes
    ----------
    readout
        Name of the mean inhibition that was asked for; empty where none was.
    ic50
        Of the readout: the time above it is that with at least half inhibited.
    """

    name: str
    result: SimulationResult
    readout: str = ""
    ic50: float | None = None


@dataclass(frozen=True)
class _Column:
    """One endpoint of one window of one arm, of the solved subjects."""

    window: tuple[float, float]
    unit: str
    values: Floats


_Key = tuple[str, str, str]


def endpoint_rows(
    arms: Sequence[Endpoints], levels: Sequence[float], *, custom: bool
) -> list[dict[str, Any]]:
    """Return a row for each output, window and endpoint, with every arm that has it.

    Ratios are those of the geometric means to the first arm, where both have one in one unit; of
    what grows with its window, such as AUC, only where both windows are equally long.
    """
    columns = [_columns(arm, custom) for arm in arms]
    rows = []
    for key in dict.fromkeys(k for found in columns for k in found):
        output, window, endpoint = key
        entries: list[dict[str, Any] | None] = []
        for found in columns:
            column = found.get(key)
            entries.append(None if column is None else _entry(column, endpoint, levels))
        first = entries[0]
        for entry in entries:
            if entry is not None:
                entry["ratio"] = _ratio(endpoint, entry, first)
        rows.append({"output": output, "window": window, "endpoint": endpoint, "arms": entries})
    return rows


def _entry(column: _Column, endpoint: str, levels: Sequence[float]) -> dict[str, Any]:
    return {
        "window_h": list(column.window),
        "unit": column.unit,
        **describe(endpoint, column.values, levels),
    }


def _ratio(endpoint: str, entry: dict[str, Any], first: dict[str, Any] | None) -> float | None:
    if first is None or entry["unit"] != first["unit"]:
        return None
    (start, end), (low, high) = entry["window_h"], first["window_h"]
    if endpoint.startswith(_GROWING) and not math.isclose(end - start, high - low):
        return None
    over, under = entry.get("geometric_mean"), first.get("geometric_mean")
    return over / under if over and under else None


def _columns(arm: Endpoints, custom: bool) -> dict[_Key, _Column]:
    result = arm.result
    solved = result.statuses == 0
    found: dict[_Key, _Column] = {}
    for output, values in result.window_values.items():
        for k, (start, end) in enumerate(result.windows):
            span = (float(start), float(end))
            window = _window_name(k, len(result.windows), custom)
            for e, name in enumerate(ENDPOINTS):
                unit = result.unit_of(name, output)
                found[output, window, name] = _Column(span, unit, values[solved, k, e])
            for name, asked in result.extra_values.get(output, {}).items():
                column = asked[solved, k]
                if name.startswith("mean inhibition"):
                    label = f"mean inhibition, {arm.readout}"
                    found[output, window, label] = _Column(span, "%", 100.0 * column)
                elif arm.ic50 is not None and name == f"time above {arm.ic50:.12g}":
                    label = f"time above IC50, {arm.readout}"
                    found[output, window, label] = _Column(span, "h", column)
                else:
                    found[output, window, name] = _Column(span, "h", column)
    return found


def _window_name(index: int, count: int, custom: bool) -> str:
    if custom:
        return f"window {index + 1}"
    return "last interval" if index == count - 1 else "first interval"


def distribution(
    arms: Sequence[Endpoints], asked: Distribution, *, custom: bool
) -> dict[str, Any] | None:
    """Return how one endpoint is distributed in each arm, in bins that all arms share.

    None where no arm has it.

    Raises
    ------
    UnknownNameError
        If no arm has such an output or endpoint.
    """
    known = dict.fromkeys(o for arm in arms for o in arm.result.window_values)
    if asked.output and asked.output not in known:
        raise UnknownNameError("output", asked.output, known, where="distribution.output")
    chosen: list[_Column | None] = []
    endpoints: dict[str, None] = {}
    for arm in arms:
        columns = _columns(arm, custom)
        endpoints |= dict.fromkeys(name for _, _, name in columns)
        output = asked.output or next(iter(arm.result.window_values))
        place = min(asked.window, len(arm.result.windows) - 1)
        window = _window_name(place % len(arm.result.windows), len(arm.result.windows), custom)
        chosen.append(
            columns.get((output, window, asked.endpoint)) or _of_readout(columns, asked, window)
        )
    present = [c for c in chosen if c is not None]
    if not present:
        if asked.endpoint.startswith(("time above", "mean inhibition")):
            return None  # no longer asked for
        raise UnknownNameError("endpoint", asked.endpoint, endpoints, where="distribution.endpoint")
    edges = _edges(np.concatenate([c.values for c in present]))
    return {
        "endpoint": asked.endpoint,
        "unit": present[0].unit,
        "edges": edges,
        "arms": [
            None
            if column is None
            else {
                "name": arm.name,
                "window_h": list(column.window),
                "share": np.histogram(column.values, edges)[0] / column.values.size,
            }
            for arm, column in zip(arms, chosen, strict=True)
        ],
    }


def _of_readout(columns: dict[_Key, _Column], asked: Distribution, window: str) -> _Column | None:
    """Return what an arm has of a readout that has another name or output."""
    kind = next((k for k in _OF_READOUTS if asked.endpoint.startswith(k)), None)
    for (_, where, name), column in columns.items():
        if kind is not None and where == window and name.startswith(kind):
            return column
    return None


def _edges(values: Floats) -> Floats:
    """Return bins by the rule of Freedman and Diaconis (1981), neither few nor many."""
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        half = 0.5 * abs(high) or 0.5
        return np.array([low - half, high + half])
    quarter, three = np.percentile(values, (25, 75))
    width = 2.0 * (three - quarter) / values.size ** (1.0 / 3.0)
    count = _MOST_BINS if width <= 0.0 else min((high - low) / width, _MOST_BINS)
    return np.linspace(low, high, max(int(np.ceil(count)), _FEWEST_BINS) + 1)
