"""What a file says of itself, without its events: keywords and channels."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from statera.cytometry.fcs_layout import Channel, read_layout
from statera.cytometry.fcs_text import Header, Text, read_header, read_text_segment
from statera.cytometry.repair import FcsError
from statera.cytometry.whole_number import whole_number
from statera.errors import InputError, Place, UnknownNameError

__all__ = ["DataSet", "FcsDescription", "channel_index", "describe_fcs", "find_data_set", "mapped"]


@dataclass(frozen=True)
class FcsDescription:
    """One data set of a file, without its events.

    Attributes
    ----------
    path
    version
        Such as ``FCS3.1``.
    keywords
        All of TEXT and its supplement, names in upper case.
    channels
        All of them.
    n_events
        As the file says; None where it does not.
    """

    path: Path
    version: str
    keywords: Mapping[str, str]
    channels: tuple[Channel, ...]
    n_events: int | None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels (``$PnN``)."""
        return tuple(channel.name for channel in self.channels)

    def index(self, name: str) -> int:
        """Return the place of a channel by its name, or by its label where that is unique.

        Raises
        ------
        UnknownNameError
            If no channel is called so.
        """
        return channel_index(self.channels, name, str(self.path))


@dataclass(frozen=True)
class DataSet:
    """HEADER and TEXT of one data set, and which of how many it is, from 1."""

    header: Header
    text: Text
    number: int
    count: int


def describe_fcs(path: str | Path, *, dataset: int | None = None) -> FcsDescription:
    """Return what a file says of itself.

    Parameters
    ----------
    path
    dataset
        Which of several data sets, from 1. A file with several needs a choice.

    Raises
    ------
    FcsError
        If the file cannot be read without guessing.
    """
    with mapped(Path(path)) as content:
        found = find_data_set(content, str(path), dataset)
    layout = read_layout(found.text.keywords, str(path))
    return FcsDescription(
        Path(path), found.header.version, found.text.keywords, layout.channels, layout.total
    )


@contextmanager
def mapped(path: Path) -> Iterator[memoryview]:
    """Give the bytes of a file, mapped into memory.

    Raises
    ------
    InputError
        If the file is empty or cannot be read.
    """
    try:
        with path.open("rb") as stream:
            if path.stat().st_size == 0:
                raise FcsError("the file is empty", str(path), hint="Copy it again.")
            content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            view = memoryview(content)
            try:
                yield view
            finally:
                # where an error left arrays behind that look at the bytes, these go with them
                with suppress(BufferError):
                    view.release()
                    content.close()
    except OSError as error:
        raise InputError(
            f"cannot read the file: {error.strerror or error}",
            where=Place(str(path)),
            hint="Check the path and that you may read it.",
        ) from error


def find_data_set(content: memoryview, file: str, dataset: int | None) -> DataSet:
    """Return the data set that was chosen, from 1, or the only one.

    Raises
    ------
    FcsError
        If there are several and none was chosen, or fewer.
    """
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
    return DataSet(*sets[number - 1], number, len(sets))


def _data_sets(content: memoryview, file: str) -> list[tuple[Header, Text]]:
    """Return all data sets of a file, following ``$NEXTDATA``."""
    found: list[tuple[Header, Text]] = []
    base = 0
    while True:
        header = read_header(content, file, base)
        text = read_text_segment(content, header, file)
        found.append((header, text))
        step = whole_number(text.keywords.get("$NEXTDATA", "0")) or 0
        if step == 0 or base + step + 58 > len(content):
            return found
        if bytes(content[base + step : base + step + 3]) != b"FCS":
            return found  # some programs leave a number that leads nowhere
        base += step


def channel_index(channels: Sequence[Channel], name: str, file: str) -> int:
    """Return the place of a channel by its name, or by its label where that is unique.

    Raises
    ------
    UnknownNameError
        If no channel is called so.
    """
    for i, channel in enumerate(channels):
        if channel.name == name:
            return i
    labelled = [i for i, channel in enumerate(channels) if channel.label == name]
    if len(labelled) == 1:
        return labelled[0]
    known = [*(c.name for c in channels), *(c.label for c in channels if c.label)]
    raise UnknownNameError("channel", name, known, where=Place(file))
