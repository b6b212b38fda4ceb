"""Populations through regimens, side by side: bands, endpoints, inhibition, a distribution."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.engagement.inhibition import hill_inhibition
from statera.errors import UnknownNameError
from statera.manifest import manifest
from statera.mechanism.readouts import Readout, own_readout, readouts_of
from statera.simulate import default_windows
from statera.web.answer import Answer
from statera.web.requests.simulate import SimulateRequest
from statera.web.tasks.concerning import concerning
from statera.web.tasks.simulate_arm import (
    KeptArm,
    Prepared,
    Question,
    kept,
    prepare_all,
)
from statera.web.tasks.simulate_copies import copies
from statera.web.tasks.simulate_endpoints import Endpoints, distribution, endpoint_rows
from statera.web.tasks.simulate_tables import tables
from statera.web.work import Work

__all__ = ["run"]

SCHEMA = "statera.web.simulate/2"
Floats = NDArray[np.float64]


def run(request: SimulateRequest, work: Work) -> Answer:
    """Simulate what is not kept, and answer."""
    started = time.perf_counter()
    arms = prepare_all(request)
    _check_outputs(request, arms)
    levels = sorted(set(request.percentiles))
    readouts = [_readout(request, i, arm) for i, arm in enumerate(arms)]
    questions = [_question(request, a, r) for a, r in zip(arms, readouts, strict=True)]
    found = [kept(request, a, q) for a, q in zip(arms, questions, strict=True)]
    each = [
        Endpoints(
            a.name, k.measured[q], _named(request, r), r.ic50 if isinstance(r, Readout) else None
        )
        for a, k, q, r in zip(arms, found, questions, readouts, strict=True)
    ]
    rows = endpoint_rows(each, levels, custom=bool(request.windows))
    result = {
        "time_unit": "h",
        "percentiles": levels,
        "n": request.n,
        "seed": request.seed,
        "arms": [
            _arm(a, k, r, _named(request, r), levels)
            for a, k, r in zip(arms, found, readouts, strict=True)
        ],
        "endpoints": rows,
        "distribution": distribution(each, request.distribution, custom=bool(request.windows)),
    }
    made = manifest(
        {}, request.seed, models=[a.model.id for a in arms], doses=[a.regimen.text for a in arms],
        subjects=request.n, seconds=round(time.perf_counter() - started, 4),
    )  # fmt: skip
    warnings = [f"{a.name}: {w}" for a, k in zip(arms, found, strict=True) for w in k.warnings]
    return Answer(
        SCHEMA, result, tables(result), copies(request, arms, questions, levels),
        tuple(dict.fromkeys(warnings)), made,
    )  # fmt: skip


def _check_outputs(request: SimulateRequest, arms: Sequence[Prepared]) -> None:
    known = dict.fromkeys(o.name for arm in arms for o in arm.model.outputs)
    for name in request.thresholds:
        if name not in known:
            raise UnknownNameError("output", name, known, where="thresholds")


def _named(request: SimulateRequest, readout: Readout | str | None) -> str:
    """Return what the inhibition of an arm is called: as it was asked for."""
    if not isinstance(readout, Readout):
        return ""
    return request.readout.strip() or readout.name


def _readout(request: SimulateRequest, index: int, arm: Prepared) -> Readout | str | None:
    """Return the readout asked for, None where none is, or why there is none."""
    own = request.arms[index].potency
    if own is not None:
        with concerning(f"arms.{index}.potency"):
            return own_readout(
                arm.model, request.readout or "your IC50", own.ic50, own.unit, hill=own.hill,
                unbound=own.unbound, molar_mass=own.molar_mass,
            )  # fmt: skip
    if not request.readout:
        return None
    known = readouts_of(arm.model)
    wanted = request.readout.strip().lower()
    for readout in known:
        if wanted in (readout.name.lower(), *(c.lower() for c in readout.cytokines)):
            return readout
    if not known:
        return f"the library has no potency of {arm.model.drug}: give an IC50"
    return f"no potency of {arm.model.drug} in the library says anything about {request.readout}"


def _question(request: SimulateRequest, arm: Prepared, readout: Readout | str | None) -> Question:
    windows = [(w.start, w.end) for w in request.windows] or default_windows(arm.regimen).tolist()
    outputs = {o.name for o in arm.model.outputs}
    levels = {name: set(values) for name, values in request.thresholds.items() if name in outputs}
    inhibited: tuple[tuple[str, tuple[float, float]], ...] = ()
    if isinstance(readout, Readout):
        inhibited = ((readout.output, (readout.ic50, readout.hill)),)
        levels.setdefault(readout.output, set()).add(readout.ic50)
    thresholds = tuple((name, tuple(sorted(levels[name]))) for name in sorted(levels))
    return Question(tuple((float(a), float(b)) for a, b in windows), thresholds, inhibited)


def _arm(
    arm: Prepared,
    found: KeptArm,
    readout: Readout | str | None,
    name: str,
    levels: Sequence[float],
) -> dict[str, Any]:
    model = arm.model
    return {
        "name": arm.name,
        "model": model.id,
        "drug": model.drug,
        "dose": arm.regimen.text,
        "end": arm.regimen.end,
        "solver": found.solver,
        "failures": dict(found.failures),
        "covariates": {
            name: {"value": value if isinstance(value, float) else str(value),
                   "implied": name in arm.implied}
            for name, value in arm.covariates.items()
        },
        "notes": dict(arm.notes),
        "times": found.times,
        "profiles": {
            o.name: {
                "label": o.label or o.name,
                "unit": o.unit,
                "bands": found.percentiles(o.name, levels),
            }
            for o in model.outputs
        },
        "inhibition": _inhibition(found, readout, name, levels),
    }  # fmt: skip


def _inhibition(
    found: KeptArm, readout: Readout | str | None, name: str, levels: Sequence[float]
) -> dict[str, Any] | None:
    if readout is None:
        return None
    if isinstance(readout, str):
        return {"missing": readout}

    def inhibited(values: Floats) -> Floats:
        return 100.0 * hill_inhibition(np.maximum(values, 0.0), readout.ic50, readout.hill)

    return {
        "name": name,
        "receptor": readout.name if readout.cytokines else "",
        "output": readout.output,
        "ic50": readout.ic50,
        "unit": found.units[readout.output],
        "hill": readout.hill,
        "basis": readout.basis,
        "cytokines": list(readout.cytokines),
        "stats": list(readout.stats),
        "sources": list(readout.sources),
        "notes": list(readout.notes),
        "bands": found.percentiles(readout.output, levels, inhibited),
    }
