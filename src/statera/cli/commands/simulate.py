"""``statera simulate``: a population through one dosing regimen."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.commands.simulate_questions import WindowOptions, read_window_options
from statera.cli.commands.simulate_table import (
    check_choice,
    events_data,
    events_rows,
    run_events,
    run_streamed,
    stream_data,
)
from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, Seed, Workers, concerning
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.terminal import note, print_table, warn
from statera.errors import InputError, NumericalError, UsageError
from statera.manifest import manifest

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from statera.data import Regimen
    from statera.model import Model
    from statera.simulate import SimulationResult, StreamedSimulation
    from statera.simulate.distributions import Distribution

    Floats = NDArray[np.float64]

__all__ = ["HELP", "simulate"]

HELP = """
\b
Examples:
  statera simulate baricitinib/Decker_2024 --dose "4 mg q24h x14" --covariate egfr=45
  statera simulate baricitinib/Decker_2024 --dose "2 mg q24h x28" --n 200 --json
  statera simulate baricitinib/Decker_2024 --dose "4 mg" --until "48 h" --every "15 min" --out p.csv
  statera simulate baricitinib/Decker_2024 --events study.csv --out predicted.csv
  statera simulate baricitinib/Decker_2024 --dose "4 mg q24h x28" --n 1000000 --parquet folder

Simulate a population and print its exposure: Cmax, tmax, AUC, Cavg and Ctrough.
"""
SCHEMA = "statera.simulate/1"
_PERCENTILES = (5.0, 50.0, 95.0)
# More rows than this would not fit in the memory of an ordinary machine.
_MOST_ROWS = 50_000_000


def simulate(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="A model of 'statera library list', or a model file (.toml)."
        ),
    ],
    *,
    dose: Annotated[
        str | None,
        typer.Option(
            "--dose", metavar="'4 mg q24h x14'", help="Amount, interval and number of doses."
        ),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(
            "--events",
            metavar="FILE",
            help="A table of event records (NONMEM), in place of --dose.",
        ),
    ] = None,
    subjects: Annotated[
        int | None,
        typer.Option("--n", min=1, max=1_000_000, help="Number of subjects; 1000 unless given."),
    ] = None,
    covariate: Annotated[
        list[str] | None,
        typer.Option(
            "--covariate",
            metavar="NAME=VALUE",
            help="A value, or a distribution to draw from; repeatable.",
        ),
    ] = None,
    seed: Seed = 1,
    workers: Workers = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--until",
            metavar="'14 day'",
            help="End of the profiles; that of the last dosing interval unless given.",
        ),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(
            "--every", metavar="'1 h'", help="Step of the profiles; unless given, fine after doses."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="All profiles, as .csv or .parquet, in long form."
        ),
    ] = None,
    percentiles: Annotated[
        str | None,
        typer.Option("--percentiles", metavar="5,50,95", help="Of profiles and endpoints."),
    ] = None,
    window: Annotated[
        list[str] | None,
        typer.Option(
            "--window",
            metavar="0,24",
            help="Start and end of a window with endpoints, h; repeatable. The first and the last "
            "dosing interval unless given.",
        ),
    ] = None,
    above: Annotated[
        list[str] | None,
        typer.Option("--above", metavar="CP=20", help="Time above this level; repeatable."),
    ] = None,
    inhibition: Annotated[
        list[str] | None,
        typer.Option(
            "--inhibition",
            metavar="CP=IC50,HILL",
            help="Mean inhibition at this IC50 (in the output's unit); repeatable.",
        ),
    ] = None,
    parquet: Annotated[
        Path | None,
        typer.Option(
            "--parquet",
            metavar="FOLDER",
            help="Write endpoints, and profiles where --every is given, in parts of bounded size.",
        ),
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Simulate a population and print its exposure."""
    if out is not None:
        check_target(out, (".csv", ".parquet"))
    given = {
        "--n": subjects, "--covariate": covariate, "--until": until, "--every": every,
        "--parquet": parquet, "--percentiles": percentiles, "--window": window, "--above": above,
        "--inhibition": inhibition,
    }  # fmt: skip
    check_choice(dose, events, given)
    if events is not None:
        _simulate_table(model, events, seed, workers, out, as_json, quiet)
        return
    assert dose is not None
    subjects = subjects or 1000
    asked = read_window_options(percentiles, window, above, inhibition)
    held = dict(_covariate(text) for text in covariate or ())

    from statera.data import parse_regimen  # heavy: only when this runs
    from statera.library import load_model
    from statera.parallel import available_workers
    from statera.simulate import simulate as run

    known = load_model(model)
    with concerning("--dose"):
        regimen = parse_regimen(dose)
    if parquet is not None:
        _check_streamed(out, asked)
        times = None if every is None else _grid(until, every, regimen, 1)
        options = {"n": subjects, "covariates": held, "seed": seed,
                   "workers": workers or available_workers()}  # fmt: skip
        found = run_streamed(known, dose, parquet, times, quiet, **options)
        _report_streamed(found, model, known, parquet, seed, as_json, quiet)
        return
    result = run(
        known,
        regimen,
        n=subjects,
        covariates=held,
        seed=seed,
        workers=workers or available_workers(),
        times=_grid(until, every, regimen, subjects),
        windows=asked.windows,
        thresholds=asked.thresholds,
        inhibition=asked.inhibition,
    )
    if len(result.failures) == subjects:
        raise NumericalError(
            f"no subject could be solved: {result.failures[0][1]}",
            where=known.id,
            hint="Check the dose and the covariates against the model.",
        )
    if out is not None:
        write_bytes_atomically(out, _file(result.to_polars(), out.suffix.lower()))
        note(f"Profiles: {out}", quiet=quiet)
    if as_json:
        made = _manifest(model, known, result.manifest, seed)
        envelope = Envelope(SCHEMA, _data(result, held, dose, asked.levels), result.warnings, made)
        typer.echo(envelope.to_json(), nl=False)
        return
    warn(result.warnings)
    _print_summary(result, asked.levels)


