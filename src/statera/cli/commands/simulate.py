"""``statera simulate``: a population through one dosing regimen."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from statera.cli.envelope import Envelope
from statera.cli.options import JsonFlag, QuietFlag, Seed, Workers
from statera.cli.output import check_target, write_bytes_atomically
from statera.cli.terminal import note, print_table, warn
from statera.errors import InputError, UsageError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["HELP", "simulate"]

HELP = """
\b
Examples:
  statera simulate decker_2024 --dose "4 mg q24h x14" --covariate egfr=45
  statera simulate decker_2024 --dose "2 mg q24h x28" --n 200 --json
  statera simulate decker_2024 --dose "4 mg" --until "48 h" --every "15 min" --out p.csv

Simulate a population and print its exposure: Cmax, tmax, AUC, Cavg and Ctrough.
"""
SCHEMA = "statera.simulate/1"
_PERCENTILES = (5, 50, 95)
# More rows than this would not fit in the memory of an ordinary machine.
_MOST_ROWS = 50_000_000


def simulate(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A model of 'statera library list'.")
    ],
    *,
    dose: Annotated[
        str, typer.Option("--dose", metavar="'4 mg q24h x14'", help="Amount, interval, number.")
    ],
    subjects: Annotated[int, typer.Option("--n", min=1, help="Number of subjects.")] = 1000,
    covariate: Annotated[
        list[str] | None,
        typer.Option("--covariate", metavar="NAME=VALUE", help="Hold a covariate; repeatable."),
    ] = None,
    seed: Seed = 1,
    workers: Workers = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="'14 day'", help="End of the profiles, with --every."),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option("--every", metavar="'1 h'", help="Step of the profiles, with --until."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="All profiles, as .csv or .parquet, in long form."
        ),
    ] = None,
    as_json: JsonFlag = False,
    quiet: QuietFlag = False,
) -> None:
    """Simulate a population and print its exposure."""
    if out is not None:
        check_target(out, (".csv", ".parquet"))
    held = dict(_covariate(text) for text in covariate or ())
    times = _grid(until, every, subjects)

    from statera.data import parse_regimen  # noqa: PLC0415  heavy: only when this runs
    from statera.library import load_model  # noqa: PLC0415
    from statera.parallel import available_workers  # noqa: PLC0415
    from statera.simulate import simulate as run  # noqa: PLC0415

    result = run(
        load_model(model),
        parse_regimen(dose),
        n=subjects,
        covariates=held,
        seed=seed,
        workers=workers or available_workers(),
        times=times,
    )
    if out is not None:
        write_bytes_atomically(out, _file(result.to_polars(), out.suffix.lower()))
        note(f"Profiles: {out}", quiet=quiet)
    if as_json:
        data = {
            "model": model,
            "dose": dose,
            "subjects": subjects,
            "covariates": held,
            "summary": result.summary(),
            "endpoints": result.endpoints().to_dict(as_series=False),
            "profiles": _bands(result.to_polars()),
        }
        envelope = Envelope(SCHEMA, data, tuple(result.warnings), result.manifest)
        typer.echo(envelope.to_json(), nl=False)
        return
    warn(result.warnings)
    _print_summary(result.summary())


def _covariate(text: str) -> tuple[str, float]:
    name, sign, number = (part.strip() for part in text.partition("="))
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not (name and sign and math.isfinite(value)):
        raise UsageError(
            f"'{text}' is not a covariate and its value",
            where="--covariate",
            hint="Write NAME=NUMBER, such as egfr=45, in the unit of the model.",
        )
    return name, value


def _grid(until: str | None, every: str | None, subjects: int) -> Any:
    """Return the times in h as an array, or None to let the model's own grid be used."""
    if until is None and every is None:
        return None
    if until is None or every is None:
        raise UsageError(
            "--until and --every belong together",
            hint="Give both, such as --until '14 day' --every '1 h', or neither.",
        )
    from statera.units import parse_quantity  # noqa: PLC0415  loads the registry of units

    end = parse_quantity(until, "h", what="time")
    step = parse_quantity(every, "h", what="time")
    if end < 0.0 or step <= 0.0:
        raise InputError(
            f"a grid until {until} every {every} is not possible",
            where="--until, --every",
            hint="Give an end of zero or more and a step above zero.",
        )
    # A whole number of steps must not be lost to rounding: 0.3 / 0.1 is below 3.
    count = math.floor(end / step * (1.0 + 1e-12)) + 1
    if count * subjects > _MOST_ROWS:
        raise InputError(
            f"{count} times for {subjects} subjects are too many",
            where="--every",
            hint=f"At most {_MOST_ROWS} rows: take a longer step or fewer subjects.",
        )
    import numpy as np  # noqa: PLC0415  heavy: only when this runs

    return np.arange(count) * step


def _file(frame: pl.DataFrame, suffix: str) -> bytes:
    buffer = io.BytesIO()
    if suffix == ".csv":
        frame.write_csv(buffer)
    else:
        frame.write_parquet(buffer)
    return buffer.getvalue()


def _bands(frame: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Return, for each output, its percentiles over the subjects at each time."""
    import polars as pl  # noqa: PLC0415  heavy: only when this runs

    bands = {}
    for output in frame.columns:
        if output in ("id", "time"):
            continue
        percentiles = [
            pl.col(output).quantile(p / 100, "linear").alias(f"p{p}") for p in _PERCENTILES
        ]
        bands[output] = frame.group_by("time").agg(percentiles).sort("time").to_dicts()
    return bands


def _print_summary(summary: dict[str, dict[str, float]]) -> None:
    columns = ["endpoint", *dict.fromkeys(key for row in summary.values() for key in row)]
    rows = [
        [endpoint, *(_number(row.get(key)) for key in columns[1:])]
        for endpoint, row in summary.items()
    ]
    print_table(columns, rows)


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)
