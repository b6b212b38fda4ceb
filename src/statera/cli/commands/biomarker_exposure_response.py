"""``statera biomarker exposure-response``: response, grade or time to an event by exposure."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, Seed, concerning
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.pairs import read_pairs
from statera.cli.terminal import note, print_table, warn
from statera.errors import UnknownNameError, UsageError
from statera.manifest import manifest

if TYPE_CHECKING:
    from statera.response.analysis import AnalysisOptions, ResponseAnalysis
    from statera.response.exposures import SubjectExposures
    from statera.response.hazards import Hazard
    from statera.response.outcome_table import OutcomeColumns, ResponseRows
    from statera.response.predict_doses import PredictedDose

__all__ = ["HELP", "exposure_response"]

SCHEMA = "statera.biomarker-exposure-response/1"
HELP = """
\b
Examples:
  statera biomarker exposure-response trial.csv --endpoint binary --outcome acr50 \\
    --exposure auc --exposure-label "AUC (ng*h/mL)" --out page.html
  statera biomarker exposure-response trial.csv --endpoint binary --outcome acr50 \\
    --population baricitinib/Decker_2024 --dose-column dose --population-covariate WT=weight \\
    --population-covariate EGFR=egfr --metric AUC24 --draws 100 --json
  statera biomarker exposure-response trial.csv --endpoint time --time week --outcome flare \\
    --exposure cavg --hazard weibull --model emax --at 24 --out page.html

How a response (binary), a grade (ordinal) or the time to an event (time) goes with exposure.

