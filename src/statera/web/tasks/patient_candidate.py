"""The course of one patient under a candidate, to be drawn beside the others."""

from __future__ import annotations

from dataclasses import replace

from statera.tdm.forecast import candidate_course
from statera.web.answer import Answer, Column, Table
from statera.web.requests.patient import CandidateRequest
from statera.web.tasks.patient_case import answered_elsewhere, limited_tree, request_of
from statera.web.work import Work

__all__ = ["run"]

SCHEMA = "statera.web.patient-candidate/1"

_BAND = 500
"""Individuals behind the band: fewer than behind the others, since it is drawn on a touch."""


def run(request: CandidateRequest, work: Work) -> Answer:
    """Return the band from the question on."""
    tree, _ = limited_tree(request.case)
    asked = request_of(tree)
    draws = min(_BAND, asked.options.course_draws)
    asked = replace(asked, options=replace(asked.options, course_draws=draws))
    tree["options"]["course_draws"] = draws
    found = candidate_course(asked, request.amount, request.interval)
    band = found.bands[0]
    result = {
        "amount": request.amount, "interval": request.interval, "unit": found.unit,
        "time": found.time, "p5": band.low, "p50": band.median, "p95": band.high,
    }  # fmt: skip
    columns = [Column("time", "h"), *(Column(k, found.unit) for k in ("p5", "p50", "p95"))]
    rows = list(zip(found.time, band.low, band.median, band.high, strict=True))
    program = (
        "from statera.tdm.forecast import candidate_course\n"
        "from statera.tdm.read_request import request_from\n\n"
        "request = request_from(tomllib.loads(request_text))\n"
        f"course = candidate_course(request, {request.amount!r}, {request.interval!r})\n"
        "for row in zip(course.time, course.bands[0].median):\n    print(*row)\n"
    )
    copies = replace(
        answered_elsewhere(tree, program), command="",
        why="The command line draws the course of the dose that is advised.",
    )  # fmt: skip
    return Answer(SCHEMA, result, {"candidate": Table(columns, rows)}, copies)
