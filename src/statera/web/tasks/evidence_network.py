"""Treatments compared through a network of trials, with what a page draws of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from statera.errors import UsageError
from statera.evidence import network_request
from statera.evidence.network_answer import natural_value, part_dict
from statera.evidence.network_fit import NetworkResult
from statera.evidence.network_funnel import comparison_adjusted
from statera.evidence.network_request import FittedPart, fit_parts
from statera.manifest import manifest
from statera.numerics.intervals_exact import normal_quantile
from statera.plot.network_split_forest import network_split_forest
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.evidence import NetworkRequest
from statera.web.tasks.evidence_table import (
    as_on_page,
    options_text,
    python_table,
    reader,
    rows_table,
)
from statera.web.work import Work

__all__ = ["run"]

_ENDS = ("estimate", "low", "high", "predict_low", "predict_high")


def run(request: NetworkRequest, work: Work) -> Answer:
    """Fit each connected part of the network."""
    with as_on_page(request.table):
        text, read = reader(request.table)
        asked = _asked(request)
        parts, judged = fit_parts(read({}), asked)
        answers = [
            part_dict(part, asked, judged, better=request.better, split=request.split,
                      seed=request.seed)
            for part in parts
        ]  # fmt: skip
    drawn = [_drawn(part, answer) for part, answer in zip(parts, answers, strict=True)]
    notes = dict.fromkeys([*(n for part in parts for n in part.result.notes), *judged.notes])
    several = [f"The network falls into {len(parts)} parts that no study joins: each is analysed "
               "by itself."] if len(parts) > 1 else []  # fmt: skip
    return Answer(
        "statera.web.evidence-network/1",
        {"parts": drawn},
        {
            "league": _league_table(answers),
            "treatments": _treatments_table(answers),
            "studies": rows_table(request.table),
        },
        _copies(request, text, len(parts) > 1),
        (*several, *notes),
        manifest({"studies.csv": text}, request.seed),
    )


def _asked(request: NetworkRequest) -> network_request.NetworkRequest:
    return network_request.NetworkRequest(
        measure=request.measure, method=request.method, tau2=request.tau2,
        reference=request.reference or None, level=request.level, prediction=request.prediction,
        ci=request.ci, each_part=True,
    )  # fmt: skip


def _drawn(part: FittedPart, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer with league on the natural scale, funnel and forest of splits."""
    league = [
        {**row, "natural": {key: _natural(answer, row[key]) for key in _ENDS}}
        for row in answer["league"]
    ]
    split = None
    if "direct_and_indirect" in answer:
        try:
            groups, options = network_split_forest(
                answer["direct_and_indirect"], measure=answer["measure"], log=answer["log"],
                level=answer["level"],
            )  # fmt: skip
            split = {"groups": groups, "options": options}
        except ValueError:  # no pair has both kinds of evidence: the screen says so
            split = None
    return {
        **answer,
        "league": league,
        "funnel": _funnel(part, answer["level"]),
        "split_forest": split,
    }


def _natural(answer: Mapping[str, Any], value: float) -> float:
    return natural_value(float(value), log=bool(answer["log"]))


def _funnel(part: FittedPart, level: float) -> dict[str, Any] | None:
    """Return the points of a funnel, its widest standard error and half its width there."""
    result = part.result
    if not isinstance(result, NetworkResult) or part.contrasts is None:
        return None
    others = [name for name in part.treatments if name != result.reference]
    try:
        found = comparison_adjusted(result, [result.reference, *others])
    except UsageError:
        return None
    widest = 1.05 * float(found.se.max())
    return {**vars(found), "widest": widest, "reach": normal_quantile(level) * widest}


def _league_table(answers: Sequence[Mapping[str, Any]]) -> Table:
    names = ("comparison", "treatment_1", "treatment_2", "measure", "estimate", "low", "high",
             "prediction_low", "prediction_high", "estimate_analysed", "se", "studies")  # fmt: skip
    rows = [
        [row["label"], row["first"], row["second"], answer["measure"],
         *(_natural(answer, row[key]) for key in _ENDS), row["estimate"], row["se"],
         row["studies"]]
        for answer in answers
        for row in answer["league"]
    ]  # fmt: skip
    return Table([Column(name) for name in names], rows)


def _treatments_table(answers: Sequence[Mapping[str, Any]]) -> Table:
    names = ("treatment", "reference", "measure", "estimate", "low", "high", "prediction_low",
             "prediction_high", "patients", "p_score", "sucra", "mean_rank")  # fmt: skip
    rows = [
        [one["treatment"], answer["reference"], answer["measure"],
         *(one["natural"][key] for key in
           ("estimate", "low", "high", "prediction_low", "prediction_high")),
         *(one[key] for key in ("patients", "p_score", "sucra", "mean_rank"))]
        for answer in answers
        for one in answer["treatments"]
    ]  # fmt: skip
    return Table([Column(name) for name in names], rows)


def _copies(request: NetworkRequest, text: str, several: bool) -> Copies:
    given = {
        "--measure": request.measure, "--method": request.method, "--tau2": request.tau2,
        "--reference": request.reference or None, "--ci": request.ci, "--level": request.level,
        "--prediction": request.prediction,
    }  # fmt: skip
    plain = {field.name: field.default for field in fields(network_request.NetworkRequest)}
    defaults = {option: plain[option.removeprefix("--")] for option in given}
    more = {"--better": request.better, "--split": request.split, "--seed": request.seed,
            "--each-part": several}  # fmt: skip
    words = options_text({**given, **more}, {**defaults, "--split": "side", "--seed": 1})
    command = f"statera meta network studies.csv {words}".rstrip()
    arguments = "".join(
        f"{option.removeprefix('--')}={value!r}, "
        for option, value in given.items()
        if value is not None and value != defaults[option]
    )
    python = (
        "import math\n\n"
        "from statera.evidence.network_answer import natural_value, part_dict\n"
        "from statera.evidence.network_request import NetworkRequest, fit_parts\n"
        "from statera.evidence.read_table import parse_table\n\n"
        f"{python_table(text)}\n"
        f"request = NetworkRequest({arguments}each_part=True)\n"
        "parts, judged = fit_parts(parse_table(TABLE), request)\n"
        "for part in parts:\n"
        f"    answer = part_dict(part, request, judged, better={request.better!r}, "
        f"split={request.split!r}, seed={request.seed})\n"
        '    for row in answer["league"]:\n'
        '        values = [row[key] for key in ("estimate", "low", "high")]\n'
        '        print(row["label"], *(math.exp(x) if answer["log"] else x for x in values))\n'
    )
    return Copies(python, command, "studies.csv is the table 'studies', copied as CSV.")
