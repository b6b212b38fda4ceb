"""The condition tables of a PEtab problem: what differs between experiments."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from statera.errors import InputError, Place, UnknownNameError
from statera.pathway.petab_table import PetabTable, check_id, read_petab_table, to_number

__all__ = ["Condition", "condition_columns", "read_conditions"]


@dataclass(frozen=True)
class Condition:
    """A row of the condition table.

    Attributes
    ----------
    id, name
        Identifier, and a name to show.
    values
        A number or the name of a parameter, by the name of what is set: a parameter, a
        compartment, or the initial value of a species. Empty cells and NaN are left out: a
        parameter keeps the model's value, a species its pre-equilibrated or model value.
    place
        Where the row stands.
    """

    id: str
    name: str
    values: Mapping[str, float | str]
    place: Place


def read_conditions(
    paths: Sequence[Path],
    targets: Collection[str],
    values: Collection[str],
    computed: Collection[str] = (),
) -> dict[str, Condition]:
    """Read the tables of conditions.

    Parameters
    ----------
    paths
        Files; their rows are joined.
    targets
        Names that a column may set.
    values
        Names that a cell may hold.
    computed
        Names that the model computes, and that no condition can set.

    Raises
    ------
    InputError
        Naming file, row and column, if an identifier is malformed, given twice or unknown.
    """
    found: dict[str, Condition] = {}
    for path in paths:
        table = read_petab_table(path)
        table.demand(("conditionId",))
        table.unique("conditionId")
        columns = [c for c in table.names if c not in ("conditionId", "conditionName")]
        for column in columns:
            if column in computed:
                raise InputError(
                    f"column {column}: a condition cannot set what the model computes",
                    where=Place(table.file, 1, table.names.index(column) + 1),
                    hint="It has a rule, or is a concentration in a volume that changes.",
                )
            if column not in targets:
                raise UnknownNameError(
                    "parameter, species or compartment of the model",
                    column,
                    targets,
                    where=Place(table.file, 1, table.names.index(column) + 1),
                )
        for row in range(len(table)):
            condition = _condition(table, row, columns, values)
            if condition.id in found:
                raise table.error(
                    row, "conditionId", f"'{condition.id}' stands in two tables", "Rename one."
                )
            found[condition.id] = condition
    return found


def condition_columns(paths: Sequence[Path]) -> frozenset[str]:
    """Return the names that the tables of conditions set somewhere."""
    tables = [read_petab_table(path) for path in paths]
    return frozenset(name for table in tables for name in table.names)


def _condition(
    table: PetabTable, row: int, columns: Sequence[str], values: Collection[str]
) -> Condition:
    cells: dict[str, float | str] = {}
    for column in columns:
        text = table.text(row, column)
        if not text:
            continue
        number = to_number(text)
        if number is None and text not in values:
            raise UnknownNameError("parameter", text, values, where=table.place(row, column))
        cells[column] = text if number is None else number
    return Condition(
        check_id(table, row, "conditionId"),
        table.text(row, "conditionName"),
        cells,
        table.place(row),
    )
