"""Doses that were taken, from administrations and statements; a prescription is never one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from statera.fhir.elements import (
    UnusableError,
    codings,
    list_of,
    number_of,
    object_of,
    text_of,
    words_of,
)
from statera.fhir.quantity import read_quantity
from statera.fhir.read_bundle import Resource
from statera.fhir.times import Moment, read_moment

__all__ = ["Intake", "administered", "stated"]

_MASS = {"mg": 1.0, "ug": 1e-3, "g": 1e3}
_HOURS = {"min": 1.0 / 60.0, "h": 1.0, "d": 24.0, "wk": 168.0}
_ABBREVIATIONS = {"QD": 24.0, "BID": 12.0, "TID": 8.0, "QID": 6.0, "QOD": 48.0}
_ORAL = "26643006"  # SNOMED CT, oral route
_CLOCKS_CHANGED = (
    "Clocks were changed within the run: doses after that are an hour off the time of day."
)
_LONGEST_RUN = 20_000
_SHORTEST_INTERVAL = 1.0 / 60.0

_NOT_GIVEN = {
    "in-progress": "the administration had not ended",
    "on-hold": "the administration was halted",
    "stopped": "the administration was stopped before its end, and how much was given is not said",
    "unknown": "its status is unknown",
    "entered-in-error": "it was entered in error",
}
_NOT_TAKEN = {
    "intended": "it is a plan, not intake",
    "on-hold": "it was on hold",
    "stopped": "it was stopped before all of it was taken, and how much was is not said",
    "unknown": "its status is unknown",
    "entered-in-error": "it was entered in error",
}


@dataclass(frozen=True)
class Intake:
    """A dose, or a run of equal ones at one interval.

    Attributes
    ----------
    resource
        Label of the resource it comes from.
    start
        Time of the first dose.
    amount_mg
    interval_h
        0 for a single dose.
    additional
        How many follow the first.
    taken
        False where the record says that it was not.
    remarks
        What was assumed.
    """

    resource: str
    start: datetime
    amount_mg: float
    interval_h: float = 0.0
    additional: int = 0
    taken: bool = True
    remarks: tuple[str, ...] = field(default=())

    @property
    def end(self) -> datetime:
        """Time of the last dose."""
        return self.start + timedelta(hours=self.interval_h * self.additional)

    def row(self) -> dict[str, Any]:
        """Return the dose as a request writes it."""
        row: dict[str, Any] = {
            "time": self.start.isoformat(),
            "amount": self.amount_mg,
            "unit": "mg",
        }
        if self.additional:
            row |= {"interval": self.interval_h, "additional": self.additional}
        if not self.taken:
            row["taken"] = False
        return row


def administered(resource: Resource, zone: tzinfo | None) -> Intake:
    """Return the dose of a MedicationAdministration.

    Raises
    ------
    UnusableError
        If it was not given, or amount or time are not known.
    """
    status = text_of(resource.data, "status")
    if status not in ("completed", "not-done"):
        raise UnusableError(_NOT_GIVEN.get(status, f"its status is '{status}'"))
    dosage = object_of(resource.data, "dosage")
    _check_route(dosage)
    amount = _amount(object_of(dosage, "dose"))
    period = object_of(resource.data, "effectivePeriod")
    text = text_of(resource.data, "effectiveDateTime") or text_of(period, "start")
    if not text:
        raise UnusableError("no time says when it was given")
    start = read_moment(text, "the time of the dose").needed("the time of the dose", zone)
    return Intake(resource.label, start, amount, taken=status == "completed")


def stated(resource: Resource, zone: tzinfo | None) -> tuple[Intake, ...]:
    """Return the doses of a MedicationStatement.

    Raises
    ------
    UnusableError
        If it was not taken, or amount, times or interval are not known.
    """
    data = resource.data
    status = text_of(data, "status")
    if status not in ("active", "completed", "not-taken"):
        raise UnusableError(_NOT_TAKEN.get(status, f"its status is '{status}'"))
    taken = status != "not-taken"
    dosages = list_of(data, "dosage")
    if not dosages:
        raise UnusableError("no dosage says how much was taken")
    single = text_of(data, "effectiveDateTime")
    found: list[Intake] = []
    for dosage in dosages:
        _check_route(dosage)
        if dosage.get("asNeededBoolean") or dosage.get("asNeededCodeableConcept"):
            raise UnusableError("it was taken as needed: at which times is not said")
        amount = _amount(_dose_of(dosage))
        timing = object_of(dosage, "timing")
        events = timing.get("event", [])
        if isinstance(events, list) and events:
            found += [_at(resource, str(e), amount, zone, taken) for e in events]
        elif single and not object_of(timing, "repeat") and not codings(object_of(timing, "code")):
            found.append(_at(resource, single, amount, zone, taken))
        else:
            found += _runs(resource, timing, amount, zone, taken)
    return tuple(found)


def _at(resource: Resource, text: str, amount: float, zone: tzinfo | None, taken: bool) -> Intake:
    moment = read_moment(text, "the time of the dose")
    return Intake(resource.label, moment.needed("the time of the dose", zone), amount, taken=taken)


def _check_route(dosage: Mapping[str, Any]) -> None:
    route = object_of(dosage, "route")
    if not route:
        return
    words = words_of(route)
    known = any(c.code == _ORAL for c in codings(route))
    if not known and not any(w in words.lower() for w in ("oral", "mouth", "peroral")):
        raise UnusableError(
            f"its route is '{words or 'another'}', and the models are of oral doses"
        )


def _dose_of(dosage: Mapping[str, Any]) -> Mapping[str, Any]:
    rates = list_of(dosage, "doseAndRate")
    if len(rates) != 1:
        raise UnusableError("the dosage does not say one dose")
    if "doseRange" in rates[0]:
        raise UnusableError("the dose is a range: how much was taken is not said")
    return object_of(rates[0], "doseQuantity")


def _amount(data: Mapping[str, Any]) -> float:
    if not data:
        raise UnusableError("no dose says how much was taken")
    quantity = read_quantity(data, "the dose")
    if quantity.comparator:
        raise UnusableError("the dose is a bound, not an amount")
    if quantity.unit not in _MASS:
        raise UnusableError(
            f"the dose is in '{quantity.unit}', and mg, ug or g are needed: tablets without their "
            "strength say no amount"
        )
    if quantity.value <= 0.0:
        raise UnusableError(f"the dose is {quantity.value:g} {quantity.unit}")
    return quantity.value * _MASS[quantity.unit]


def _runs(
    resource: Resource,
    timing: Mapping[str, Any],
    amount: float,
    zone: tzinfo | None,
    taken: bool,
) -> list[Intake]:
    """Return the runs of a repeated dosage, one a time of day where these are given."""
    repeat = object_of(timing, "repeat")
    interval, remarks = _interval(timing, repeat)
    first, last = _bounds(resource.data, repeat)
    clocks = repeat.get("timeOfDay", [])
    if clocks:
        starts = _starts_by_clock(first, clocks, interval, zone)
        interval, remarks = 24.0, ()
    else:
        starts = [first.needed("the start of the period", zone)]
    count = number_of(repeat, "count")
    if count is not None and (count < 1 or count != round(count)):
        raise UnusableError(f"the dosage is repeated {count:g} times")
    if count is not None and len(starts) > 1:
        raise UnusableError(
            "a count with several times a day does not say how many there were of each"
        )
    if count is None and last is None:
        raise UnusableError("nothing says until when it was taken")
    found = []
    for start in starts:
        additional = int(count) - 1 if count is not None else _until(start, last, interval, zone)
        if additional < 0:
            continue
        if additional > _LONGEST_RUN:
            raise UnusableError(f"it would be {additional + 1} doses, which is not plausible")
        run = Intake(resource.label, start, amount, interval, additional, taken, remarks)
        if run.end.utcoffset() != start.utcoffset():
            run = replace(run, remarks=(*remarks, _CLOCKS_CHANGED))
        found.append(run)
    if not found:
        raise UnusableError("the period ends before it starts")
    return found


def _interval(
    timing: Mapping[str, Any], repeat: Mapping[str, Any]
) -> tuple[float, tuple[str, ...]]:
    """Return the hours between doses, and what was assumed of them."""
    for key in ("dayOfWeek", "when", "frequencyMax", "periodMax", "duration"):
        if key in repeat:
            raise UnusableError(f"the timing has '{key}', from which no times of doses follow")
    period, unit = number_of(repeat, "period"), text_of(repeat, "periodUnit")
    frequency = number_of(repeat, "frequency")
    if period is None:
        codes = [c.code.upper() for c in codings(object_of(timing, "code"))]
        known = [_ABBREVIATIONS[c] for c in codes if c in _ABBREVIATIONS]
        if not known:
            raise UnusableError("no timing says how often it was taken")
        interval, frequency = known[0], 24.0 / known[0]
    else:
        if unit not in _HOURS or period <= 0.0:
            raise UnusableError(f"the timing repeats every {period:g} {unit or 'without a unit'}")
        frequency = 1.0 if frequency is None else frequency
        if frequency < 1.0 or frequency != round(frequency):
            raise UnusableError(f"the timing repeats {frequency:g} times a period")
        interval = period * _HOURS[unit] / frequency
        if interval < _SHORTEST_INTERVAL:
            raise UnusableError(f"the timing repeats every {interval:g} h, which is not plausible")
    if frequency > 1.0:
        return interval, (
            f"Doses are taken to be {interval:g} h apart: no times of day are given.",
        )
    return interval, ()


def _bounds(data: Mapping[str, Any], repeat: Mapping[str, Any]) -> tuple[Moment, Moment | None]:
    """Return the start and, where it is known, the end of a period."""
    period = object_of(data, "effectivePeriod") or object_of(repeat, "boundsPeriod")
    start = text_of(period, "start") or text_of(data, "effectiveDateTime")
    if not start:
        raise UnusableError("no period says when it was taken")
    first = read_moment(start, "the start of the period")
    end = text_of(period, "end")
    if not end and text_of(data, "status") == "active":
        # What is still being taken was being taken when that was said.
        end = text_of(data, "dateAsserted")
    return first, read_moment(end, "the end of the period") if end else None


def _starts_by_clock(
    first: Moment, clocks: Any, interval: float, zone: tzinfo | None
) -> list[datetime]:
    """Return the first dose of each time of day, at or after the start."""
    if not isinstance(clocks, list) or not all(isinstance(c, str) for c in clocks):
        raise UnusableError("'timeOfDay' is not a list of times")
    if not math.isclose(interval * len(clocks), 24.0):
        raise UnusableError("times of day and frequency disagree")
    if first.at is not None:
        begin = first.needed("the start of the period", zone)
        where: tzinfo | None = begin.tzinfo
    else:
        if zone is None:
            raise UnusableError("the start has no time zone; name one with --time-zone")
        if first.precision != "day":
            raise UnusableError(f"the start is known to the {first.precision} only")
        begin, where = datetime.combine(first.day, time(0), tzinfo=zone), zone
    found = []
    for clock in clocks:
        try:
            at = datetime.combine(begin.date(), time.fromisoformat(clock), tzinfo=where)
        except ValueError as error:
            raise UnusableError(f"'{clock}' is not a time of day") from error
        found.append(at if at >= begin else at + timedelta(days=1))
    return sorted(found)


def _until(start: datetime, last: Moment | None, interval: float, zone: tzinfo | None) -> int:
    """Return how many doses follow the first until the end; -1 where even that is after it."""
    assert last is not None
    if last.at is not None:
        end = last.needed("the end of the period", zone)
    elif last.precision == "day":
        # FHIR: a period that ends on a date includes that day.
        end = datetime.combine(last.day, time(0), tzinfo=zone or start.tzinfo)
        end += timedelta(days=1) - timedelta(microseconds=1)
    else:
        raise UnusableError(f"the end of the period is known to the {last.precision} only")
    hours = (end - start).total_seconds() / 3600.0
    return math.floor(hours / interval + 1e-9) if hours >= 0.0 else -1
