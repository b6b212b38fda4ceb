"""Read the result of a forecast, as the program writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from statera.errors import InputError, Place
from statera.fhir.elements import UnusableError, list_of, number_of, object_of, text_of
from statera.library.read import read_json
from statera.manifest import content_hash

__all__ = ["SCHEMA", "ResultDocument", "read_result"]

SCHEMA = "statera.forecast/1"


@dataclass(frozen=True)
class ResultDocument:
    """A result that was read and holds what an export needs.

    Attributes
    ----------
    request_id, patient_id
    models
        Ids of the models.
    at
        When the question was asked; None where times are hours without an origin in a zone.
    advice
        The advice, or None where no target was asked for.
    targets
        As they were asked for.
    remarks
        Named outcomes with their sentences.
    manifest
        How the result was made; empty where the document does not say.
    hash
        Of the result's content.
    parts
        Keys of the result that hold something.
    """

    request_id: str
    patient_id: str
    models: tuple[str, ...]
    at: datetime | None
    advice: Mapping[str, Any] | None
    targets: tuple[Mapping[str, Any], ...]
    remarks: tuple[tuple[str, str], ...]
    manifest: Mapping[str, Any]
    hash: str
    parts: tuple[str, ...]


def read_result(source: str | Path | Mapping[str, Any]) -> ResultDocument:
    """Return the result in a JSON file, or in a dictionary laid out as the file is.

    Both the result itself and the envelope that ``--json`` prints are read.

    Raises
    ------
    InputError
        If it is no result of a forecast, or the forecast failed.
    """
    if isinstance(source, Mapping):
        return _read(source, "result")
    _, data = read_json(source)
    return _read(data, str(source))


def _read(data: Any, file: str) -> ResultDocument:
    manifest: Mapping[str, Any] = {}
    if isinstance(data, Mapping) and "ok" in data and "result" in data:
        if data["ok"] is not True:
            error = data.get("error")
            what = error.get("what") if isinstance(error, Mapping) else "no reason is given"
            raise InputError(
                f"the forecast failed: {what}",
                where=Place(file),
                hint="There is no result to write; correct the request first.",
            )
        manifest = data.get("manifest") or {}
        data = data["result"]
    found = data.get("schema") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or found != SCHEMA:
        raise InputError(
            f"the file says schema '{found}'" if found else "the file does not say what it is",
            where=Place(file),
            hint=f"Expected the result of a forecast: schema '{SCHEMA}'.",
        )
    try:
        return _result(data, manifest if isinstance(manifest, Mapping) else {})
    except UnusableError as error:
        raise InputError(
            f"the result is damaged: {error}",
            where=Place(file),
            hint="Make the forecast again.",
        ) from error


def _result(data: Mapping[str, Any], manifest: Mapping[str, Any]) -> ResultDocument:
    request = object_of(data, "request")
    advice = data.get("advice")
    if advice is not None:
        _check_advice(object_of(data, "advice"))
    return ResultDocument(
        request_id=_needed(request, "id"),
        patient_id=_needed(request, "patient"),
        models=tuple(_needed(model, "id") for model in list_of(data, "models")),
        at=_moment(request, data),
        advice=advice,
        targets=tuple(list_of(data, "targets")),
        remarks=tuple(
            (text_of(r, "outcome"), text_of(r, "sentence")) for r in list_of(data, "remarks")
        ),
        manifest=manifest or object_of(data, "manifest"),
        hash=content_hash(json.dumps(data, sort_keys=True, ensure_ascii=False)),
        parts=tuple(key for key, value in data.items() if value not in (None, [], {})),
    )


def _needed(data: Mapping[str, Any], key: str) -> str:
    text = text_of(data, key)
    if not text:
        raise UnusableError(f"'{key}' is missing")
    return text


def _moment(request: Mapping[str, Any], data: Mapping[str, Any]) -> datetime | None:
    """Return the time of the question; FHIR has no times without a zone."""
    if request.get("origin") is None:
        return None
    try:
        origin = datetime.fromisoformat(text_of(request, "origin"))
    except ValueError as error:
        raise UnusableError("'origin' is not a date") from error
    hours = number_of(data, "time")
    if origin.tzinfo is None or hours is None:
        return None
    return origin + timedelta(hours=hours)


def _check_advice(advice: Mapping[str, Any]) -> None:
    """Check what is exported of an advice, so that nothing false is written of it."""
    if not text_of(advice, "sentence"):
        raise UnusableError("the advice has no sentence")
    for candidate in list_of(advice, "candidates"):
        for key in ("amount", "interval", "probability"):
            if number_of(candidate, key) is None:
                raise UnusableError(f"a candidate has no '{key}'")
        for expected in list_of(candidate, "expected"):
            _needed(expected, "metric")
