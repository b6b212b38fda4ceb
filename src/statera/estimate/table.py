"""The table of a fit: estimates with their precision, on the scale that a reader thinks in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from statera.estimate.meaning import Meaning, meanings
from statera.estimate.row_intervals import (
    Interval,
    back,
    correlation_interval,
    log_interval,
    relative_error,
    wald,
)
from statera.numerics.expression import free_names

if TYPE_CHECKING:
    import polars as pl

    from statera.estimate.result import FitResult

__all__ = [
    "LARGE_RSE",
    "LARGE_SHRINKAGE",
    "ParameterRow",
    "ParameterTable",
    "Shrinkage",
    "Uncertainty",
    "parameter_table",
]

Floats = NDArray[np.float64]

LARGE_RSE, LARGE_SHRINKAGE = 50.0, 30.0
"""Above these, in percent, a row is flagged."""

_NUMBERS = (
    "estimate", "se", "rse", "low", "high", "value", "value_low", "value_high", "shrinkage",
)  # fmt: skip

Kind = Literal["fixed effect", "residual error", "variance", "covariance"]
Shown = Literal["", "exp", "expit", "CV %", "SD", "corr"]


class Uncertainty(Protocol):
    """What a table needs of a covariance step, such as `statera.estimate.covariance`."""

    @property
    def names(self) -> Sequence[str]:
        """What was estimated, as `Problem.free_names`; entries of Omega are (co)variances."""

    @property
    def standard_errors(self) -> Floats:
        """Standard errors, (n,); NaN where not known."""

    @property
    def matrix(self) -> Floats:
        """Covariance of the estimates, (n, n); NaN where not known."""

    @property
    def description(self) -> str:
        """What the standard errors are, in words."""


class Shrinkage(Protocol):
    """What a table needs of a shrinkage, such as `statera.estimate.shrinkage`."""

    @property
    def names(self) -> Sequence[str]:
        """Random effects."""

    @property
    def sd(self) -> Floats:
        """Shrinkage of their standard deviations in percent, (n_effects,)."""


@dataclass(frozen=True)
class ParameterRow:
    """One parameter.

    Attributes
    ----------
    kind, name
        ``fixed effect``, ``residual error``, ``variance`` or ``covariance``; its name is that of
        the model, or ``omega(effect)`` and ``omega(effect,effect)``.
    of
        What it belongs to, such as an individual parameter.
    unit
        Unit of the value where it has one.
    estimate, fixed
        On the scale of the model; whether it was kept.
    se, rse
        Standard error of `estimate`; relative standard error in percent, see
        `statera.estimate.row_intervals`. None where not known.
    low, high
        95 % confidence interval of `estimate`.
    shown_as
        How `value` comes from `estimate`: ``exp``, ``expit``, ``CV %`` (of a log-normal
        parameter, ``100 sqrt(exp(omega^2) - 1)``), ``SD`` (``omega``), ``corr``, or nothing.
    value, value_low, value_high
        What a reader thinks in, with its interval.
    shrinkage
        Of the random effect, in percent.
    flags
        What to look at, in words.
    """

    kind: Kind
    name: str
    of: str
    unit: str
    estimate: float
    fixed: bool
    se: float | None
    rse: float | None
    low: float | None
    high: float | None
    shown_as: Shown
    value: float
    value_low: float | None
    value_high: float | None
    shrinkage: float | None
    flags: tuple[str, ...]


@dataclass(frozen=True)
class ParameterTable:
    """Rows of all parameters: fixed effects, residual error, variances, covariances."""

    rows: tuple[ParameterRow, ...]

    def __iter__(self) -> Any:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> ParameterRow:
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(name)

    def __str__(self) -> str:
        from statera.estimate.table_text import table_text  # noqa: PLC0415  it imports this module

        return table_text(self)

    def _repr_html_(self) -> str:
        from statera.estimate.table_text import table_html  # noqa: PLC0415

        return table_html(self)

    def to_dict(self) -> list[dict[str, Any]]:
        """Return the rows as plain data; what is not known is None."""
        return [asdict(row) | {"flags": list(row.flags)} for row in self.rows]

    def to_polars(self) -> pl.DataFrame:
        """Return the rows as a data frame; flags are joined by ``; ``."""
        import polars as pl  # noqa: PLC0415  heavy: only when a table is asked for

        rows = [asdict(row) | {"flags": "; ".join(row.flags)} for row in self.rows]
        kinds: dict[str, Any] = dict.fromkeys(_NUMBERS, pl.Float64)
        return pl.DataFrame(rows, schema_overrides=kinds)


def parameter_table(
    result: FitResult,
    uncertainty: Uncertainty | None = None,
    shrinkage: Shrinkage | None = None,
) -> ParameterTable:
    """Return the table of a fit.

    Parameters
    ----------
    result
        What a fit found.
    uncertainty
        Standard errors, where a covariance step was made.
    shrinkage
        Shrinkage of the random effects.
    """
    problem = result.problem
    errors = _named(uncertainty.names, uncertainty.standard_errors) if uncertainty else {}
    shrunk = _named(shrinkage.names, shrinkage.sd) if shrinkage else {}
    known = meanings(problem.model)
    errors_only = residual_parameters(result)
    free = set(problem.free_names)
    rows = []
    for i, parameter in enumerate(problem.model.parameters.values()):
        residual = parameter.name in errors_only
        rows.append(
            _fixed_effect(
                parameter.name, parameter.unit, float(result.theta[i]), known[parameter.name],
                errors.get(parameter.name) if parameter.name in free else None,
                residual=residual, fixed=parameter.name not in free,
            )
        )  # fmt: skip
    rows.sort(key=lambda row: row.kind == "residual error")  # stable: the rest keeps its order
    return ParameterTable(
        (*rows, *_omega_rows(result, known, errors, shrunk), *_covariances(result, uncertainty))
    )


def residual_parameters(result: FitResult) -> frozenset[str]:
    """Return the parameters that only residual variances hold."""
    model = result.problem.model
    inside: set[str] = set()
    for residual in model.residuals.values():
        inside |= free_names(residual.variance)
    outside: set[str] = set()
    for formula in [
        *(e.expression for e in (*model.individual, *model.dynamics)),
        *(o.expression for o in model.outputs),
    ]:
        outside |= free_names(formula)
    return frozenset((inside - outside) & set(model.parameters))


def _fixed_effect(
    name: str,
    unit: str,
    estimate: float,
    meaning: Meaning,
    error: float | None,
    *,
    residual: bool,
    fixed: bool,
) -> ParameterRow:
    se = _known(error)
    # the size of an error cannot be negative: its interval is that of its logarithm
    span = log_interval(estimate, se) if residual else wald(estimate, se)
    scale = "natural" if residual else meaning.scale
    rse = relative_error(estimate, se, scale)
    value, ends = back(estimate, span, scale)
    return ParameterRow(
        kind="residual error" if residual else "fixed effect",
        name=name,
        of=", ".join(meaning.of),
        unit=unit,
        estimate=estimate,
        fixed=fixed,
        se=se,
        rse=rse,
        low=span[0],
        high=span[1],
        shown_as="" if scale == "natural" else scale,
        value=value,
        value_low=ends[0],
        value_high=ends[1],
        shrinkage=None,
        flags=_flags(rse, None),
    )


def _omega_rows(
    result: FitResult,
    known: Mapping[str, Meaning],
    errors: Mapping[str, float],
    shrunk: Mapping[str, float],
) -> list[ParameterRow]:
    effects = list(result.problem.model.random_effects.values())
    free = set(result.problem.free_names)
    rows = []
    for i, effect in enumerate(effects):
        name = f"omega({effect.name})"
        estimate = float(result.omega[i, i])
        se = _known(errors.get(name)) if name in free else None
        span = log_interval(estimate, se)
        log_normal = known[effect.name].scale == "exp"
        rse = relative_error(estimate, se, "natural")
        shrinkage = _known(shrunk.get(effect.name))
        ends = tuple(None if e is None else _spread(e, log_normal) for e in span)
        of = ", ".join(known[effect.name].of)
        rows.append(
            ParameterRow(
                "variance", name, f"{of} (occasion)" if effect.level == "occasion" else of, "",
                estimate, name not in free, se, rse, span[0], span[1],
                "CV %" if log_normal else "SD", _spread(estimate, log_normal), ends[0], ends[1],
                shrinkage, _flags(rse, shrinkage),
            )
        )  # fmt: skip
    return rows


def _covariances(result: FitResult, uncertainty: Uncertainty | None) -> list[ParameterRow]:
    effects = list(result.problem.model.random_effects)
    free = set(result.problem.free_names)
    places = {} if uncertainty is None else {n: k for k, n in enumerate(uncertainty.names)}
    rows = []
    for i, j in zip(*np.nonzero(np.tril(result.omega, -1)), strict=True):
        name = f"omega({effects[i]},{effects[j]})"
        estimate = float(result.omega[i, j])
        se: float | None = None
        span: Interval = (None, None)
        size = float(np.sqrt(result.omega[i, i] * result.omega[j, j]))
        value = estimate / size if size > 0.0 else 0.0
        trio = [name, f"omega({effects[i]})", f"omega({effects[j]})"]
        if uncertainty is not None and name in free:
            se = _known(uncertainty.standard_errors[places[name]])
            at = [places[n] for n in trio]
            span = correlation_interval(
                value, result.omega[i, i], result.omega[j, j], uncertainty.matrix[np.ix_(at, at)]
            )
        rse = relative_error(estimate, se, "natural")
        low, high = wald(estimate, se)
        rows.append(
            ParameterRow(
                "covariance", name, "", "", estimate, name not in free, se, rse, low, high,
                "corr", value, span[0], span[1], None, _flags(rse, None),
            )
        )  # fmt: skip
    return rows


def _named(names: Sequence[str], values: Floats) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))


def _spread(variance: float, log_normal: bool) -> float:
    """Return a variance as coefficient of variation in percent, or as standard deviation."""
    with np.errstate(over="ignore"):
        return float(100.0 * np.sqrt(np.expm1(variance)) if log_normal else np.sqrt(variance))


def _known(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def _flags(rse: float | None, shrinkage: float | None) -> tuple[str, ...]:
    found = []
    if rse is not None and rse > LARGE_RSE:
        found.append(f"RSE > {LARGE_RSE:g} %")
    if shrinkage is not None and shrinkage > LARGE_SHRINKAGE:
        found.append(f"shrinkage > {LARGE_SHRINKAGE:g} %")
    return tuple(found)
