"""Read a PEtab problem of version 2, as far as it can be put in the terms of version 1.

Refused by name: models that are not SBML, extensions that change the problem, and measurements at
infinity after a period that an event begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from statera.errors import InputError, UnknownNameError
from statera.pathway.network import Network
from statera.pathway.petab_files import file_list
from statera.pathway.petab_measurements import Measurement, measurement_of
from statera.pathway.petab_parameters import PetabParameter
from statera.pathway.petab_problem import PetabPart, PetabProblem
from statera.pathway.petab_table import PetabTable, read_petab_table
from statera.pathway.petab_used import check_used
from statera.pathway.petab_v2_experiments import Arranged, arrange, renamed
from statera.pathway.petab_v2_parameters import read_parameters_v2
from statera.pathway.petab_v2_tables import (
    Experiment,
    read_changes,
    read_experiments,
    read_mapping,
    read_observables_v2,
    with_conditions,
)

__all__ = ["read_problem_v2"]


def read_problem_v2(
    path: Path,
    content: Mapping[str, Any],
    *,
    check_nominal: bool,
    read_model: Callable[[Path], Network],
) -> PetabProblem:
    """Read a problem of version 2; arguments and errors as `petab_read.read_problem`."""
    _check_extensions(content, path)
    models = _models(content, path)
    files = {
        key: file_list(content.get(key) or [], key, path)
        for key in (
            "parameter_files", "observable_files", "measurement_files",
            "condition_files", "experiment_files", "mapping_files",
        )
    }  # fmt: skip
    for key in ("parameter_files", "observable_files", "measurement_files"):
        if not files[key]:
            raise InputError(f"{key} is missing", where=str(path), hint=f"Name a file in {key}.")
    parameters = read_parameters_v2(files["parameter_files"], check_nominal=check_nominal)
    tables = [read_petab_table(file) for file in files["measurement_files"]]
    _check_models(tables, models)
    mapping = read_mapping(files["mapping_files"])
    parts = tuple(
        _part(renamed(read_model(file), mapping), name, len(models) == 1, files, tables, parameters)
        for name, file in models.items()
    )
    used = tuple(part for part in parts if part.measurements)
    check_used(parameters, parts)
    return PetabProblem(
        str(content.get("id") or path.stem), str(content["format_version"]), parameters, used
    )


def _check_extensions(content: Mapping[str, Any], path: Path) -> None:
    extensions = content.get("extensions") or {}
    needed = [
        str(name) for name, settings in (
            extensions.items() if isinstance(extensions, dict) else ((e, {}) for e in extensions)
        )
        if not isinstance(settings, dict) or settings.get("required", True)
    ]  # fmt: skip
    if needed:
        raise InputError(
            f"the problem needs extensions of PEtab, which are not read: {', '.join(needed)}",
            where=str(path),
        )


def _models(content: Mapping[str, Any], path: Path) -> dict[str, Path]:
    models = content.get("model_files")
    if not isinstance(models, dict) or not models:
        raise InputError(
            "model_files is missing",
            where=str(path),
            hint="Write each model as an identifier with location and language. Drafts of version "
            "2 that list problems are not read.",
        )
    found = {}
    for name, entry in models.items():
        language = str(entry.get("language", "")) if isinstance(entry, dict) else ""
        if language.lower() != "sbml":
            raise InputError(
                f"model_files: the language of '{name}' is '{language}', and only sbml is read",
                where=str(path),
            )
        found[str(name)] = file_list(entry.get("location", ""), f"model_files, {name}", path)[0]
    return found


def _check_models(tables: Sequence[PetabTable], models: Mapping[str, Path]) -> None:
    for table in tables:
        for row in range(len(table)):
            name = table.text(row, "modelId")
            if (name and name not in models) or (not name and len(models) > 1):
                raise UnknownNameError("model", name, models, where=table.place(row, "modelId"))


def _part(
    network: Network,
    name: str,
    only: bool,
    files: Mapping[str, tuple[Path, ...]],
    tables: Sequence[PetabTable],
    parameters: Sequence[PetabParameter],
) -> PetabPart:
    estimable = frozenset(p.id for p in parameters)
    settable = frozenset((*network.states, *network.parameters)) - estimable
    model = frozenset((*network.states, *network.parameters, *network.assigned))
    changes = read_changes(files["condition_files"], settable, model | estimable)
    experiments = read_experiments(files["experiment_files"], changes)
    arranged = arrange(network, experiments, estimable)
    observables = read_observables_v2(files["observable_files"], model | estimable)
    known = estimable | frozenset(network.parameters)
    measurements: list[Measurement] = []
    for table in tables:
        joined = with_conditions(table, experiments)
        for row in range(len(table)):
            if only or table.text(row, "modelId") == name:
                one = measurement_of(
                    joined, row, observables, arranged.conditions, known, arranged.starts
                )
                _check_infinity(one, experiments, arranged)
                measurements.append(one)
    return PetabPart(
        arranged.network, arranged.conditions, observables, tuple(measurements), (), arranged.starts
    )


def _check_infinity(
    measurement: Measurement, experiments: Mapping[str, Experiment], arranged: Arranged
) -> None:
    experiment = experiments.get(measurement.condition)
    if measurement.time != float("inf") or experiment is None:
        return
    if experiment.periods[-1].time > arranged.starts[measurement.condition]:
        raise InputError(
            "column time: a steady state after a period that begins later than the start is not "
            "supported",
            where=measurement.place,
            hint="Give a late time instead of inf.",
        )
