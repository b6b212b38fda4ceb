"""A fit with all that is computed after its search: shrinkage, standard errors, remarks."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path

from statera.data import DataReport, FitData
from statera.estimate.covariance import Covariance, CovarianceOptions, MatrixKind, covariance
from statera.estimate.diagnostics import diagnose
from statera.estimate.export import fit_files
from statera.estimate.fit import METHODS
from statera.estimate.result import FitResult
from statera.estimate.saem_likelihood import SaemLikelihood
from statera.estimate.shrinkage import Shrinkage, shrinkage

__all__ = ["FitOutcome", "fit_outcome", "outcome_files"]


@dataclass(frozen=True)
class FitOutcome:
    """A fit with what was computed after it.

    Attributes
    ----------
    result, table
        The fit and its data.
    errors, shrunk
        Standard errors and shrinkage; None where there are none.
    remarks
        What the covariance step has to say.
    interrupted
        Whether Ctrl-C ended the covariance step.
    """

    result: FitResult
    table: FitData
    errors: Covariance | None
    shrunk: Shrinkage | None
    remarks: tuple[str, ...]
    interrupted: bool = False

    @property
    def told(self) -> FitResult:
        """The fit with all warnings, each once."""
        every = dict.fromkeys((*self.result.warnings, *self.remarks))
        return replace(self.result, warnings=tuple(every))

    @property
    def data_report(self) -> DataReport:
        """What the data hold, without the folder in which they are kept."""
        report = self.table.report
        return replace(report, source=Path(report.source).name)


def fit_outcome(
    result: FitResult,
    table: FitData,
    remarks: tuple[str, ...] = (),
    *,
    matrix: MatrixKind | None = "sandwich",
    likelihood: SaemLikelihood = "sampled",
) -> FitOutcome:
    """Return a fit with shrinkage, and with standard errors where they were asked for.

    Parameters
    ----------
    result, table
        The fit and its data.
    remarks
        What is to be said of how they were read.
    matrix
        Which standard errors; None for none. A fit that ran on without end has none.
    likelihood
        That behind standard errors of SAEM.
    """
    if result.status == "no start":
        return FitOutcome(result, table, None, None, remarks)
    shrunk = shrinkage(result)
    usable = result.converged or result.status == "drift"  # all but what runs on has an error
    if matrix is None or not usable or not result.problem.n_free:
        return FitOutcome(result, table, None, shrunk, remarks)
    if result.method not in (*METHODS, "saem"):
        told = (
            f"{result.method} gives no standard errors here: go on from its checkpoint by "
            "--method focei --resume"
        )
        return FitOutcome(result, table, None, shrunk, (*remarks, told))
    try:
        errors = covariance(result, CovarianceOptions(matrix=matrix, likelihood=likelihood))
    except KeyboardInterrupt:
        told = "the covariance step was interrupted: there are no standard errors"
        return FitOutcome(result, table, None, shrunk, (*remarks, told), interrupted=True)
    notices = tuple(str(n) for n in errors.notices)
    return FitOutcome(result, table, errors, shrunk, (*remarks, *notices))


def outcome_files(outcome: FitOutcome) -> dict[str, bytes]:
    """Return the content of each file by its name; diagnostics only of a fit that converged."""
    files = fit_files(outcome.told, outcome.errors, outcome.shrunk)
    if outcome.result.converged:
        buffer = io.BytesIO()
        diagnose(outcome.result).observations.write_parquet(buffer)
        files["observations.parquet"] = buffer.getvalue()
    return files
