"""A pathway without drug and under regimens, or under concentrations that stay."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, StateraError
from statera.library import load_drug
from statera.library.models import library_model
from statera.manifest import manifest
from statera.mechanism.constant_concentration import run_constant
from statera.mechanism.drug_potencies import model_of_drug, potencies_of_drug
from statera.mechanism.scenario import PathwayRun, Scenario, run_alone, run_scenarios
from statera.web.answer import Answer
from statera.web.requests.pathway import PathwayRequest
from statera.web.tasks.concerning import concerning
from statera.web.tasks.pathway_copies import pathway_copies
from statera.web.tasks.pathway_source import OUTPUT_NAMES, Source, read_source
from statera.web.tasks.pathway_tables import inhibition_rows, tables
from statera.web.work import Work

__all__ = ["run"]

SCHEMA = "statera.web.pathway/1"
_COMPACT_OUTPUTS = ("total_pSTAT", "SOCS", "target")
_SHOWN = 5
_SHARES = ("total_pSTAT", "STAT", "pSTAT", "dimer", "ndimer", "nSTAT")


def run(request: PathwayRequest, work: Work) -> Answer:
    """Run the pathway."""
    started = time.perf_counter()
    work.progress(0.0, "reading the network")
    source = read_source(request, request.stimulus, work)
    names = _outputs(request, source)
    times = np.linspace(0.0, request.until, request.points)
    work.progress(0.3, "solving the pathway without drug and under each scenario")
    found, model = _run(request, source, times, names)
    failed = [f"{r.scenario.label}: {r.status}" for r in found.runs if r.status != "ok"]
    notes = (*source.notes, *found.notes, *_dish(request))
    made = manifest(
        {}, network=found.network.id, drug=request.drug, model=model, doses=request.doses,
        seconds=round(time.perf_counter() - started, 4),
    )  # fmt: skip
    return Answer(
        SCHEMA,
        _result(source, found, model),
        tables(found),
        pathway_copies(request, source, names, model),
        (*failed, *dict.fromkeys(f"{n[0].upper()}{n[1:]}." for n in notes if n)),
        made,
    )


def _dish(request: PathwayRequest) -> tuple[str, ...]:
    if not request.concentrations or request.unbound is not None:
        return ()
    return ("constant concentrations are taken as unbound, as in a medium without protein",)


def _outputs(request: PathwayRequest, source: Source) -> tuple[str, ...]:
    if request.outputs:
        return tuple(dict.fromkeys(request.outputs))
    return _COMPACT_OUTPUTS if source.is_compact else source.network.states[:_SHOWN]


def _run(
    request: PathwayRequest, source: Source, times: NDArray[np.float64], names: tuple[str, ...]
) -> tuple[PathwayRun, str]:
    """Return the run, and the id of the population model."""
    network = source.network
    if request.drug is None:
        return run_alone(network, times, names, parameters=request.parameters), ""
    marks = source.marks
    if marks is None:
        raise InputError(
            "a drug acts on a network only where marks say what its kinases catalyse",
            where="marks",
            hint="Give a file of marks, or choose those that come with the program.",
        )
    _check_kinases(request, marks.kinases)
    with concerning("drug"):
        load_drug(request.drug)
    potencies = potencies_of_drug(
        request.drug, marks.kinases, basis=request.basis,
        ic50={str(k): v for k, v in request.ic50.items()},
        unbound=request.unbound, molar_mass=request.molar_mass,
    )  # fmt: skip
    if not potencies.values:
        raise InputError(
            f"the library has no potency of {request.drug} at {', '.join(marks.kinases)}",
            where="ic50",
            hint="Give an IC50 for at least one of them.",
        )
    if request.concentrations:
        fraction = request.unbound if request.unbound is not None else 1.0
        return (
            run_constant(
                network, marks, potencies, request.concentrations, times, names,
                parameters=request.parameters, unbound=fraction, rule=request.rule,
            ),
            "",
        )  # fmt: skip
    with concerning("model" if request.model else "drug"):
        model = library_model(request.model) if request.model else model_of_drug(request.drug)
    if model.drug != request.drug:
        raise InputError(f"{model.id} is a model of {model.drug}, not of {request.drug}",
                         where="model")  # fmt: skip
    scenarios = [Scenario(d, d, dict(request.covariates), request.before) for d in request.doses]
    try:
        run = run_scenarios(
            network, marks, model, potencies, scenarios, times, names,
            time_unit=request.time_unit or None, parameters=request.parameters,
            unbound=request.unbound, molar_mass=request.molar_mass, rule=request.rule,
        )  # fmt: skip
    except StateraError as error:
        if error.where is None and "molar mass" in error.what:
            error.where = "molar_mass"
        raise
    return run, model.id


def _check_kinases(request: PathwayRequest, kinases: tuple[str, ...]) -> None:
    others = sorted(set(request.ic50) - set(kinases))
    if others:
        raise InputError(
            f"no reaction of this network is marked as catalysed by {', '.join(others)}",
            where="ic50",
            hint=f"Give IC50 at {', '.join(kinases)}.",
        )


def _result(source: Source, found: PathwayRun, model: str) -> dict[str, Any]:
    potencies = found.potencies
    labels = _labels(source)
    columns, rows = inhibition_rows(found)
    return {
        "network": found.network.id,
        "name": source.network.name or source.network.id,
        "time_unit": found.time_unit,
        "times": found.times,
        "model": model,
        "unbound": found.unbound,
        "potencies": [
            {"kinase": k, "ic50": p.ic50, "hill": p.hill,
             "basis": "unbound" if p.unbound else "total"}
            for k, p in (potencies.values.items() if potencies is not None else ())
        ],
        "outputs": [
            {"name": n, "label": labels.get(n, n), "unit": _unit(source, n)}
            for n in found.runs[0].outputs
        ],
        "runs": [
            {
                "label": r.scenario.label,
                "status": r.status,
                "outputs": dict(r.outputs),
                "inhibition": {n: 100.0 * v for n, v in r.inhibition.items()},
                "area_inhibition": {n: 100.0 * v for n, v in r.area_inhibition.items()},
                "concentration": r.concentration,
            }
            for r in found.runs
        ],
        "shown": {"columns": columns, "rows": rows},
    }  # fmt: skip


def _unit(source: Source, name: str) -> str:
    if source.is_compact:
        return "share of all STAT" if name in _SHARES else ""
    return next((s.unit for s in source.network.species if s.id == name), "")


def _labels(source: Source) -> dict[str, str]:
    if source.is_compact:
        return OUTPUT_NAMES
    return {s.id: s.name for s in source.network.species if s.name}
