"""The result of a forecast becomes a FHIR R4 bundle; what is not in it is listed."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from statera.fhir.elements import list_of, number_of
from statera.fhir.export_resources import (
    device,
    diagnostic_report,
    guidance_response,
    observations,
    operation_outcome,
    parameters,
    provenance,
)
from statera.fhir.result_document import ResultDocument
from statera.library.model_file import model_hash
from statera.manifest import VERSION

__all__ = ["ExportResult", "export_result"]

_ID = re.compile(r"(?!\.+$)[A-Za-z0-9.-]{1,64}")
_MOST_CANDIDATES = 50
_SPACE = uuid.uuid5(uuid.NAMESPACE_OID, "statera.fhir.export")
_NOT_WRITTEN = {
    "models": "parameters and weights of the models stand in the result document alone; the "
    "models are named in Provenance",
    "doses": "the record that the request was made of is not repeated",
    "samples": "the record that the request was made of is not repeated",
    "covariates": "the record that the request was made of is not repeated",
    "later": "doses assumed for the course are not orders",
    "course": "bands over time have no element in these resources",
    "sampling": "advice on further samples stands in the result document alone",
}


@dataclass(frozen=True)
class ExportResult:
    """A bundle, and what of the result is not in it.

    Attributes
    ----------
    bundle
        A Bundle of type ``collection``.
    written
        Type and number of the resources.
    left_out
        Part of the result and the reason, a sentence each.
    remarks
        What a reader must know.
    """

    bundle: Mapping[str, Any]
    written: Mapping[str, int]
    left_out: Mapping[str, str]
    remarks: tuple[str, ...]


def export_result(result: ResultDocument) -> ExportResult:
    """Return the result as a bundle: guidance, report, observations and provenance.

    The same result gives the same bundle, but for the time of recording where the document does
    not say when it was made. No resource is an order: no MedicationRequest, no CarePlan.
    """
    remarks: list[str] = []
    recorded = _recorded(result, remarks)
    made_by = str(result.manifest.get("statera", "")) or VERSION
    subject = _subject(result.patient_id)
    candidates = [] if result.advice is None else list_of(result.advice, "candidates")
    left_out = {key: f"{why}." for key, why in _NOT_WRITTEN.items() if key in result.parts}
    if len(candidates) > _MOST_CANDIDATES:
        left_out["candidates"] = (
            f"{len(candidates) - _MOST_CANDIDATES} of {len(candidates)} candidates, those of the "
            "lowest rank."
        )
        candidates = candidates[:_MOST_CANDIDATES]
    book = _Book(result.hash)
    maker = book.add(device(made_by))
    best = _best(result, candidates)
    members = [] if best is None else observations(result, best, subject, maker)
    urls = [book.add(item) for item in members]
    output = book.add(parameters(result, candidates))
    outcome = operation_outcome(result)
    messages = "" if outcome is None else book.add(outcome)
    guidance = book.add(guidance_response(result, subject, maker, output, messages))
    report = book.add(diagnostic_report(result, subject, urls, recorded))
    book.add(
        provenance(
            result, (guidance, report, *urls), maker, recorded, _hashes(result, made_by, remarks)
        )
    )
    if result.at is None:
        remarks.append(
            "The request has no dates with a time zone, so that resources carry no clinical time."
        )
    bundle = {
        "resourceType": "Bundle",
        "id": str(uuid.uuid5(_SPACE, result.hash)),
        "type": "collection",
        "timestamp": recorded,
        "entry": book.entries,
    }
    return ExportResult(bundle, book.counts, left_out, tuple(remarks))


def _subject(patient_id: str) -> dict[str, Any]:
    """Return the patient: by reference where the name can be an id of FHIR, else by identifier.

    A name with other characters in an address would lead a server that resolves it elsewhere.
    """
    if _ID.fullmatch(patient_id):
        return {"reference": f"Patient/{patient_id}"}
    return {"type": "Patient", "identifier": {"value": patient_id}}


class _Book:
    """Entries of the bundle, each under an address made of the result's hash."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self.entries: list[dict[str, Any]] = []
        self.counts: dict[str, int] = {}

    def add(self, resource: dict[str, Any]) -> str:
        """Add a resource and return its address."""
        kind = resource["resourceType"]
        number = self.counts.get(kind, 0)
        self.counts[kind] = number + 1
        url = uuid.uuid5(_SPACE, f"{self._seed}/{kind}/{number}").urn
        self.entries.append({"fullUrl": url, "resource": resource})
        return url


def _best(result: ResultDocument, candidates: list[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the candidate that was advised, or that of the first rank."""
    if result.advice is None or not candidates:
        return None
    rank = number_of(result.advice, "chosen_rank")
    for candidate in candidates:
        if rank is not None and number_of(candidate, "rank") == rank:
            return candidate
    return candidates[0]


def _recorded(result: ResultDocument, remarks: list[str]) -> str:
    """Return when the result was made, as an instant."""
    created = result.manifest.get("created")
    if isinstance(created, str):
        try:
            moment = datetime.fromisoformat(created)
        except ValueError:
            moment = None
        if moment is not None and moment.tzinfo is not None:
            return moment.isoformat()
    remarks.append(
        "The result does not say when it was made: Provenance carries the time of this export."
    )
    return datetime.now(UTC).replace(microsecond=0).isoformat()


def _hashes(result: ResultDocument, made_by: str, remarks: list[str]) -> dict[str, str]:
    """Return the hashes of the models' files, where this version is that of the result."""
    if made_by != VERSION:
        remarks.append(
            f"The result was made by version {made_by}: hashes of its models are not known here."
        )
        return {}
    found = {}
    for model in result.models:
        digest = model_hash(model)
        if digest:
            found[model] = digest
        else:
            remarks.append(f"{model} is not in the library: its hash is not known.")
    return found
