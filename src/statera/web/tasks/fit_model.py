"""The parameters of a model, before it is fitted."""

from __future__ import annotations

from typing import Any

import numpy as np

from statera.estimate.meaning import meanings
from statera.model import Model
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.fit import FitModelRequest, Reading
from statera.web.tasks.fit_inputs import load_fit_model
from statera.web.work import Work

__all__ = ["run"]


def run(request: FitModelRequest, work: Work) -> Answer:
    """Return what can be edited before a fit: initial values, bounds, what is fixed."""
    loaded = load_fit_model(request.model, Reading(), work)
    model = loaded.file.model
    parameters = _parameters(model)
    effects = _effects(model)
    result = {
        "id": model.id,
        "name": loaded.name,
        "title": model.title or model.id,
        "parameters": parameters,
        "random_effects": effects,
        "outputs": [
            {"name": o.name, "unit": o.unit, "label": o.label, "text": o.text}
            for o in model.outputs
            if o.name in model.residuals
        ],
        "likelihoods": list(model.likelihoods),
        "covariates": [
            {"name": c.name, "unit": c.unit, "reference": c.reference}
            for c in model.covariates.values()
        ],
        "equations": [
            *({"name": e.name, "text": e.text} for e in model.individual),
            *({"name": f"d/dt({e.name})", "text": e.text} for e in model.dynamics),
            *({"name": o.name, "text": o.text} for o in model.outputs),
        ],
        "time_unit": model.time_unit,
        "stream": loaded.stream,
        "text": loaded.text,
        "remarks": list(loaded.file.remarks),
    }
    columns = tuple(Column(n) for n in ("name", "value", "unit", "low", "high", "fixed"))
    rows = [[p[c.name] for c in columns] for p in parameters]
    rows += [[e["name"], e["variance"], "", 0.0, None, e["fixed"]] for e in effects]
    python = (
        f"import statera as st\n\nmodel = st.load_model({loaded.name!r})\nprint(model.parameters)\n"
    )
    if loaded.stream:
        python = (
            "from statera.model.nonmem import read_control_stream\n\n"
            f"model = read_control_stream({loaded.name!r}).model\nprint(model.parameters)\n"
        )
    copies = Copies(python, "", "No command prints a model alone.")
    return Answer(
        "statera.web.fit-model/1", result, {"parameters": Table(columns, rows)}, copies,
        loaded.file.remarks,
    )  # fmt: skip


def _parameters(model: Model) -> list[dict[str, Any]]:
    known = meanings(model)
    found = []
    for p in model.parameters.values():
        low, high = p.bounds or (None, None)
        scale = known[p.name].scale
        found.append(
            {
                "name": p.name,
                "value": p.value,
                "unit": p.unit,
                "low": low,
                "high": high,
                "fixed": p.fixed,
                "of": ", ".join(known[p.name].of),
                "shown_as": "" if scale == "natural" else scale,
                "note": p.note,
            }
        )
    return found


def _effects(model: Model) -> list[dict[str, Any]]:
    known = meanings(model)
    found = []
    for e in model.random_effects.values():
        log_normal = known[e.name].scale == "exp"
        spread = 100.0 * np.sqrt(np.expm1(e.variance)) if log_normal else np.sqrt(e.variance)
        found.append(
            {
                "name": e.name,
                "variance": e.variance,
                "fixed": e.fixed,
                "level": e.level,
                "of": ", ".join(known[e.name].of),
                "shown_as": "CV %" if log_normal else "SD",
                "shown": float(spread),
            }
        )
    return found
