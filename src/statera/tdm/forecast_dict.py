"""A forecast as plain data in the schema ``statera.forecast/1``."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from statera.tdm.advice import Advice, ScoredCandidate
from statera.tdm.averaging import Member
from statera.tdm.forecast_result import SCHEMA, Forecast
from statera.tdm.patient_data import analytes
from statera.tdm.predict import Courses
from statera.tdm.read_potency import potency_tree
from statera.tdm.request import DoseTaken, Target
from statera.tdm.sampling_advice import SamplingAdvice, SamplingChoice
from statera.tdm.target_potency import TargetPotency
from statera.tdm.weighted import Summary

__all__ = ["forecast_dict"]


def number(value: Any) -> float | None:
    """Return a number to nine significant digits; None where it is not finite."""
    if value is None or not math.isfinite(float(value)):
        return None
    return float(f"{float(value):.9g}")


def numbers(values: Iterable[Any]) -> list[float | None]:
    """Return numbers as a list."""
    found = np.fromiter(values, dtype=np.float64)
    if not np.isfinite(found).all():
        return [number(v) for v in found.tolist()]
    return [float(f"{v:.9g}") for v in found.tolist()]


def forecast_dict(forecast: Forecast) -> dict[str, Any]:
    """Return a forecast as plain data."""
    request = forecast.request
    return {
        "schema": SCHEMA,
        "request": {
            "id": request.id,
            "patient": request.patient.id,
            "models": list(request.models),
            "origin": None if request.origin is None else request.origin.isoformat(),
            "draws": request.options.draws,
            "seed": request.options.seed,
            "averaging": request.options.averaging,
        },
        "time": number(forecast.time),
        "models": [_member(m) for m in forecast.members],
        "doses": [_dose(d) for d in request.patient.doses],
        "later": {"basis": forecast.later_basis, "doses": [_dose(d) for d in forecast.later]},
        "samples": _samples(forecast),
        "unusual": None
        if forecast.unusual is None
        else {
            "distance": number(forecast.unusual.distance),
            "percentile": number(forecast.unusual.percentile),
        },
        "covariates": [
            {"name": c.name, "value": number(c.value), "unit": c.unit, "time": number(c.time)}
            for c in request.patient.covariates
        ],
        "course": None if forecast.courses is None else _courses(forecast.courses),
        "targets": [_target(t) for t in request.question.targets],
        "advice": None if forecast.advice is None else _advice(forecast.advice),
        "sampling": None if forecast.sampling is None else _sampling(forecast.sampling),
        "remarks": [
            {"outcome": str(r.outcome), "sentence": r.sentence, "where": r.where}
            for r in forecast.remarks
        ],
    }


def _summary(found: Summary) -> dict[str, Any]:
    return {
        "mean": number(found.mean), "sd": number(found.sd), "p5": number(found.low),
        "p25": number(found.lower), "p50": number(found.median), "p75": number(found.upper),
        "p95": number(found.high),
    }  # fmt: skip


def _member(member: Member) -> dict[str, Any]:
    post, problem = member.posterior, member.problem
    summaries = post.summary()
    none = np.zeros((1, problem.n_etas))
    typical = {k: number(v[0]) for k, v in problem.parameters(none).items()}
    return {
        "id": problem.model.id,
        "title": problem.model.title,
        "population": problem.model.population,
        "weight": number(member.weight),
        "weight_map_ofv": number(member.map_weight),
        "log_evidence": number(post.log_evidence),
        "log_evidence_error": number(post.log_evidence_se),
        "log_evidence_laplace": number(post.log_evidence_laplace),
        "typical_parameters": typical,
        "most_likely": _most_likely(member),
        "posterior": {
            "method": post.method,
            "draws": post.n_draws,
            "effective_draws": number(post.ess),
            "prior_share": number(post.prior_share),
            "etas": {name: _summary(summaries[name]) for name in post.labels},
            "parameters": {name: _summary(summaries[name]) for name in post.parameters},
        },
    }


def _most_likely(member: Member) -> dict[str, Any] | None:
    found = member.estimate
    if found is None:
        return None
    return {
        "etas": dict(zip(member.posterior.labels, numbers(found.etas), strict=True)),
        "parameters": {k: number(v) for k, v in found.parameters.items()},
        "objective": number(found.objective),
        "status": None if found.status is None else str(found.status),
        "modes": [number(m.objective) for m in found.modes],
    }


def _dose(dose: DoseTaken) -> dict[str, Any]:
    return {
        "time": number(dose.time), "amount": number(dose.amount), "unit": "mg",
        "route": dose.route, "interval": number(dose.interval), "additional": dose.additional,
        "duration": number(dose.duration), "steady_state": dose.steady_state,
        "taken": dose.taken, "occasion": dose.occasion,
    }  # fmt: skip


def _samples(forecast: Forecast) -> list[dict[str, Any]]:
    """Return samples with the predictions of the model that counts most."""
    best = max(forecast.members, key=lambda m: m.weight)
    problem, found = best.problem, best.estimate
    places = [problem.data.places[j] for j in problem.used]
    checks = {c.place: c for c in forecast.checks}
    known = analytes(problem.model)
    out = []
    for place, sample in enumerate(forecast.request.patient.samples):
        row: dict[str, Any] = {
            "time": number(sample.time), "value": number(sample.value), "unit": sample.unit,
            "analyte": sample.analyte or known[0], "assay": sample.assay,
            "lloq": number(sample.lloq), "censored": sample.censored,
            "time_sd": number(sample.time_sd), "weight": number(sample.weight),
            "used": place in places, "predicted_typical": None, "predicted_individual": None,
            "percentile": None, "unlikely": None, "hints": [],
        }  # fmt: skip
        if place in places and found is not None:
            k = places.index(place)
            row["predicted_typical"] = number(found.pred[k])
            row["predicted_individual"] = number(found.ipred[k])
        if place in checks:
            check = checks[place]
            row["percentile"] = number(check.percentile)
            row["unlikely"], row["hints"] = check.unlikely, list(check.hints)
        out.append(row)
    return out


def _courses(found: Courses) -> dict[str, Any]:
    return {
        "output": found.output,
        "unit": found.unit,
        "draws": found.draws,
        "time": numbers(found.time),
        "bands": [
            {
                "label": b.label, "p5": numbers(b.low), "p50": numbers(b.median),
                "p95": numbers(b.high), "typical": numbers(b.typical),
            }
            for b in found.bands
        ],
    }  # fmt: skip


def _target(target: Target) -> dict[str, Any]:
    return {
        "metric": str(target.metric), "low": number(target.low), "high": number(target.high),
        "unit": target.unit, "threshold": number(target.threshold), "analyte": target.analyte,
        "basis": target.basis, "grade": str(target.grade),
        **({} if target.potency is None else {"potency": _potency(target.potency)}),
    }  # fmt: skip


def _potency(found: TargetPotency) -> dict[str, Any]:
    stated = potency_tree(found)
    return {
        "name": found.name,
        "hill": number(found.potency.hill),
        **{k: number(v) if isinstance(v, float) else v for k, v in stated.items()},
    }


def _advice(found: Advice) -> dict[str, Any]:
    return {
        "sentence": found.sentence,
        "reached": found.chosen is not None,
        "chosen_rank": None if found.chosen is None else found.chosen.rank,
        "draws": found.draws,
        "candidates": [_candidate(c) for c in found.candidates],
    }


def _candidate(found: ScoredCandidate) -> dict[str, Any]:
    c = found.candidate
    return {
        "rank": found.rank,
        "amount": number(c.amount),
        "interval": number(c.interval),
        "daily": number(c.daily),
        "pieces": [
            {"strength": number(p.strength), "parts": p.parts, "count": p.count} for p in c.pieces
        ],
        "above_label_maximum": c.above_label_maximum,
        "probability": number(found.probability),
        "probability_error": number(found.error),
        "reaches": found.reaches,
        "no_steady_state": number(found.no_steady_state),
        "expected": [
            {
                "metric": str(e.metric), "unit": e.unit, "mean": number(e.mean),
                "p5": number(e.low), "p50": number(e.median), "p95": number(e.high),
                "probability": number(e.probability),
            }
            for e in found.expected
        ],
    }  # fmt: skip


def _choice(found: SamplingChoice) -> dict[str, Any]:
    return {"times": numbers(found.times), "sd": number(found.sd), "share": number(found.share)}


def _sampling(found: SamplingAdvice) -> dict[str, Any]:
    return {
        "metric": str(found.metric), "unit": found.unit, "sd": number(found.sd),
        "draws": found.draws, "outcomes": found.outcomes,
        "singles": [_choice(c) for c in found.singles],
        "pairs": [_choice(c) for c in found.pairs],
    }  # fmt: skip
