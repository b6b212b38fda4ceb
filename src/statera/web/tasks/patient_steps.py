"""How far each step of the screen is: complete, with a warning, or missing, in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from statera.errors import StateraError
from statera.patient_report.words import METRICS
from statera.web.requests.patient import Case
from statera.web.tasks.patient_covariates import KnownCovariate

__all__ = ["problem_of", "steps_of"]

Remarks = Sequence[Mapping[str, Any]]
Step = dict[str, Any]

_AT = {
    "patient": ("models", "patient", "covariates", "person", "random_effects"),
    "doses": ("doses",),
    "samples": ("samples",),
    "target": ("question", "options"),
}
"""Parts of a request by step."""
_PLAIN = {
    "no_samples", "dose_not_taken", "sample_left_out", "covariate_not_used", "covariate_missing",
    "potency_used", "no_validated_target", "no_candidate",
}  # fmt: skip
"""Outcomes that need no action."""
_SAID = ("no_samples", "covariate_missing")
"""Outcomes that the sentence of a step says already."""


def problem_of(error: StateraError) -> dict[str, Any]:
    """Return an error as plain data, with its step."""
    where = "" if error.where is None else str(error.where)
    return {
        "what": error.what,
        "where": where,
        "hint": error.hint,
        "outcome": str(getattr(error, "outcome", "")),
        "step": _step_of(where),
    }


def _step_of(where: str) -> str:
    for step, parts in _AT.items():
        if any(part in where for part in parts):
            return step
    return "patient"


def steps_of(
    case: Case,
    covariates: Sequence[KnownCovariate],
    remarks: Remarks,
    problem: Mapping[str, Any] | None,
    advice: Step | None = None,
) -> dict[str, Step]:
    """Return status, sentence and remarks of every step."""
    found = {
        "patient": _patient(case, covariates),
        "doses": _doses(case),
        "samples": _samples(case),
        "target": _target(case),
        "advice": advice or _step("missing", "Waits for doses and a target."),
    }
    for remark in remarks:
        if remark["outcome"] in _SAID:
            continue
        step = found[_step_of(remark["where"] or "question")]
        step["remarks"].append(remark["sentence"])
        if remark["outcome"] not in _PLAIN and step["status"] != "missing":
            step["status"] = "warning"
    if problem is not None:
        step = found[problem["step"]]
        step["status"] = "warning"
        step["sentence"] = f"{_capital(problem['what'])} {problem['hint']}".strip()
    return found


def _step(status: str, sentence: str) -> Step:
    return {"status": status, "sentence": sentence, "remarks": []}


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _patient(case: Case, covariates: Sequence[KnownCovariate]) -> Step:
    if not case.models:
        return _step("missing", "No model is chosen.")
    absent = [c.name for c in covariates if c.used and c.value is None]
    known = [c for c in covariates if c.used and c.value is not None]
    if absent:
        words = ", ".join(absent)
        return _step("missing", f"Not known: {words}. The model's reference stands in.")
    if not known:
        return _step("complete", "The model has no covariates.")
    words = ", ".join(f"{c.name} {c.value:.3g} {c.unit}".rstrip() for c in known[:3])
    return _step("complete", words + (", ..." if len(known) > 3 else ""))


def _doses(case: Case) -> Step:
    taken = [d for d in case.doses if d.taken]
    if not taken:
        return _step("missing", "No dose taken yet.")
    number = sum(1 + d.additional for d in taken)
    last = taken[-1]
    return _step(
        "complete",
        f"{number} {'doses' if number > 1 else 'dose'}, last {last.amount:g} {last.unit}",
    )


def _samples(case: Case) -> Step:
    used = [s for s in case.samples if s.weight > 0]
    if not used:
        return _step("missing", "No sample: the graph shows what is expected before any.")
    low = sum(s.censored == "below" or str(s.value).strip().startswith("<") for s in used)
    words = f"{len(used)} {'samples' if len(used) > 1 else 'sample'}"
    return _step("complete", words + (f", {low} below the limit" if low else ""))


def _target(case: Case) -> Step:
    targets = case.question.targets
    if not targets:
        return _step("missing", "No target: no dose can be advised.")
    words = "; ".join(
        f"{METRICS.get(t.metric, t.metric)} {_range(t.low, t.high)} {t.unit}".strip()
        for t in targets
    )
    if not case.question.strengths:
        return _step("missing", f"{words}. Tablet strengths are missing.")
    if any(t.grade == "user" or not t.basis for t in targets):
        return _step("warning", f"{words}. Nothing says where the range is from.")
    return _step("complete", words)


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return "any" if high is None else f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"
