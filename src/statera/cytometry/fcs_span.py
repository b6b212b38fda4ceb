"""Where the events lie: HEADER and TEXT may disagree, and the file itself decides.

A pair of first and last byte is possible where it has the length that the number of events and
their width ask for, or one byte more (a common slip), lies inside the file and overlaps TEXT by
one byte at most.
"""

from __future__ import annotations

from collections.abc import Mapping

from statera.cytometry.fcs_text import Header
from statera.cytometry.repair import Defect, FcsError, Repair
from statera.cytometry.whole_number import whole_number

__all__ = ["find_span"]


def find_span(
    header: Header,
    text_end: int,
    keywords: Mapping[str, str],
    total: int | None,
    row_bytes: float,
    size: int,
    file: str,
) -> tuple[int, int, tuple[Repair, ...]]:
    """Return the first byte of DATA in the file, its length, and what was repaired.

    Parameters
    ----------
    header
    text_end
        Last byte of TEXT, from the beginning of the data set.
    keywords
        With ``$BEGINDATA`` and ``$ENDDATA``, where given.
    total
        Number of events; None where it is not said.
    row_bytes
        Bytes of an event; may be broken where widths are not whole bytes.
    size
        Of the file.

    Raises
    ------
    FcsError
        If no pair is possible.
    """
    if total == 0:  # an empty well has no first and last byte, whatever is said of them
        return min(header.base + text_end + 1, size), 0, ()
    said = {
        "the header": header.data,
        "the text": (_number(keywords, "$BEGINDATA"), _number(keywords, "$ENDDATA")),
    }
    given = {who: pair for who, pair in said.items() if pair[0] > 0 and pair[1] > 0}
    fits = {
        who: found
        for who, pair in given.items()
        if (found := _fits(pair, header.base, text_end, total, row_bytes, size)) is not None
    }
    if not fits:
        raise _refusal(given, header, text_end, total, row_bytes, size, file)
    repairs: list[Repair] = []
    who, (first, length, trimmed) = next(iter(fits.items()))
    if len(fits) == 2 and len({(f, n) for f, n, _ in fits.values()}) == 2:
        who = min(fits, key=lambda w: (fits[w][0] - text_end - 1 != 0, fits[w][0]))
        first, length, trimmed = fits[who]
        repairs.append(
            Repair(
                Defect.OFFSETS_UNDECIDED,
                f"header and text place the events differently, and both are possible; {who} is "
                "followed, whose events begin right after the text: compare a few values",
                doubtful=True,
            )
        )
    elif len(given) == 2 and len(fits) == 1:
        repairs.append(
            Repair(
                Defect.OFFSETS_DISAGREE,
                f"header and text place the events differently; only {who} fits the number of "
                "events and the file, and is followed",
            )
        )
    if trimmed:
        repairs.append(
            Repair(Defect.END_ONE_TOO_FAR, "the events are said to end one byte too far: left out")
        )
    return header.base + first, length, tuple(repairs)


def _number(keywords: Mapping[str, str], key: str) -> int:
    return whole_number(keywords.get(key, "")) or 0


def _fits(
    pair: tuple[int, int],
    base: int,
    text_end: int,
    total: int | None,
    row_bytes: float,
    size: int,
) -> tuple[int, int, bool] | None:
    """Return first byte, length and whether a byte too many was left out; None if impossible."""
    first, last = pair
    length = last - first + 1
    if first < text_end or length <= 0 or base + first > size:
        return None
    if total is None:
        wanted = int(length // row_bytes * row_bytes)
    elif row_bytes == round(row_bytes):
        wanted = int(total * row_bytes)
    else:  # widths that are not whole bytes are stored in whole words: see `fcs_layout`
        wanted = length if base + first + length <= size else length - 1
    if length not in (wanted, wanted + 1) or base + first + wanted > size:
        return None
    return first, wanted, length == wanted + 1


def _refusal(
    given: Mapping[str, tuple[int, int]],
    header: Header,
    text_end: int,
    total: int | None,
    row_bytes: float,
    size: int,
    file: str,
) -> FcsError:
    if not given:
        return FcsError(
            "neither header nor text say where the events lie",
            file,
            hint="The file is damaged: export it again.",
        )
    who, (first, last) = next(iter(given.items()))
    begin, end = header.base + first, header.base + last
    length = last - first + 1
    slip = 1 if total is not None and length == total * row_bytes + 1 else 0
    if end - slip >= size:
        return FcsError(
            f"the events end at byte {end}, and the file has {size} bytes",
            file,
            byte=size,
            hint="The file is cut off: copy it again.",
        )
    if first < text_end:
        return FcsError(
            f"{who} places the events inside the text",
            file,
            byte=begin,
            hint="The file is damaged: export it again.",
        )
    return FcsError(
        f"{who} gives the events {length} bytes, and {total} events of {row_bytes:g} "
        f"bytes need {(total or 0) * row_bytes:g}",
        file,
        byte=begin,
        hint="The number of events or their width is wrong: export the file again.",
    )
