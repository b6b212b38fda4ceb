"""From plain data (a TOML file or a Python dictionary) to a checked `Model`."""

from __future__ import annotations

import keyword
import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import sympy as sp

from statera.model import fields
from statera.model.fields import KeyPath, SpecError
from statera.model.fit_settings import read_bounds, read_prior
from statera.model.formula import read_formula as _parse
from statera.model.mixture import read_mixture, subpopulation_covariate
from statera.model.model import (
    Covariate,
    Equation,
    Expectation,
    InputProcess,
    Model,
    Output,
    Parameter,
    RandomEffect,
    Range,
)
from statera.model.random_effects import covariance_matrix, variance_from
from statera.model.residual import read_likelihoods, read_residuals
from statera.numerics.expression import FUNCTIONS
from statera.sources import Status

__all__ = ["SCHEMA", "build_model"]

SCHEMA = "statera.model/1"

_TOP = {
    "schema", "id", "drug", "title", "population", "source", "units", "covariates", "parameters",
    "random_effects", "covariances", "individual", "dynamics", "initial", "inputs", "outputs",
    "residual", "likelihood", "derived", "dose", "expect", "remarks", "gaps", "mixture",
}  # fmt: skip
_PROCESS = {"kind", "into", "bioavailability", "lag", "duration", "rate", "n", "mtt", "ktr"}
_PROCESS_KINDS: Mapping[str, Literal["bolus", "zero_order", "transit"]] = {
    "bolus": "bolus", "zero_order": "zero_order", "transit": "transit",
}  # fmt: skip
_RESERVED = {"t", "AMT"} | set(FUNCTIONS)


def build_model(spec: Mapping[str, Any]) -> Model:
    """Build a model from plain data.

    Parameters
    ----------
    spec
        The content of a model file (see ``docs/models.md``): ``id``, ``units``, ``parameters``,
        ``dynamics``, ``inputs`` and ``outputs`` are needed, the rest is optional.

    Raises
    ------
    SpecError
        If a key is missing, unknown, of the wrong type, or a formula cannot be read. The error
        names the key and, in a formula, the column.
    """
    fields.only(spec, _TOP, ())
    if "schema" in spec and spec["schema"] != SCHEMA:
        raise SpecError(("schema",), f"expected '{SCHEMA}', found '{spec['schema']}'")
    units = fields.table(spec, "units", ())
    fields.only(units, {"time", "amount"}, ("units",))
    parameters = _parameters(spec)
    effects, omega = _random_effects(spec)
    covariates = _covariates(spec)
    mixture = read_mixture(spec, parameters, covariates)
    if mixture is not None:
        name = _name(mixture.variable, ("mixture", "variable"))
        if name in covariates:
            raise SpecError(("mixture", "variable"), f"the name '{name}' is used twice")
        covariates[name] = subpopulation_covariate(mixture, parameters, covariates)
    base = {*parameters, *effects, *covariates}
    _no_clash([parameters, effects, covariates])
    individual = _individual(spec, base)
    known = base | {e.name for e in individual}
    dynamics = _dynamics(spec, known)
    states = {e.name for e in dynamics}
    if clash := states & known:
        raise SpecError(("dynamics", f"d/dt({min(clash)})"), f"'{min(clash)}' is already a name")
    outputs = _outputs(spec, known | states)
    dose = fields.table(spec, "dose", (), optional=True)
    fields.only(dose, {"soft", "hard", "basis"}, ("dose",))
    return Model(
        id=fields.text(spec, "id", ()),
        drug=fields.text(spec, "drug", (), default=""),
        title=fields.text(spec, "title", (), default=""),
        population=fields.text(spec, "population", (), default=""),
        source=fields.text(spec, "source", (), default=""),
        time_unit=fields.unit(units, "time", ("units",), dimension="h"),
        amount_unit=fields.unit(units, "amount", ("units",), dimension="mg"),
        parameters=MappingProxyType(parameters),
        random_effects=MappingProxyType(effects),
        omega=omega,
        covariates=MappingProxyType(covariates),
        individual=individual,
        dynamics=dynamics,
        initial=MappingProxyType(_initial(spec, known, states)),
        inputs=MappingProxyType(_inputs(spec, known | {"AMT"}, states)),
        outputs=outputs,
        residuals=MappingProxyType(read_residuals(spec, outputs, parameters, known)),
        likelihoods=MappingProxyType(read_likelihoods(spec, outputs, known | states)),
        derived=_derived(spec, known),
        dose_soft=_range(dose, "soft", ("dose",)),
        dose_hard=_range(dose, "hard", ("dose",)),
        dose_basis=fields.text(dose, "basis", ("dose",), default=""),
        expectations=_expectations(spec, covariates),
        remarks=fields.texts(spec, "remarks", ()),
        gaps=fields.texts(spec, "gaps", ()),
        mixture=mixture,
    )


