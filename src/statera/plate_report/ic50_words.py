"""IC50s as cells: a value never stands without its status."""

from __future__ import annotations

import math

from statera.assay.ic50 import Determination, Ic50
from statera.plate_report.parts import digits
from statera.report.document import Cell, Tone

__all__ = [
    "STATUS_TONES",
    "ends_of",
    "ic50_cell",
    "ic50_text",
    "p_ic50_cell",
    "reason_of",
    "status_cell",
]

STATUS_TONES: dict[Determination, Tone] = {
    Determination.DETERMINED: "ok",
    Determination.AT_LEAST: "warn",
    Determination.AT_MOST: "warn",
    Determination.NOT_DETERMINED: "warn",
    Determination.REFUSED: "bad",
}


def status_cell(ic50: Ic50) -> Cell:
    """Return the status in a word."""
    return Cell(ic50.determination.value, tone=STATUS_TONES[ic50.determination])


def ends_of(ic50: Ic50) -> tuple[float, float]:
    """Return the ends of the interval; 0 or infinite on the side that is not determined."""
    low, high = ic50.profile if ic50.profile is not None else ic50.wald
    if ic50.determination in (Determination.AT_MOST, Determination.NOT_DETERMINED):
        low = 0.0
    if ic50.determination in (Determination.AT_LEAST, Determination.NOT_DETERMINED):
        high = math.inf
    return low, high


def reason_of(ic50: Ic50) -> str:
    """Return why there is no IC50, without the word ``refused`` in front."""
    return ic50.sentence.removeprefix("refused:").strip()


def ic50_text(ic50: Ic50) -> str:
    """Return value, interval and status in words, without unit."""
    low, high = ends_of(ic50)
    match ic50.determination:
        case Determination.DETERMINED:
            return f"{digits(ic50.estimate)} ({digits(low)} to {digits(high)})"
        case Determination.AT_LEAST:
            return f"at least {digits(low)}"
        case Determination.AT_MOST:
            return f"at most {digits(high)}"
        case Determination.NOT_DETERMINED:
            return "not determined"
        case Determination.REFUSED:
            return "refused"


def ic50_cell(ic50: Ic50, method: str) -> Cell:
    """Return an IC50 in nM with its interval."""
    low, high = ends_of(ic50)
    text = ic50_text(ic50)
    match ic50.determination:
        case Determination.DETERMINED:
            return Cell(text, "computed", method=method, value=ic50.estimate, unit="nM")
        case Determination.AT_LEAST:
            return Cell(text, "bound", method=method, value=(low, None), unit="nM")
        case Determination.AT_MOST:
            return Cell(text, "bound", method=method, value=(None, high), unit="nM")
        case _:
            return Cell("–")


def p_ic50_cell(ic50: Ic50, method: str) -> Cell:
    """Return minus log10 of the IC50 in mol/L; of a bound, the bound turned round."""
    low, high = ends_of(ic50)
    match ic50.determination:
        case Determination.DETERMINED:
            p = ic50.p_ic50
            return Cell(f"{p:.2f}", "computed", method=method, value=p)
        case Determination.AT_LEAST:
            p = 9.0 - math.log10(low)
            return Cell(f"at most {p:.2f}", "bound", method=method, value=(None, p))
        case Determination.AT_MOST:
            p = 9.0 - math.log10(high)
            return Cell(f"at least {p:.2f}", "bound", method=method, value=(p, None))
        case _:
            return Cell("–")