Exposure 0 is placebo. Exposures stand in a column, or are simulated from a population model at the
dose of each subject. Forms of the effect: none, linear, log, emax, sigmoid-emax; none, linear, log
and emax are always compared.
"""
_HEADING = ("parameter", "estimate", "low", "high", "standard_error", "interval")
_COX = "cox"


def exposure_response(
    data: Annotated[
        Path, typer.Argument(metavar="DATA.csv", help="One row a subject, or start-stop rows.")
    ],
    *,
    endpoint: Annotated[str, typer.Option("--endpoint", help="binary, ordinal or time.")],
    outcome: Annotated[
        str, typer.Option("--outcome", metavar="COLUMN", help="Answer, grade, or event (1/0).")
    ] = "",
    exposure: Annotated[
        str, typer.Option("--exposure", metavar="COLUMN", help="Exposure of each row.")
    ] = "",
    population: Annotated[
        str,
        typer.Option(
            "--population", metavar="MODEL", help="Simulate exposures: a library model or a .toml."
        ),
    ] = "",
    dose_column: Annotated[
        str,
        typer.Option(
            "--dose-column", metavar="COLUMN", help="Dose in mg, or a regimen ('4 mg q24h ss')."
        ),
    ] = "",
    interval: Annotated[
        str, typer.Option("--interval", help="Between doses that are numbers.")
    ] = "24 h",
    population_covariate: Annotated[
        list[str] | None,
        typer.Option(
            "--population-covariate", metavar="NAME=COLUMN", help="Of the model; repeatable."
        ),
    ] = None,
    metric: Annotated[
        str,
        typer.Option("--metric", help="AUC24, AUCtau, Cavg, Cmax, Ctrough, Cmin, 'time above 20'."),
    ] = "AUC24",
    draws: Annotated[
        int,
        typer.Option("--draws", min=0, max=1000, help="Draws of exposure to integrate over."),
    ] = 0,
    predict: Annotated[
        list[str] | None,
        typer.Option("--predict", metavar="REGIMEN", help="A dose that was not given; repeatable."),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", help="none, linear, log, emax or sigmoid-emax.")
    ] = "emax",
    reference: Annotated[
        float | None,
        typer.Option("--reference", help="Exposure where log bends; the median unless given."),
    ] = None,
    covariate: Annotated[
        list[str] | None,
        typer.Option("--covariate", metavar="COLUMN", help="Of the response model; repeatable."),
    ] = None,
    levels: Annotated[
        str, typer.Option("--levels", metavar="A,B,C", help="Order of grades, lowest first.")
    ] = "",
    time: Annotated[
        str, typer.Option("--time", metavar="COLUMN", help="Of the event or of leaving.")
    ] = "",
    until: Annotated[
        str,
        typer.Option(
            "--until", metavar="COLUMN", help="Visit at which the event was found; empty: none."
        ),
    ] = "",
    start: Annotated[
        str, typer.Option("--start", metavar="COLUMN", help="Delayed entry, start-stop rows.")
    ] = "",
    subject: Annotated[
        str, typer.Option("--subject", metavar="COLUMN", help="Whose row it is.")
    ] = "",
    hazard: Annotated[
        str,
        typer.Option(
            "--hazard",
            help="exponential, weibull, gompertz, log-logistic, log-logistic-odds, piecewise, cox.",
        ),
    ] = "weibull",
    cuts: Annotated[
        str, typer.Option("--cuts", metavar="4,12", help="Where a piecewise hazard changes.")
    ] = "",
    at: Annotated[
        float | None, typer.Option("--at", help="Time by which events are counted.")
    ] = None,
    firth: Annotated[bool, typer.Option("--firth", help="Penalised binary likelihood.")] = False,
    quantiles: Annotated[
        int, typer.Option("--quantiles", min=1, max=20, help="Groups of positive exposures.")
    ] = 4,
    bootstrap: Annotated[
        int, typer.Option("--bootstrap", min=0, max=10_000, help="Resampled bands.")
    ] = 0,
    permutations: Annotated[
        int, typer.Option("--permutations", min=0, max=10_000, help="Test against no effect.")
    ] = 0,
    exposure_label: Annotated[str, typer.Option("--exposure-label", help="With its unit.")] = "",
    time_label: Annotated[str, typer.Option("--time-label", help="With its unit.")] = "",
    out: Annotated[
        list[Path] | None,
        typer.Option("--out", "-o", metavar="FILE", help="page.html or table.csv; repeatable."),
    ] = None,
    seed: Seed = 1,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Fit how a response goes with exposure."""
    for path in out or []:
        check_target(path, (".html", ".csv"))
    from statera.response.analysis import AnalysisOptions
    from statera.response.outcome_table import OutcomeColumns
    from statera.response.solved_rows import solved_rows

    kind = _known("endpoint", endpoint, ("binary", "ordinal", "time"), "--endpoint")
    form = _form(model)
    if bool(exposure) == bool(population):
        raise UsageError(
            "exposures come from a column or from a population model",
            where="--exposure, --population",
            hint="Give one of them.",
        )
    if population and not dose_column:
        raise UsageError(
            "a population model needs the dose of each subject", where="--dose-column",
            hint="Name the column of doses in mg or of regimens.",
        )  # fmt: skip
    if predict and not population:
        raise UsageError("other doses need a population model", where="--predict")
    of_model = read_pairs(population_covariate, "--population-covariate", "WT=weight")
    columns = OutcomeColumns(
        outcome, time, until, start, exposure, dose_column, subject, tuple(of_model.values()),
        tuple(covariate or ()), tuple(p.strip() for p in levels.split(",") if p.strip()),
    )  # fmt: skip
    rows = _rows(data, kind, columns, _hazard(hazard, cuts) if kind == "time" else None)
    simulated, label = None, exposure_label or exposure
    if population:
        simulated = _simulated(rows, population, interval, of_model, metric, draws, seed)
        rows, simulated = solved_rows(rows, simulated)
        own = f"{simulated.metric} ({simulated.unit})" if simulated.unit else simulated.metric
        label = exposure_label or own
    options = AnalysisOptions(
        form, reference=reference, firth=firth, at=at, quantiles=quantiles, bootstrap=bootstrap,
        permutations=permutations, seed=seed,
    )  # fmt: skip
    found = _analysed(rows, simulated, options)
    predicted = _predicted(found, rows, population, of_model, metric, predict or [], seed)
    inputs = {data.name: data.read_bytes()}
    if population.endswith(".toml"):
        inputs[Path(population).name] = Path(population).read_bytes()
    made = manifest(
        inputs, seed, endpoint=kind, model=form, exposure=exposure or population, outcome=outcome,
        covariates=list(covariate or ()), hazard=hazard if kind == "time" else "",
        metric=metric if population else "", draws=draws, firth=firth,
    )  # fmt: skip
    page = {"exposure_label": label, "time_label": time_label or time or "Time",
            "simulated": simulated, "predicted": predicted, "notes": rows.notes}  # fmt: skip
    _give(found, page, made, out or [], as_json, quiet)


def _known(kind: str, word: str, known: tuple[str, ...], where: str) -> str:
    if word not in known:
        raise UnknownNameError(kind, word, known, where=where)
    return word


def _form(model: str) -> str:
    from statera.response.effect_forms import FORMS

    name = {"sigmoid": "sigmoid-emax", "loglinear": "log"}.get(model, model)
    return _known("form of the effect", name, FORMS, "--model")


def _hazard(name: str, cuts: str) -> Hazard | None:
    from statera.response.hazards import HAZARDS, Hazard

    if _known("hazard", name, (*HAZARDS, _COX), "--hazard") == _COX:
        return None
    try:
        places = tuple(float(part) for part in cuts.split(",") if part.strip())
    except ValueError:
        raise UsageError(f"'{cuts}' are not times", where="--cuts", hint="Write 4,12.") from None
    rising = all(a < b for a, b in zip((0.0, *places), places, strict=False))
    if bool(places) != (name == "piecewise") or not rising:
        raise UsageError(
            "a piecewise hazard needs rising times above 0 at which it changes, and no other has "
            "them", where="--cuts", hint="Write --hazard piecewise --cuts 4,12.",
        )  # fmt: skip
    family = next(h for h in HAZARDS if h == name)
    return Hazard(family, places)


