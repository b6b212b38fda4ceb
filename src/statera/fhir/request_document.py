"""Lay out what was collected as a request document."""

from __future__ import annotations

from datetime import datetime, time, tzinfo
from types import MappingProxyType
from typing import Any

from statera.dosing.person import Sex
from statera.fhir.collected import Collected, ImportResult, NotUsed
from statera.fhir.doses import Intake
from statera.fhir.elements import UnusableError
from statera.fhir.observations import Value
from statera.fhir.renal_covariate import Person
from statera.fhir.times import years_between
from statera.library.models import load_model
from statera.model import Model
from statera.tdm.read_request import SCHEMA

__all__ = ["import_result"]

_DAYS_STALE = 90


def import_result(
    request_id: str,
    patient_id: str,
    person: Person,
    drug: str,
    models: tuple[str, ...],
    found: Collected,
    zone: tzinfo | None,
) -> ImportResult:
    """Return the request with the account of what became of the bundle.

    Parameters
    ----------
    models
        Models of the request; values that none of them uses are listed as laboratory values.
    zone
        Zone of days, which are taken at their beginning.
    """
    levels = sorted(found.levels, key=lambda level: level.at)
    times = [i.start for i in found.intakes] + [level.at for level in levels]
    where = zone or (min(times).tzinfo if times else None)
    loaded = [load_model(model) for model in models]
    labels = {name: c.label or name for model in loaded for name, c in model.covariates.items()}
    needed = set(labels)
    rows, used, laboratory = [], {}, []
    for value in sorted(found.values, key=lambda v: v.moment.day):
        if value.covariate not in needed:
            laboratory.append(value)
            continue
        try:
            at = _time_of(value, where)
        except UnusableError as error:
            found.dropped.append(NotUsed(value.resource, f"{str(error).capitalize()}."))
            continue
        rows.append((at, value))
        used[value.resource] = f"covariate {value.covariate} = {value.value:.4g} {value.unit}"
    covariates = [_covariate(at, value) for at, value in rows]
    constants = _constants(person, times, needed, found)
    doses: dict[str, list[str]] = {}
    for intake in found.intakes:
        doses.setdefault(intake.resource, []).append(_dose_in_words(intake))
    used |= {resource: "; ".join(words) for resource, words in doses.items()}
    for level in levels:
        used[level.resource] = f"sample of {level.row()['value']} ng/mL at {level.at.isoformat()}"
    found.remarks += _stale(rows, times)
    found.remarks += _equations(rows, loaded)
    found.remarks += [
        f"No value of {name} ({labels[name]}) was found, which a model uses."
        for name in sorted(needed - {c["name"] for c in (*constants, *covariates)})
    ]
    request = {
        "schema": SCHEMA,
        "id": request_id,
        "models": list(models),
        "patient": {"id": patient_id},
        "covariates": [*constants, *covariates],
        "doses": [intake.row() for intake in found.intakes],
        "samples": [level.row() for level in levels],
    }
    return ImportResult(
        request,
        drug,
        MappingProxyType(used),
        tuple(found.dropped),
        tuple(found.plans),
        tuple(found.comedication),
        tuple(laboratory),
        tuple(dict.fromkeys(found.remarks)),
    )


def _dose_in_words(intake: Intake) -> str:
    word = "dose" if intake.taken else "dose not taken"
    first = f"{word} of {intake.amount_mg:g} mg at {intake.start.isoformat()}"
    if not intake.additional:
        return first
    return f"{first}, then {intake.additional} every {intake.interval_h:g} h"


def _time_of(value: Value, zone: tzinfo | None) -> datetime:
    """Return the time of a covariate; a day alone is its beginning."""
    moment = value.moment
    if moment.precision == "day" and zone is not None:
        return datetime.combine(moment.day, time(0), tzinfo=zone)
    return moment.needed(f"the time of {value.name}", zone)


def _covariate(at: datetime, value: Value) -> dict[str, Any]:
    return {
        "name": value.covariate,
        "value": value.value,
        "unit": value.unit,
        "time": at.isoformat(),
    }


def _constants(
    person: Person, times: list[datetime], needed: set[str], found: Collected
) -> list[dict[str, Any]]:
    """Return age and sex, where a model uses them and they are known."""
    rows: list[dict[str, Any]] = []
    if "AGE" in needed and person.birth is not None and times:
        age = years_between(person.birth, min(times).date())
        if age < 0.0:
            found.remarks.append("The first dose or sample is before the birth: no age is used.")
        else:
            rows.append({"name": "AGE", "value": round(age, 3), "unit": "year"})
    if "SEX" in needed and person.sex is not None:
        rows.append({"name": "SEX", "value": 1.0 if person.sex is Sex.FEMALE else 0.0})
    return rows


def _equations(rows: list[tuple[datetime, Value]], models: list[Model]) -> list[str]:
    """Return a sentence for every estimate of renal function, with what the model knows it by."""
    found = []
    for _, value in rows:
        if value.equation:
            found += [
                f"{value.covariate} is by {value.equation}; in {model.id} it is "
                f"'{model.covariates[value.covariate].label}'."
                for model in models
                if value.covariate in model.covariates
            ]
    return list(dict.fromkeys(found))


def _stale(rows: list[tuple[datetime, Value]], times: list[datetime]) -> list[str]:
    """Return a sentence for every covariate whose last value is old."""
    if not times:
        return []
    last: dict[str, datetime] = {}
    for at, value in rows:
        last[value.name] = max(at, last.get(value.name, at))
    return [
        f"The last {name} is {(max(times) - at).days} days older than the last dose or sample."
        for name, at in last.items()
        if (max(times) - at).days > _DAYS_STALE
    ]
