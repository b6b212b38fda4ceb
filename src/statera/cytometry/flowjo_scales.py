"""Scales of FlowJo's workspaces (``Transformations`` of a sample)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.cytometry.biexponential import Biexponential
from statera.cytometry.scales import Arcsinh, Hyperlog, Linear, Log, Logicle, Scale
from statera.errors import InputError

__all__ = ["FlooredLog", "local", "number", "read_scale"]

Element = ElementTree.Element


@dataclass(frozen=True)
class FlooredLog(Log):
    """A log scale on which all that lies below its first decade lies at 0, as FlowJo draws it."""

    def __call__(self, values: ArrayLike) -> NDArray[np.float64]:
        """See `Scale`."""
        return np.maximum(super().__call__(values), 0.0)


def local(name: str) -> str:
    """Return the name of an element or attribute without its namespace."""
    return name.rpartition("}")[2]


def number(element: Element, name: str, otherwise: float | None = None) -> float:
    """Return an attribute as a number, whatever its namespace.

    Raises
    ------
    InputError
        If it is missing without a default, or no finite number.
    """
    text = next((v for k, v in element.attrib.items() if local(k) == name), None)
    if text is None and otherwise is not None:
        return otherwise
    try:
        found = float(text or "")
    except ValueError:
        found = float("nan")
    if not abs(found) < float("inf"):
        raise InputError(f"'{name}' of {local(element.tag)} is '{text}', which is no number")
    return found


def _linear(e: Element) -> Scale:
    low, high = number(e, "minRange"), number(e, "maxRange")
    if not high > low:
        raise InputError(f"a linear scale from {low:g} to {high:g} has no length")
    return Linear(high, -low)


def _log(e: Element) -> Scale:
    offset, decades = number(e, "offset"), number(e, "decades")
    if not (offset > 0 and decades > 0):
        raise InputError(f"a log scale of {decades:g} decades from {offset:g} is none")
    return FlooredLog(offset * 10.0**decades, decades)


def _arcsinh(e: Element) -> Scale:
    T, M, A = (number(e, name) for name in "TMA")
    if not (T > 0 and M > 0 and M + A > 0):
        raise InputError(f"T = {T:g}, M = {M:g}, A = {A:g} make no arcsinh scale")
    return Arcsinh(T, M, A)


_KINDS: dict[str, Callable[[Element], Scale]] = {
    "linear": _linear,
    "log": _log,
    "fasinh": _arcsinh,
    "logicle": lambda e: Logicle(*(number(e, name) for name in "TWMA")),
    "hyperlog": lambda e: Hyperlog(*(number(e, name) for name in "TWMA")),
    "biex": lambda e: Biexponential(
        number(e, "neg"), number(e, "width"), number(e, "pos"), number(e, "maxRange")
    ),
}


def read_scale(element: Element) -> Scale:
    """Return the scale that an element describes.

    Raises
    ------
    InputError
        If its kind is not known or its numbers make no scale.
    """
    kind = local(element.tag)
    if kind not in _KINDS:
        raise InputError(
            f"a scale of kind '{kind}', whose definition is not published",
            hint="Save the workspace with linear, log, biexponential, logicle or arcsinh scales.",
        )
    made = _KINDS[kind](element)
    try:
        with np.errstate(all="ignore"):
            usable = bool(np.isfinite(made([1.0, 1000.0])).all())
    except (ArithmeticError, ValueError):  # numbers so absurd that no table can be made of them
        usable = False
    if not usable:
        raise InputError(f"its numbers make no scale: {made}")
    return made
