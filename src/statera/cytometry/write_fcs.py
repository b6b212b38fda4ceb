"""Write events as an FCS 3.1 file of 32-bit floats.

Source: FCS 3.1 (Spidlen and others, Cytometry A 2010, doi 10.1002/cyto.a.20825), section 3. The
same events and keywords always make the same bytes: nothing is written that was not given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.cytometry.compensation import Spillover
from statera.errors import InputError, Place

__all__ = ["write_fcs"]

_HEADER_BYTES = 58
_LARGEST_IN_HEADER = 99_999_999
_ALIGNED = 64
"""Events begin at a multiple of so many bytes, so that they can be used where they lie."""

_MARK = "\f"
_OWN = re.compile(
    r"\$(BEGINDATA|ENDDATA|BEGINANALYSIS|ENDANALYSIS|BEGINSTEXT|ENDSTEXT|BYTEORD|DATATYPE|MODE"
    r"|NEXTDATA|PAR|TOT|SPILLOVER|P\d+[BENRS])"
)


def write_fcs(
    path: str | Path,
    events: ArrayLike,
    names: Sequence[str],
    *,
    labels: Sequence[str] | None = None,
    spillover: Spillover | None = None,
    ranges: Sequence[float] | float = 262_144.0,
    keywords: Mapping[str, str] | None = None,
) -> Path:
    """Write events to a file and return its path.

    Parameters
    ----------
    path
        Replaced where it exists.
    events : (n_channels, n_events)
        Rounded to 32 bits. As everywhere here a row is a channel.
    names
        Of the channels (``$PnN``), such as ``BV421-A``.
    labels
        What they stand for (``$PnS``), such as ``CD4``; empty for none.
    spillover
        Written as ``$SPILLOVER``: as many dyes as detectors, these by their names.
    ranges
        Largest value of each channel (``$PnR``), or of all.
    keywords
        Further ones, such as ``$FIL``, ``$CYT`` or ``WELL ID``. ``$TIMESTEP`` and ``$PnG`` act
        on reading: time is multiplied by the one, channels are divided by the other.

    Raises
    ------
    InputError
        If names, labels or ranges do not fit the events or the standard, a value is too large
        for 32 bits, a keyword is empty or set here, or the file cannot be written.
    """
    file = str(path)
    values = np.asarray(events, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] != len(names):
        raise InputError(
            f"events of shape {values.shape} do not fit {len(names)} channels",
            where=Place(file),
            hint="A row is a channel: (n_channels, n_events).",
        )
    words = _standard_words(values.shape[1], names, labels, ranges, file)
    if spillover is not None:
        words["$SPILLOVER"] = _spillover_text(spillover, names, file)
    words |= _further_words(keywords or {}, file)
    data = _stored(values, names, file)
    head = _header_and_text(words, data.nbytes, file)
    target = Path(path)
    try:
        with target.open("wb") as stream:
            stream.write(head)
            stream.write(data.tobytes())
    except OSError as error:
        raise InputError(
            f"cannot write the file: {error.strerror or error}",
            where=Place(file),
            hint="Check that the folder exists and may be written to.",
        ) from error
    return target


def _standard_words(
    n_events: int,
    names: Sequence[str],
    labels: Sequence[str] | None,
    ranges: Sequence[float] | float,
    file: str,
) -> dict[str, str]:
    n = len(names)
    tops = [ranges] * n if isinstance(ranges, int | float) else list(ranges)
    shown = [""] * n if labels is None else list(labels)
    if len(tops) != n or len(shown) != n:
        raise InputError(
            f"{len(shown)} labels and {len(tops)} ranges do not fit {n} channels",
            where=Place(file),
            hint="Give one of each a channel; a label may be empty.",
        )
    if len(set(names)) != n or any(not name.strip() or "," in name for name in names):
        raise InputError(
            f"the names of channels are {', '.join(map(repr, names))}",
            where=Place(file),
            hint="The standard asks for names that differ, are not empty and hold no comma.",
        )
    words = {
        "$BEGINANALYSIS": "0",
        "$ENDANALYSIS": "0",
        "$BEGINSTEXT": "0",
        "$ENDSTEXT": "0",
        "$BYTEORD": "1,2,3,4",
        "$DATATYPE": "F",
        "$MODE": "L",
        "$NEXTDATA": "0",
        "$PAR": str(n),
        "$TOT": str(n_events),
    }
    for i, (name, label, top) in enumerate(zip(names, shown, tops, strict=True), start=1):
        words |= {f"$P{i}B": "32", f"$P{i}E": "0,0", f"$P{i}N": _clean(name, file)}
        words[f"$P{i}R"] = f"{top:.17g}"
        if label:
            words[f"$P{i}S"] = _clean(label, file)
    return words


def _spillover_text(spillover: Spillover, names: Sequence[str], file: str) -> str:
    n = len(spillover.detectors)
    strange = [name for name in spillover.detectors if name not in names]
    if strange or len(spillover.dyes) != n:
        said = f"no channel is called {strange[0]}" if strange else f"{len(spillover.dyes)} dyes"
        raise InputError(
            f"a spillover matrix of {n} detectors cannot be written: {said}",
            where=Place(file),
            hint="It needs as many dyes as detectors, and these by the names of channels.",
        )
    numbers = (repr(float(x)) for x in spillover.matrix.ravel())
    return ",".join([str(n), *spillover.detectors, *numbers])


def _further_words(keywords: Mapping[str, str], file: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in keywords.items():
        name = _clean(key, file).upper()
        if _OWN.fullmatch(name):
            raise InputError(
                f"the keyword {name} follows from the events and is not to be given",
                where=Place(file),
                hint="Leave it out; names, labels, ranges and spillover have arguments.",
            )
        found[name] = _clean(value, file)
    return found


def _clean(text: str, file: str) -> str:
    if not text.strip() or not text.isprintable():
        raise InputError(
            f"a keyword, name or label is {text!r}",
            where=Place(file),
            hint="The standard has no empty values, and control characters mark their ends.",
        )
    return text.strip()


def _stored(values: NDArray[np.float64], names: Sequence[str], file: str) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        stored = np.ascontiguousarray(values.T, dtype="<f4")
    broken = np.flatnonzero((np.isinf(stored) & ~np.isinf(values.T)).any(axis=0))
    if broken.size:
        raise InputError(
            f"channel {names[broken[0]]} holds values that 32 bits cannot hold",
            where=Place(file),
            hint="The largest is 3.4e38.",
        )
    return stored


def _header_and_text(words: Mapping[str, str], data_bytes: int, file: str) -> bytes:
    """Return all before the events: their place stands in the text and depends on its length."""
    start = 0
    while True:
        # without events there is no last byte
        first, last = (start, start + data_bytes - 1) if data_bytes else (0, 0)
        placed = {"$BEGINDATA": str(first), "$ENDDATA": str(last), **words}
        text = "".join(f"{_MARK}{key}{_MARK}{value}" for key, value in placed.items()) + _MARK
        raw = text.encode("utf-8")
        text_end = _HEADER_BYTES + len(raw) - 1
        needed = -(-(text_end + 1) // _ALIGNED) * _ALIGNED
        if needed == start:
            break
        start = needed
    if text_end > _LARGEST_IN_HEADER:
        raise InputError("the keywords are too long for one file", where=Place(file))
    # offsets that the header has no room for are 0 there, and stand in the text alone
    data = (first, last) if last <= _LARGEST_IN_HEADER else (0, 0)
    head = "FCS3.1    " + "".join(f"{x:>8}" for x in (_HEADER_BYTES, text_end, *data, 0, 0))
    return (head.encode("ascii") + raw).ljust(start, b" ")
