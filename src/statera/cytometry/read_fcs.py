"""Read FCS files: tolerant of the slips that instruments make, and never guessing in silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.describe_fcs import channel_index, find_data_set, mapped
from statera.cytometry.fcs_events import decode, on_scale, stored_layout
from statera.cytometry.fcs_layout import Channel, Layout, read_layout
from statera.cytometry.fcs_span import find_span
from statera.cytometry.repair import Defect, FcsError, Repair
from statera.manifest import content_hash

__all__ = ["FcsFile", "read_fcs"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FcsFile:
    """One data set of a file.

    Attributes
    ----------
    path
    version
        Such as ``FCS3.1``.
    keywords
        All of TEXT and its supplement, names in upper case.
    channels
        Those that were read.
    events : (n_channels, n_events) float64
        A row is a channel: statistics and gates take channels, not events.
    repairs
        What was not as the standard asks.
    dataset, datasets
        Which of how many, from 1.
    """

    path: Path
    version: str
    keywords: Mapping[str, str]
    channels: tuple[Channel, ...]
    events: Floats
    repairs: tuple[Repair, ...]
    dataset: int = 1
    datasets: int = 1

    @property
    def n_events(self) -> int:
        """Number of events."""
        return int(self.events.shape[1])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels read (``$PnN``)."""
        return tuple(channel.name for channel in self.channels)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the whole file."""
        return content_hash(self.path.read_bytes())

    def channel(self, name: str) -> Floats:
        """Return the values of a channel by its name or label, (n_events,).

        Raises
        ------
        UnknownNameError
            If no channel is called so.
        """
        values: Floats = self.events[self.index(name)]
        return values

    def index(self, name: str) -> int:
        """Return the row of a channel by its name, or by its label where that is unique."""
        return channel_index(self.channels, name, str(self.path))


def read_fcs(
    path: str | Path,
    channels: Sequence[str] | None = None,
    *,
    dataset: int | None = None,
    raw: bool = False,
) -> FcsFile:
    """Read a file, or some of its channels.

    Parameters
    ----------
    path
        The file.
    channels
        Names (``$PnN``) or labels (``$PnS``), each channel once; all by default.
    dataset
        Which of several data sets, from 1. A file with several needs a choice.
    raw
        True leaves integers as they were stored.

    Raises
    ------
    FcsError
        If the file cannot be read without guessing.
    UnknownNameError
        If a channel is not there.
    """
    source = Path(path)
    with mapped(source) as content:
        return _read(content, source, channels, dataset, raw=raw)


def _read(
    content: memoryview,
    path: Path,
    wanted: Sequence[str] | None,
    dataset: int | None,
    *,
    raw: bool,
) -> FcsFile:
    file = str(path)
    chosen_set = find_data_set(content, file, dataset)
    header, text = chosen_set.header, chosen_set.text
    layout = read_layout(text.keywords, file)
    first, length, repairs = find_span(
        header, text.end, text.keywords, layout.total, layout.row_bits / 8, len(content), file
    )
    widths, derived = stored_layout(layout, length)
    found = [*text.repairs, *layout.repairs, *repairs]
    if derived:
        bits = sorted({channel.bits for channel in layout.channels})
        said = (
            f"widths of {', '.join(map(str, bits))} bits are stored as {widths[0]}, as the length "
            "of the data tells"
        )
        found.append(Repair(Defect.ODD_WIDTH, said))
    _check_length(layout, widths, length, first, file)
    rows = _rows(layout, wanted, file)
    data = content[first : first + length]
    try:
        events = decode(data, layout, widths, rows, file)
    finally:
        data.release()
    chosen = tuple(layout.channels[i] for i in rows)
    if not raw:
        on_scale(events, chosen, layout.time_step)
    found += _not_finite(events, chosen)
    return FcsFile(
        path,
        header.version,
        text.keywords,
        chosen,
        events,
        tuple(found),
        chosen_set.number,
        chosen_set.count,
    )


def _check_length(
    layout: Layout, widths: Sequence[int], length: int, first: int, file: str
) -> None:
    if layout.total is not None and layout.total * sum(widths) != length * 8:
        raise FcsError(
            f"{layout.total} events of {sum(widths)} bits do not make {length} bytes",
            file,
            byte=first,
            hint="The number of events or their width is wrong: export the file again.",
        )


def _rows(layout: Layout, wanted: Sequence[str] | None, file: str) -> list[int]:
    if wanted is None:
        return list(range(len(layout.channels)))
    rows = [channel_index(layout.channels, name, file) for name in wanted]
    return list(dict.fromkeys(rows))  # a name and a label may mean the same channel


def _not_finite(events: Floats, channels: Sequence[Channel]) -> list[Repair]:
    found = []
    for values, channel in zip(events, channels, strict=True):
        bad = int(values.size - np.isfinite(values).sum())
        if bad:
            said = f"{bad} values of {channel.name} are not finite and fall in no gate"
            found.append(Repair(Defect.NOT_FINITE, said, doubtful=True))
    return found
