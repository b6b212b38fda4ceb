"""What ``statera fit`` was asked of the report."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from statera.errors import UsageError

if TYPE_CHECKING:
    from statera.data import FitData
    from statera.fit_report import FitReportOptions

__all__ = ["ReportAsked", "read_report_asked"]


@dataclass(frozen=True)
class ReportAsked:
    """Choices for the report of a fit.

    Attributes
    ----------
    seed
        Of its simulations.
    stratify, cuts
        Column by which predictive checks are divided, and where if it is continuous.
    corrected
        Whether there is a prediction-corrected check too.
    logarithmic
        Whether values are drawn on logarithmic axes.
    replicates
        Simulated data sets of its checks.
    """

    seed: int
    stratify: str = ""
    cuts: tuple[float, ...] = ()
    corrected: bool = False
    logarithmic: bool = False
    replicates: int = 500

    def check(self, table: FitData) -> None:
        """Say before the fit that its checks could not be divided.

        Raises
        ------
        InputError, UsageError
            If the data have no such column, or it has many values and no cuts.
        """
        from statera.estimate.strata import strata_of  # heavy: only when this runs

        try:
            strata_of(table.events.covariates, self.stratify, self.cuts)
        except UsageError as error:
            error.where = "--stratify"
            error.hint = (
                f"Divide it: --stratify {self.stratify}:70 (two groups, below and from 70)."
            )
            raise

    def options(self) -> FitReportOptions:
        """Return the options of the report."""
        from statera.estimate.npc import NpcOptions
        from statera.estimate.vpc import VpcOptions
        from statera.fit_report import FitReportOptions

        n, seed = self.replicates, self.seed
        checks = [VpcOptions(n=n, seed=seed, stratify=self.stratify, cuts=self.cuts)]
        if self.corrected:
            checks.append(VpcOptions(n=n, seed=seed, prediction_corrected=True))
        return FitReportOptions(
            logarithmic=self.logarithmic,
            vpc=tuple(checks),
            npc=NpcOptions(stratify=self.stratify, cuts=self.cuts),
        )


def read_report_asked(
    out: Path | None,
    seed: int,
    stratify: str,
    *,
    corrected: bool,
    logarithmic: bool,
    replicates: int | None = None,
) -> ReportAsked:
    """Return choices for the report; ``NAME:70,90`` divides a continuous column.

    Raises
    ------
    UsageError
        If a cut is not a number, or there will be no report.
    """
    if out is None and (stratify or corrected or logarithmic or replicates):
        raise UsageError(
            "--stratify, --corrected, --log and --replicates are of the report, and none is asked "
            "for",
            where="--out",
            hint="Name the report: --out report.html.",
        )
    name, _, rest = stratify.partition(":")
    cuts = []
    for text in rest.split(",") if rest else ():
        try:
            cut = float(text)
        except ValueError:
            cut = math.nan
        if not math.isfinite(cut):
            raise UsageError(
                f"'{text}' is not a number", where="--stratify", hint="Write WT:70 or WT:60,90."
            )
        cuts.append(cut)
    return ReportAsked(seed, name, tuple(cuts), corrected, logarithmic, replicates or 500)
