"""``statera simulate --events`` and ``--parquet``: event tables, and populations kept in files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statera.cli.options import concerning
from statera.cli.progress import progress_bar
from statera.errors import NumericalError, UsageError

if TYPE_CHECKING:
    from statera.model import Model
    from statera.simulate import EventsResult, StreamedSimulation

__all__ = [
    "check_choice",
    "events_data",
    "events_rows",
    "run_events",
    "run_streamed",
    "stream_data",
]

PERCENTILES = (5.0, 50.0, 95.0)


def check_choice(dose: str | None, events: Path | None, only_dose: Mapping[str, object]) -> None:
    """Check that a regimen or a table was given, and nothing that belongs to the other.

    Parameters
    ----------
    only_dose
        Options that a table does not take, by name; None where not given.
    """
    if (dose is None) == (events is None):
        raise UsageError(
            "give either --dose or --events" if dose is None else "--dose and --events exclude "
            "each other",
            where="--dose, --events",
            hint="--dose '4 mg q24h x14' for a regimen, --events FILE for a table of records.",
        )  # fmt: skip
    if events is None:
        return
    for option, value in only_dose.items():
        if value:
            raise UsageError(
                f"{option} belongs to --dose: the table says it",
                where=option,
                hint="Subjects, covariates and times stand in the table of --events.",
            )


def run_events(model: Model, file: Path, seed: int, workers: int) -> EventsResult:
    """Simulate every subject of a table of events at its observation records."""
    from statera.data import read_events  # heavy: only when this runs
    from statera.simulate import simulate_events

    with concerning("--events"):
        data = read_events(file)
    result = simulate_events(model, data, seed=seed, workers=workers)
    if result.failures and len(result.failures) == result.n_subjects:
        raise NumericalError(
            f"no subject could be solved: {result.failures[0][1]}",
            where=model.id,
            hint="Check the doses and the covariates of the table against the model.",
        )
    return result


def events_data(result: EventsResult, file: Path) -> dict[str, Any]:
    """Return a table's result as data: every observation record in columns."""
    return {
        "model": result.model_id,
        "events": file.name,
        "subjects": result.n_subjects,
        "solver": result.solver,
        "failures": [{"subject": s, "sentence": text} for s, text in result.failures],
        "time_unit": "h",
        "units": dict(result.units),
        "records": result.to_polars().to_dict(as_series=False),
    }


def events_rows(result: EventsResult) -> list[tuple[str, ...]]:
    """Return a row an output: its unit, its number of values, and percentiles of them."""
    import numpy as np  # heavy: only when this runs

    rows = []
    for name, values in result.outputs.items():
        known = values[np.isfinite(values)]
        cells = [""] * len(PERCENTILES)
        if known.size:
            cells = [f"{x:.4g}" for x in np.percentile(known, PERCENTILES)]
        rows.append((name, result.units[name], str(known.size), *cells))
    return rows


def run_streamed(
    model: Model, dose: str, folder: Path, times: Any, quiet: bool, **options: Any
) -> StreamedSimulation:
    """Simulate a population into a folder of parquet files, part by part."""
    from statera.simulate import simulate_to_parquet  # heavy: only when this runs

    with progress_bar(quiet=quiet) as progress, concerning("--parquet"):
        found = simulate_to_parquet(
            model, dose, folder, times=() if times is None else times, progress=progress, **options
        )
    if found.n_failures == found.n_subjects:
        raise NumericalError(
            "no subject could be solved", where=model.id,
            hint="Check the dose and the covariates against the model.",
        )  # fmt: skip
    return found


def stream_data(found: StreamedSimulation, folder: Path) -> dict[str, Any]:
    """Return what a folder of results holds as data: percentiles of the endpoints."""
    return {
        "model": found.manifest["model"],
        "dose": found.manifest["dose"],
        "subjects": found.n_subjects,
        "failures": found.n_failures,
        "folder": str(folder),
        "profiles": bool(found.manifest["profiles"]),
        "summary": list(found.summary(PERCENTILES).values()),
    }