def _name(name: str, path: KeyPath) -> str:
    # formulas are parsed as Python is: its keywords and letters that it reads as others are out
    plain = name.isidentifier() and unicodedata.normalize("NFKC", name) == name
    if not plain or keyword.iskeyword(name) or name in _RESERVED:
        raise SpecError(path, f"'{name}' cannot be used as a name")
    return name


def _no_clash(groups: Sequence[Mapping[str, Any]]) -> None:
    seen: set[str] = set()
    for group in groups:
        if clash := seen & set(group):
            raise SpecError((), f"the name '{min(clash)}' is used twice")
        seen |= set(group)


def _range(spec: Mapping[str, Any], key: str, path: KeyPath) -> Range:
    table = fields.table(spec, key, path, optional=True)
    here = (*path, key)
    fields.only(table, {"min", "max"}, here)
    low = fields.number(table, "min", here, optional=True)
    high = fields.number(table, "max", here, optional=True)
    if low is not None and high is not None and low > high:
        raise SpecError(here, f"min {low:g} is above max {high:g}")
    return Range(low, high)


def _parameters(spec: Mapping[str, Any]) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    for name, entry in fields.table(spec, "parameters", ()).items():
        path = ("parameters", name)
        row = fields.as_table(entry, path)
        fields.only(
            row,
            {
                "value", "unit", "status", "locator", "rse", "low", "high", "printed", "note",
                "fixed", "bounds", "prior",
            },
            path,
        )  # fmt: skip
        value = fields.need_number(row, "value", path)
        found[_name(name, path)] = Parameter(
            name=name,
            value=value,
            unit=fields.unit(row, "unit", path),
            status=Status(fields.choice(row, "status", path, list(Status), default="assumed")),
            locator=fields.text(row, "locator", path, default=""),
            rse=fields.number(row, "rse", path, optional=True),
            low=fields.number(row, "low", path, optional=True),
            high=fields.number(row, "high", path, optional=True),
            printed=fields.text(row, "printed", path, default=""),
            note=fields.text(row, "note", path, default=""),
            fixed=fields.flag(row, "fixed", path),
            bounds=read_bounds(row, value, path),
            prior=read_prior(row, path),
        )
    return found


def _random_effects(spec: Mapping[str, Any]) -> tuple[dict[str, RandomEffect], Any]:
    found: dict[str, RandomEffect] = {}
    table = fields.table(spec, "random_effects", (), optional=True)
    for name, entry in table.items():
        path = ("random_effects", name)
        row = fields.as_table(entry, path)
        fields.only(
            row,
            {
                "variance", "cv", "conversion", "level", "status", "printed", "locator", "note",
                "fixed",
            },
            path,
        )  # fmt: skip
        variance, conversion = variance_from(row, path)
        level = fields.choice(row, "level", path, ["subject", "occasion"], default="subject")
        found[_name(name, path)] = RandomEffect(
            name=name,
            variance=variance,
            status=Status(fields.choice(row, "status", path, list(Status), default="assumed")),
            level="occasion" if level == "occasion" else "subject",
            printed=fields.text(row, "printed", path, default=""),
            conversion=conversion,
            locator=fields.text(row, "locator", path, default=""),
            note=fields.text(row, "note", path, default=""),
            fixed=fields.flag(row, "fixed", path),
        )
    return found, covariance_matrix(found, spec.get("covariances", []))


