"""HEADER and TEXT of an FCS file: what the file says of itself.

Source: FCS 3.2 (Spidlen and others, Cytometry A 2021), sections 3.1 and 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from statera.cytometry.repair import Defect, FcsError, Repair
from statera.cytometry.whole_number import whole_number

__all__ = ["Header", "Text", "read_header", "read_text_segment"]

HEADER_BYTES = 58
VERSIONS = ("FCS2.0", "FCS3.0", "FCS3.1", "FCS3.2")
REQUIRED = ("$PAR", "$DATATYPE", "$BYTEORD")


@dataclass(frozen=True)
class Header:
    """Where the segments lie, from the beginning of the data set; ends are the last byte.

    Attributes
    ----------
    version
        Such as ``FCS3.1``.
    base
        First byte of the data set in the file.
    text, data
        First and last byte; 0 and 0 where not given.
    """

    version: str
    base: int
    text: tuple[int, int]
    data: tuple[int, int]


@dataclass(frozen=True)
class Text:
    """Keywords in the order of the file, names in upper case.

    Attributes
    ----------
    keywords
    end
        Last byte of the TEXT segment, from the beginning of the data set.
    repairs
    """

    keywords: Mapping[str, str]
    end: int
    repairs: tuple[Repair, ...]


def read_header(content: memoryview, file: str, base: int = 0) -> Header:
    """Return the HEADER of the data set that begins at `base`.

    Raises
    ------
    FcsError
        If there is none.
    """
    if len(content) < base + HEADER_BYTES:
        raise FcsError(
            f"the file has {len(content)} bytes, and the header alone needs {base + HEADER_BYTES}",
            file,
            byte=len(content),
            hint="The file is cut off: copy it again.",
        )
    head = bytes(content[base : base + HEADER_BYTES])
    version = head[:6].decode("latin-1")
    if version not in VERSIONS:
        raise FcsError(
            f"the file begins with {head[:6]!r}, which is no version of FCS",
            file,
            byte=base,
            hint=f"Known versions: {', '.join(VERSIONS)}.",
        )
    fields = [head[10 + 8 * i : 18 + 8 * i] for i in range(4)]
    numbers = []
    for i, field in enumerate(fields):
        text = field.decode("latin-1").strip(" \0")
        number = whole_number(text.removeprefix("-"), None if text else 0)
        if number is None:
            raise FcsError(
                f"the header holds '{text}' where a number of bytes is expected",
                file,
                byte=base + 10 + 8 * i,
                hint="The file is damaged: export it again.",
            )
        numbers.append(-number if text.startswith("-") else number)
    return Header(version, base, (numbers[0], numbers[1]), (numbers[2], numbers[3]))


def read_text_segment(content: memoryview, header: Header, file: str) -> Text:
    """Return the keywords of a data set, those of its supplement included.

    Raises
    ------
    FcsError
        If TEXT lies outside the file, or holds no keywords.
    """
    first, last = header.text
    start, end = header.base + first, header.base + last + 1
    if not header.base + HEADER_BYTES <= start < end:
        raise FcsError(
            f"the header says that the text lies at bytes {first} to {last}",
            file,
            byte=header.base + 10,
            hint="The file is damaged: export it again.",
        )
    if end > len(content):
        raise FcsError(
            f"the text ends at byte {end - 1}, and the file has {len(content)} bytes",
            file,
            byte=len(content),
            hint="The file is cut off: copy it again.",
        )
    segment = bytes(content[start:end])
    keywords, repairs = _keywords(segment, file, start)
    more, said = _supplement(content, header, keywords, segment[:1])
    # what stands in TEXT comes first: some programs repeat it in the supplement
    return Text({**more, **keywords}, last, (*repairs, *said))


def _keywords(segment: bytes, file: str, start: int) -> tuple[dict[str, str], list[Repair]]:
    mark = segment[:1]
    body = segment[1:].rstrip(b" \0\r\n\t") if mark not in (b" ",) else segment[1:]
    words = _split(body, mark)
    found = _pairs(words)
    repairs: list[Repair] = []
    if any(key not in found for key in REQUIRED):
        plain = _pairs(body.removesuffix(mark).split(mark))
        if all(key in plain for key in REQUIRED):
            repairs.append(
                Repair(
                    Defect.EMPTY_VALUES,
                    "some keywords have empty values, which the standard forbids; "
                    "a doubled delimiter is taken as one of them",
                )
            )
            return plain, repairs
    missing = [key for key in REQUIRED if key not in found]
    if missing:
        raise FcsError(
            f"the text does not say {', '.join(missing)}",
            file,
            byte=start,
            hint="The file is damaged or no FCS file: export it again.",
        )
    return found, repairs


def _split(body: bytes, mark: bytes) -> list[bytes]:
    """Split at single delimiters; a doubled one stands for itself."""
    words, word = [], b""
    parts = body.split(mark)
    i = 0
    while i < len(parts):
        word = parts[i]
        while i + 2 < len(parts) and parts[i + 1] == b"":  # a doubled delimiter inside
            word += mark + parts[i + 2]
            i += 2
        words.append(word)
        i += 1
    return words


def _pairs(words: list[bytes]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in zip(words[0::2], words[1::2], strict=False):
        name = _decoded(key).strip().upper()
        if name and name not in found:
            found[name] = _decoded(value).strip(" \0\r\n\t")
    return found


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _supplement(
    content: memoryview, header: Header, keywords: Mapping[str, str], mark: bytes
) -> tuple[dict[str, str], list[Repair]]:
    """Return the keywords of the supplemental TEXT segment."""
    first, last = (_offset(keywords.get(k, "")) for k in ("$BEGINSTEXT", "$ENDSTEXT"))
    if first == 0 or last <= first or (first, last) == header.text:
        return {}, []
    segment = bytes(content[header.base + first : header.base + last + 1])
    if header.base + last >= len(content) or segment[:1] != mark:
        sentence = "the supplemental text is no text, and is left aside"
        return {}, [Repair(Defect.SUPPLEMENT_UNREADABLE, sentence)]
    return _pairs(_split(segment[1:].rstrip(b" \0\r\n\t"), mark)), []


def _offset(text: str) -> int:
    return whole_number(text) or 0
