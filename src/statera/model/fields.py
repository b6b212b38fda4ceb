"""Reading fields of plain data, with errors that name the key."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from statera.errors import InputError
from statera.units import is_unit, same_dimension

__all__ = ["KeyPath", "SpecError"]

KeyPath = tuple[str | int, ...]


class SpecError(InputError):
    """A description is wrong at a key.

    Attributes
    ----------
    path
        The keys that lead to the place, such as ``("parameters", "CL", "value")``.
    """

    def __init__(self, path: KeyPath, what: str, hint: str = "") -> None:
        self.path = path
        name = ".".join(str(p) for p in path)
        super().__init__(what, where=name or None, hint=hint)


def only(spec: Mapping[str, Any], allowed: set[str], path: KeyPath) -> None:
    """Raise SpecError where `spec` has a key that is not allowed."""
    for key in spec:
        if key not in allowed:
            raise SpecError(
                (*path, key), f"unknown key '{key}'", f"Allowed: {', '.join(sorted(allowed))}."
            )


def as_table(value: Any, path: KeyPath) -> Mapping[str, Any]:
    """Return `value` where it is a table, or raise."""
    if not isinstance(value, Mapping):
        raise SpecError(path, "expected a table of keys and values")
    return value


def table(
    spec: Mapping[str, Any], key: str, path: KeyPath, *, optional: bool = False
) -> Mapping[str, Any]:
    """Return a sub-table; an empty one where it is optional and absent."""
    if key not in spec:
        if optional:
            return {}
        raise SpecError((*path, key), f"the table '{key}' is missing")
    return as_table(spec[key], (*path, key))


def text(spec: Mapping[str, Any], key: str, path: KeyPath, *, default: str | None = None) -> str:
    """Return a text field."""
    if key not in spec:
        if default is not None:
            return default
        raise SpecError((*path, key), f"the key '{key}' is missing", "It must be a text.")
    value = spec[key]
    if not isinstance(value, str):
        raise SpecError((*path, key), f"expected a text, found {value!r}")
    return value


def texts(spec: Mapping[str, Any], key: str, path: KeyPath) -> tuple[str, ...]:
    """Return a list of texts; empty where absent."""
    value = spec.get(key, [])
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise SpecError((*path, key), "expected a list of texts")
    if not all(isinstance(item, str) for item in value):
        raise SpecError((*path, key), "expected a list of texts")
    return tuple(value)


def number(
    spec: Mapping[str, Any], key: str, path: KeyPath, *, optional: bool = False
) -> float | None:
    """Return a finite number; None where it is optional and absent."""
    if key not in spec:
        if optional:
            return None
        raise SpecError((*path, key), f"the key '{key}' is missing", "It must be a number.")
    value = spec[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecError((*path, key), f"expected a number, found {value!r}")
    if not math.isfinite(value):
        raise SpecError((*path, key), f"expected a finite number, found {value!r}")
    return float(value)


def need_number(spec: Mapping[str, Any], key: str, path: KeyPath) -> float:
    """Return a finite number that must be there."""
    value = number(spec, key, path)
    assert value is not None
    return value


def flag(spec: Mapping[str, Any], key: str, path: KeyPath) -> bool:
    """Return true or false; false where absent."""
    value = spec.get(key, False)
    if not isinstance(value, bool):
        raise SpecError((*path, key), f"expected true or false, found {value!r}")
    return value


def choice(
    spec: Mapping[str, Any],
    key: str,
    path: KeyPath,
    allowed: Sequence[str],
    *,
    default: str | None = None,
) -> str:
    """Return a text that must be one of `allowed`."""
    value = text(spec, key, path, default=default)
    if value not in allowed:
        raise SpecError(
            (*path, key), f"'{value}' is not allowed here", f"Allowed: {', '.join(allowed)}."
        )
    return value


def unit(spec: Mapping[str, Any], key: str, path: KeyPath, *, dimension: str = "") -> str:
    """Return a unit that can be parsed; empty means dimensionless."""
    value = text(spec, key, path, default=None if dimension else "")
    if value and not is_unit(value):
        raise SpecError((*path, key), f"'{value}' is not a unit", "Such as mg, L/h, ng/mL or 1/h.")
    if dimension and not same_dimension(value, dimension):
        raise SpecError((*path, key), f"'{value}' is not a unit like '{dimension}'")
    return value
