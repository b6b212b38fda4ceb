"""The models of the library as a form needs them: covariates, domains, sources, readouts."""

from __future__ import annotations

from typing import Any

from statera.errors import StateraError
from statera.library import load_drug, load_model, model_ids
from statera.library.protein_binding import protein_binding, unbound_fraction
from statera.library.references import find_source, format_citation
from statera.mechanism.readouts import readouts_of
from statera.model import Covariate, Model, Range
from statera.simulate import structure_of, terminal_half_life
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.simulate import ModelsRequest
from statera.web.work import Work

__all__ = ["run"]


def run(request: ModelsRequest, work: Work) -> Answer:
    """Describe all models."""
    models = [_model(load_model(name)) for name in model_ids()]
    table = Table(
        [
            Column("model"),
            Column("drug"),
            Column("title"),
            Column("population"),
            Column("citation"),
        ],
        [[m[k] for k in ("id", "drug", "title", "population", "citation")] for m in models],
    )
    python = (
        "import statera as st\n\n"
        "for name in st.model_ids():\n"
        "    model = st.load_model(name)\n"
        "    print(name, model.title, model.population)\n"
    )
    return Answer(
        "statera.web.simulate-models/1",
        {"models": models},
        {"models": table},
        Copies(python, "statera library list"),
    )


def _model(model: Model) -> dict[str, Any]:
    structure = structure_of(model)
    source = find_source(model.source)
    drug = load_drug(model.drug)
    return {
        "id": model.id,
        "drug": model.drug,
        "title": model.title,
        "population": model.population,
        "source": model.source,
        "citation": format_citation(source),
        "url": f"https://doi.org/{source.doi}" if source.doi else source.url,
        "closed_form": structure.closed_form,
        "how_solved": structure.reason if structure.closed_form else structure.why,
        "half_life": _half_life(model),
        "example_dose": _example(model),
        "routes": list(model.inputs),
        "dose": {
            "unit": model.amount_unit,
            "soft": _ends(model.dose_soft),
            "hard": _ends(model.dose_hard),
            "basis": model.dose_basis,
        },
        "covariates": [_covariate(c) for c in model.covariates.values()],
        "outputs": [{"name": o.name, "label": o.label, "unit": o.unit} for o in model.outputs],
        "parameters": [
            {"name": p.name, "value": p.value, "unit": p.unit, "status": p.status,
             "rse": p.rse, "locator": p.locator, "note": p.note}
            for p in model.parameters.values()
        ],
        "random_effects": [
            {"name": e.name, "variance": e.variance, "printed": e.printed, "status": e.status}
            for e in model.random_effects.values()
        ],
        "remarks": list(model.remarks),
        "gaps": list(model.gaps),
        "readouts": [
            {"name": r.name, "cytokines": list(r.cytokines), "stats": list(r.stats),
             "basis": r.basis, "ic50": r.ic50, "output": r.output, "hill": r.hill,
             "notes": list(r.notes)}
            for r in readouts_of(model)
        ],
        "molar_mass": drug.identity.molar_mass,
        "unbound": unbound_fraction(protein_binding(drug)),
    }  # fmt: skip


def _covariate(covariate: Covariate) -> dict[str, Any]:
    hard = covariate.hard
    return {
        "name": covariate.name,
        "label": covariate.label or covariate.name,
        "unit": covariate.unit,
        "reference": covariate.reference,
        "soft": _ends(covariate.soft),
        "hard": _ends(hard),
        "yes_no": not covariate.unit and (hard.low, hard.high) == (0, 1),
        "basis": covariate.basis,
    }


def _ends(limits: Range) -> list[float | None]:
    return [limits.low, limits.high]


def _half_life(model: Model) -> float | None:
    try:
        return terminal_half_life(model)
    except StateraError:
        return None


def _example(model: Model) -> str:
    """Return two weeks of the dose by which the model was checked."""
    given = next((e.dose for e in model.expectations if e.dose), "")
    if not given:
        return "10 mg q24h x14"
    words = given.removesuffix(" ss")
    count = 28 if "q12h" in words else 14
    return f"{words} x{count}"
