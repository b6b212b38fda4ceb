"""The answer of a fit: estimates, criteria, goodness of fit, predictive check, report."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from statera.estimate.compare import information_criteria
from statera.estimate.diagnostics import Diagnostics, diagnose
from statera.estimate.grid import predict_curves
from statera.estimate.npc import NpcOptions
from statera.estimate.outcome import FitOutcome
from statera.estimate.replicates import Replicates, simulate_replicates
from statera.estimate.result import FitResult
from statera.estimate.summary import METHOD_NAMES, fit_manifest, summary
from statera.estimate.table import ParameterTable
from statera.estimate.vpc import Vpc, VpcOptions, vpc
from statera.fit_report import FitReportOptions
from statera.fit_report.outcome_page import outcome_page
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.fit import FitRequest
from statera.web.tasks.fit_copies import fit_command, fit_program
from statera.web.tasks.fit_course import Course
from statera.web.work import Work

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Named", "fit_answer"]

_PARAMETERS = (
    "kind", "name", "of", "unit", "estimate", "fixed", "se", "rse", "low", "high", "shown_as",
    "value", "value_low", "value_high", "shrinkage", "flags",
)  # fmt: skip
_OBSERVATIONS = (
    "ID", "TIME", "TAD", "DVID", "OUTPUT", "DV", "LIMIT", "STATUS", "PRED", "IPRED", "IWRES",
    "CWRES", "NPDE",
)  # fmt: skip
_CURVE_POINTS, _CURVE_SUBJECTS = 120, 200
_ROWS = 20_000


@dataclass(frozen=True)
class Named:
    """What the files are called in the copied command.

    Attributes
    ----------
    model, data
        Id or file of the model, file of the data.
    stream
        Whether the model is a control stream.
    """

    model: str
    data: str
    stream: bool


def fit_answer(
    request: FitRequest, outcome: FitOutcome, course: Course, called: Named, work: Work
) -> Answer:
    """Return the answer; diagnostics are of a fit that has converged only."""
    told = outcome.told
    tables: dict[str, Table] = {"course": course.table()}
    result: dict[str, Any] = _head(outcome)
    if told.status != "no start":
        table = told.table(outcome.errors, outcome.shrunk)
        result["parameters"] = table.to_dict()
        tables["parameters"] = _parameters(table)
        result |= _correlations(outcome, tables)
        text = summary(told, outcome.errors, outcome.shrunk)
        result["summary"] = text
        work.save("summary.txt", f"{text}\n".encode(), "text/plain")
    if told.converged:
        replicates = None
        if request.replicates:
            work.progress(0.75, "Simulating for the predictive check")
            replicates = simulate_replicates(told, request.replicates, request.seed)
        work.progress(0.8, "Goodness of fit")
        result["gof"] = _goodness(told, replicates, tables)
        if replicates is not None:
            work.progress(0.85, "Visual predictive check")
            for name, options in zip(("vpc", "vpc_corrected"), _checks(request), strict=False):
                check = vpc(told, options, replicates=replicates)
                result[name] = _check(check)
                tables[name] = _frame(check.to_polars(), {})
    if request.report and told.status != "no start":
        work.progress(0.9, "Report")
        page = outcome_page(outcome, _report_options(request))
        work.save("report.html", page, "text/html")
    work.progress(1.0, f"The fit ended: {told.status}")
    copies = Copies(
        fit_program(request, called.model, called.data, stream=called.stream),
        fit_command(request, called.model, called.data),
    )
    return Answer(
        "statera.web.fit/1", result, tables, copies, told.warnings,
        fit_manifest(told, request.seed),
    )  # fmt: skip


def _head(outcome: FitOutcome) -> dict[str, Any]:
    told = outcome.told
    people = told.problem.individuals
    model = told.problem.model
    start = told.status != "no start"
    return {
        "model": {"id": model.id, "title": model.title},
        "method": told.method,
        "method_name": METHOD_NAMES.get(told.method, told.method),
        "status": told.status,
        "converged": told.converged,
        "sentence": told.sentence,
        "ofv": told.ofv,
        "ofv_se": told.extra.get("ofv_se"),
        "criteria": information_criteria(told) if start else None,
        "standard_errors": None if outcome.errors is None else outcome.errors.description,
        "subjects": people.n_subjects,
        "observations": int(people.y.size),
        "observations_left_out": told.problem.omitted,
        "seconds": told.seconds,
        "data_report": str(outcome.data_report),
    }


def _parameters(table: ParameterTable) -> Table:
    units = {"value": "unit of the row", "rse": "%", "shrinkage": "%"}
    rows = []
    for row in table.to_dict():
        row["flags"] = "; ".join(row["flags"])
        rows.append([row[name] for name in _PARAMETERS])
    return Table([Column(name, units.get(name, "")) for name in _PARAMETERS], rows)


def _correlations(outcome: FitOutcome, tables: dict[str, Table]) -> dict[str, Any]:
    """Return correlations of the estimates where there are standard errors."""
    errors = outcome.errors
    if errors is None or not errors.usable:
        return {}
    names, matrix = list(errors.names), errors.correlation
    tables["correlations"] = Table(
        [Column("parameter"), *(Column(name) for name in names)],
        [[name, *row] for name, row in zip(names, matrix, strict=True)],
    )
    return {"correlations": {"names": names, "matrix": matrix, "condition": errors.condition}}


def _goodness(
    told: FitResult, replicates: Replicates | None, tables: dict[str, Table]
) -> dict[str, Any]:
    """Return what the figures need beside their tables: names and units."""
    found = diagnose(told, replicates=replicates)
    kept = [c for c in _OBSERVATIONS if c in found.observations.columns]
    units = {"TIME": found.time_unit, "TAD": found.time_unit}
    rows = found.observations.select(kept)
    tables["observations"] = _frame(rows.head(_ROWS), units)
    tables["subjects"] = _frame(found.subjects, {})
    remarks = list(found.remarks)
    if rows.height > _ROWS:
        remarks.append(f"only the first {_ROWS:,} of {rows.height:,} observations are drawn")
    remarks += _curves(told, found, tables)
    return {
        "outputs": list(dict.fromkeys(found.observations["OUTPUT"].to_list())),
        "units": found.units,
        "time_unit": found.time_unit,
        "effects": found.effects,
        "effect_sd": [math.sqrt(v) if v >= 0.0 else None for v in found.variances],
        "covariates": found.covariates,
        "remarks": remarks,
    }


def _curves(told: FitResult, found: Diagnostics, tables: dict[str, Table]) -> list[str]:
    ids = found.subjects["ID"].to_list()
    shown = ids[:_CURVE_SUBJECTS]
    rows = []
    for curve in predict_curves(told, shown, _CURVE_POINTS):
        pairs = zip(curve.time, curve.pred, curve.ipred, strict=True)
        rows += [[curve.subject, curve.output, *(_short(x) for x in values)] for values in pairs]
    columns = [Column("ID"), Column("OUTPUT"), Column("TIME", found.time_unit), Column("PRED"),
               Column("IPRED")]  # fmt: skip
    tables["curves"] = Table(columns, rows)
    if len(ids) > len(shown):
        return [f"curves are drawn of the first {len(shown)} of {len(ids)} subjects"]
    return []


def _check(check: Vpc) -> dict[str, Any]:
    """Return the panels of a predictive check; what falls among censored values is null."""
    return {
        "x_unit": check.x_unit,
        "units": check.units,
        "replicates": check.options.n,
        "seed": check.options.seed,
        "level": check.options.level,
        "percentiles": check.options.percentiles,
        "panels": check.panels,
        "remarks": check.remarks,
    }


def _frame(frame: pl.DataFrame, units: dict[str, str]) -> Table:
    columns = [Column(name, units.get(name, "")) for name in frame.columns]
    rows = [[_short(x) if isinstance(x, float) else x for x in row] for row in frame.iter_rows()]
    return Table(columns, rows)


def _short(value: float) -> float:
    """Return a number for figures with eight digits: half the size on its way."""
    return float(f"{value:.8g}") if np.isfinite(value) else math.nan


def _report_options(request: FitRequest) -> FitReportOptions:
    if not request.replicates:
        return FitReportOptions(vpc=(), npc=None)
    npc = NpcOptions(stratify=request.stratify, cuts=tuple(request.cuts))
    return FitReportOptions(vpc=_checks(request), npc=npc)


def _checks(request: FitRequest) -> tuple[VpcOptions, ...]:
    """Return the predictive checks: divided as asked, and a prediction-corrected one."""
    n, seed = request.replicates, request.seed
    first = VpcOptions(n=n, seed=seed, stratify=request.stratify, cuts=tuple(request.cuts))
    if not request.corrected:
        return (first,)
    return first, VpcOptions(n=n, seed=seed, prediction_corrected=True)
