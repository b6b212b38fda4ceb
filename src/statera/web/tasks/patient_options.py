"""What the screen for one patient offers to choose from."""

from __future__ import annotations

from typing import Any

from statera.dosing.indications import INDICATIONS
from statera.dosing.label_coverage import label_coverage
from statera.dosing.patient import Phase
from statera.dosing.read_patient import RISKS
from statera.dosing.renal_equations import RENAL_EQUATIONS
from statera.library import load_model
from statera.library.drug import load_drug
from statera.library.label_rule import FINDINGS, HepaticClass, Response, TreatmentPart
from statera.library.models import model_ids
from statera.library.references import find_source
from statera.manifest import manifest
from statera.patient_report.words import METRICS
from statera.tdm.patient_data import analytes
from statera.tdm.request import Grade
from statera.web.answer import Answer
from statera.web.requests.patient import Case, NoRequest
from statera.web.tasks.patient_sample import sample_case
from statera.web.work import Work

__all__ = ["run"]

SCHEMA = "statera.web.patient-options/1"

_EXPOSURES = {"AUCtau_ss": "AUC24", "Cmax_ss": "Cmax", "Cav_ss": "Cavg", "Ctrough_ss": "Ctrough"}
"""Quantities of facts that a target may be set beside, and the metric of each."""


def run(request: NoRequest, work: Work) -> Answer:
    """Return models, label rules, equations, words and a sample case."""
    models = [_model(name) for name in model_ids()]
    drugs = sorted({m["drug"] for m in models if m["usable"]})
    result = {
        "models": models,
        "labels": [
            {"drug": row.drug, "region": row.region, "indications": list(row.indications)}
            for row in label_coverage()
        ],
        "indications": INDICATIONS,
        "renal_equations": [
            {"id": e.id, "name": e.name, "indexed": e.indexed, "ages": list(e.ages)}
            for e in RENAL_EQUATIONS.values()
        ],
        "findings": FINDINGS,
        "risks": list(RISKS),
        "hepatic": [h.value for h in HepaticClass],
        "phases": [p.value for p in Phase],
        "parts": [p.value for p in TreatmentPart],
        "responses": [r.value for r in Response],
        "metrics": METRICS,
        "grades": [g.value for g in Grade],
        "exposures": {drug: _exposures(drug) for drug in drugs},
        "sample": sample_case().model_dump(),
        "empty": Case().model_dump(),
    }
    return Answer(SCHEMA, result, manifest=manifest())


def _model(name: str) -> dict[str, Any]:
    """Return what must be known of a model; without a residual error no sample can be used."""
    model = load_model(name)
    measured = analytes(model)
    return {
        "id": name,
        "drug": model.drug,
        "title": model.title,
        "population": model.population,
        "usable": bool(measured),
        "routes": list(model.inputs),
        "occasions": any(e.level == "occasion" for e in model.random_effects.values()),
        "outputs": [{"name": n, "unit": model.output(n).unit} for n in measured],
        "covariates": [
            {
                "name": c.name, "label": c.label, "unit": c.unit, "reference": c.reference,
                "low": c.soft.low, "high": c.soft.high,
                "yes_no": not c.unit and (c.hard.low, c.hard.high) == (0.0, 1.0),
            }
            for c in model.covariates.values()
        ],
    }  # fmt: skip


def _exposures(drug: str) -> list[dict[str, Any]]:
    """Return reported exposures of a drug, each with its source."""
    found = []
    for fact in load_drug(drug).facts:
        metric = _EXPOSURES.get(fact.get("quantity"))
        if metric is None or fact.number is None:
            continue
        source = find_source(fact.source)
        found.append(
            {
                "metric": metric, "value": fact.number, "unit": fact.unit,
                "what": fact.parameter, "population": fact.population, "fact": fact.id,
                "source": source.title, "url": source.url, "grade": fact.grade.value,
                "status": fact.status.value, "note": fact.note,
            }
        )  # fmt: skip
    return found
