"""``statera fit``: a population model fitted to data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from statera.cli.fit_bayes import fit_bayes
from statera.cli.fit_output import check_checkpoint, check_out, deliver
from statera.cli.fit_progress import watched
from statera.cli.fit_report_asked import ReportAsked, read_report_asked
from statera.cli.options import JsonFlag, QuietFlag, Workers, concerning
from statera.cli.pairs import read_numbers, read_pairs, read_spans
from statera.cli.terminal import note
from statera.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from statera.estimate import FitMethod
    from statera.estimate.covariance import MatrixKind
    from statera.estimate.model_and_data import Asked, ModelAndData
    from statera.estimate.saem_likelihood import SaemLikelihood

__all__ = ["HELP", "fit"]

HELP = """
\b
Examples:
  statera fit model.toml data.csv
  statera fit model.toml data.csv --method laplace --out results/
  statera fit model.toml data.csv --out report.html --stratify DOSE --corrected --log
  statera fit model.toml data.csv --checkpoint fit.ckpt --resume
  statera fit model.toml data.csv --method bayes --draws 2000 --out posterior/
  statera fit run1.mod --out results/
  statera fit model.toml data.csv --column ID=SUBJ --ignore "DOSE.EQ.0" --init lCL=1.2 --fix lKA

Fit a population model to data, and print its estimates.

What the data hold is said first, on standard error. Ctrl-C leaves the best values so far.
"""
_MATRICES: dict[str, MatrixKind | None] = {"sandwich": "sandwich", "r": "R", "s": "S", "none": None}
_LIKELIHOODS: dict[str, SaemLikelihood] = {"sampled": "sampled", "linearised": "linearised"}
_BLQ = ("M1", "M2", "M3", "M4")
T = TypeVar("T")
_Texts = list[str] | None


def fit(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A model file (.toml), a NONMEM control stream (.mod, .ctl), or a model of "
            "'statera library list'.",
        ),
    ],
    data: Annotated[
        Path | None,
        typer.Argument(
            metavar="DATA",
            help="Records as NONMEM takes them (.csv); a control stream names its own.",
        ),
    ] = None,
    *,
    method: Annotated[
        str,
        typer.Option("--method", "-m", help="fo, foce, focei, laplace, agq, its, saem or bayes."),
    ] = "focei",
    column: Annotated[
        _Texts,
        typer.Option("--column", metavar="ROLE=NAME", help="Column of a role; repeatable."),
    ] = None,
    ignore: Annotated[
        _Texts,
        typer.Option(
            "--ignore", metavar="CONDITION", help="Records to leave out, 'ID>100'; repeatable."
        ),
    ] = None,
    accept: Annotated[
        _Texts,
        typer.Option(
            "--accept", metavar="CONDITION", help="Keep only records of one of these; repeatable."
        ),
    ] = None,
    lloq: Annotated[
        float | None,
        typer.Option("--lloq", help="Limit of quantification, where no column holds it."),
    ] = None,
    blq: Annotated[str, typer.Option("--blq", help="Values below the limit: M1 to M4.")] = "M3",
    log_dv: Annotated[bool, typer.Option("--log-dv", help="DV holds logarithms.")] = False,
    time_unit: Annotated[str, typer.Option("--time-unit", help="Unit of TIME and II.")] = "h",
    amount_unit: Annotated[str, typer.Option("--amount-unit", help="Unit of AMT.")] = "mg",
    output: Annotated[
        _Texts,
        typer.Option("--output", metavar="DVID=OUTPUT", help="Output of a DVID; repeatable."),
    ] = None,
    fix: Annotated[
        _Texts,
        typer.Option("--fix", metavar="NAME", help="Keep a value where it starts; repeatable."),
    ] = None,
    init: Annotated[
        _Texts,
        typer.Option(
            "--init",
            metavar="NAME=VALUE",
            help="Initial value of a parameter, or variance of a random effect; repeatable.",
        ),
    ] = None,
    bounds: Annotated[
        _Texts,
        typer.Option(
            "--bounds", metavar="NAME=LOW:HIGH", help="Bounds of a parameter; repeatable."
        ),
    ] = None,
    iterations: Annotated[
        int, typer.Option("--iterations", min=1, help="Largest number of iterations.")
    ] = 300,
    covariance: Annotated[
        str,
        typer.Option("--covariance", help="Standard errors by sandwich, r, s, or none."),
    ] = "sandwich",
    saem_errors: Annotated[
        str,
        typer.Option(
            "--saem-errors",
            help="Likelihood behind standard errors of saem: sampled, or linearised (quicker).",
        ),
    ] = "sampled",
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="FILE", help="Written while the fit runs."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the file of --checkpoint.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="DIR|FILE.html", help="Folder for all files, or one report."
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", min=0, help="Seed of saem and bayes, and of the checks of a report."
        ),
    ] = 1,
    draws: Annotated[
        int, typer.Option("--draws", min=1, help="bayes: draws of each chain that are kept.")
    ] = 1000,
    tune: Annotated[
        int, typer.Option("--tune", min=1, help="bayes: draws before them, to adapt.")
    ] = 500,
    chains: Annotated[int, typer.Option("--chains", min=1, help="bayes: chains.")] = 4,
    target_accept: Annotated[
        float,
        typer.Option(
            "--target-accept", help="bayes: nearer to 1, smaller steps that diverge less."
        ),
    ] = 0.9,
    prior_sd: Annotated[
        float,
        typer.Option(
            "--prior-sd",
            help="bayes: SD, on the scale of the search, of parameters without a prior in the "
            "model.",
        ),
    ] = 10.0,
    effect_scale: Annotated[
        float,
        typer.Option(
            "--effect-scale", help="bayes: scale of the half-normal prior of omega (as SD)."
        ),
    ] = 1.0,
    stratify: Annotated[
        str,
        typer.Option(
            "--stratify",
            metavar="NAME[:CUTS]",
            help="Report: divide predictive checks by a column, such as DOSE or WT:70.",
        ),
    ] = "",
    corrected: Annotated[
        bool, typer.Option("--corrected", help="Report: a prediction-corrected check too.")
    ] = False,
    log_axes: Annotated[
        bool, typer.Option("--log", help="Report: values on logarithmic axes.")
    ] = False,
    replicates: Annotated[
        int | None,
        typer.Option(
            "--replicates",
            min=20,
            help="Report: simulated data sets of its checks; 500 unless given.",
        ),
    ] = None,
    workers: Workers = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Fit a population model to data, and print its estimates."""
    check_out(out)
    check_checkpoint(checkpoint)
    report = read_report_asked(
        out, seed, stratify, corrected=corrected, logarithmic=log_axes, replicates=replicates
    )
    if resume and checkpoint is None:
        raise UsageError("--resume needs --checkpoint FILE, the file to go on from")
    matrix = _one_of(covariance.lower(), _MATRICES, "--covariance")
    likelihood = _one_of(saem_errors.lower(), _LIKELIHOODS, "--saem-errors")
    initial = read_numbers(init, "--init", "NAME=NUMBER, such as lCL=1.2")
    ends = read_spans(bounds, "--bounds")

    from statera.estimate import (  # heavy: only when this runs
        NutsOptions,
        OuterOptions,
        PriorOptions,
        ProblemOptions,
        SaemOptions,
        load_checkpoint,
    )
    from statera.estimate import fit as run
    from statera.estimate.model_and_data import Asked
    from statera.estimate.outcome import fit_outcome
    from statera.parallel import available_workers

    asked = Asked(
        columns=read_pairs(column, "--column", "ROLE=NAME, such as ID=SUBJ"),
        ignore=ignore or (),
        accept=accept or (),
        lloq=lloq,
        dv_scale="log" if log_dv else "natural",
        time_unit=time_unit,
        amount_unit=amount_unit,
        outputs=read_pairs(output, "--output", "DVID=OUTPUT, such as 2=RESPONSE"),
    )
    chosen = _method(method.lower(), writes=checkpoint is not None and not resume)
    start = load_checkpoint(checkpoint) if resume and checkpoint is not None else None
    read = _read(model, data, asked, report, quiet=quiet)
    options = ProblemOptions(
        fixed=tuple(fix or ()), initial=initial, bounds=ends, outputs=read.outputs,
        blq=_one_of(blq.upper(), {name: name for name in _BLQ}, "--blq"),
        workers=workers or available_workers(),
    )  # fmt: skip
    if chosen is None:
        priors = PriorOptions(prior_sd, effect_scale)
        nuts = NutsOptions(draws, tune, chains, seed, priors, target_accept)
        fit_bayes(read, options, nuts, start, out, as_json=as_json, quiet=quiet)
        return
    with watched(quiet=quiet) as progress:
        result = run(
            read.model, read.table, method=chosen, options=options,
            outer=OuterOptions(max_iterations=iterations), saem=SaemOptions(seed=seed),
            progress=progress, resume=start, checkpoint=checkpoint,
        )  # fmt: skip
    outcome = fit_outcome(result, read.table, read.remarks, matrix=matrix, likelihood=likelihood)
    deliver(outcome, out, checkpoint, report, as_json=as_json, quiet=quiet)


