"""The parameter table of a PEtab problem: scales, bounds, nominal values, priors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from statera.errors import Place
from statera.pathway.petab_priors import PRIOR_TYPES, Prior
from statera.pathway.petab_scales import SCALES, Scale, scaled
from statera.pathway.petab_table import PetabTable, check_id, read_petab_table, to_number

__all__ = ["PetabParameter", "check_bounds", "check_nominal_value", "read_parameters"]

_NEAR = 1e-6  # bounds are often printed with fewer digits than nominal values


@dataclass(frozen=True)
class PetabParameter:
    """A row of the parameter table.

    Attributes
    ----------
    id, name
        Identifier, and a name to show.
    scale
        On which it is estimated.
    lower, upper, nominal
        Linear values, whatever the scale; NaN where not given.
    estimated
        Whether it is estimated; otherwise it keeps its nominal value.
    objective_prior
        Prior that the objective includes; None for none.
    start_prior
        Prior that starts are drawn from; None for flat on the scale between the bounds.
    place
        Where the row stands.
    """

    id: str
    name: str
    scale: Scale
    lower: float
    upper: float
    nominal: float
    estimated: bool
    objective_prior: Prior | None = None
    start_prior: Prior | None = None
    place: Place | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """Bounds on the parameter's scale."""
        return scaled(self.lower, self.scale), scaled(self.upper, self.scale)


def read_parameters(
    paths: Sequence[Path], *, check_nominal: bool = True
) -> tuple[PetabParameter, ...]:
    """Read the tables of parameters.

    Parameters
    ----------
    paths
        Files; their rows are joined.
    check_nominal
        Whether a nominal value of an estimated parameter outside its bounds is an error.

    Raises
    ------
    InputError
        Naming file, row and column, if a column is missing, an identifier malformed or given
        twice, a scale, flag or prior unknown, a bound missing, crossed or without a logarithm, or
        a nominal value missing where it is needed, or outside the bounds.
    """
    found: dict[str, PetabParameter] = {}
    for path in paths:
        table = read_petab_table(path)
        table.demand(("parameterId", "estimate"))
        table.unique("parameterId")
        for row in range(len(table)):
            parameter = _parameter(table, row, check_nominal)
            if parameter.id in found:
                raise table.error(
                    row, "parameterId", f"'{parameter.id}' stands in two tables", "Keep one row."
                )
            found[parameter.id] = parameter
    return tuple(found.values())


def _parameter(table: PetabTable, row: int, check_nominal: bool) -> PetabParameter:
    name = check_id(table, row, "parameterId")
    scale: Scale = table.choice(row, "parameterScale", SCALES)  # type: ignore[assignment]
    flag = table.required(row, "estimate").lower()
    if flag not in ("0", "1", "0.0", "1.0", "true", "false"):
        raise table.error(row, "estimate", f"'{flag}' is neither 0 nor 1", "Write 1 to estimate.")
    estimated = flag in ("1", "1.0", "true")
    lower, upper, nominal = (
        math.nan if (value := table.number(row, column)) is None else value
        for column in ("lowerBound", "upperBound", "nominalValue")
    )
    if estimated:
        check_bounds(table, row, scale, (lower, upper))
    check_nominal_value(table, row, name, estimated, (lower, upper), nominal, check_nominal)
    return PetabParameter(
        name,
        table.text(row, "parameterName") or name,
        scale,
        lower,
        upper,
        nominal,
        estimated,
        _prior(table, row, "objective", scale, (lower, upper)) if estimated else None,
        _prior(table, row, "initialization", scale, (lower, upper)) if estimated else None,
        table.place(row, "parameterId"),
    )


def check_nominal_value(
    table: PetabTable,
    row: int,
    name: str,
    estimated: bool,
    bounds: tuple[float, float],
    nominal: float,
    inside: bool,
) -> None:
    """Raise where a nominal value is missing and needed, or (if asked) outside its bounds."""
    lower, upper = bounds
    if not estimated and math.isnan(nominal):
        raise table.error(
            row,
            "nominalValue",
            f"'{name}' is not estimated and has no value",
            "Give its value, or set estimate to 1.",
        )
    fits = lower - _NEAR * abs(lower) <= nominal <= upper + _NEAR * abs(upper)
    if estimated and inside and not math.isnan(nominal) and not fits:
        raise table.error(
            row,
            "nominalValue",
            f"{nominal:g} is outside the bounds {lower:g} to {upper:g} of '{name}'",
            "Widen the bounds, or read the problem with check_nominal=False.",
        )


def check_bounds(table: PetabTable, row: int, scale: Scale, bounds: tuple[float, float]) -> None:
    """Raise where a bound is missing, crossed, or without a logarithm on its scale."""
    for column, bound in zip(("lowerBound", "upperBound"), bounds, strict=True):
        if math.isnan(bound):
            raise table.error(
                row,
                column,
                "an estimated parameter needs both bounds",
                "Give the bound in linear space, or set estimate to 0.",
            )
        if scale != "lin" and bound <= 0.0:
            raise table.error(
                row,
                column,
                f"the bound {bound:g} has no logarithm, but parameterScale is {scale}",
                "Bounds are in linear space whatever the scale: give one above 0.",
            )
    if bounds[0] > bounds[1]:
        raise table.error(
            row,
            "lowerBound",
            f"the lower bound {bounds[0]:g} is above the upper bound {bounds[1]:g}",
            "Exchange them.",
        )


def _prior(
    table: PetabTable, row: int, kind: str, scale: Scale, bounds: tuple[float, float]
) -> Prior | None:
    type_column, column = f"{kind}PriorType", f"{kind}PriorParameters"
    if not table.text(row, type_column) and not table.text(row, column):
        return None
    chosen = table.choice(row, type_column, PRIOR_TYPES)
    text = table.text(row, column)
    if not text:
        if not chosen.lower().endswith("uniform"):
            raise table.error(
                row, column, f"a {chosen} prior needs two parameters", "Write them as 0.1;2.5"
            )
        low, high = bounds
        if chosen == "parameterScaleUniform":
            low, high = scaled(low, scale), scaled(high, scale)
        return Prior(chosen, low, high)
    values = [to_number(part.strip()) for part in text.split(";")]
    if len(values) != 2 or None in values:
        raise table.error(
            row, column, f"'{text}' is not two numbers", "Write two numbers with a semicolon: 0.1;2"
        )
    first, second = float(values[0] or 0.0), float(values[1] or 0.0)
    if chosen.lower().endswith("uniform"):
        if not first < second:
            raise table.error(row, column, f"'{text}' is an empty interval", "Write lower;upper.")
    elif not 0.0 < second < math.inf:
        raise table.error(
            row, column, f"the spread {second:g} is not above 0", "Give a positive second number."
        )
    return Prior(chosen, first, second)
