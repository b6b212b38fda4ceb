"""Results as what JSON can hold."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any

__all__ = ["plain"]

_AS_THEY_ARE = frozenset((type(None), bool, int, str))
_SIMPLE = _AS_THEY_ARE | {float}


def plain(value: Any) -> Any:
    """Turn results into what JSON can hold.

    Numbers that are not finite become null: JSON has none. Arrays and scalars of numpy are told
    by their ``tolist``, so that numpy need not be imported.

    Raises
    ------
    TypeError
        If a value has no counterpart in JSON: better an error than a text such as ``<object>``.
    """
    kind = type(value)
    if kind is float:
        return value if math.isfinite(value) else None
    if kind in _AS_THEY_ARE:
        return value
    if kind is list or kind is tuple:
        kinds = set(map(type, value))
        if kinds <= _AS_THEY_ARE:
            return list(value)
        if kinds <= _SIMPLE:
            finite = math.isfinite
            return [None if type(x) is float and not finite(x) else x for x in value]
        return [plain(item) for item in value]
    if kind is dict:
        return {str(key): plain(item) for key, item in value.items()}
    return _rare(value)


def _rare(value: Any) -> Any:
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if hasattr(value, "tolist"):
        return _of_numpy(value)
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no counterpart in JSON")


def _of_numpy(value: Any) -> Any:
    found = value.tolist()
    if isinstance(found, list) and value.dtype.kind == "f":
        return _finite(found)
    return plain(found)


def _finite(numbers: list[Any]) -> list[Any]:
    """Return lists of numbers, nested to any depth, with null for what is not finite."""
    if numbers and isinstance(numbers[0], list):
        return [_finite(row) for row in numbers]
    if all(map(math.isfinite, numbers)):
        return numbers
    return [number if math.isfinite(number) else None for number in numbers]
