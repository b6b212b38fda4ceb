"""Exposures of the subjects as a column of ``statera biomarker associate``, from a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statera.cli.options import concerning
from statera.errors import InputError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from statera.biomarker.measurements import Measurements

__all__ = ["Exposure", "add_exposure", "exposure_of_options"]


@dataclass(frozen=True)
class Exposure:
    """How exposures are simulated.

    Attributes
    ----------
    population
        A model of the library, or a file.
    dose
        Column of doses in mg, or of regimens such as ``4 mg q24h ss``.
    interval
        Between doses that are numbers.
    covariates
        Columns by the name that the model has for them.
    metric
        Such as ``AUC24``; the column is called so.
    """

    population: str
    dose: str
    interval: str
    covariates: Mapping[str, str]
    metric: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the samples that it needs."""
        return (self.dose, *self.covariates.values())

    @property
    def files(self) -> tuple[Path, ...]:
        """The model, where it is a file."""
        return (Path(self.population),) if self.population.endswith(".toml") else ()


def exposure_of_options(
    population: str | None, dose: str | None, interval: str, covariates: Mapping[str, str],
    metric: str,
) -> Exposure | None:  # fmt: skip
    """Return how exposures are simulated, or None where no model is named."""
    if population is None:
        if dose is not None or covariates:
            raise UsageError(
                "a column of doses belongs to a population model",
                where="--population",
                hint="Name a model of 'statera library list'.",
            )
        return None
    if dose is None:
        raise UsageError("a population model needs the dose of each subject", where="--dose-column")
    return Exposure(population, dose, interval, covariates, metric)


def add_exposure(measured: Measurements, asked: Exposure) -> Measurements:
    """Return measurements whose samples have the exposure as a column named by its metric.

    It is that of a person with the covariates of the sample and no random effects. Samples without
    a dose or a covariate have none.
    """
    import numpy as np  # heavy: only when asked
    import polars as pl

    from statera.biomarker.measurements import listed
    from statera.library import load_model
    from statera.response.exposures import simulate_exposures

    table = measured.samples
    for name in asked.columns:
        if name not in table.columns:
            raise UnknownNameError("column", name, table.columns, where="--population")
    cells = table.select(pl.col(*dict.fromkeys(asked.columns)).cast(pl.String).str.strip_chars())
    known = cells.select(
        pl.all_horizontal((pl.all().is_not_null()) & ~pl.all().is_in(["", "NA"]))
    ).to_series()
    rows = np.flatnonzero(known.to_numpy())
    if not rows.size:
        raise InputError("no sample has a dose and the covariates", where="--dose-column")
    kept = cells[rows.tolist()].unique(maintain_order=True)
    with concerning("--population"):
        found = simulate_exposures(
            load_model(asked.population), _regimens(kept[asked.dose].to_list(), asked),
            {name: _numbers(kept, column) for name, column in asked.covariates.items()},
            metric=asked.metric,
        )  # fmt: skip
    values = [
        v if s == "ok" else None for v, s in zip(found.typical.tolist(), found.status, strict=True)
    ]
    simulated = kept.with_columns(pl.Series(asked.metric, values))
    joined = cells.join(simulated, on=cells.columns, how="left", maintain_order="left")
    failed = sorted({s for s in found.status if s != "ok"})
    notes = [f"{asked.metric} ({found.unit}) is typical of the covariates, from {found.model_id}."]
    notes += found.notes
    if failed:
        notes.append(f"Some exposures could not be simulated: {listed(failed)}.")
    return replace(
        measured,
        samples=table.with_columns(joined[asked.metric]),
        notes=(*measured.notes, *notes),
    )


def _regimens(doses: list[str], asked: Exposure) -> tuple[str, ...]:
    """Return regimens of doses that are numbers in mg, or as they are written."""
    from statera.response.exposures import steady_state_regimens  # heavy: only when asked

    try:
        amounts = [0.0 if dose.lower() == "placebo" else float(dose) for dose in doses]
    except ValueError:
        return tuple(doses)
    return steady_state_regimens(amounts, asked.interval)


def _numbers(table: Any, column: str) -> list[float]:
    found = []
    for cell in table[column].to_list():
        try:
            found.append(float(cell))
        except ValueError as error:
            raise InputError(
                f"'{cell}' in column {column} is not a number", where="--population-covariate"
            ) from error
    return found