def _read(
    model: str, data: Path | None, asked: Asked, report: ReportAsked, *, quiet: bool
) -> ModelAndData:
    """Read model and data, and say what they hold."""
    from statera.estimate.model_and_data import (  # heavy: only when this runs
        read_model_and_data,
        read_model_file,
    )

    units = (asked.time_unit, asked.amount_unit)
    with concerning("MODEL"):
        file = read_model_file(model, time_unit=units[0], amount_unit=units[1])
    try:
        read = read_model_and_data(file, data, asked)
    except UnknownNameError as error:
        if error.where == "outputs":
            error.where = "--output"
        raise
    note(str(read.table.report), quiet=quiet)
    report.check(read.table)
    for remark in read.remarks:
        note(remark, quiet=quiet)
    return read


def _method(given: str, *, writes: bool) -> FitMethod | None:
    """Return a method that maximises a likelihood; None for full Bayes."""
    from statera.estimate import FIT_METHODS  # heavy: only when this runs

    methods: dict[str, FitMethod | None] = {name: name for name in FIT_METHODS}
    chosen = _one_of(given, methods | {"bayes": None}, "--method")
    if chosen is None and writes:
        raise UsageError(
            "bayes writes no checkpoint",
            where="--checkpoint",
            hint="With --resume its chains begin where a checkpoint of another method stands.",
        )
    return chosen


def _one_of(given: str, known: Mapping[str, T], option: str) -> T:
    if given not in known:
        raise UsageError(
            f"'{given}' is not known here", where=option, hint=f"Known: {', '.join(known)}."
        )
    return known[given]
