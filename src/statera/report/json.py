"""A document as plain data that any JSON writer accepts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from statera.report.document import Block, Document, Figure, Section

__all__ = ["document_to_dict", "plain"]


def document_to_dict(document: Document, *, drawings: bool = False) -> dict[str, Any]:
    """Return the document as dictionaries, lists, texts, numbers, truth values and None.

    Parameters
    ----------
    document
        The report.
    drawings
        Whether the SVG text of each figure is included; its data always are.

    Returns
    -------
    dict
        Keys as in `Document`; each block has a ``kind``, the lower-case name of its class.
        Numbers that are not finite become None, because JSON has no word for them.
    """
    result: dict[str, Any] = plain(document)
    result["sections"] = [_section(section, drawings) for section in document.sections]
    return result


def _section(section: Section, drawings: bool) -> dict[str, Any]:
    return {
        "key": section.key,
        "title": section.title,
        "blocks": [_block(block, drawings) for block in section.blocks],
        "data": plain(section.data),
    }


def _block(block: Block, drawings: bool) -> dict[str, Any]:
    content: dict[str, Any] = plain(block)
    if isinstance(block, Figure) and not drawings:
        del content["svg"]
    return {"kind": type(block).__name__.lower(), **content}


def plain(value: Any) -> Any:
    """Return `value` with every container and number in a form that JSON can hold.

    Parameters
    ----------
    value
        Any mixture of dataclasses, mappings, sequences, sets, arrays, numbers and texts.

    Returns
    -------
    Any
        Mappings and dataclasses as dict with text keys, sequences and arrays as list, sets as
        sorted list, enumerations as their value, non-finite numbers as None and anything else
        as its text.
    """
    if value is None or (isinstance(value, bool | int) and not isinstance(value, Enum)):
        return value
    return _plain_scalar(value) if isinstance(value, str | float | Enum) else _plain_other(value)


def _plain_scalar(value: str | float | Enum) -> Any:
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return str(value)


def _plain_other(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Set):
        return sorted((plain(item) for item in value), key=str)
    # Arrays and their scalars know how to become plain, so numpy need not be loaded here.
    as_list = getattr(value, "tolist", None)
    return plain(as_list()) if callable(as_list) else str(value)
