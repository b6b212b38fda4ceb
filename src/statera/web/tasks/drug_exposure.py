"""Concentration and inhibition through a dosing interval, for a dose and a renal function."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from statera.errors import InputError, UnknownNameError
from statera.library import load_drug
from statera.model import Model
from statera.monograph import MonographOptions
from statera.monograph.context import Context, DoseOption, Exposure, label_doses
from statera.monograph.sections.pk_profiles import PERCENTILES
from statera.parallel import available_workers
from statera.simulate import SimulationResult
from statera.units import convert, molar_from_mass
from statera.web.answer import Answer, Column, Table
from statera.web.requests.drug import DrugExposureRequest
from statera.web.tasks.drug_context import bare
from statera.web.tasks.drug_exposure_copies import copies
from statera.web.tasks.drug_references import references
from statera.web.tasks.drug_signals import signals
from statera.web.work import Work

__all__ = ["run"]

_MOST_THREADS = 2
_ENDPOINTS = ("Cmax", "tmax", "AUC", "Cavg", "Ctrough")
_LEVELS = ("p5", "p50", "p95")


def run(request: DrugExposureRequest, work: Work) -> Answer:
    """Simulate one dosing interval of the typical subject and of a population."""
    context = _context(request)
    assert context.model is not None
    dose = _dose(request, context)
    steady = request.when == "steady_state"
    regimen = dose.at_steady_state() if steady else dose.once()
    held = dict(request.covariates)
    typical = context.run(regimen, typical=True, covariates=held)
    population = context.run(regimen, covariates=held)
    if not (population.statuses == 0).any():
        raise InputError(
            f"no subject could be solved: {population.failures[0][1]}", where="covariates"
        )
    exposure = Exposure(dose, typical, population, typical, population)
    output = context.model.outputs[0]
    found, methods = signals(context, exposure)
    result = {
        "drug": context.name,
        "model": context.model.id,
        "source": context.model.source,
        "dose": {"mg": dose.amount, "interval_h": dose.interval, "label": dose.label},
        "when": request.when,
        "covariates": _covariates(context.model, typical, held),
        "n": request.n,
        "seed": request.seed,
        "failures": len(population.failures),
        "output": output.label or output.name,
        "unit": output.unit,
        "nM_per_unit": None
        if context.molar_mass is None
        else molar_from_mass(convert(1.0, output.unit, "ng/mL"), context.molar_mass),
        "signals": found,
        "solver": typical.solver,
        "references": references((context.model.source, *(s for f in found for s in f["sources"]))),
        "methods": methods,
    }
    return Answer(
        "statera.web.drug-exposure/1",
        result,
        {"profile": _profile(exposure, output.name), "endpoints": _endpoints(exposure)},
        copies(context, dose, regimen, held, request),
        tuple(dict.fromkeys((*typical.warnings, *population.warnings))),
        population.manifest,
    )


def _context(request: DrugExposureRequest) -> Context:
    context = bare(load_drug(request.drug).name)
    if context.model is None:
        raise InputError(
            f"the library has no published population model of {context.name}",
            where="drug",
            hint="Choose a drug with a model to see concentrations.",
        )
    options = MonographOptions(
        n=request.n, seed=request.seed, workers=min(_MOST_THREADS, available_workers())
    )
    if request.model is None:
        return replace(context, options=options)
    by_id = {m.id: m for m in context.models}
    if request.model not in by_id:
        raise UnknownNameError(f"model of {context.name}", request.model, by_id)
    return replace(context, options=options, models=(by_id[request.model],))


def _dose(request: DrugExposureRequest, context: Context) -> DoseOption:
    known = label_doses(context)
    if request.dose_mg is None and not known:
        raise InputError(
            f"no label dose of {context.name} lies inside the range of the model",
            where="dose_mg",
            hint="Give a dose in mg.",
        )
    usual = known[-1] if known else DoseOption(1.0, 24.0)
    amount = usual.amount if request.dose_mg is None else request.dose_mg
    if request.interval_h is not None:
        return DoseOption(amount, request.interval_h)
    same = [d.interval for d in known if d.amount == amount]
    return DoseOption(amount, same[-1] if same else usual.interval)


def _covariates(
    model: Model, typical: SimulationResult, held: dict[str, float]
) -> list[dict[str, Any]]:
    return [
        {
            "name": c.name,
            "label": c.label or c.name,
            "unit": c.unit,
            "value": float(typical.covariates[c.name][0]),
            "reference": c.reference,
            "given": c.name in held,
        }
        for c in model.covariates.values()
    ]


def _short(value: float) -> float:
    """Return five significant digits: more than a screen shows, and small."""
    return float(f"{value:.5g}")


def _profile(exposure: Exposure, output: str) -> Table:
    unit = exposure.typical.units[output]
    bands = exposure.population.percentiles(output, PERCENTILES)
    columns = [Column("time", "h"), Column("typical", unit), *(Column(k, unit) for k in _LEVELS)]
    rows = zip(
        exposure.typical.times.tolist(), exposure.typical.outputs[output][0], *bands, strict=True
    )
    return Table(columns, [[_short(float(v)) for v in row] for row in rows])


def _endpoints(exposure: Exposure) -> Table:
    solved = exposure.population.statuses == 0
    columns = [Column(c) for c in ("output", "endpoint", "unit", "typical", *_LEVELS)]
    rows = []
    for output in exposure.typical.outputs:
        for name in _ENDPOINTS:
            everyone = exposure.population.endpoint(name, output)[solved]
            levels = np.percentile(everyone, PERCENTILES)
            numbers = (float(exposure.typical.endpoint(name, output)[0]), *levels.tolist())
            unit = exposure.typical.unit_of(name, output)
            rows.append([output, name, unit, *(_short(v) for v in numbers)])
    return Table(columns, rows)
