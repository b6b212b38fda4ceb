"""Spillover taken out of one channel, for all events or some."""

from __future__ import annotations

from statera.numerics.compiled import compiled

__all__ = ["unmix_all", "unmix_some"]

_BLOCK = 1024


@compiled
def unmix_all(events, rows, factors, out):
    """Fill in the sum of factors times channels.

    Parameters
    ----------
    events : (n_channels, n_events) float64
    rows : (n_detectors,) int64
        Of the detectors among the channels.
    factors : (n_detectors,) float64
    out : (n_events,) float64
    """
    n = out.shape[0]
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        out[start:stop] = 0.0
        for d in range(rows.shape[0]):
            factor, row = factors[d], rows[d]
            for i in range(start, stop):
                out[i] += factor * events[row, i]


@compiled
def unmix_some(events, rows, factors, chosen, out):
    """Fill in the same for the events that `chosen`, (n,) int64, counts."""
    n = out.shape[0]
    for start in range(0, n, _BLOCK):
        stop = min(start + _BLOCK, n)
        out[start:stop] = 0.0
        for d in range(rows.shape[0]):
            factor, row = factors[d], rows[d]
            for i in range(start, stop):
                out[i] += factor * events[row, chosen[i]]
