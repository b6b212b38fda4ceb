"""The measurement tables of a PEtab problem."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from statera.errors import InputError, Place, UnknownNameError
from statera.numerics.expression import evaluate, free_names
from statera.pathway.petab_observables import Observable
from statera.pathway.petab_table import PetabTable, read_petab_table, to_number

__all__ = ["Measurement", "measurement_of", "read_measurements"]

_COLUMNS = ("observableId", "simulationConditionId", "measurement", "time")
_READ = frozenset(
    (
        *_COLUMNS, "preequilibrationConditionId", "observableParameters", "noiseParameters",
        "experimentId",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Measurement:
    """A row of the measurement table.

    Attributes
    ----------
    observable, condition
        What was measured, and under which condition.
    preequilibration
        Condition whose steady state the simulation starts from; empty for none.
    time
        In the model's unit; infinity for the steady state.
    value
        Untransformed.
    observable_values, noise_values
        A number or the name of a parameter for each placeholder of the observable.
    extra
        Further columns, such as ``datasetId`` and ``replicateId``.
    place
        Where the row stands.
    """

    observable: str
    condition: str
    preequilibration: str
    time: float
    value: float
    observable_values: tuple[float | str, ...]
    noise_values: tuple[float | str, ...]
    extra: Mapping[str, str]
    place: Place


def read_measurements(
    paths: Sequence[Path],
    observables: Mapping[str, Observable],
    conditions: Collection[str],
    parameters: Collection[str],
) -> tuple[Measurement, ...]:
    """Read the tables of measurements.

    Parameters
    ----------
    paths
        Files; their rows are joined in this order.
    observables
        By identifier.
    conditions
        Identifiers of conditions.
    parameters
        Names that may stand for placeholders.

    Raises
    ------
    InputError
        Naming file, row and column, if an observable, condition or parameter is unknown, a number
        malformed, a time negative, a number of placeholders wrong, the noise not above 0, or a
        measurement without a logarithm.
    """
    found: list[Measurement] = []
    for path in paths:
        table = read_petab_table(path)
        table.demand(_COLUMNS)
        for row in range(len(table)):
            found.append(measurement_of(table, row, observables, conditions, parameters))
    if not found:
        raise InputError(
            "there are no measurements",
            where=str(paths[0]),
            hint="Write one row for each measured value below the names of the columns.",
        )
    return tuple(found)


def measurement_of(
    table: PetabTable,
    row: int,
    observables: Mapping[str, Observable],
    conditions: Collection[str],
    parameters: Collection[str],
    starts: Mapping[str, float] | None = None,
) -> Measurement:
    """Return one row; arguments and errors as `read_measurements`.

    Parameters
    ----------
    starts
        Time of the start, by condition; 0 where absent.
    """
    observable = observables[_known(table, row, "observableId", "observable", observables)]
    condition = _known(table, row, "simulationConditionId", "condition", conditions)
    before = ""
    if table.text(row, "preequilibrationConditionId"):
        before = _known(table, row, "preequilibrationConditionId", "condition", conditions)
    values = {
        column: _values(table, row, column, placeholders, parameters)
        for column, placeholders in (
            ("observableParameters", observable.observable_placeholders),
            ("noiseParameters", observable.noise_placeholders),
        )
    }
    measurement = Measurement(
        observable.id,
        condition,
        before,
        _time(table, row, (starts or {}).get(condition, 0.0)),
        _value(table, row, observable),
        values["observableParameters"],
        values["noiseParameters"],
        {name: table.text(row, name) for name in table.names if name not in _READ},
        table.place(row),
    )
    _check_noise(table, row, observable, measurement)
    return measurement


def _known(table: PetabTable, row: int, column: str, kind: str, known: Collection[str]) -> str:
    name = table.required(row, column)
    if name not in known:
        raise UnknownNameError(
            f"{kind} (column {column})", name, known, where=table.place(row, column)
        )
    return name


def _time(table: PetabTable, row: int, start: float) -> float:
    time = table.number(row, "time")
    if time is None:
        raise table.error(row, "time", "the cell is empty", "Give a time, or inf for steady state.")
    if time < start:
        raise table.error(
            row, "time", f"the time {time:g} is before the start at {start:g}", "Correct the time."
        )
    return time


def _value(table: PetabTable, row: int, observable: Observable) -> float:
    value = table.number(row, "measurement")
    if value is None:
        raise table.error(row, "measurement", "the cell is empty", "Fill it in or delete the row.")
    if not math.isfinite(value):
        raise table.error(row, "measurement", "it is not finite", "Delete the row or correct it.")
    if observable.transformation != "lin" and value <= 0.0:
        raise table.error(
            row,
            "measurement",
            f"{value:g} has no logarithm, but '{observable.id}' is compared on the scale "
            f"{observable.transformation}",
            "Correct the value, or set observableTransformation to lin.",
        )
    return value


def _values(
    table: PetabTable,
    row: int,
    column: str,
    placeholders: Sequence[str],
    parameters: Collection[str],
) -> tuple[float | str, ...]:
    text = table.text(row, column)
    parts = [part.strip() for part in text.split(";")] if text else []
    if len(parts) != len(placeholders):
        raise table.error(
            row,
            column,
            f"{len(parts)} values are given for {len(placeholders)} placeholders",
            f"Give one for each of {', '.join(placeholders)}, with semicolons between them."
            if placeholders
            else "The observable has no such placeholder: leave the cell empty.",
        )
    found: list[float | str] = []
    for part in parts:
        number = to_number(part)
        if number is None and part not in parameters:
            raise UnknownNameError(
                f"parameter (column {column})", part, parameters, where=table.place(row, column)
            )
        found.append(part if number is None else number)
    return tuple(found)


def _check_noise(
    table: PetabTable, row: int, observable: Observable, measurement: Measurement
) -> None:
    names = observable.observable_placeholders + observable.noise_placeholders
    given = dict(zip(names, measurement.observable_values + measurement.noise_values, strict=True))
    numbers = {name: value for name, value in given.items() if isinstance(value, float)}
    if not numbers or not free_names(observable.noise) <= frozenset(numbers):
        return
    noise = float(evaluate(observable.noise, numbers))
    if not noise > 0.0:
        raise table.error(
            row, "noiseParameters", f"the noise {noise:g} is not above 0", "Give a positive value."
        )
