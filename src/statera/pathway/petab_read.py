"""Read a PEtab problem from its YAML file."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from statera.errors import InputError
from statera.pathway.network import Network
from statera.pathway.petab_conditions import condition_columns, read_conditions
from statera.pathway.petab_files import PartFiles, read_problem_files, read_yaml, version_of
from statera.pathway.petab_measurements import read_measurements
from statera.pathway.petab_observables import names_in_formulas, read_observables
from statera.pathway.petab_parameters import PetabParameter, read_parameters
from statera.pathway.petab_problem import PetabPart, PetabProblem
from statera.pathway.petab_table import read_petab_table
from statera.pathway.petab_used import check_used
from statera.pathway.petab_v2 import read_problem_v2
from statera.pathway.sbml_read import read_sbml

__all__ = ["read_problem"]


def read_problem(
    path: str | Path,
    *,
    check_nominal: bool = True,
    read_model: Callable[[Path], Network] = read_sbml,
) -> PetabProblem:
    """Read a PEtab problem.

    Parameters
    ----------
    path
        Its YAML file; other files are named in it, relative to it.
    check_nominal
        Whether a nominal value of an estimated parameter outside its bounds is an error.
    read_model
        How a model is read.

    Returns
    -------
    PetabProblem

    Raises
    ------
    InputError
        Naming file, row and column, wherever the problem is not one of version 1 or 2.
    """
    file = Path(path)
    content = read_yaml(file)
    version = version_of(content, file)
    if version.split(".")[0] == "2":
        return read_problem_v2(file, content, check_nominal=check_nominal, read_model=read_model)
    if version.split(".")[0] != "1":
        raise InputError(
            f"PEtab version {version} is not read",
            where=str(file),
            hint="Versions 1 and 2 are.",
        )
    files = read_problem_files(content, file)
    parameters = read_parameters(files.parameters, check_nominal=check_nominal)
    parts = tuple(_part(part, parameters, read_model) for part in files.parts)
    check_used(parameters, parts)
    return PetabProblem(file.stem, version, parameters, parts)


def _part(
    files: PartFiles,
    parameters: tuple[PetabParameter, ...],
    read_model: Callable[[Path], Network],
) -> PetabPart:
    estimable = frozenset(p.id for p in parameters)
    network = _freed(read_model(files.model), estimable | condition_columns(files.conditions))
    model = frozenset((*network.states, *network.parameters, *network.assigned))
    settable = model - frozenset(network.assigned)
    loose = names_in_formulas(files.observables) - model - estimable
    conditions = read_conditions(
        files.conditions,
        settable | loose,
        estimable | frozenset(network.parameters),
        network.assigned,
    )
    columns = frozenset(name for c in conditions.values() for name in c.values)
    observables = read_observables(files.observables, model | estimable | columns)
    measurements = read_measurements(
        files.measurements, observables, conditions, estimable | frozenset(network.parameters)
    )
    return PetabPart(
        network,
        conditions,
        observables,
        measurements,
        tuple(read_petab_table(f) for f in files.visualisation),
    )


def _freed(network: Network, given: frozenset[str]) -> Network:
    """Return the network with computed constants that the problem gives values to as parameters."""
    free = [name for name in network.computed if name in given]
    if not free:
        return network
    return replace(
        network,
        parameters={**network.parameters, **dict.fromkeys(free, math.nan)},
        assigned={n: f for n, f in network.assigned.items() if n not in free},
        computed=tuple(n for n in network.computed if n not in free),
    )
