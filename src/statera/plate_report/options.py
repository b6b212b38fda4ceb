"""How much of a plate its report draws."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PlateReportOptions"]


@dataclass(frozen=True)
class PlateReportOptions:
    """What is drawn.

    Attributes
    ----------
    wells_per_gate
        Wells drawn for each gate: those whose share is furthest from the others first, then
        usual ones for comparison.
    usual_wells
        How many of these are usual ones, where there are enough wells.
    statistics_rows
        Most rows of the table of statistics; the files of the analysis hold all of them.
    """

    wells_per_gate: int = 12
    usual_wells: int = 4
    statistics_rows: int = 3000
