"""The resources that say what a forecast found, as plain FHIR R4."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from statera.fhir.elements import list_of, number_of, text_of
from statera.fhir.result_document import ResultDocument
from statera.fhir.ucum import ucum_code
from statera.manifest import VERSION

__all__ = [
    "NOTICE",
    "device",
    "diagnostic_report",
    "guidance_response",
    "observations",
    "operation_outcome",
    "parameters",
    "provenance",
    "quantity",
]

NOTICE = (
    "Research and education only. Not a medical device. Not for decisions about a person without "
    "an independent check."
)
_UCUM = "http://unitsofmeasure.org"
_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"

Resource = dict[str, Any]


def quantity(value: float, unit: str) -> Resource:
    """Return a Quantity, with a UCUM code where the unit has one."""
    code = ucum_code(unit)
    if code is None:
        return {"value": value, "unit": unit}
    return {"value": value, "unit": unit or "1", "system": _UCUM, "code": code}


def device(version: str) -> Resource:
    """Return the Device that the program is."""
    return {
        "resourceType": "Device",
        "deviceName": [{"name": "Statera", "type": "user-friendly-name"}],
        "type": {"text": "Research software"},
        "version": [{"value": version or VERSION}],
        "note": [{"text": NOTICE}],
    }


def observations(
    result: ResultDocument, candidate: Mapping[str, Any], subject: Resource, maker: str
) -> list[Resource]:
    """Return what is expected of a candidate dose: P(targets), and every metric with its range."""
    dose = _dose_words(candidate)
    found = []
    probability = number_of(candidate, "probability")
    assert probability is not None
    found.append(
        _observation(
            f"Probability that all targets are met at steady state of {dose}",
            quantity(100.0 * probability, "%"),
            result.at,
            subject,
            maker,
        )
    )
    for expected in list_of(candidate, "expected"):
        median, unit = number_of(expected, "p50"), text_of(expected, "unit")
        name = text_of(expected, "metric")
        if median is None:
            continue
        item = _observation(
            f"Predicted {name}, median of the posterior, at steady state of {dose}",
            quantity(median, unit),
            result.at,
            subject,
            maker,
        )
        item["component"] = [
            {"code": {"text": words}, "valueQuantity": quantity(value, unit)}
            for key, words in (
                ("mean", "mean"),
                ("p5", "5th percentile"),
                ("p95", "95th percentile"),
            )
            if (value := number_of(expected, key)) is not None
        ]
        found.append(item)
    return found


def _observation(
    words: str, value: Resource, at: datetime | None, subject: Resource, maker: str
) -> Resource:
    item: Resource = {
        "resourceType": "Observation",
        # Predicted by a model and checked by nobody yet
        "status": "preliminary",
        "code": {"text": words},
        "subject": subject,
        "valueQuantity": value,
        "device": {"reference": maker},
    }
    return item | _effective(at)


def parameters(result: ResultDocument, candidates: Sequence[Mapping[str, Any]]) -> Resource:
    """Return the advice as output parameters, one a candidate."""
    items: list[Resource] = []
    if result.advice is not None:
        items.append({"name": "sentence", "valueString": text_of(result.advice, "sentence")})
        items.append({"name": "targetReached", "valueBoolean": bool(result.advice.get("reached"))})
    for target in result.targets:
        words = _target_words(target)
        items.append({"name": "target", "valueString": words})
    for candidate in candidates:
        parts: list[Resource] = [
            {"name": "rank", "valueInteger": int(number_of(candidate, "rank") or 0)},
            {"name": "dose", "valueQuantity": quantity(candidate["amount"], "mg")},
            {"name": "interval", "valueQuantity": quantity(candidate["interval"], "h")},
            {
                "name": "probabilityOfTargets",
                "valueQuantity": quantity(100.0 * candidate["probability"], "%"),
            },
            {
                "name": "aboveLabelMaximum",
                "valueBoolean": bool(candidate.get("above_label_maximum")),
            },
        ]
        items.append({"name": "candidate", "part": parts})
    if not items:
        items.append({"name": "sentence", "valueString": _conclusion(result)})
    return {"resourceType": "Parameters", "parameter": items}


def operation_outcome(result: ResultDocument) -> Resource | None:
    """Return the remarks of a result, or None where it has none."""
    if not result.remarks:
        return None
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": "warning",
                "code": "informational",
                "details": {"text": _sentence(sentence)},
                "diagnostics": outcome or "remark",
            }
            for outcome, sentence in result.remarks
            if sentence
        ],
    }


def guidance_response(
    result: ResultDocument, subject: Resource, maker: str, output: str, messages: str
) -> Resource:
    """Return the GuidanceResponse; it proposes nothing that a system could place as an order."""
    item: Resource = {
        "resourceType": "GuidanceResponse",
        "text": _narrative(result),
        "requestIdentifier": {"value": result.request_id},
        "moduleCodeableConcept": {"text": "Statera: Bayesian forecast and dose search"},
        "status": "success",
        "subject": subject,
        "performer": {"reference": maker},
        "note": [{"text": NOTICE}],
        "outputParameters": {"reference": output},
    }
    if result.at is not None:
        item["occurrenceDateTime"] = result.at.isoformat()
    if messages:
        item["evaluationMessage"] = [{"reference": messages}]
    return item


def diagnostic_report(
    result: ResultDocument, subject: Resource, members: Sequence[str], issued: str
) -> Resource:
    """Return the DiagnosticReport with its observations and its conclusion."""
    item: Resource = {
        "resourceType": "DiagnosticReport",
        "text": _narrative(result),
        "identifier": [{"value": result.request_id}],
        "status": "preliminary",
        "code": {"text": "Model-based forecast of drug exposure"},
        "subject": subject,
        "issued": issued,
        "result": [{"reference": member} for member in members],
        "conclusion": f"{_conclusion(result)} {NOTICE}",
    }
    if not members:
        del item["result"]
    return item | _effective(result.at)


def provenance(
    result: ResultDocument,
    targets: Sequence[str],
    maker: str,
    recorded: str,
    model_hashes: Mapping[str, str],
) -> Resource:
    """Return where the resources come from: program, request, models, and their hashes."""
    inputs = result.manifest.get("inputs")
    request_hash = inputs.get("request", "") if isinstance(inputs, Mapping) else ""
    entities = [
        _entity("source", f"request {result.request_id}", result.request_id, str(request_hash)),
        _entity("source", f"result of {result.request_id}", result.request_id, result.hash),
    ]
    entities += [
        _entity("source", f"model {model}", model, model_hashes.get(model, ""))
        for model in result.models
    ]
    item: Resource = {
        "resourceType": "Provenance",
        "target": [{"reference": target} for target in targets],
        "recorded": recorded,
        "activity": {"text": "Bayesian forecast by simulation; no order is made"},
        "agent": [
            {
                "type": {"coding": [{"system": _PARTICIPANT, "code": "assembler"}]},
                "who": {"reference": maker},
            }
        ],
        "entity": entities,
    }
    return item


def _entity(role: str, words: str, value: str, digest: str) -> Resource:
    display = f"{words}, {digest}" if digest else f"{words}, no hash is known"
    return {"role": role, "what": {"identifier": {"value": value}, "display": display}}


def _effective(at: datetime | None) -> Resource:
    return {} if at is None else {"effectiveDateTime": at.isoformat()}


def _dose_words(candidate: Mapping[str, Any]) -> str:
    return f"{candidate['amount']:g} mg every {candidate['interval']:g} h"


def _target_words(target: Mapping[str, Any]) -> str:
    low, high = number_of(target, "low"), number_of(target, "high")
    ends = f"{'any' if low is None else f'{low:g}'} to {'any' if high is None else f'{high:g}'}"
    words = f"{text_of(target, 'metric')} {ends} {text_of(target, 'unit')}".rstrip()
    basis, grade = text_of(target, "basis"), text_of(target, "grade")
    return f"{words} (basis: {basis or 'not stated'}; grade: {grade or 'not stated'})"


def _conclusion(result: ResultDocument) -> str:
    if result.advice is not None:
        return _sentence(text_of(result.advice, "sentence"))
    return "No target was asked for: the forecast gives the expected course and advises no dose."


def _sentence(text: str) -> str:
    """Return a text that begins with a capital and ends with a full stop."""
    text = text.strip()
    ended = text if text.endswith((".", "!", "?")) else f"{text}."
    return f"{ended[0].upper()}{ended[1:]}"


def _narrative(result: ResultDocument) -> Resource:
    sentences = [_conclusion(result), *(_sentence(s) for _, s in result.remarks if s), NOTICE]
    body = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)
    return {
        "status": "generated",
        "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>',
    }
