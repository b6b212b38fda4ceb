"""Read FCS files: tolerant of the slips that instruments make, and never guessing in silence."""

from __future__ import annotations

import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.fcs_events import decode, on_scale, stored_layout
from statera.cytometry.fcs_layout import Channel, Layout, read_layout
from statera.cytometry.fcs_span import find_span
from statera.cytometry.fcs_text import Header, Text, read_header, read_text_segment
from statera.cytometry.repair import Defect, FcsError, Repair
from statera.errors import InputError, Place, UnknownNameError
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
        return _index(self.channels, name, str(self.path))


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
        Names (``$PnN``) or labels (``$PnS``); all by default.
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
    file = str(path)
    try:
        with source.open("rb") as stream:
            size = source.stat().st_size
            if size == 0:
                raise FcsError("the file is empty", file, hint="Copy it again.")
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
                view = memoryview(content)
                try:
                    return _read(view, source, channels, dataset, raw=raw)
                finally:
                    view.release()
    except OSError as error:
        raise InputError(
            f"cannot read the file: {error.strerror or error}",
            where=Place(file),
            hint="Check the path and that you may read it.",
        ) from error


def _read(
    content: memoryview,
    path: Path,
    wanted: Sequence[str] | None,
    dataset: int | None,
    *,
    raw: bool,
) -> FcsFile:
    file = str(path)
    sets = _data_sets(content, file)
    if dataset is None and len(sets) > 1:
        listed = ", ".join(
            f"{i}: {text.keywords.get('$TOT', '?')} events of {text.keywords.get('$PAR', '?')}"
            f" channels ({header.version})"
            for i, (header, text) in enumerate(sets, start=1)
        )
        raise FcsError(
            f"the file holds {len(sets)} data sets: {listed}",
            file,
            hint="Say which one by dataset=1.",
        )
    number = 1 if dataset is None else dataset
    if not 1 <= number <= len(sets):
        raise FcsError(
            f"there is no data set {number}: the file holds {len(sets)}",
            file,
            hint=f"Choose 1 to {len(sets)}.",
        )
    header, text = sets[number - 1]
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
        path, header.version, text.keywords, chosen, events, tuple(found), number, len(sets)
    )


def _data_sets(content: memoryview, file: str) -> list[tuple[Header, Text]]:
    """Return all data sets of a file, following ``$NEXTDATA``."""
    found: list[tuple[Header, Text]] = []
    base = 0
    while True:
        header = read_header(content, file, base)
        text = read_text_segment(content, header, file)
        found.append((header, text))
        following = text.keywords.get("$NEXTDATA", "0").strip()
        step = int(following) if following.isdigit() else 0
        if step == 0 or base + step + 58 > len(content):
            return found
        if bytes(content[base + step : base + step + 3]) != b"FCS":
            return found  # some programs leave a number that leads nowhere
        base += step


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
    return [_index(layout.channels, name, file) for name in wanted]


def _index(channels: Sequence[Channel], name: str, file: str) -> int:
    for i, channel in enumerate(channels):
        if channel.name == name:
            return i
    labelled = [i for i, channel in enumerate(channels) if channel.label == name]
    if len(labelled) == 1:
        return labelled[0]
    known = [*(c.name for c in channels), *(c.label for c in channels if c.label)]
    raise UnknownNameError("channel", name, known, where=Place(file))


def _not_finite(events: Floats, channels: Sequence[Channel]) -> list[Repair]:
    found = []
    for values, channel in zip(events, channels, strict=True):
        bad = int(values.size - np.isfinite(values).sum())
        if bad:
            said = f"{bad} values of {channel.name} are not finite and fall in no gate"
            found.append(Repair(Defect.NOT_FINITE, said, doubtful=True))
    return found
