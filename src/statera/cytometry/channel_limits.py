"""The least and the greatest value that a channel can record, by what the file declares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.fcs_layout import Channel

__all__ = ["at_limit", "channel_limits"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def channel_limits(channel: Channel) -> tuple[float, float]:
    """Return the floor and the top of a channel, on the scale of the events.

    The top is R - 1 of ``$PnR``: the highest integer, and where instruments that store floats cut
    signals off as well. Only channels of integers have a floor: the value that 0 stands for;
    floats may go below zero and have none, which is minus infinity. The observed extremes are
    never taken for limits, as they would always cost an event on either side.

    Returns
    -------
    tuple
        ``(-inf, inf)`` where the file declares no range, and for time.
    """
    if channel.is_time or not channel.range > 1.0:
        return -np.inf, np.inf
    if channel.kind != "integer":
        return -np.inf, (channel.range - 1.0) / channel.gain
    top = channel.range - 1.0
    if channel.decades > 0.0:
        step = channel.decades / channel.range
        return channel.offset, float(channel.offset * 10.0 ** (top * step))
    return 0.0, top / channel.gain


def at_limit(values: Floats, channel: Channel) -> tuple[Mask, Mask]:
    """Return which values lie at or below the floor, and which at or above the top.

    Parameters
    ----------
    values : (n_events,) float64
        As read, not compensated.

    Returns
    -------
    tuple of (n_events,) bool
        Stored single-precision floats count as the limit from a relative 1e-6 below it.
    """
    floor, top = channel_limits(channel)
    below = values <= floor + abs(floor) * 1e-9 if floor > -np.inf else np.zeros(values.size, bool)
    slack = 1e-6 * abs(top) if channel.kind != "integer" else 1e-9 * abs(top)
    above = values >= top - slack if top < np.inf else np.zeros(values.size, bool)
    return below, above