def _rows(data: Path, kind: Any, columns: OutcomeColumns, hazard: Hazard | None) -> ResponseRows:
    from statera.biomarker.read_text import read_text_table
    from statera.response.outcome_table import read_rows

    table = read_text_table(data)
    with concerning(str(data.name)):
        return read_rows(table.to_dict(as_series=False), kind, columns, hazard)


def _simulated(
    rows: ResponseRows, population: str, interval: str, of_model: dict[str, str], metric: str,
    draws: int, seed: int,
) -> SubjectExposures:  # fmt: skip
    from statera.library import load_model
    from statera.parallel import available_workers
    from statera.response.exposures import simulate_exposures, steady_state_regimens

    regimens = rows.dose
    try:
        amounts = [0.0 if d.lower() == "placebo" else float(d) for d in rows.dose]
    except ValueError:
        pass  # texts: each names a regimen
    else:
        with concerning("--dose-column"):
            regimens = steady_state_regimens(amounts, interval)
    with concerning("--population"):
        return simulate_exposures(
            load_model(population), regimens,
            {name: rows.numbers[column] for name, column in of_model.items()},
            metric=metric, draws=draws, seed=seed, workers=available_workers(),
        )  # fmt: skip


def _analysed(
    rows: ResponseRows, simulated: SubjectExposures | None, options: AnalysisOptions
) -> ResponseAnalysis:
    from statera.response.analysis import analyse_response

    exposure = simulated.typical if simulated is not None else rows.exposure
    assert exposure is not None
    return analyse_response(
        rows.outcome, exposure, rows.covariates, options, dose=rows.dose,
        draws=simulated.draws if simulated is not None else None,
    )  # fmt: skip


def _predicted(
    found: ResponseAnalysis, rows: ResponseRows, population: str, of_model: dict[str, str],
    metric: str, regimens: list[str], seed: int,
) -> tuple[PredictedDose, ...]:  # fmt: skip
    from statera.library import load_model
    from statera.parallel import available_workers
    from statera.response.ordinal import Ordinal
    from statera.response.predict_doses import predict_doses

    if not regimens or found.fit is None or not found.fit.usable:
        return ()
    with concerning("--predict"):
        return predict_doses(
            found.fit, load_model(population), regimens,
            {name: rows.numbers[column] for name, column in of_model.items()},
            metric=metric, at=1.0 if isinstance(found.outcome, Ordinal) else found.at, seed=seed,
            workers=available_workers(),
        )  # fmt: skip


def _give(
    found: ResponseAnalysis, page: dict[str, Any], made: dict[str, Any], out: list[Path],
    as_json: bool, quiet: bool,
) -> None:  # fmt: skip
    """Write the files asked for and print the result."""
    for path in out:
        content = _csv(found) if path.suffix.lower() == ".csv" else _page(found, page, made)
        write_bytes_atomically(path, content)
    status = found.fit.status if found.fit is not None else "not fitted"
    warnings = () if status == "ok" else (f"{found.options.form}: {status}.",)
    simulated, predicted = page["simulated"], page["predicted"]
    notes = (*page["notes"], *(simulated.notes if simulated is not None else ()), *found.notes)
    if as_json:
        from statera.response_report.data import response_data

        result = {**response_data(found, page["exposure_label"], predicted), "notes": notes}
        typer.echo(Envelope(SCHEMA, result, warnings, made).to_json(), nl=False)
        return
    print_table(_HEADING, [[_cell(v) for v in row] for row in _table(found)])
    print_table(
        ("form", "log_likelihood", "aic", "difference", "status"),
        [(r.form, _cell(r.log_likelihood), _cell(r.aic), _cell(r.delta), r.status)
         for r in found.comparison.rows],
    )  # fmt: skip
    if predicted:
        print_table(
            ("regimen", "median exposure", "chance", "low", "high", "beyond the data"),
            [(d.regimen, *(_cell(v) for v in (d.exposure[0], *d.chance, d.beyond)))
             for d in predicted],
        )  # fmt: skip
    warn(warnings)
    for sentence in notes:
        note(sentence, quiet=quiet)
    for path in out:
        note(f"written to {path}", quiet=quiet)


def _page(found: ResponseAnalysis, page: dict[str, Any], made: dict[str, Any]) -> bytes:
    from statera.report import render_html
    from statera.response_report.build import build_response_report

    return render_html(build_response_report(found, **page, made=made)).encode()


def _table(found: ResponseAnalysis) -> list[tuple[Any, ...]]:
    return [
        (r.name, r.estimate, r.low, r.high, r.standard_error, r.basis) for r in found.parameters
    ]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"  # noqa: PLR0124  NaN
    return str(value)


def _csv(found: ResponseAnalysis) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_HEADING)
    for row in _table(found):
        writer.writerow(["" if v != v else v for v in row])  # noqa: PLR0124  NaN
    return stream.getvalue().encode()
