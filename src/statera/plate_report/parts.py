"""Small pieces of the report's sections."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from statera.plate.plate_map import Condition, Well
from statera.report.document import Cell

__all__ = [
    "cited",
    "computed",
    "content_of",
    "counted",
    "digits",
    "known",
    "listed",
    "percent",
    "slug_of",
    "some_of",
    "unique",
]


def digits(value: float, figures: int = 3) -> str:
    """Return a number with so many significant figures, without exponent in common ranges."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    size = int(f"{value:.{figures - 1}e}".rpartition("e")[2])  # after rounding: 9.99… is 10
    if -4 <= size < 9:
        text = f"{round(value, figures - 1 - size):.{max(figures - 1 - size, 0)}f}"
    else:
        text = f"{value:.{figures - 1}e}"
    return text.replace("-", "−", 1) if value < 0 else text


def percent(share: float, decimals: int = 1) -> str:
    """Return a share as per cent, a dash where it is not known."""
    return f"{100 * share:.{decimals}f} %" if math.isfinite(share) else "–"


def computed(
    value: float | None,
    method: str,
    unit: str = "",
    *,
    figures: int = 3,
    decimals: int | None = None,
) -> Cell:
    """Return a computed number that links to its method, a dash where there is none.

    With `decimals` it has so many, else so many significant `figures`; whole numbers as they are.
    """
    if value is None or not math.isfinite(value):
        return Cell("–")
    if isinstance(value, int):
        text = str(value)
    elif decimals is not None:
        text = f"{value:.{decimals}f}".replace("-", "−")
    else:
        text = digits(value, figures)
    return Cell(f"{text} {unit}".rstrip(), "computed", method=method, value=value, unit=unit)


def cited(text: str, *sources: str) -> Cell:
    """Return a stated text with its sources."""
    return Cell(text, "fact", sources)


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun, such as ``1 well`` or ``3 wells``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def listed(names: Sequence[str]) -> str:
    """Return names as words, the last two joined by ``and``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def some_of(names: Sequence[str], most: int = 8) -> str:
    """Return names as words, of many the first few and the number of the others."""
    if len(names) <= most:
        return listed(names)
    return f"{', '.join(names[:most])} and {len(names) - most} more"


def unique(values: Iterable[str]) -> list[str]:
    """Return values that differ, in the order of their first appearance."""
    return list(dict.fromkeys(values))


def known(values: Iterable[float]) -> list[float]:
    """Return the finite values."""
    return [v for v in values if math.isfinite(v)]


def slug_of(*parts: str) -> str:
    """Return an anchor made of the letters and digits of names."""
    kept = ["".join(c if c.isascii() and c.isalnum() else "-" for c in part) for part in parts]
    return "-".join(p.strip("-") for p in kept if p.strip("-"))


_CONTENT: Mapping[Condition, str] = {
    Condition.UNSTIMULATED: "unstimulated",
    Condition.STIMULATED: "stimulated",
    Condition.FMO: "FMO",
    Condition.SINGLE_STAIN: "single stain",
    Condition.UNSTAINED: "unstained",
    Condition.UNUSED: "unused",
}


def content_of(well: Well) -> str:
    """Return what a well holds: its dose in nM, or its kind of control."""
    if well.condition is Condition.DOSE:
        return f"{well.dose:g} nM"
    name = _CONTENT[well.condition]
    return f"{name} {well.stain}".rstrip()
