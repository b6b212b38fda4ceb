"""The scale on which a channel is gated, chosen from the data and the declared range."""

from __future__ import annotations

import math
import re

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.fcs_layout import Channel
from statera.cytometry.scales import Linear, Log, Logicle, PlainArcsinh, Scale

__all__ = ["is_mass_channel", "marker_scale", "scatter_scale"]

Floats = NDArray[np.float64]

_METAL = re.compile(r"[A-Z][a-z]?\(?\d{2,3}\)?\)?D[id]|\(\d{2,3}:\d{2,3}\)D[id]|\d{2,3}Di\b")
_DECADES = 4.5
_MASS_COFACTOR = 5.0


def is_mass_channel(channel: Channel) -> bool:
    """Return whether the name is that of a metal isotope, such as ``Er167Di``: mass cytometry."""
    return bool(_METAL.search(channel.name.replace(" ", "")))


def marker_scale(values: Floats, channel: Channel) -> Scale:
    """Return a scale on which a stained and an unstained population both are compact.

    Mass cytometry gets asinh(x / 5). Fluorescence gets a logicle scale of 4.5 decades from the
    declared range, whose linear part is as wide as the values below zero reach (their 5 per cent
    point; Parks, Roederer and Moore, Cytometry A 2006, doi 10.1002/cyto.a.20258). A linear part
    that is too narrow would split the unstained cells in two.

    Parameters
    ----------
    values : (n,) float64
        Compensated linear values pooled over wells.
    channel
    """
    x = values[np.isfinite(values)]
    if is_mass_channel(channel):
        return PlainArcsinh(_MASS_COFACTOR)
    top = channel.range if channel.range > 1.0 else 0.0
    if channel.decades > 0.0:
        top = channel.offset * 10.0**channel.decades
    if x.size:
        # some files declare ranges that their values exceed, or do not approach
        top = max(top, float(np.quantile(x, 0.9999)))
    top = top if top > 1.0 else 262144.0
    below = x[x < 0]
    width = 0.25
    if below.size >= max(10, 0.001 * x.size):
        reach = max(-float(np.quantile(below, 0.05)), top * 10.0**-_DECADES)
        width = max(width, (_DECADES - math.log10(top / reach)) / 2.0)
    return Logicle(top, min(width, 0.45 * _DECADES), _DECADES)


def scatter_scale(channel: Channel) -> Scale:
    """Return a linear scale, or a logarithmic one where the amplifier was logarithmic."""
    if channel.decades > 0.0:
        return Log(channel.offset * 10.0**channel.decades, channel.decades)
    return Linear(channel.range if channel.range > 1.0 else 262144.0)
