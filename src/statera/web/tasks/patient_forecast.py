"""Bands of concentrations of one patient, candidates with P(target), the closing assessment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from statera.patient_report.closing import closing_assessment
from statera.patient_report.words import METRICS, Clock
from statera.tdm.forecast import Parts, forecast
from statera.tdm.request import Request
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.patient import ForecastRequest
from statera.web.tasks.patient_case import (
    answered_elsewhere,
    beside_label,
    limited_tree,
    models_of_case,
    request_of,
)
from statera.web.tasks.patient_covariates import known_covariates
from statera.web.tasks.patient_steps import steps_of
from statera.web.work import Work

__all__ = ["dose_times", "run"]

SCHEMA = "statera.web.patient-forecast/1"

_QUICK_DRAWS, _QUICK_BAND = 2000, 300
_BANDS = ("a priori", "a posteriori")
_PARTS = {
    "quick": Parts(plausibility=False, sampling=False, bands=_BANDS, explore=False),
    "full": Parts(sampling=False, bands=_BANDS),
    "sampling": Parts(plausibility=False, courses=False),
}
_ON_AXIS = ("Cmax", "Ctrough", "Cavg")
"""Metrics whose targets stand on the axis of concentrations."""
_PROGRAMS = {
    "full": f"parts=Parts(sampling=False, bands={_BANDS})",
    "sampling": "parts=Parts(plausibility=False, courses=False)",
}


def run(request: ForecastRequest, work: Work) -> Answer:
    """Answer a case as far as it is asked for."""
    case, detail = request.case, request.detail
    tree, notes = limited_tree(case)
    asked = request_of(tree)
    parts = _PARTS[detail]
    if detail == "quick":
        asked = _quicker(asked)
        if not asked.patient.samples:
            parts = replace(parts, bands=("a priori",))
    found = forecast(asked, parts=parts)
    data = found.to_dict()
    covariates = known_covariates(case, models_of_case(case))
    limit = found.request.question.maximum_daily
    advice = found.advice
    result = {
        "detail": detail,
        "forecast": data,
        "graph": _graph(data),
        "limit_daily_mg": limit,
        "notes": notes,
        "label": None if advice is None else beside_label(case, advice.chosen),
        "steps": steps_of(case, covariates, data["remarks"], None, _advice(data)),
        "closing": [] if detail == "quick" else closing_assessment(data, limit),
    }
    sentences = [r["sentence"] for r in data["remarks"]]
    return Answer(
        SCHEMA, result, _tables(data), _copies(tree, detail), (*notes, *sentences), found.manifest
    )


def _quicker(asked: Request) -> Request:
    """Return the request without a search, and with few draws."""
    options = replace(
        asked.options,
        draws=min(_QUICK_DRAWS, asked.options.draws),
        course_draws=min(_QUICK_BAND, asked.options.course_draws),
    )
    return replace(asked, options=options, question=replace(asked.question, targets=()))


def _graph(data: dict[str, Any]) -> dict[str, Any]:
    """Return what stands on the graph besides the bands: doses, samples, direct targets."""
    clock = Clock(data["request"]["origin"])
    output = None if data["course"] is None else data["course"]["output"]
    samples = []
    for k, sample in enumerate(data["samples"]):
        if sample["analyte"] != output:
            continue
        low = sample["censored"] == "below" or (
            not sample["censored"] and sample["lloq"] is not None
            and sample["value"] < sample["lloq"]
        )  # fmt: skip
        place = sample["lloq"] if low and not sample["censored"] else sample["value"]
        words = f"sample {k + 1}, {clock.say(sample['time'])}"
        if sample["percentile"] is not None:
            words += f", percentile {sample['percentile']:.0f} before the fit"
        samples.append(
            {"x": sample["time"], "y": place, "label": words, "below": low, "used": sample["used"],
             "unlikely": bool(sample["unlikely"])}
        )  # fmt: skip
    ranges = [
        {"metric": METRICS[t["metric"]], "low": t["low"], "high": t["high"]}
        for t in data["targets"]
        if t["metric"] in _ON_AXIS
    ]
    origin = "" if data["request"]["origin"] is None else f" since {clock.say(0.0)}"
    return {
        "x_label": f"Time{origin}",
        "view_from": _view_from(data),
        "now": data["time"],
        "samples": samples,
        "ranges": ranges,
        **dose_times(data),
    }


def _view_from(data: dict[str, Any]) -> float | None:
    """Return where the graph begins unless all is asked for: the dose before what matters now."""
    taken = dose_times(data)["taken"]
    matters = min([data["time"], *(s["time"] for s in data["samples"] if s["used"])])
    before = [t for t in taken if t <= matters]
    return before[-1] if len(before) > 2 else None


def dose_times(data: dict[str, Any]) -> dict[str, list[float]]:
    """Return the times of all doses, taken and assumed to follow, h."""
    found = {}
    for key, doses in (("taken", data["doses"]), ("later", data["later"]["doses"])):
        times = [
            d["time"] + k * d["interval"]
            for d in doses
            if d["taken"]
            for k in range(d["additional"] + 1)
        ]
        if key == "later" or not data["later"]["doses"]:
            found[key] = times
        else:  # runs that would go on are cut by the first later dose
            begin = data["later"]["doses"][0]["time"]
            found[key] = [t for t in times if t < begin]
    return found


def _advice(data: dict[str, Any]) -> dict[str, Any]:
    """Return the step of the advice."""
    advice = data["advice"]
    if advice is None:
        return {"status": "missing", "sentence": "Waits for a target.", "remarks": []}
    status = "complete" if advice["reached"] else "warning"
    if not advice["candidates"]:
        status = "missing"
    text = advice["sentence"]
    return {"status": status, "sentence": f"{text[:1].upper()}{text[1:]}.", "remarks": []}


def _tables(data: dict[str, Any]) -> dict[str, Table]:
    found = {}
    course = data["course"]
    if course is not None:
        unit = course["unit"]
        columns = [Column("time", "h")]
        values = [course["time"]]
        for band in course["bands"]:
            for key in ("p5", "p50", "p95"):
                columns.append(Column(f"{band['label']}, {key}", unit))
                values.append(band[key])
        found["course"] = Table(columns, list(zip(*values, strict=True)))
    if data["advice"] is not None and data["advice"]["candidates"]:
        found["candidates"] = _candidates(data["advice"]["candidates"])
    if data["samples"]:
        columns = [
            Column("time", "h"), Column("value"), Column("unit"), Column("predicted, typical"),
            Column("predicted, individual"), Column("percentile"),
        ]  # fmt: skip
        keys = ("time", "value", "unit", "predicted_typical", "predicted_individual", "percentile")
        found["samples"] = Table(columns, [[s[k] for k in keys] for s in data["samples"]])
    if data["sampling"] is not None:
        choices = [*data["sampling"]["singles"], *data["sampling"]["pairs"]]
        unit = data["sampling"]["unit"]
        columns = [Column("times after the next dose", "h"), Column("SD left", unit),
                   Column("share of the variance left")]  # fmt: skip
        rows = [[" and ".join(f"{t:g}" for t in c["times"]), c["sd"], c["share"]] for c in choices]
        found["sampling"] = Table(columns, rows)
    return found


def _candidates(candidates: list[dict[str, Any]]) -> Table:
    columns = [
        Column("rank"), Column("dose", "mg"), Column("interval", "h"), Column("daily", "mg"),
        Column("P(target)"), Column("above the limit"),
    ]  # fmt: skip
    for e in candidates[0]["expected"]:
        columns += [Column(f"{e['metric']}, {key}", e["unit"]) for key in ("p5", "p50", "p95")]
    rows = []
    for c in candidates:
        row = [c["rank"], c["amount"], c["interval"], c["daily"], c["probability"],
               c["above_label_maximum"]]  # fmt: skip
        rows.append(row + [e[key] for e in c["expected"] for key in ("p5", "p50", "p95")])
    return Table(columns, rows)


def _copies(tree: dict[str, Any], detail: str) -> Copies:
    if detail == "quick":
        return Copies("", "", "A first answer from few draws; the full one can be copied.")
    program = (
        "from statera.tdm.forecast import Parts, forecast\n"
        "from statera.tdm.read_request import request_from\n\n"
        "request = request_from(tomllib.loads(request_text))\n"
        f"answer = forecast(request, {_PROGRAMS[detail]})\n"
        "print(answer.advice.sentence if answer.advice else 'no target')\n"
        "for found in answer.advice.candidates if answer.advice else ():\n"
        "    print(found.candidate, found.probability)\n"
    )
    return answered_elsewhere(tree, program)
