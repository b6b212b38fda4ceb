"""The page of one patient to keep: HTML, PDF, request, result, and a FHIR bundle."""

from __future__ import annotations

import json
from typing import Any

from statera.dosing.decision_data import decision_data
from statera.errors import StateraError, UsageError
from statera.fhir.export_result import export_result
from statera.fhir.result_document import read_result
from statera.patient_report import patient_report
from statera.plain import plain
from statera.report import render_html
from statera.report.pdf import render_pdf
from statera.tdm.forecast import forecast
from statera.tdm.write_request import request_toml
from statera.web.answer import Answer
from statera.web.requests.patient import Case, CaseRequest
from statera.web.tasks.patient_case import (
    answered_elsewhere,
    label_limit,
    limited_tree,
    request_of,
)
from statera.web.work import Work

__all__ = ["run"]

SCHEMA = "statera.web.patient-report/1"


def _label(case: Case) -> dict[str, Any] | None:
    """Return what the label says; None where none was chosen or it says nothing of the person."""
    try:
        found = label_limit(case)
    except StateraError:
        return None
    return None if found is None else decision_data(found.decision)


def run(request: CaseRequest, work: Work) -> Answer:
    """Answer the case in full and keep its page."""
    tree, notes = limited_tree(request.case)
    work.progress(0.1, "The forecast is computed.")
    asked = request_of(tree)
    limit = asked.question.maximum_daily
    found = forecast(asked)
    data, made = found.to_dict(), plain(found.manifest)
    work.progress(0.5, "The page is written.")
    document = patient_report(data, made, closing=True, limit=limit, label=_label(request.case))
    work.save("patient.html", render_html(document).encode(), "text/html; charset=utf-8")
    warnings = list(notes)
    try:
        work.save("patient.pdf", render_pdf(document, compact=True), "application/pdf")
    except UsageError as error:  # the package for PDF is an extra
        warnings.append(f"There is no PDF: {error.what}. {error.hint}")
    work.progress(0.8, "The data are written.")
    work.save("visit.toml", request_toml(tree).encode(), "application/toml")
    whole = json.dumps({**data, "manifest": made}, indent=1, ensure_ascii=False, default=str)
    work.save("forecast.json", f"{whole}\n".encode(), "application/json")
    exported = export_result(read_result({**data, "manifest": made}))
    bundle = json.dumps(exported.bundle, indent=1, ensure_ascii=False, allow_nan=False)
    work.save("fhir-bundle.json", f"{bundle}\n".encode(), "application/fhir+json")
    work.progress(1.0, "Done.")
    warnings += exported.remarks
    program = (
        "from statera.patient_report import patient_report\n"
        "from statera.report import render_html\n"
        "from statera.tdm.forecast import forecast\n"
        "from statera.tdm.read_request import request_from\n\n"
        "answer = forecast(request_from(tomllib.loads(request_text)))\n"
        f"given = {{'closing': True, 'limit': {limit!r}}}\n"
        "document = patient_report(answer.to_dict(), answer.manifest, **given)\n"
        "page = render_html(document)\n"
        "print(len(page))\n"
    )
    copies = answered_elsewhere(tree, program)
    copies = type(copies)(copies.python, f"{copies.command} --out patient.html")
    result = {"sentence": data["advice"]["sentence"] if data["advice"] else "Forecast only."}
    return Answer(SCHEMA, result, {}, copies, warnings, made)
