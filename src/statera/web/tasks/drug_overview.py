"""A drug before anything is computed: identity, contents, label doses, models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from statera.library import Drug, LabelRule, drugs, load_drug
from statera.library.models import models_of
from statera.model import Covariate, Model
from statera.monograph.build import NOTICE, SECTIONS
from statera.monograph.cells import written_unit
from statera.monograph.context import Context, label_doses
from statera.monograph.sections.dosing_text import (
    METRIC_WORDS,
    claimed,
    dose_words,
    says,
    tidy,
    year_of,
)
from statera.sources.fact import Grade
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.drug import DrugOverviewRequest
from statera.web.tasks.drug_context import bare, conflicts_of_rule, enzymes, measured
from statera.web.tasks.drug_references import conflict_data, references
from statera.web.work import Work

__all__ = ["run"]

_INTERVALS = {"QD": 24.0, "BID": 12.0}
_RENAL = ("EGFR", "CRCL")


def run(request: DrugOverviewRequest, work: Work) -> Answer:
    """Return what the page shows first."""
    drug = load_drug(request.drug)
    context = bare(drug.name)
    doses = _label_doses(drug)
    conflicts = [c for r in drug.labels for c in conflicts_of_rule(drug.name, r)]
    result = {
        "drug": drug.name,
        "kind": drug.identity.kind,
        "kind_source": drug.identity.kind_source,
        "aliases": drug.aliases,
        "molar_mass": drug.identity.molar_mass,
        "notice": NOTICE,
        "drugs": [_entry(name) for name in drugs()],
        "sections": [{"key": key, "title": title} for key, title in SECTIONS],
        "models": [_model(context, m) for m in context.models],
        "label_doses": doses,
        "renal_rules": _renal_rules(drug),
        "has_enzyme_potencies": bool(enzymes(drug.name)),
        "has_measured_potencies": bool(measured(drug.name)),
        "grades": {g.value: g.meaning for g in Grade},
        "conflicts": {c.id: conflict_data(c) for c in conflicts},
        "references": references(
            (
                *drug.identity.sources,
                *(m.source for m in context.models),
                *(r.source for r in drug.labels),
                *(key for c in conflicts for key in c.sources),
            )
        ),
    }
    columns = ("region", "indication", "dose_mg", "interval_h", "says", "date", "source")
    table = Table([Column(c) for c in columns], [[dose[c] for c in columns] for dose in doses])
    return Answer("statera.web.drug-overview/1", result, {"label_doses": table}, _copies(drug))


def _entry(name: str) -> dict[str, Any]:
    drug = load_drug(name)
    return {
        "name": name,
        "aliases": drug.aliases,
        "kind": drug.identity.kind,
        "has_model": bool(models_of(name)),
    }


def _model(context: Context, model: Model) -> dict[str, Any]:
    usual = label_doses(replace(context, models=(model,)))
    renal = next((name for name in _RENAL if name in model.covariates), None)
    return {
        "id": model.id,
        "title": model.title,
        "source": model.source,
        "population": model.population,
        "renal": renal,
        "covariates": [_covariate(c) for c in model.covariates.values()],
        "dose_soft": [model.dose_soft.low, model.dose_soft.high],
        "dose_hard": [model.dose_hard.low, model.dose_hard.high],
        "dose_basis": model.dose_basis,
        "doses": [{"mg": d.amount, "interval_h": d.interval, "label": d.label} for d in usual],
        "remarks": model.remarks,
    }


def _covariate(covariate: Covariate) -> dict[str, Any]:
    return {
        "name": covariate.name,
        "label": covariate.label or covariate.name,
        "unit": written_unit(covariate.unit),
        "reference": covariate.reference,
        "soft": [covariate.soft.low, covariate.soft.high],
        "hard": [covariate.hard.low, covariate.hard.high],
        "basis": covariate.basis,
        "implied": covariate.name in ("DOSE", "MULTIPLE"),
    }


def _label_doses(drug: Drug) -> list[dict[str, Any]]:
    """Return the rules that name one dose, those that hold today first."""
    found = [_rule(drug, r) for r in drug.labels if r.dose_mg and r.frequency in _INTERVALS]
    return sorted(
        found, key=lambda r: (r["claim"], r["superseded"], r["region"], not r["base"], r["dose_mg"])
    )


def _renal_rules(drug: Drug) -> list[dict[str, Any]]:
    """Return the rules with limits of renal function."""
    return [
        {
            **_rule(drug, r),
            "metric": r.renal_metric.value,
            "metric_words": METRIC_WORDS[r.renal_metric],
            "low": r.renal_low,
            "high": r.renal_high,
        }
        for r in drug.labels
        if r.renal_metric is not None and (r.renal_low is not None or r.renal_high is not None)
    ]


def _rule(drug: Drug, rule: LabelRule) -> dict[str, Any]:
    return {
        "id": f"{rule.region}/{rule.id}",
        "region": rule.region_name,
        "indication": rule.indication,
        "population": rule.population.value,
        "kind": rule.kind.value,
        "when": tidy(rule.condition),
        "says": says(rule),
        "dose": dose_words(rule),
        "dose_mg": rule.dose_mg,
        "interval_h": _INTERVALS.get(rule.frequency or ""),
        "base": rule.effect is not None and rule.effect.value == "base",
        "superseded": rule.superseded,
        "claim": claimed(rule),
        "source": rule.source,
        "locator": rule.locator,
        "grade": rule.grade.value,
        "date": year_of(rule),
        "note": tidy(rule.note),
        "conflicts": [c.id for c in conflicts_of_rule(drug.name, rule)],
    }


def _copies(drug: Drug) -> Copies:
    python = (
        "import statera as st\n\n"
        f"drug = st.load_drug({drug.name!r})\n"
        "for rule in drug.labels:\n"
        "    if rule.dose_mg:\n"
        "        print(rule.region_name, rule.indication, rule.dose_mg, rule.frequency)\n"
    )
    return Copies(python, f"statera library show {drug.name}")
