"""How events are stored: channels with their widths, byte order and scales.

Source: FCS 3.2 (Spidlen and others, Cytometry A 2021), sections 3.2.18 to 3.2.20 and 3.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from statera.cytometry.repair import Defect, FcsError, Repair
from statera.cytometry.whole_number import whole_number

__all__ = ["Channel", "Layout", "read_layout"]

_MOST_PARAMETERS = 10_000
_TYPES = {"F": "float", "D": "double", "I": "integer"}
_WIDTHS = {"float": 32, "double": 64}


@dataclass(frozen=True)
class Channel:
    """One parameter of the events.

    Attributes
    ----------
    number
        From 1, as in ``$P1N``.
    name, label
        ``$PnN``, made unique, and ``$PnS``.
    kind
        ``integer``, ``float`` or ``double``.
    bits
        Width as stored.
    range
        ``$PnR``: values of integers are below it.
    decades, offset
        ``$PnE``: logarithmic amplification, 0 decades where linear.
    gain
        ``$PnG``; 1 where not given.
    """

    number: int
    name: str
    label: str
    kind: str
    bits: int
    range: float
    decades: float = 0.0
    offset: float = 0.0
    gain: float = 1.0

    @property
    def is_time(self) -> bool:
        """True for the time of the event."""
        return self.name.strip().lower() in ("time", "hdr-t", "timestamp")


@dataclass(frozen=True)
class Layout:
    """What is needed to read events.

    Attributes
    ----------
    channels
    little_endian
        Byte order of numbers.
    total
        Number of events; None where it is not said.
    time_step
        Seconds of a unit of the time channel.
    repairs
    """

    channels: tuple[Channel, ...]
    little_endian: bool
    total: int | None
    time_step: float
    repairs: tuple[Repair, ...]

    @property
    def row_bits(self) -> int:
        """Bits of an event."""
        return sum(channel.bits for channel in self.channels)


class _Reader:
    """Keywords as numbers, with the repairs that this takes."""

    def __init__(self, keywords: Mapping[str, str], file: str) -> None:
        self.keywords, self.file = keywords, file
        self.repairs: list[Repair] = []

    def number(self, key: str, otherwise: float) -> float:
        """Return a number; `otherwise` where absent or, with a repair, unreadable."""
        text = self.keywords.get(key, "").strip()
        if not text:
            return otherwise
        try:
            return float(text)
        except ValueError:
            said = f"{key} is '{text}', which is no number: {otherwise:g} is used"
            self.repairs.append(Repair(Defect.NUMBER_UNREADABLE, said))
            return otherwise

    def whole(self, key: str) -> int:
        """Return a whole number that must be there."""
        text = self.keywords.get(key, "").strip()
        number = whole_number(text)
        if number is None:
            raise FcsError(
                f"{key} is '{text[:40]}', and a whole number is needed",
                self.file,
                hint="The file is damaged: export it again.",
            )
        return number


def read_layout(keywords: Mapping[str, str], file: str) -> Layout:
    """Return how the events of a data set are stored.

    Raises
    ------
    FcsError
        If they are stored in a way that is not read, such as histograms or numbers as text.
    """
    reader = _Reader(keywords, file)
    mode = keywords.get("$MODE", "L").strip().upper()
    data_type = keywords.get("$DATATYPE", "").strip().upper()
    if mode != "L":
        raise FcsError(
            f"the file holds no events but a histogram ($MODE {mode})",
            file,
            hint="Export list-mode data.",
        )
    if data_type not in _TYPES:
        raise FcsError(
            f"numbers are stored as '{data_type}' ($DATATYPE), which is not read",
            file,
            hint="Export integers (I), floats (F) or doubles (D).",
        )
    order = keywords.get("$BYTEORD", "").replace(" ", "")
    little = order.startswith("1,2") or order == "1"
    if not little and not order.endswith("2,1"):
        raise FcsError(
            f"bytes stand in the order '{order}' ($BYTEORD), which is not read",
            file,
            hint="Export with the order 1,2,3,4 or 4,3,2,1.",
        )
    count = reader.whole("$PAR")
    if count > _MOST_PARAMETERS:
        raise FcsError(
            f"the file says that it has {count:,} parameters ($PAR)",
            file,
            hint=f"Up to {_MOST_PARAMETERS:,} are read; the file is damaged: export it again.",
        )
    channels = [_channel(reader, n, data_type) for n in range(1, count + 1)]
    channels = _unique(reader, channels)
    total: int | None = None
    if keywords.get("$TOT", "").strip():
        total = reader.whole("$TOT")
    else:
        said = "the number of events is not said: it follows from the length of the data"
        reader.repairs.append(Repair(Defect.NO_TOTAL, said))
    step = reader.number("$TIMESTEP", 1.0)
    return Layout(tuple(channels), little, total, step, tuple(reader.repairs))


def _channel(reader: _Reader, n: int, data_type: str) -> Channel:
    keywords = reader.keywords
    own = keywords.get(f"$P{n}DATATYPE", data_type).strip().upper()
    if own not in _TYPES:
        raise FcsError(
            f"parameter {n} is stored as '{own}', which is not read",
            reader.file,
            hint="Export integers (I), floats (F) or doubles (D).",
        )
    kind = _TYPES[own]
    bits = whole_number(keywords.get(f"$P{n}B", "")) or 0
    if kind in _WIDTHS:
        bits = _WIDTHS[kind]
    elif not 1 <= bits <= 64:
        raise FcsError(
            f"parameter {n} is '{keywords.get(f'$P{n}B', '')}' bits wide ($P{n}B)",
            reader.file,
            hint="Integers of 1 to 64 bits are read.",
        )
    amplification = keywords.get(f"$P{n}E", "0,0").split(",")
    decades, offset = 0.0, 0.0
    try:
        decades, offset = float(amplification[0]), float(amplification[1])
    except (ValueError, IndexError):
        said = f"$P{n}E is '{','.join(amplification)}': the channel is taken as linear"
        reader.repairs.append(Repair(Defect.NUMBER_UNREADABLE, said))
    if decades > 0 and kind != "integer":
        # the standard demands 0,0 for floats, which are on their scale already
        said = f"parameter {n} holds floats and names {decades:g} decades, which are not applied"
        reader.repairs.append(Repair(Defect.SCALE_OF_FLOATS, said))
        decades = 0.0
    return Channel(
        n,
        keywords.get(f"$P{n}N", "").strip(),
        keywords.get(f"$P{n}S", "").strip(),
        kind,
        bits,
        reader.number(f"$P{n}R", 0.0),
        decades,
        # an offset of 0 would make all values 0: the standard reads it as 1
        offset if offset > 0 else 1.0,
        reader.number(f"$P{n}G", 1.0) or 1.0,
    )


def _unique(reader: _Reader, channels: list[Channel]) -> list[Channel]:
    """Give channels without a name, or with one that is taken, a name of their own."""
    seen: set[str] = set()
    found = []
    for channel in channels:
        name = channel.name
        if not name:
            name = f"P{channel.number}"
            said = f"parameter {channel.number} has no name and is called {name}"
            reader.repairs.append(Repair(Defect.MISSING_NAME, said))
        if name in seen:
            name = f"{name}-{channel.number}"
            said = f"the name {channel.name} stands twice: parameter {channel.number} is {name}"
            reader.repairs.append(Repair(Defect.DUPLICATE_NAME, said))
        seen.add(name)
        found.append(replace(channel, name=name))
    return found
