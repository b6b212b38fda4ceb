"""What a pathway can be run with: cytokines, marks, drugs and what is missing of each."""

from __future__ import annotations

from typing import Any

from statera.errors import StateraError
from statera.library import drugs, find_cytokine, load_drug, load_model, models_of
from statera.library.protein_binding import protein_binding, unbound_fraction
from statera.library.references import find_source, format_citation
from statera.mechanism.drug_potencies import potencies_of_drug
from statera.mechanism.shipped_marks import load_marks, marks_names
from statera.pathway.drug_input import drug_input
from statera.pathway.jak_inhibition import KINASES
from statera.pathway.jak_stat_rates import cytokines_with_rates, load_rates
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.pathway import ChoicesRequest
from statera.web.tasks.pathway_source import OUTPUT_NAMES
from statera.web.work import Work

__all__ = ["run"]

# Any molar mass will do to try whether a model can be carried beside a pathway.
_ANY_MASS = 300.0


def run(request: ChoicesRequest, work: Work) -> Answer:
    """List the choices."""
    listed = [_drug(name) for name in drugs()]
    table = Table(
        [Column("drug"), Column("model"), Column("molar mass", "g/mol"), Column("unbound"),
         Column("kinases with a potency")],
        [
            [d["name"], ", ".join(m["id"] for m in d["models"] if not m["why_not"]),
             d["molar_mass"], d["unbound"], ", ".join(d["potencies"])]
            for d in listed
        ],
    )  # fmt: skip
    result = {
        "cytokines": [_cytokine(name) for name in cytokines_with_rates()],
        "marks": [
            {"name": name, "network": m.network, "kinases": list(m.kinases), "source": m.source}
            for name, m in ((n, load_marks(n)) for n in marks_names())
        ],
        "kinases": list(KINASES),
        "drugs": listed,
        "outputs": OUTPUT_NAMES,
    }
    return Answer(
        "statera.web.pathway-choices/1",
        result,
        {"drugs": table},
        Copies("import statera as st\n\nprint(st.drugs(), st.model_ids())\n",
               "statera library list"),
    )  # fmt: skip


def _cytokine(name: str) -> dict[str, Any]:
    rates, row = load_rates(name), find_cytokine(name)
    return {
        "name": name,
        "receptor": row.receptor,
        "kinases": list(row.jaks),
        "stats": list(row.stats),
        "half_stimulus": rates.half_stimulus,
        "unit": rates.unit,
        "status": rates.status,
        "source": rates.source,
    }


def _drug(name: str) -> dict[str, Any]:
    drug = load_drug(name)
    fraction = unbound_fraction(protein_binding(drug))
    try:
        found = potencies_of_drug(name, KINASES)
        potencies = {k: p.ic50 for k, p in found.values.items()}
        notes, sources = list(found.notes), found.sources
    except StateraError as error:
        potencies, notes, sources = {}, [error.what], ()
    missing = []
    if not potencies:
        missing.append("IC50")
    if drug.identity.molar_mass is None:
        missing.append("molar mass")
    if fraction is None:
        missing.append("unbound fraction")
    return {
        "name": name,
        "molar_mass": drug.identity.molar_mass,
        "unbound": fraction,
        "potencies": potencies,
        "notes": notes,
        "sources": [format_citation(find_source(s)) for s in sources],
        "missing": missing,
        "models": [_model(m) for m in models_of(name)],
    }


def _model(name: str) -> dict[str, Any]:
    """Describe a model, and why it cannot be carried beside a pathway, if that is so."""
    model = load_model(name)
    dose = next((e.dose for e in model.expectations if e.dose), "1 mg q24h ss")
    try:
        drug_input(model, dose, time_unit="min", molar_mass=_ANY_MASS)
        why_not = ""
    except StateraError as error:
        why_not = error.what
    return {
        "id": name,
        "title": model.title,
        "population": model.population,
        "dose": dose,
        "covariates": [
            {"name": c.name, "label": c.label or c.name, "unit": c.unit, "reference": c.reference,
             "soft": [c.soft.low, c.soft.high], "hard": [c.hard.low, c.hard.high]}
            for c in model.covariates.values()
        ],
        "why_not": why_not,
    }  # fmt: skip
