"""Which channels of a file gates and statistics need, and a reader that loads no others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from statera.cytometry.describe_fcs import FcsDescription, describe_fcs
from statera.cytometry.gates import BooleanGate, Dimension, Ratio
from statera.cytometry.read_fcs import FcsFile, read_fcs
from statera.cytometry.strategy import GatingStrategy, named_spillover

__all__ = ["needed_channels", "read_needed"]


def needed_channels(
    strategy: GatingStrategy,
    file: FcsDescription | FcsFile,
    extra: Sequence[str | Dimension] = (),
) -> tuple[str, ...]:
    """Return the channels that gates look at, and all detectors where these are compensated.

    Parameters
    ----------
    strategy
    file
        Whose own spillover matrix and labels count; its events are not looked at.
    extra
        What statistics need besides: names or labels of channels to be taken as they are, and
        dimensions, which name their compensation.

    Returns
    -------
    tuple
        Names (``$PnN``) in the order of the file.

    Raises
    ------
    UnknownNameError
        If a channel or matrix is not there.
    """
    dimensions = {Dimension(e) if isinstance(e, str) else e for e in extra}
    for gate in strategy.gates:
        if not isinstance(gate, BooleanGate):
            dimensions |= set(gate.dimensions)
    names = set()
    for compensation in {d.compensation for d in dimensions}:
        spillover = named_spillover(strategy, compensation, file)
        for channel in {c for d in dimensions if d.compensation == compensation for c in _of(d)}:
            if spillover is not None and spillover.row_of(channel, file) is not None:
                names |= set(spillover.detectors)
            else:
                names.add(channel)
    rows = sorted({file.index(name) for name in names})
    return tuple(file.names[row] for row in rows)


def _of(dimension: Dimension) -> tuple[str, ...]:
    channel = dimension.channel
    return (channel.numerator, channel.denominator) if isinstance(channel, Ratio) else (channel,)


def read_needed(
    path: str | Path,
    strategy: GatingStrategy,
    extra: Sequence[str | Dimension] = (),
    *,
    dataset: int | None = None,
) -> FcsFile:
    """Read the channels of a file that gates and statistics need.

    Parameters
    ----------
    path
    strategy, extra
        See `needed_channels`.
    dataset
        See `read_fcs`.

    Raises
    ------
    FcsError
        If the file cannot be read without guessing.
    UnknownNameError
        If a channel or matrix is not there.
    """
    described = describe_fcs(path, dataset=dataset)
    return read_fcs(path, needed_channels(strategy, described, extra), dataset=dataset)
