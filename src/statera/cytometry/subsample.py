"""Some events of a file, for what does not need all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from statera.cytometry.read_fcs import FcsFile
from statera.errors import UsageError
from statera.numerics.streams import stream

__all__ = ["subsample"]


def subsample(file: FcsFile, n: int, seed: int | None = None) -> FcsFile:
    """Return a file with some of its events, in their order.

    The events are copied, so that those left out need no memory once the file is let go.

    Parameters
    ----------
    file
        Returned as it is if it holds no more events than asked for. Its keywords go on saying
        how many there were (``$TOT``).
    n
        Events to take.
    seed
        Of a random choice without replacement: the same for the same seed and number of events,
        whatever the file. None takes events at even steps, which follows the run of the sample
        through the instrument.

    Raises
    ------
    UsageError
        If n is below 1.
    """
    if n < 1:
        raise UsageError(f"{n} events cannot be taken", where="n", hint="Ask for 1 or more.")
    total = file.n_events
    if n >= total:
        return file
    if seed is None:
        chosen = (2 * np.arange(n) + 1) * total // (2 * n)  # the middle of each of n equal parts
    else:
        chosen = np.sort(stream(seed, "events").choice(total, n, replace=False, shuffle=False))
    return replace(file, events=np.take(file.events, chosen, axis=1))