def _covariates(spec: Mapping[str, Any]) -> dict[str, Covariate]:
    found: dict[str, Covariate] = {}
    for name, entry in fields.table(spec, "covariates", (), optional=True).items():
        path = ("covariates", name)
        row = fields.as_table(entry, path)
        fields.only(row, {"unit", "reference", "soft", "hard", "label", "basis", "source"}, path)
        covariate = Covariate(
            name=_name(name, path),
            unit=fields.unit(row, "unit", path),
            reference=fields.need_number(row, "reference", path),
            soft=_range(row, "soft", path),
            hard=_range(row, "hard", path),
            label=fields.text(row, "label", path, default=""),
            basis=fields.text(row, "basis", path, default=""),
            source=fields.text(row, "source", path, default=""),
        )
        if not covariate.hard.holds(covariate.reference):
            raise SpecError((*path, "reference"), "the reference lies outside the hard range")
        found[name] = covariate
    return found


def _individual(spec: Mapping[str, Any], base: set[str]) -> tuple[Equation, ...]:
    known = set(base)
    found: list[Equation] = []
    for name, text in fields.table(spec, "individual", (), optional=True).items():
        path = ("individual", name)
        if name in known:
            raise SpecError(path, f"the name '{name}' is used twice")
        found.append(Equation(_name(name, path), str(text), _parse(text, known, path)))
        known.add(name)
    return tuple(found)


def _dynamics(spec: Mapping[str, Any], known: set[str]) -> tuple[Equation, ...]:
    table = fields.table(spec, "dynamics", ())
    states: dict[str, str] = {}
    for key in table:
        inner = key.removeprefix("d/dt(").removesuffix(")") if key.startswith("d/dt(") else key
        states[key] = _name(inner, ("dynamics", key))
    names = known | set(states.values()) | {"t"}
    return tuple(
        Equation(states[key], str(text), _parse(text, names, ("dynamics", key)))
        for key, text in table.items()
    )


def _initial(spec: Mapping[str, Any], known: set[str], states: set[str]) -> dict[str, sp.Expr]:
    found: dict[str, sp.Expr] = {}
    for name, text in fields.table(spec, "initial", (), optional=True).items():
        if name not in states:
            raise SpecError(("initial", name), f"'{name}' is not a state")
        found[name] = _parse(text, known, ("initial", name))
    return found


def _inputs(
    spec: Mapping[str, Any], known: set[str], states: set[str]
) -> dict[str, tuple[InputProcess, ...]]:
    found: dict[str, tuple[InputProcess, ...]] = {}
    for route, entries in fields.table(spec, "inputs", ()).items():
        if not isinstance(entries, list) or not entries:
            raise SpecError(("inputs", route), "expected a list of input processes")
        found[route] = tuple(
            _process(fields.as_table(e, ("inputs", route, i)), known, states, ("inputs", route, i))
            for i, e in enumerate(entries)
        )
    if not found:
        raise SpecError(("inputs",), "the model needs at least one route")
    return found


def _process(
    row: Mapping[str, Any], known: set[str], states: set[str], path: KeyPath
) -> InputProcess:
    fields.only(row, _PROCESS, path)
    kind = fields.choice(row, "kind", path, list(_PROCESS_KINDS))
    into = fields.text(row, "into", path)
    if into not in states:
        raise SpecError((*path, "into"), f"'{into}' is not a state")
    optional = {
        key: _parse(row[key], known, (*path, key)) if key in row else None
        for key in ("duration", "rate", "n", "mtt", "ktr")
    }
    if kind == "zero_order" and (optional["duration"] is None) == (optional["rate"] is None):
        raise SpecError(path, "a zero_order input needs either 'duration' or 'rate'")
    ktr = _transit(kind, optional, path)
    return InputProcess(
        kind=_PROCESS_KINDS[kind],
        into=into,
        bioavailability=_parse(row.get("bioavailability", 1), known, (*path, "bioavailability")),
        lag=_parse(row.get("lag", 0), known, (*path, "lag")),
        duration=optional["duration"],
        rate=optional["rate"],
        n=optional["n"],
        ktr=ktr,
    )