def _check_streamed(out: Path | None, asked: WindowOptions) -> None:
    if out is not None:
        raise UsageError("--out and --parquet exclude each other", where="--out, --parquet")
    if asked != WindowOptions():
        raise UsageError(
            "with --parquet percentiles and windows cannot be chosen",
            where="--percentiles, --window, --above, --inhibition",
        )


def _simulate_table(
    model: str,
    events: Path,
    seed: int,
    workers: int | None,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    from statera.library import load_model  # heavy: only when this runs
    from statera.parallel import available_workers

    known = load_model(model)
    result = run_events(known, events, seed, workers or available_workers())
    if out is not None:
        write_bytes_atomically(out, _file(result.to_polars(), out.suffix.lower()))
        note(f"Records: {out}", quiet=quiet)
    if as_json:
        made = _manifest(model, known, result.manifest, seed, events)
        data = events_data(result, events)
        typer.echo(Envelope(SCHEMA, data, result.warnings, made).to_json(), nl=False)
        return
    warn(result.warnings)
    levels = [f"p{level:g}" for level in _PERCENTILES]
    print_table(("output", "unit", "records", *levels), events_rows(result))


def _report_streamed(
    found: StreamedSimulation,
    model: str,
    known: Model,
    folder: Path,
    seed: int,
    as_json: bool,
    quiet: bool,
) -> None:
    note(f"Results: {folder}", quiet=quiet)
    if as_json:
        run = {key: found.manifest[key] for key in ("model", "dose", "subjects")}
        made = _manifest(model, known, run, seed)
        data = stream_data(found, folder)
        typer.echo(Envelope(SCHEMA, data, found.warnings, made).to_json(), nl=False)
        return
    warn(found.warnings)
    _print_summary(found)


def _covariate(text: str) -> tuple[str, float | Distribution]:
    """Return a covariate's name and its value, or the distribution it is drawn from."""
    name, sign, given = (part.strip() for part in text.partition("="))
    if name and "(" in given:
        from statera.simulate import parse_distribution  # heavy

        with concerning("--covariate"):
            return name, parse_distribution(given)
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not (name and sign and math.isfinite(value)):
        raise UsageError(
            f"'{text}' is not a covariate and its value",
            where="--covariate",
            hint="Write NAME=NUMBER, such as egfr=45, or a distribution, such as "
            "wt='normal(74, 15)'.",
        )
    return name, value


def _grid(until: str | None, every: str | None, regimen: Regimen, subjects: int) -> Floats:
    """Return the observation times in h: as asked, or fine after each dose."""
    import numpy as np  # heavy: only when this runs

    from statera.simulate import default_times
    from statera.units import parse_quantity

    if until is None and every is None:
        times = default_times(regimen)
        _check_size(times.size, subjects)
        return times
    with concerning("--until"):
        end = regimen.end if until is None else parse_quantity(until, "h", what="time")
    with concerning("--every"):
        step = 1.0 if every is None else parse_quantity(every, "h", what="time")
    if end < 0.0 or step <= 0.0:
        raise InputError(
            f"profiles until {end:g} h every {step:g} h are not possible",
            where="--until, --every",
            hint="Give an end of zero or more and a step above zero.",
        )
    # A whole number of steps must not be lost to rounding: 0.3 / 0.1 is below 3.
    count = math.floor(end / step * (1.0 + 1e-12)) + 1
    _check_size(count, subjects)
    return np.arange(count, dtype=np.float64) * step


def _check_size(times: int, subjects: int) -> None:
    if times * subjects > _MOST_ROWS:
        raise InputError(
            f"{times} times for {subjects} subjects are too many",
            where="--n, --until, --every",
            hint=f"Keep the product below {_MOST_ROWS:.0e}: a longer step or fewer subjects.",
        )


def _file(frame: pl.DataFrame, suffix: str) -> bytes:
    buffer = io.BytesIO()
    if suffix == ".csv":
        frame.write_csv(buffer)
    else:
        frame.write_parquet(buffer)
    return buffer.getvalue()


def _data(
    result: SimulationResult,
    held: dict[str, float | Distribution],
    dose: str,
    shown: tuple[float, ...],
) -> dict[str, Any]:
    """Return the result as data: percentiles of the profiles, endpoints of every subject."""
    profiles = {}
    for output, unit in result.units.items():
        bands = result.percentiles(output, shown)
        named = {f"p{level:g}": band for level, band in zip(shown, bands, strict=True)}
        profiles[output] = {"unit": unit, "time": result.times, **named}
    return {
        "model": result.model_id,
        "dose": dose,
        "subjects": result.n_subjects,
        "covariates": {name: str(v) if not isinstance(v, float) else v for name, v in held.items()},
        "solver": result.solver,
        "failures": [
            {"subject": index + 1, "sentence": sentence} for index, sentence in result.failures
        ],
        "time_unit": "h",
        "profiles": profiles,
        "summary": list(result.summary(shown).values()),
        "endpoints": result.endpoints().to_dict(as_series=False),
    }


def _manifest(
    name: str, model: Model, made: Mapping[str, Any], seed: int, table: Path | None = None
) -> dict[str, Any]:
    from statera.library.paths import data_root  # heavy: only when this runs

    shipped = data_root() / "models" / f"{model.id}.toml"
    content = Path(name).read_bytes() if name.endswith(".toml") else shipped.read_bytes()
    run = {key: value for key, value in made.items() if key != "seed"}
    inputs = {f"{Path(model.id).name}.toml": content}
    if table is not None:
        inputs[table.name] = table.read_bytes()
    return manifest(inputs, seed, run=run)


def _print_summary(
    result: SimulationResult | StreamedSimulation, shown: tuple[float, ...] = _PERCENTILES
) -> None:
    """Print percentiles of the endpoints, one row for each output, window and endpoint."""
    levels = [f"p{level:g}" for level in shown]
    rows = []
    for entry in result.summary(shown).values():
        start, end = entry["window_h"]
        rows.append(
            (
                entry["output"],
                f"{start:g}-{end:g} h",
                entry["endpoint"],
                entry["unit"],
                *(f"{entry[level]:.4g}" for level in levels),
                "" if entry["geometric_mean"] is None else f"{entry['geometric_mean']:.4g}",
            )
        )
    print_table(("output", "window", "endpoint", "unit", *levels, "geometric mean"), rows)
