"""How sure an automatic gate is, in numbers and in a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from statera.cytometry.plate_border import BorderOptions, PlateBorder, WellBorder
from statera.cytometry.scales import Scale

__all__ = ["GateConfidence", "border_confidence"]


@dataclass(frozen=True)
class GateConfidence:
    """What speaks for a gate, on the plate or in one well.

    Attributes
    ----------
    gate
        Its name.
    well
        Empty for the plate.
    method
        ``valley`` of a density; ``mixture`` of Gaussian distributions where there is none;
        ``pooled``: a well takes the border of the plate, having none of its own; ``mad``: a
        distance in standard deviations by the median of absolute deviations.
    depth
        Of the valley, 0 to 1: the density of its floor is 1 - depth of the lower peak's.
    shift
        Of the well's border against the plate's, on the scale of the gate.
    low_confidence
        Whether the gate should be looked at.
    sentence
        The same in words.
    """

    gate: str
    well: str
    method: Literal["valley", "mixture", "pooled", "mad"]
    depth: float
    shift: float
    low_confidence: bool
    sentence: str


def border_confidence(
    gate: str,
    axis: str,
    scale: Scale,
    border: PlateBorder,
    options: BorderOptions,
    chosen: str = "the clearest",
) -> Iterator[GateConfidence]:
    """Yield the confidence in a border on the plate, then in each well.

    Parameters
    ----------
    gate, axis
        Name of the gate, and what it looks at, such as ``CD4 (BV421-A)``.
    scale
        Of the gate: sentences give linear values.
    border, options
        As found, and how it was sought.
    chosen
        Which of several valleys it is.
    """

    def linear(position: float) -> str:
        return f"{float(scale.inverse(position)):.3g}"

    at = f"border at {linear(border.position)} on {axis}"
    peaks = f"between peaks at {linear(border.low_peak)} and {linear(border.high_peak)}"
    if border.method == "mixture":
        low = True
        said = (
            f"{at}, where two normal distributions {peaks} are equally likely: the wells together "
            "show no valley. Look at this gate."
        )
    else:
        low = border.depth < options.low_depth
        said = f"{at}, in a valley of depth {border.depth:.2f} {peaks}"
        if border.valleys > 1:
            said += f", {chosen} of {border.valleys}"
        said += ". It is shallow: look at this gate." if low else "."
    yield GateConfidence(gate, "", border.method, border.depth, 0.0, low, said)
    for well, own in border.wells.items():
        yield _in_well(gate, well, own, linear(own.position), border, options, unsure=low)


def _in_well(
    gate: str,
    well: str,
    own: WellBorder,
    at: str,
    border: PlateBorder,
    options: BorderOptions,
    *,
    unsure: bool,
) -> GateConfidence:
    low = unsure
    if own.n < options.few_events:
        low = True
        said = (
            f"{own.n} events, fewer than {options.few_events}, to find a border in: that of the "
            "plate is taken."
        )
    elif own.bounded:
        low = True
        said = f"its own valley lies further off than a well may move: border at {at}."
    elif own.method == "valley":
        said = f"border at {at}, by a valley of depth {own.depth:.2f} of its own."
    else:
        said = f"a single peak: the border of the plate is taken, moved to {at}."
        if own.crowded > 0.02:
            low = True
            said += f" {100 * own.crowded:.0f} % of events lie beside it: look at this gate."
        lacking = _lacking(own, border)
        if lacking:
            low = True
            said += (
                f" Hardly any event lies {lacking} it: that population is missing here, or its "
                "staining differs. Look at this well."
            )
    return GateConfidence(gate, well, own.method, own.depth, own.shift, low, said)


def _lacking(own: WellBorder, border: PlateBorder) -> str:
    """Return the side of the border that a well lacks though it is common on the plate."""
    for side, here, plate in (
        ("above", own.high_share, border.high_share),
        ("below", 1.0 - own.high_share, border.low_share),
    ):
        if plate >= 0.05 and here < 0.1 * plate:
            return side
    return ""
