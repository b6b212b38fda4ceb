"""The observable tables of a PEtab problem: what is measured, and with what noise."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import sympy as sp

from statera.errors import InputError, Place
from statera.numerics.expression import ExpressionError, free_names
from statera.pathway.petab_math import parse_petab
from statera.pathway.petab_scales import SCALES, Scale
from statera.pathway.petab_table import PetabTable, check_id, read_petab_table

__all__ = ["Distribution", "Observable", "names_in_formulas", "read_observables"]

Distribution = Literal["normal", "laplace"]

_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w*\s*\()")


@dataclass(frozen=True)
class Observable:
    """A row of the observable table.

    Attributes
    ----------
    id, name
        Identifier, and a name to show.
    formula, noise
        What is observed, and the standard deviation (or scale, for Laplace noise) of its noise on
        the transformed scale; over the model's names, parameters and placeholders.
    transformation
        Of observation and measurement before they are compared.
    distribution
        Of the noise.
    observable_placeholders, noise_placeholders
        Names that every measurement gives values for, in order.
    place
        Where the row stands.
    """

    id: str
    name: str
    formula: sp.Expr
    noise: sp.Expr
    transformation: Scale
    distribution: Distribution
    observable_placeholders: tuple[str, ...]
    noise_placeholders: tuple[str, ...]
    place: Place


def read_observables(paths: Sequence[Path], names: Collection[str]) -> dict[str, Observable]:
    """Read the tables of observables.

    Parameters
    ----------
    paths
        Files; their rows are joined.
    names
        Names that formulas may hold, besides ``time`` and the placeholders of the observable.

    Raises
    ------
    InputError
        Naming file, row and column, if a formula is malformed or uses an unknown name, a
        transformation or distribution is unknown, a number given as noise is not above 0, or an
        identifier is malformed or given twice.
    """
    found: dict[str, Observable] = {}
    for path in paths:
        table = read_petab_table(path)
        table.demand(("observableId", "observableFormula", "noiseFormula"))
        table.unique("observableId")
        for row in range(len(table)):
            observable = _observable(table, row, frozenset(names))
            if observable.id in found:
                raise table.error(
                    row, "observableId", f"'{observable.id}' stands in two tables", "Rename one."
                )
            found[observable.id] = observable
    return found


def names_in_formulas(paths: Sequence[Path]) -> frozenset[str]:
    """Return every name that stands in a formula of the tables, parsed or not."""
    found: set[str] = set()
    for path in paths:
        table = read_petab_table(path)
        for row in range(len(table)):
            for column in ("observableFormula", "noiseFormula"):
                found.update(_NAME.findall(table.text(row, column)))
    return frozenset(found)


def _observable(table: PetabTable, row: int, names: frozenset[str]) -> Observable:
    name = check_id(table, row, "observableId")
    text = table.required(row, "observableFormula") + " " + table.required(row, "noiseFormula")
    own = _placeholders(table, row, "observableParameter", name, text)
    noise_own = _placeholders(table, row, "noiseParameter", name, text)
    formula = _formula(table, row, "observableFormula", names | set(own))
    noise = _formula(table, row, "noiseFormula", names | set(own) | set(noise_own))
    if noise.is_number and not float(noise) > 0.0:
        raise table.error(
            row, "noiseFormula", f"the noise {float(noise):g} is not above 0",
            "Give a positive number, a parameter or a formula.",
        )  # fmt: skip
    distribution: Distribution = table.choice(  # type: ignore[assignment]
        row, "noiseDistribution", get_args(Distribution)
    )
    transformation: Scale = table.choice(  # type: ignore[assignment]
        row, "observableTransformation", SCALES
    )
    return Observable(
        name,
        table.text(row, "observableName") or name,
        formula,
        noise,
        transformation,
        distribution,
        own,
        noise_own,
        table.place(row),
    )


def _placeholders(
    table: PetabTable, row: int, kind: str, observable: str, text: str
) -> tuple[str, ...]:
    numbers = {int(n) for n in re.findall(rf"\b{kind}(\d+)_{observable}\b", text)}
    missing = set(range(1, max(numbers, default=0) + 1)) - numbers
    if missing or 0 in numbers:
        raise table.error(
            row,
            "observableFormula" if kind == "observableParameter" else "noiseFormula",
            f"the placeholders {kind}1_{observable}, ... are not numbered from 1 without gaps",
            "Renumber them.",
        )
    return tuple(f"{kind}{i}_{observable}" for i in range(1, len(numbers) + 1))


def _formula(table: PetabTable, row: int, column: str, names: frozenset[str]) -> sp.Expr:
    text = table.required(row, column)
    try:
        found = parse_petab(text, names)
    except ExpressionError as error:
        hint = f"It stands at character {error.column} of '{text}'."
        raise table.error(row, column, str(error), hint) from None
    if found.has(sp.I, sp.nan, sp.zoo, sp.oo, -sp.oo):
        raise InputError(
            f"column {column}: a part of '{text}' has no real and finite value",
            where=table.place(row, column),
        )
    assert free_names(found) <= names | {"t"}
    return found