def _transit(kind: str, given: Mapping[str, sp.Expr | None], path: KeyPath) -> sp.Expr | None:
    """Return the rate of transit, which may be given as the mean time: ``(n + 1)/mtt``."""
    n, mtt, ktr = given["n"], given["mtt"], given["ktr"]
    if kind != "transit":
        if unfit := next((key for key in ("n", "mtt", "ktr") if given[key] is not None), None):
            raise SpecError((*path, unfit), f"only a transit input has '{unfit}'")
        return None
    if given["duration"] is not None or given["rate"] is not None:
        raise SpecError(path, "a transit input has neither 'duration' nor 'rate'")
    if n is None or (mtt is None) == (ktr is None):
        raise SpecError(path, "a transit input needs 'n' and either 'mtt' or 'ktr'")
    return ktr if mtt is None else (n + 1) / mtt


def _outputs(spec: Mapping[str, Any], known: set[str]) -> tuple[Output, ...]:
    found = []
    for name, entry in fields.table(spec, "outputs", ()).items():
        path = ("outputs", name)
        row = fields.as_table(entry, path)
        fields.only(row, {"expression", "unit", "label"}, path)
        text = fields.text(row, "expression", path)
        found.append(
            Output(
                name=_name(name, path),
                text=text,
                expression=_parse(text, known, (*path, "expression")),
                unit=fields.unit(row, "unit", path),
                label=fields.text(row, "label", path, default=name),
            )
        )
    if not found:
        raise SpecError(("outputs",), "the model needs at least one output")
    return tuple(found)


def _derived(spec: Mapping[str, Any], known: set[str]) -> tuple[Equation, ...]:
    names = set(known)
    found = []
    for name, entry in fields.table(spec, "derived", (), optional=True).items():
        path = ("derived", name)
        row = fields.as_table(entry, path)
        fields.only(row, {"expression", "unit", "label"}, path)
        text = fields.text(row, "expression", path)
        if name in names:
            raise SpecError(path, f"the name '{name}' is used twice")
        found.append(
            Equation(
                _name(name, path),
                text,
                _parse(text, names, (*path, "expression")),
                fields.unit(row, "unit", path),
                fields.text(row, "label", path, default=name),
            )
        )
        names.add(name)
    return tuple(found)


def _expectations(
    spec: Mapping[str, Any], covariates: Mapping[str, Covariate]
) -> tuple[Expectation, ...]:
    found = []
    entries = spec.get("expect", [])
    if not isinstance(entries, list):
        raise SpecError(("expect",), "expected a list of tables")
    for index, entry in enumerate(entries):
        path = ("expect", index)
        row = fields.as_table(entry, path)
        fields.only(
            row, {"quantity", "value", "unit", "tolerance", "basis", "dose", "covariates"}, path
        )
        values = fields.table(row, "covariates", path, optional=True)
        if unknown := set(values) - set(covariates):
            raise SpecError((*path, "covariates"), f"'{min(unknown)}' is not a covariate")
        value = fields.need_number(row, "value", path)
        if value == 0.0:
            raise SpecError((*path, "value"), "a relative tolerance needs a value other than 0")
        found.append(
            Expectation(
                quantity=fields.text(row, "quantity", path),
                value=value,
                unit=fields.unit(row, "unit", path),
                tolerance=fields.need_number(row, "tolerance", path),
                basis=fields.text(row, "basis", path),
                dose=fields.text(row, "dose", path, default=""),
                covariates=MappingProxyType(
                    {k: fields.need_number(values, k, (*path, "covariates")) for k in values}
                ),
            )
        )
    return tuple(found)
