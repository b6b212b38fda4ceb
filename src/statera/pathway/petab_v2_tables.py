"""Tables of PEtab version 2: observables, conditions in rows, experiments, measurements."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import sympy as sp

from statera.errors import InputError, Place, UnknownNameError
from statera.numerics.expression import ExpressionError, free_names, symbol
from statera.pathway.petab_math import parse_petab
from statera.pathway.petab_observables import Distribution, Observable
from statera.pathway.petab_scales import Scale
from statera.pathway.petab_table import PetabTable, check_id, read_petab_table

__all__ = [
    "Change",
    "Experiment",
    "Period",
    "read_changes",
    "read_experiments",
    "read_mapping",
    "read_observables_v2",
    "with_conditions",
]

_NOISE: Mapping[str, tuple[Distribution, Scale]] = {
    "normal": ("normal", "lin"),
    "laplace": ("laplace", "lin"),
    "log-normal": ("normal", "log"),
    "log-laplace": ("laplace", "log"),
}


@dataclass(frozen=True)
class Change:
    """One row of the condition table: a target and the formula of its new value."""

    target: str
    value: sp.Expr
    place: Place


@dataclass(frozen=True)
class Period:
    """What changes at a time; minus infinity stands for a steady state before the start."""

    time: float
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Experiment:
    """Periods in the order of their times."""

    id: str
    periods: tuple[Period, ...]
    place: Place | None


def formula(table: PetabTable, row: int, column: str, names: Collection[str]) -> sp.Expr:
    """Return the formula in a cell.

    Raises
    ------
    InputError
        If it is malformed or uses an unknown name.
    """
    text = table.required(row, column)
    try:
        found = parse_petab(text, names)
    except ExpressionError as error:
        hint = f"It stands at character {error.column} of '{text}'."
        raise table.error(row, column, str(error), hint) from None
    if found.has(sp.I, sp.nan, sp.zoo, sp.oo, -sp.oo):
        raise table.error(row, column, f"'{text}' has no real and finite value", "Correct it.")
    return found


def read_observables_v2(paths: Sequence[Path], names: Collection[str]) -> dict[str, Observable]:
    """Read the tables of observables; formulas may hold other observables."""
    tables = [read_petab_table(path) for path in paths]
    known: set[str] = set(names)
    for table in tables:
        table.demand(("observableId", "observableFormula", "noiseFormula"))
        table.unique("observableId")
        known |= {check_id(table, row, "observableId") for row in range(len(table))}
    found: dict[str, Observable] = {}
    for table in tables:
        for row in range(len(table)):
            observable = _observable(table, row, known)
            found[observable.id] = observable
    return {name: _written_out(o, found) for name, o in found.items()}


def _observable(table: PetabTable, row: int, names: Collection[str]) -> Observable:
    name = check_id(table, row, "observableId")
    own = _names(table, row, "observablePlaceholders")
    noise_own = _names(table, row, "noisePlaceholders")
    known = {*names, *own}
    noise = formula(table, row, "noiseFormula", {*known, *noise_own})
    if noise.is_number and not float(noise) > 0.0:
        raise table.error(
            row, "noiseFormula", f"the noise {float(noise):g} is not above 0", "Correct it."
        )
    distribution, transformation = _NOISE[table.choice(row, "noiseDistribution", tuple(_NOISE))]
    return Observable(
        name,
        table.text(row, "observableName") or name,
        formula(table, row, "observableFormula", known),
        noise,
        transformation,
        distribution,
        own,
        noise_own,
        table.place(row),
    )


def _names(table: PetabTable, row: int, column: str) -> tuple[str, ...]:
    text = table.text(row, column)
    return tuple(part.strip() for part in text.split(";")) if text else ()


def _written_out(observable: Observable, all_: Mapping[str, Observable]) -> Observable:
    """Return the observable with those that its formulas hold written out."""
    formulas = [observable.formula, observable.noise]
    for _ in range(len(all_) + 1):
        inner = {n for f in formulas for n in free_names(f)} & all_.keys()
        if not inner:
            return replace(observable, formula=formulas[0], noise=formulas[1])
        written = {symbol(n): all_[n].formula for n in inner}
        formulas = [f.xreplace(written) for f in formulas]
    raise InputError(
        f"the formulas of '{observable.id}' form a circle of observables",
        where=observable.place,
        hint="Write one of them without the others.",
    )


def read_changes(
    paths: Sequence[Path], targets: Collection[str], names: Collection[str]
) -> dict[str, tuple[Change, ...]]:
    """Read the tables of conditions: what each of them changes.

    Parameters
    ----------
    paths
        Files; their rows are joined.
    targets
        Names that may be changed.
    names
        Names that formulas may hold.
    """
    found: dict[str, tuple[Change, ...]] = {}
    for path in paths:
        table = read_petab_table(path)
        table.demand(("conditionId", "targetId", "targetValue"))
        for row in range(len(table)):
            condition = check_id(table, row, "conditionId")
            target = table.required(row, "targetId")
            if target not in targets:
                raise UnknownNameError(
                    "species, compartment or parameter that a condition may change",
                    target,
                    targets,
                    where=table.place(row, "targetId"),
                )
            before = found.get(condition, ())
            if any(change.target == target for change in before):
                raise table.error(
                    row, "targetId", f"'{condition}' changes '{target}' twice", "Keep one row."
                )
            value = formula(table, row, "targetValue", names)
            found[condition] = (*before, Change(target, value, table.place(row)))
    return found


def read_experiments(
    paths: Sequence[Path], changes: Mapping[str, tuple[Change, ...]]
) -> dict[str, Experiment]:
    """Read the tables of experiments."""
    periods: dict[str, dict[float, tuple[Change, ...]]] = {}
    places: dict[str, Place] = {}
    for path in paths:
        table = read_petab_table(path)
        table.demand(("experimentId", "time", "conditionId"))
        for row in range(len(table)):
            name = check_id(table, row, "experimentId")
            time = table.number(row, "time")
            if time is None or time == math.inf:
                raise table.error(row, "time", "a time or -inf is needed", "Give the start.")
            condition = table.text(row, "conditionId")
            if condition and condition not in changes:
                raise UnknownNameError(
                    "condition", condition, changes, where=table.place(row, "conditionId")
                )
            places.setdefault(name, table.place(row))
            mine = periods.setdefault(name, {})
            new = changes.get(condition, ())
            twice = {c.target for c in mine.get(time, ())} & {c.target for c in new}
            if twice:
                raise table.error(
                    row,
                    "conditionId",
                    f"'{min(twice)}' is changed twice at time {time:g}",
                    "Keep one of the conditions.",
                )
            mine[time] = (*mine.get(time, ()), *new)
    return {
        name: Experiment(name, tuple(Period(t, p[t]) for t in sorted(p)), places[name])
        for name, p in periods.items()
    }


def read_mapping(paths: Sequence[Path]) -> dict[str, str]:
    """Return the names of the model by the names that the problem gives them."""
    found: dict[str, str] = {}
    for path in paths:
        table = read_petab_table(path)
        table.demand(("petabEntityId", "modelEntityId"))
        table.unique("petabEntityId")
        for row in range(len(table)):
            model = table.text(row, "modelEntityId").replace(".", "_")
            if model:
                found[check_id(table, row, "petabEntityId")] = model
    return found


def with_conditions(table: PetabTable, experiments: Mapping[str, Experiment]) -> PetabTable:
    """Return a table of measurements with the columns of version 1.

    The condition has the name of the experiment; a steady state before it, that and ``, before``.
    """
    table.demand(("observableId", "time", "measurement"))
    rows = []
    for row, cells in enumerate(table.rows):
        name = table.text(row, "experimentId")
        if name and name not in experiments:
            raise UnknownNameError(
                "experiment", name, experiments, where=table.place(row, "experimentId")
            )
        periods = experiments[name].periods if name else ()
        before = f"{name}, before" if periods and periods[0].time == -math.inf else ""
        rows.append((*cells, name or "as it is", before))
    columns = (*table.names, "simulationConditionId", "preequilibrationConditionId")
    return PetabTable(table.file, columns, tuple(rows), table.lines)
