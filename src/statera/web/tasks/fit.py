"""A population model fitted to data, as a job: watched, cancelled and resumed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from statera.estimate import (
    FitResult,
    OuterOptions,
    ProblemOptions,
    SaemOptions,
    fit,
    load_checkpoint,
)
from statera.estimate.covariance import MatrixKind
from statera.estimate.fit import FitMethod
from statera.estimate.model_and_data import ModelAndData, read_model_and_data
from statera.estimate.outcome import FitOutcome, fit_outcome
from statera.estimate.strata import strata_of
from statera.web.answer import Answer
from statera.web.requests.fit import FitRequest
from statera.web.tasks.fit_answer import Named, fit_answer
from statera.web.tasks.fit_bayes import run_bayes
from statera.web.tasks.fit_course import Course
from statera.web.tasks.fit_files import save_inputs
from statera.web.tasks.fit_inputs import asked_of, data_of, file_name, load_fit_model, named
from statera.web.work import Work

__all__ = ["run"]

_MATRICES: dict[str, MatrixKind | None] = {"sandwich": "sandwich", "r": "R", "s": "S", "none": None}


def run(request: FitRequest, work: Work) -> Answer:
    """Fit, and return estimates with diagnostics; a second attempt goes on from its checkpoint."""
    work.progress(0.0, "Reading model and data")
    upload = data_of(request.data, work)
    loaded = load_fit_model(request.model, request.reading, work)
    name = file_name(upload.name, "data.csv")
    with named(upload.path, name):
        read = read_model_and_data(
            loaded.file, upload.path, asked_of(request.reading, request.outputs)
        )
    if request.replicates:  # said before the search rather than after it
        strata_of(read.table.events.covariates, request.stratify, request.cuts)
    report = replace(read.table.report, source=name)
    read = replace(read, table=replace(read.table, report=report))
    called = Named(loaded.name, name, loaded.stream)
    save_inputs(request, loaded, upload, work)
    options = ProblemOptions(
        fixed=tuple(request.fixed),
        initial=request.initial,
        bounds=request.bounds,
        outputs=read.outputs,
        blq=request.blq,
    )
    if request.method == "bayes":
        return run_bayes(request, read, options, called, work)
    course, result = _search(request, request.method, read, options, work)
    outcome = _outcome(request, result, read, work)
    return fit_answer(request, outcome, course, called, work)


def _search(
    request: FitRequest, method: FitMethod, read: ModelAndData, options: ProblemOptions, work: Work
) -> tuple[Course, FitResult]:
    """Search from the initial values, or from where an earlier attempt stood."""
    checkpoint = work.folder / "fit.checkpoint"
    start = load_checkpoint(checkpoint) if _goes_on(checkpoint, work) else None
    saem = SaemOptions(seed=request.seed)
    course = Course(
        work,
        read.model,
        tuple(request.fixed),
        method,
        None if start is None else start.iteration,
        saem.burn_in[0] + saem.smoothing if method == "saem" else 0,
    )
    work.progress(None, "Preparing the search (the first fit after an update compiles its solver)")
    if start is not None:
        work.progress(None, f"Going on from iteration {start.iteration}", resumed=start.iteration)
    result = fit(
        read.model,
        read.table,
        method=method,
        options=options,
        outer=OuterOptions(max_iterations=request.iterations),
        saem=saem,
        progress=course,
        resume=start,
        checkpoint=checkpoint,
    )
    if result.status == "stopped":
        raise KeyboardInterrupt  # the fit took it as the wish to stop: its checkpoint is written
    course.tell()
    return course, result


def _goes_on(checkpoint: Path, work: Work) -> bool:
    return work.attempt > 1 and checkpoint.is_file()


def _outcome(request: FitRequest, result: FitResult, read: ModelAndData, work: Work) -> FitOutcome:
    matrix = _MATRICES[request.standard_errors]
    said = "Standard errors" if matrix else "Shrinkage"
    rows = result.table().to_dict() if result.status != "no start" else []
    work.progress(
        0.7, said, stage="estimates", status=result.status, sentence=result.sentence,
        ofv=result.ofv, estimates=rows,
    )  # fmt: skip
    outcome = fit_outcome(
        result, read.table, read.remarks, matrix=matrix, likelihood=request.saem_errors
    )
    if outcome.interrupted:
        raise KeyboardInterrupt
    return outcome
