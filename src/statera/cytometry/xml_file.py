"""XML from outside, read without entities, document types or files of any size."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from statera.errors import InputError, Place

__all__ = ["parse_xml"]


def parse_xml(path: Path, largest: int) -> ElementTree.Element:
    """Return the root element of a file.

    Parameters
    ----------
    path
    largest
        Bytes that a file may have.

    Raises
    ------
    InputError
        If it cannot be read, is larger, defines entities or is not well-formed.
    """
    where = Place(str(path))
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= largest else b""
    except OSError as error:
        raise InputError(f"cannot read the file: {error.strerror or error}", where=where) from error
    if size > largest:
        raise InputError(
            f"the file has {size} bytes, more than {largest}", where=where, hint="Split it."
        )
    # zero bytes are left out so that a declaration in UTF-16 is found too
    if re.search(rb"<!\s*(DOCTYPE|ENTITY)", content.replace(b"\0", b""), re.IGNORECASE):
        raise InputError(
            "the file defines entities or a document type, which are not read",
            where=where,
            hint="Save it again without them.",
        )
    try:
        return ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise InputError(
            f"this is not well-formed XML: {error}", where=Place(str(path), *error.position)
        ) from error
    except (LookupError, ValueError) as error:  # an encoding that is not known or does not fit
        raise InputError(f"the text cannot be decoded: {error}", where=where) from error
