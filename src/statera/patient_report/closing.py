"""The closing assessment: what a forecast says of samples, present dose, advice and next sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from statera.patient_report.words import METRICS, Clock, dose_text, percent, with_unit
from statera.report.document import Cell, Section, Table

__all__ = ["Statement", "closing_assessment", "closing_section"]

Data = Mapping[str, Any]

Status = Literal["complete", "warning", "missing"]

_WORTH = 0.8
"""Share of the variance that a sample must be expected to leave at most to be worth drawing."""
_PLAIN = ("no_samples", "dose_not_taken", "sample_left_out", "covariate_not_used", "potency_used")
"""Outcomes that only say what was done as asked."""


@dataclass(frozen=True)
class Statement:
    """One answer of the assessment.

    Attributes
    ----------
    key
        ``expectedness``, ``suitability``, ``prediction``, ``label``, ``next_control``,
        ``warnings``.
    title
        The question.
    status
        ``complete``; ``warning``: something must be looked at; ``missing``: it cannot be said.
    sentence
    """

    key: str
    title: str
    status: Status
    sentence: str


def closing_assessment(result: Data, limit: float | None = None) -> tuple[Statement, ...]:
    """Return the assessment of a forecast.

    Parameters
    ----------
    result
        A forecast as plain data (``statera.forecast/1``).
    limit
        Highest daily amount by which the search was limited, mg; None where by none.
    """
    return (
        Statement("expectedness", "Are the samples expected?", *_expectedness(result)),
        Statement("suitability", "Does the present dose suit the target?", *_suitability(result)),
        Statement("prediction", "What is predicted with the dose advised?", *_prediction(result)),
        Statement("label", "Does the label allow it?", *_label(result, limit)),
        Statement("next_control", "Which sample next?", *_next_control(result)),
        Statement("warnings", "What must be looked at?", *_warnings(result)),
    )


def closing_section(result: Data, limit: float | None = None) -> Section:
    """Return the assessment as a part of the page; of the label only where the limit is known."""
    looks: dict[Status, tuple[str, Literal["ok", "warn", "muted"]]] = {
        "complete": ("fine", "ok"), "warning": ("look", "warn"), "missing": ("open", "muted"),
    }  # fmt: skip
    rows = tuple(
        (s.title, Cell(looks[s.status][0], tone=looks[s.status][1]), s.sentence)
        for s in closing_assessment(result, limit)
        if s.key != "label" or limit is not None
    )
    table = Table("What follows", ("Question", "Status", "Answer"), rows)
    return Section("closing", "Closing assessment", (table,))


def _expectedness(result: Data) -> tuple[Status, str]:
    used = [s for s in result["samples"] if s["percentile"] is not None]
    if not used:
        if result["samples"]:
            return "missing", "None of the samples was judged."
        return (
            "missing",
            "There is no sample: what is said holds for any patient with these covariates.",
        )
    odd = [s for s in used if s["unlikely"]]
    ranks = " and ".join(f"{s['percentile']:.0f}" for s in used)
    where = f"at {'percentiles' if len(used) > 1 else 'percentile'} {ranks}"
    if odd:
        lies = f"{len(odd)} of {len(used)} samples lie" if len(used) > 1 else "The sample lies"
        return (
            "warning",
            f"{lies} outside what 98 of 100 patients with these doses and covariates have "
            f"({where}).",
        )
    unusual = result["unusual"]
    if unusual is not None and unusual["percentile"] is not None and unusual["percentile"] > 99.0:
        return (
            "warning",
            f"Each sample by itself is expected ({where}), and together they make an unusual "
            "patient.",
        )
    return (
        "complete",
        f"{'All samples are' if len(used) > 1 else 'The sample is'} expected: {where} of patients "
        "with these doses and covariates.",
    )


def _suitability(result: Data) -> tuple[Status, str]:
    advice = result["advice"]
    if advice is None:
        return "missing", "No target was asked for."
    taken = [d for d in result["doses"] if d["taken"]]
    if not taken:
        return "missing", "No dose was taken yet."
    last, interval = taken[-1], taken[-1]["interval"]
    if not interval and len(taken) > 1:
        before = taken[-2]
        interval = last["time"] - before["time"] - before["additional"] * before["interval"]
    if not interval:
        return "missing", "A single dose was taken: there is no present interval to judge."
    name = dose_text(last["amount"], interval)
    for candidate in advice["candidates"]:
        if candidate["amount"] == last["amount"] and abs(candidate["interval"] - interval) < 0.01:
            chance = percent(candidate["probability"])
            if candidate["reaches"]:
                return "complete", f"{name} meets the target with a probability of {chance}."
            return (
                "warning",
                f"{name} meets the target with a probability of {chance}"
                + (", and is above the label's maximum." if candidate["above_label_maximum"]
                   else ", less than asked for."),
            )  # fmt: skip
    return "missing", f"The present dose, {name}, is not among the doses searched."


def _prediction(result: Data) -> tuple[Status, str]:
    advice = result["advice"]
    if advice is None or not advice["candidates"]:
        return "missing", "No target was asked for, or no tablet strength is given."
    rank = advice["chosen_rank"] or 1
    best = next(c for c in advice["candidates"] if c["rank"] == rank)
    parts = []
    for e in best["expected"]:
        if e["p50"] is None:
            continue
        ends = f"{e['p50']:.3g} ({e['p5']:.3g} to {e['p95']:.3g})"
        parts.append(f"{METRICS.get(e['metric'], e['metric'])} {with_unit(ends, e['unit'])}")
    said = (
        f"{dose_text(best['amount'], best['interval'])}: {'; '.join(parts)}, median and 90 % of "
        f"what is expected; P(target) {percent(best['probability'])}."
    )
    if advice["reached"]:
        return "complete", said
    return "warning", f"No candidate reaches the target as asked. The best one, {said}"


def _label(result: Data, limit: float | None) -> tuple[Status, str]:
    advice = result["advice"]
    if advice is None or not advice["candidates"]:
        return "missing", "There is no advice to compare."
    best = advice["candidates"][(advice["chosen_rank"] or 1) - 1]
    name = dose_text(best["amount"], best["interval"])
    if limit is None:
        return "missing", "No highest daily dose is known: the search was not limited."
    if best["above_label_maximum"]:
        return "warning", f"{name} is above the highest daily dose of {limit:g} mg."
    return "complete", f"{name} is within the highest daily dose of {limit:g} mg."


def _next_control(result: Data) -> tuple[Status, str]:
    sampling = result["sampling"]
    if sampling is None or not sampling["singles"]:
        return "missing", "Not computed: it needs a target and a dose to come."
    name = METRICS.get(sampling["metric"], sampling["metric"])
    best = sampling["singles"][0]
    later = result["later"]["doses"]
    clock = Clock(result["request"]["origin"])
    begin = later[0]["time"] if later else result["time"]
    at = f"{best['times'][0]:g} h after the next dose ({clock.say(begin + best['times'][0])})"
    said = f"leaves {percent(best['share'])} of the variance of the {name}"
    if best["share"] > _WORTH:
        return "complete", f"Even the best sample, {at}, {said}: another adds little."
    if sampling["pairs"]:
        pair = sampling["pairs"][0]
        times = " and ".join(f"{t:g} h" for t in pair["times"])
        said += f"; two, at {times}, leave {percent(pair['share'])}"
    return "complete", f"A sample {at} {said}."


def _warnings(result: Data) -> tuple[Status, str]:
    odd = [r for r in result["remarks"] if r["outcome"] not in _PLAIN]
    if not odd:
        return "complete", "Nothing."
    if len(odd) == 1:
        return "warning", f"{odd[0]['sentence'][0].upper()}{odd[0]['sentence'][1:]}."
    return "warning", f"{len(odd)} remarks; they are listed with the steps that they concern."
