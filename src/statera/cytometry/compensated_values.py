"""Linear values of one channel with spillover taken out, for all events or some."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.compensation import Spillover
from statera.cytometry.read_fcs import FcsFile

__all__ = ["compensated_values"]

Floats = NDArray[np.float64]


def compensated_values(
    file: FcsFile, channel: str, spillover: Spillover, events: NDArray[np.int64] | None = None
) -> Floats:
    """Return linear values of one channel or dye with spillover taken out.

    Parameters
    ----------
    file
        As read, with all detectors of the matrix.
    channel
        Its values as they are where the matrix leaves it alone, such as scatter and time.
    spillover
    events : (n,) int64
        Which events, by their numbers from 0; all by default.

    Returns
    -------
    (n_events,) or (n,) float64

    Raises
    ------
    UnknownNameError
        If the channel or a detector is not there.
    """
    row = spillover.row_of(channel, file)
    if row is None:
        plain = file.channel(channel)
        return plain if events is None else plain[events]
    from statera.cytometry.unmix_kernel import unmix_all, unmix_some  # noqa: PLC0415 - compiles

    measured = np.ascontiguousarray(file.events)
    rows = np.array(spillover.rows(file), dtype=np.int64)
    factors = spillover.unmixing[row]
    if events is None:
        found = np.empty(file.n_events)
        unmix_all(measured, rows, factors, found)
    else:
        found = np.empty(events.size)
        unmix_some(measured, rows, factors, events, found)
    return found
