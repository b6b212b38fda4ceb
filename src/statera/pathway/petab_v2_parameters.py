"""The parameter table of PEtab version 2: linear parameters, priors cut off at the bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from statera.pathway.petab_parameters import PetabParameter, check_bounds, check_nominal_value
from statera.pathway.petab_priors import Prior
from statera.pathway.petab_table import PetabTable, check_id, read_petab_table, to_number

__all__ = ["read_parameters_v2"]

_PRIORS: Mapping[str, int] = {
    "uniform": 2,
    "log-uniform": 2,
    "normal": 2,
    "log-normal": 2,
    "laplace": 2,
    "log-laplace": 2,
    "cauchy": 2,
    "gamma": 2,
    "chisquare": 1,
    "exponential": 1,
    "rayleigh": 1,
}
"""Number of parameters of every prior."""


def read_parameters_v2(
    paths: Sequence[Path], *, check_nominal: bool = True
) -> tuple[PetabParameter, ...]:
    """Read the tables of parameters; arguments and errors as `petab_parameters.read_parameters`.

    Where any parameter has a prior, those without one are uniform between their bounds.
    """
    found: dict[str, PetabParameter] = {}
    for path in paths:
        table = read_petab_table(path)
        table.demand(("parameterId", "estimate", "lowerBound", "upperBound"))
        table.unique("parameterId")
        for row in range(len(table)):
            if table.text(row, "parameterScale") not in ("", "lin"):
                raise table.error(
                    row,
                    "parameterScale",
                    "version 2 has no scales of parameters",
                    "Drop the column.",
                )
            parameter = _parameter(table, row, check_nominal)
            if parameter.id in found:
                raise table.error(
                    row, "parameterId", f"'{parameter.id}' stands in two tables", "Keep one row."
                )
            found[parameter.id] = parameter
    if any(p.objective_prior for p in found.values()):
        return tuple(_with_flat_prior(p) for p in found.values())
    return tuple(found.values())


def _with_flat_prior(parameter: PetabParameter) -> PetabParameter:
    finite = math.isfinite(parameter.lower) and math.isfinite(parameter.upper)
    if not parameter.estimated or parameter.objective_prior is not None or not finite:
        return parameter
    return replace(
        parameter, objective_prior=Prior("uniform", parameter.lower, parameter.upper, 0.0)
    )


def _parameter(table: PetabTable, row: int, check_nominal: bool) -> PetabParameter:
    name = check_id(table, row, "parameterId")
    flag = table.required(row, "estimate").lower()
    if flag not in ("true", "false"):
        raise table.error(
            row, "estimate", f"'{flag}' is neither true nor false", "Write true to estimate."
        )
    lower, upper, nominal = (
        math.nan if (value := table.number(row, column)) is None else value
        for column in ("lowerBound", "upperBound", "nominalValue")
    )
    estimated = flag == "true"
    if estimated:
        check_bounds(table, row, "lin", (lower, upper))
    check_nominal_value(table, row, name, estimated, (lower, upper), nominal, check_nominal)
    prior = _prior(table, row, (lower, upper)) if estimated else None
    return PetabParameter(
        name,
        table.text(row, "parameterName") or name,
        "lin",
        lower,
        upper,
        nominal,
        estimated,
        prior,
        prior,
        table.place(row, "parameterId"),
    )


def _prior(table: PetabTable, row: int, bounds: tuple[float, float]) -> Prior | None:
    column = "priorParameters"
    kind = table.text(row, "priorDistribution")
    if not kind:
        return None
    if kind not in _PRIORS:
        raise table.error(
            row,
            "priorDistribution",
            f"'{kind}' is not known",
            f"Write one of {', '.join(_PRIORS)}.",
        )
    values = [to_number(part.strip()) for part in table.text(row, column).split(";")]
    numbers = [v for v in values if v is not None]
    if len(numbers) != len(values) or len(numbers) != _PRIORS[kind]:
        raise table.error(
            row,
            column,
            f"'{table.text(row, column)}' is not {_PRIORS[kind]} numbers",
            "Separate numbers by semicolons.",
        )
    first, second = numbers[0], numbers[-1]
    flat = kind.endswith("uniform")
    if (flat and not first < second) or (kind == "log-uniform" and first <= 0.0):
        raise table.error(row, column, "the interval is empty or has no logarithm", "Correct it.")
    if not flat and not 0.0 < second < math.inf:
        raise table.error(row, column, f"the spread {second:g} is not above 0", "Correct it.")
    return _cut(kind, first, second, bounds)


def _cut(kind: str, first: float, second: float, bounds: tuple[float, float]) -> Prior:
    """Return the prior with the logarithm of its probability between the bounds."""
    from scipy import stats  # noqa: PLC0415  heavy: only where there is a prior

    if kind == "uniform":
        return Prior(kind, max(first, bounds[0]), min(second, bounds[1]), 0.0)
    logarithmic = kind.startswith("log-")
    if kind == "log-uniform":
        first, second = math.log(first), math.log(second)
    prior, distribution = _distribution(stats, kind.removeprefix("log-"), first, second)
    edges = [math.log(b) if logarithmic and b > 0.0 else b for b in bounds]
    if logarithmic:
        edges = [-math.inf if b <= 0.0 else e for b, e in zip(bounds, edges, strict=True)]
    mass = float(distribution.cdf(edges[1]) - distribution.cdf(edges[0]))
    name = f"log{prior.type.capitalize()}" if logarithmic else prior.type
    return replace(prior, type=name, log_mass=math.log(mass) if mass > 0.0 else -math.inf)


def _distribution(stats: Any, kind: str, first: float, second: float) -> tuple[Prior, Any]:
    match kind:
        case "uniform":
            return Prior(kind, first, second), stats.uniform(first, second - first)
        case "normal" | "laplace" | "cauchy":
            family = {"normal": stats.norm, "laplace": stats.laplace, "cauchy": stats.cauchy}[kind]
            return Prior(kind, first, second), family(first, second)
        case "rayleigh":
            return Prior(kind, first, first), stats.rayleigh(scale=first)
        case "exponential":
            first, second = 1.0, first
        case "chisquare":
            first, second = first / 2.0, 2.0
    return Prior("gamma", first, second), stats.gamma(first, scale=second)
