"""IC50s over donors: geometric means with their status, and how far donors differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from statera.assay.ic50 import Determination
from statera.plate.result import PlateResult
from statera.plate_report.ic50_words import STATUS_TONES
from statera.plate_report.parts import cited, computed, digits
from statera.plot.ic50_forest import Ic50Row
from statera.report.document import Cell, Inline, Paragraph, Section, Table

if TYPE_CHECKING:
    from statera.plate.donors import DonorResult

__all__ = ["donor_row", "donors_section"]

_METHOD = "plate_donors"
_METHODS = {
    "mixed": "one model of all points",
    "two-stage": "donors' estimates pooled",
    "single": "the only donor",
}


def donors_section(result: PlateResult) -> Section | None:
    """Return a table of what was found over donors; None where nothing was."""
    donors: Sequence[DonorResult] = result.donors
    if not donors:
        return None
    level = f"{100 * donors[0].level:g} %"
    table = Table(
        f"IC50 of {result.settings.drug} over donors, in nM, with {level} intervals",
        (
            "Curve", "Donors", "Status", "Geometric mean", "A new donor",
            "SD of ln IC50 between donors", "Minimum significant ratio", "How", "Remarks",
        ),
        tuple(_cells(d) for d in donors),
        numeric=(1, 3, 4, 5, 6),
        foot=(
            "The interval of the mean says how well the mean is known; that of a new donor where "
            "the IC50 of somebody who was not in the experiment may lie.",
            "Two donors differ by more than chance where their ratio exceeds the minimum "
            "significant ratio.",
        ),
    )  # fmt: skip
    said = Paragraph(
        ("The minimum significant ratio is that of ", cited("Eastwood and others", "Eastwood_2006"),
         ", from the donors' own IC50s.")
    )  # fmt: skip
    return Section(
        "donors", "Over donors", (table, said), {"donors": [d.as_dict() for d in donors]}
    )


def donor_row(donor: DonorResult) -> Ic50Row:
    """Return the mean over donors as a row of the chart of IC50s."""
    low, high = _ends(donor)
    known = donor.status is Determination.DETERMINED
    return Ic50Row(
        "over donors", f"{_text(donor)}, {donor.status.value}" if known else _text(donor),
        donor.ic50 if known else None, (low, high), pooled=True,
    )  # fmt: skip


def _ends(donor: DonorResult) -> tuple[float, float]:
    low, high = donor.interval
    return (0.0 if low is None else low, math.inf if high is None else high)


def _text(donor: DonorResult) -> str:
    low, high = _ends(donor)
    if donor.status is Determination.DETERMINED:
        return f"{digits(donor.ic50)} ({digits(low)} to {digits(high)})"
    return f"{donor.status.value} {digits(donor.ic50)}"


def _cells(donor: DonorResult) -> tuple[Inline, ...]:
    low, high = donor.interval
    known = donor.status is Determination.DETERMINED
    mean = Cell(
        _text(donor),
        "computed" if known else "bound",
        method=_METHOD,
        value=donor.ic50 if known else (low, high),
        unit="nM",
        note=_check(donor),
    )
    new = donor.new_donor
    return (
        donor.name,
        Cell(str(donor.n_donors), note=", ".join(d for d in donor.donors if d)),
        Cell(donor.status.value, tone=STATUS_TONES[donor.status]),
        mean,
        "–" if new is None else Cell(f"{digits(new[0])} to {digits(new[1])}", "computed",
                                     method=_METHOD, value=new, unit="nM"),
        _spread(donor),
        computed(donor.minimum_significant_ratio, _METHOD, decimals=1),
        _METHODS.get(donor.method, donor.method),
        "; ".join(donor.sentences),
    )  # fmt: skip


def _spread(donor: DonorResult) -> Cell:
    """Return the standard deviation between donors with its interval."""
    cell = computed(donor.ln_sd_between, _METHOD, decimals=2)
    if donor.ln_sd_interval is None:
        return cell
    low, high = donor.ln_sd_interval
    end = f"{high:.2f}" if math.isfinite(high) else "no upper end"
    return replace(cell, note=f"{low:.2f} to {end}")


def _check(donor: DonorResult) -> str:
    """Return what the other method found."""
    if donor.two_stage is None:
        return ""
    value, low, high = donor.two_stage
    return f"pooled in two stages: {digits(value)} ({digits(low)} to {digits(high)})"
