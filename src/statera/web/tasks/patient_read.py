"""A case from a file: a request in TOML or JSON, or a FHIR R4 bundle."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError

from statera.dosing.read_patient import PATIENT_SCHEMA
from statera.errors import InputError, Place
from statera.fhir.import_request import import_bundle
from statera.fhir.read_bundle import read_bundle
from statera.library.models import library_model
from statera.manifest import manifest
from statera.tdm.read_request import SCHEMA as REQUEST_SCHEMA
from statera.tdm.read_request import request_from
from statera.web.answer import Answer
from statera.web.plain_words import plain_words
from statera.web.requests.patient import Case, ReadRequest
from statera.web.tasks.patient_case import models_of_case
from statera.web.work import Work

__all__ = ["run"]

SCHEMA = "statera.web.patient-read/1"

_DEEPEST = 40
_OWN = ("models", "covariates", "doses", "samples", "question", "options")


def run(request: ReadRequest, work: Work) -> Answer:
    """Return the case that a file describes, with everything that was left out of it."""
    tree = _parsed(request.text, request.name)
    left_out: list[dict[str, str]] = []
    remarks: tuple[str, ...] = ()
    if tree.get("resourceType") == "Bundle":
        kind = "FHIR R4 bundle"
        if request.model:
            library_model(request.model)  # a path would be opened as a file
        found = import_bundle(read_bundle(tree), models=(request.model,) if request.model else ())
        tree, remarks = dict(found.request), found.remarks
        for why, rows in (
            ("left out", found.dropped), ("plan, not intake", found.plans),
            ("other medication", found.comedication),
        ):  # fmt: skip
            left_out += [{"resource": r.resource, "what": why, "why": r.reason} for r in rows]
    elif tree.get("schema") == REQUEST_SCHEMA:
        kind = "request"
    elif tree.get("schema") == PATIENT_SCHEMA:
        return _person(tree, request.name)
    else:
        raise InputError(
            f"the file is neither a request nor a bundle: it says schema '{tree.get('schema')}'",
            where=Place(request.name),
            hint=f'Expected schema = "{REQUEST_SCHEMA}", or a FHIR R4 Bundle.',
        )
    request_from(tree, request.name)  # says what is wrong by the place in the file
    case = _case(tree, request.name)
    try:
        models_of_case(case)
    except InputError as error:
        error.where = Place(f"{request.name}: {error.where}")
        raise
    result = {"kind": kind, "case": case.model_dump(), "left_out": left_out}
    return Answer(SCHEMA, result, warnings=remarks, manifest=manifest({request.name: request.text}))


def _person(tree: Mapping[str, Any], name: str) -> Answer:
    """Return a file of label facts as the person of a case."""
    facts = {key: value for key, value in tree.items() if key != "schema"}
    case = _checked({"person": facts}, name)
    result = {"kind": "label facts", "case": case.model_dump(), "left_out": []}
    return Answer(SCHEMA, result, manifest=manifest())


def _case(tree: Mapping[str, Any], name: str) -> Case:
    data = {key: tree[key] for key in _OWN if key in tree}
    patient = tree.get("patient")
    if isinstance(patient, Mapping):
        data["patient"] = str(patient.get("id", "P1"))
    data["request"] = str(tree.get("id", "request"))
    return _checked(data, name)


def _checked(data: Mapping[str, Any], name: str) -> Case:
    try:
        return Case.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"'{where}' cannot be used here: {plain_words(first)}",
            where=Place(name),
            hint="The screen takes models of the library, and at most 200 rows of doses and 60 "
            "samples; the command line takes the rest.",
        ) from error


def _parsed(text: str, name: str) -> dict[str, Any]:
    """Return the tree of a file, dates as texts."""
    if name.lower().endswith(".toml"):
        try:
            found: Any = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"this is not valid TOML: {error}", where=Place(name),
                hint="Correct the syntax at this place.",
            ) from error  # fmt: skip
    else:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"this is not valid JSON: {error}", where=Place(name),
                hint="Files that end in .toml are read as TOML, all others as JSON.",
            ) from error  # fmt: skip
    if not isinstance(found, dict):
        raise InputError("the file holds no object", where=Place(name))
    plain: dict[str, Any] = _plain(found, name, _DEEPEST)
    return plain


def _plain(value: Any, name: str, left: int) -> Any:
    if not left:
        raise InputError("the file is nested too deeply", where=Place(name))
    if isinstance(value, dict):
        return {key: _plain(item, name, left - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, name, left - 1) for item in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value
