"""Events as numbers: from bytes to raw values, and from raw values to those on their scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.fcs_layout import Channel, Layout
from statera.cytometry.repair import FcsError

__all__ = ["decode", "on_scale", "stored_layout"]

Floats = NDArray[np.float64]


def stored_layout(layout: Layout, length: int) -> tuple[tuple[int, ...], bool]:
    """Return bits of each channel as stored, and whether they had to be derived.

    Widths that are not whole bytes (such as 10 bits) are stored in wider words by some
    instruments: their width follows from the length of the data.
    """
    widths = tuple(channel.bits for channel in layout.channels)
    if all(bits % 8 == 0 for bits in widths) or layout.total in (None, 0):
        return widths, False
    assert layout.total is not None
    each, rest = divmod(length * 8, layout.total * len(widths))
    if rest == 0 and each in (8, 16, 32, 64) and each >= max(widths):
        return (each,) * len(widths), True
    return widths, False


def decode(
    data: memoryview, layout: Layout, widths: Sequence[int], wanted: Sequence[int], file: str
) -> Floats:
    """Return raw values of channels, (n_wanted, n_events) float64.

    Parameters
    ----------
    data
        Bytes of all events.
    widths
        Bits of each channel as stored.
    wanted
        Indices of channels.

    Raises
    ------
    FcsError
        If widths are not whole bytes.
    """
    if any(bits % 8 for bits in widths):
        raise FcsError(
            f"integers of {', '.join(str(b) for b in sorted(set(widths)))} bits do not fill "
            "whole bytes",
            file,
            hint="Export with 16 or 32 bits.",
        )
    sizes = [bits // 8 for bits in widths]
    row = sum(sizes)
    n = len(data) // row
    out = np.empty((len(wanted), n), dtype=np.float64)
    if n == 0:
        return out
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    raw = np.frombuffer(data, dtype=np.uint8, count=n * row).reshape(n, row)
    for i, index in enumerate(wanted):
        channel = layout.channels[index]
        start = int(offsets[index])
        out[i] = _column(raw, start, sizes[index], channel, little=layout.little_endian)
    return out


def _column(
    raw: NDArray[np.uint8], start: int, size: int, channel: Channel, *, little: bool
) -> NDArray[np.generic]:
    order = "<" if little else ">"
    if channel.kind != "integer":
        return _view(raw, start, f"{order}f{size}")
    if size in (1, 2, 4, 8):
        return _masked(_view(raw, start, f"{order}u{size}"), channel)
    # widths such as 24 bits have no type of their own
    value = np.zeros(raw.shape[0], dtype=np.uint64)
    for k in range(size):
        place = k if little else size - 1 - k
        value |= raw[:, start + k].astype(np.uint64) << np.uint64(8 * place)
    return _masked(value, channel)


def _view(raw: NDArray[np.uint8], start: int, kind: str) -> NDArray[np.generic]:
    """Return the numbers of a column, which need not lie at multiples of their size."""
    row = raw.shape[1]
    found: NDArray[np.generic] = np.ndarray(
        shape=(raw.shape[0],),
        dtype=np.dtype(kind),
        buffer=raw.data,
        offset=start,
        strides=(row,),
    )
    return found


def _masked(value: NDArray[np.generic], channel: Channel) -> NDArray[np.generic]:
    """Return integers without the bits above their range, which some instruments fill."""
    top = int(channel.range)
    if top < 2:
        return value
    mask = (1 << (top - 1).bit_length()) - 1
    if mask >= (1 << (8 * value.dtype.itemsize)) - 1:
        return value
    integers: NDArray[np.uint64] = value.astype(np.uint64)
    return integers & np.uint64(mask)


def on_scale(values: Floats, channels: Sequence[Channel], time_step: float) -> Floats:
    """Return values on their scale, in place: (n_channels, n_events).

    Integers with logarithmic amplification become ``10^(decades value / range) offset``, other
    channels are divided by their gain, and time is in seconds.
    """
    for i, channel in enumerate(channels):
        if channel.is_time:
            if time_step != 1.0:
                values[i] *= time_step
        elif channel.decades > 0.0 and channel.range > 0.0:
            values[i] = channel.offset * 10.0 ** (values[i] * (channel.decades / channel.range))
        elif channel.gain != 1.0:
            values[i] /= channel.gain
    return values
