"""Tables of diagnostics: a row an observation, and a row a subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from statera.estimate.export import eta_names
from statera.estimate.npde import Npde, NpdeOptions, npde
from statera.estimate.replicates import Replicates
from statera.estimate.residuals import Root, residuals_of
from statera.estimate.result import FitResult
from statera.estimate.rows import Rows, covariates_of_subjects, rows_of
from statera.numerics.expression import symbol
from statera.numerics.vectorised import vectorise
from statera.simulate import full_formula

if TYPE_CHECKING:
    import polars as pl

__all__ = ["DiagnosticOptions", "Diagnostics", "diagnose"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DiagnosticOptions:
    """What is computed.

    Attributes
    ----------
    root
        Square root of the covariances behind WRES and CWRES.
    npde
        Number of replicates and seed of NPDE and NPD; None leaves them out.
    """

    root: Root = "symmetric"
    npde: NpdeOptions | None = None


@dataclass(frozen=True)
class Diagnostics:
    """Diagnostics of a fit.

    Attributes
    ----------
    observations
        A row an observation, in the order of the data: ``ID``, ``TIME``, ``TAD``, ``DVID``,
        ``OUTPUT``, ``DV``, ``LIMIT``, ``STATUS`` (``quantified``, ``below limit``, ``above limit``
        or ``outcome``), ``PRED``, ``IPRED``, ``RES``, ``IRES``, ``WRES``, ``CWRES``, ``IWRES``,
        with simulations ``NPDE`` and ``NPD``, then covariates. What is not defined is null:
        residuals of censored values, and all but DV of outcomes.
    subjects
        A row a subject: ``ID``, ``OBSERVATIONS``, ``OFV``, random effects (``NAME`` or
        ``NAME_1``, ``NAME_2`` by occasion) and their conditional standard deviations (``SD_NAME``),
        individual parameters on the first record, then covariates on it.
    effects
        Names of the columns of random effects.
    individual
        Names of the columns of individual parameters.
    covariates
        Names of the columns of covariates, the same in both tables.
    time_unit
        Unit of ``TIME`` and ``TAD``.
    units
        Unit of each output.
    variances
        Variance of each random effect in the population.
    remarks
        What a reader must know.
    """

    observations: pl.DataFrame
    subjects: pl.DataFrame
    effects: tuple[str, ...]
    individual: tuple[str, ...]
    covariates: tuple[str, ...]
    time_unit: str
    units: Mapping[str, str]
    variances: tuple[float, ...]
    remarks: tuple[str, ...]

    def to_polars(self) -> pl.DataFrame:
        """Return the table of observations."""
        return self.observations


def diagnose(
    result: FitResult,
    options: DiagnosticOptions | None = None,
    *,
    replicates: Replicates | None = None,
) -> Diagnostics:
    """Return the tables of diagnostics of a fit.

    Parameters
    ----------
    options
        What is computed.
    replicates
        Simulated data of this fit; NPDE are computed from them even where `options` leave NPDE
        out.
    """
    chosen = options or DiagnosticOptions()
    rows = rows_of(result.problem)
    errors: Npde | None = None
    if chosen.npde is not None or replicates is not None:
        errors = npde(result, chosen.npde, replicates=replicates, rows=rows)
    by_subject = covariates_of_subjects(result.problem)
    individual = tuple(e.name for e in result.problem.model.individual)
    # a column of the data that is called like one of the table would replace it
    taken = {*_FIXED, *eta_names(result), *individual}
    names = tuple(n for n in rows.covariates if n not in taken)
    remarks = [*result.warnings, *_remarks(result, rows)]
    if errors is not None:
        remarks += errors.remarks
    return Diagnostics(
        observations=_observations(result, rows, errors, names, chosen.root),
        subjects=_subjects(result, rows, individual, {n: by_subject[n] for n in names}),
        effects=eta_names(result),
        individual=individual,
        covariates=names,
        time_unit=result.problem.model.time_unit,
        units={o.name: o.unit for o in result.problem.model.outputs},
        variances=tuple(np.diag(result.problem.omega.expand(result.omega)).tolist()),
        remarks=tuple(dict.fromkeys(remarks)),
    )


_FIXED = (
    "ID", "TIME", "TAD", "DVID", "OUTPUT", "DV", "LIMIT", "STATUS", "PRED", "IPRED", "RES", "IRES",
    "WRES", "CWRES", "IWRES", "NPDE", "NPD", "OBSERVATIONS", "OFV",
)  # fmt: skip


def _remarks(result: FitResult, rows: Rows) -> list[str]:
    found = []
    censored = int((rows.below | rows.above).sum())
    if censored:
        found.append(
            f"{censored} of {rows.count} observations are censored: they have predictions and no "
            "residuals"
        )
    if rows.likelihood.any():
        found.append(
            f"{int(rows.likelihood.sum())} observations are outcomes with a likelihood of their "
            "own: they have neither predictions nor residuals"
        )
    if not np.isfinite(result.etas).all():
        found.append("the random effects of some subjects are not known")
    return found


def _observations(
    result: FitResult, rows: Rows, errors: Npde | None, covariates: tuple[str, ...], root: Root
) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415  heavy: loaded when a table is made

    r = residuals_of(result, root, rows)
    ids = np.array(rows.ids, dtype=object)
    status = np.full(rows.count, "quantified", dtype=object)
    status[rows.below], status[rows.above] = "below limit", "above limit"
    status[rows.likelihood] = "outcome"
    columns = {
        "ID": pl.Series(ids[rows.subject].tolist(), dtype=pl.String),
        "TIME": rows.time,
        "TAD": rows.tad,
        "DVID": np.array(rows.dvids, dtype=np.int64)[rows.kind],
        "OUTPUT": pl.Series([rows.outputs[k] for k in rows.kind], dtype=pl.String),
        "DV": rows.dv,
        "LIMIT": rows.limit,
        "STATUS": pl.Series(status.tolist(), dtype=pl.String),
        "PRED": r.pred,
        "IPRED": r.ipred,
        "RES": r.res,
        "IRES": r.ires,
        "WRES": r.wres,
        "CWRES": r.cwres,
        "IWRES": r.iwres,
    }
    if errors is not None:
        columns["NPDE"], columns["NPD"] = errors.npde, errors.npd
    columns |= {name: rows.covariates[name] for name in covariates}
    return pl.DataFrame(columns).fill_nan(None)


def _subjects(
    result: FitResult, rows: Rows, individual: tuple[str, ...], covariates: dict[str, Floats]
) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415  as above

    columns = {
        "ID": pl.Series(list(rows.ids), dtype=pl.String),
        "OBSERVATIONS": result.problem.individuals.counts,
        "OFV": result.by_subject,
    }
    with np.errstate(invalid="ignore"):
        sd = np.sqrt(np.einsum("ikk->ik", result.eta_variance))
    for k, name in enumerate(eta_names(result)):
        columns[name] = result.etas[:, k]
    for k, name in enumerate(eta_names(result)):
        columns[f"SD_{name}"] = sd[:, k]
    prepared = result.problem.individuals.prepared
    model = result.problem.model
    formulas = [full_formula(model, symbol(name)) for name in individual]
    values = prepared.system_values(result.theta, result.etas)
    found = vectorise(formulas, prepared.base)(values, prepared.system_subject.size)
    for k, name in enumerate(individual):
        columns[name] = found[k, prepared.segments.start]
    columns |= covariates
    return pl.DataFrame(columns).fill_nan(None)
