"""Dates and times of FHIR: how exact they are, and in which zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from statera.errors import InputError
from statera.fhir.elements import UnusableError

__all__ = ["Moment", "read_moment", "read_zone", "years_between"]

_DATE_TIME = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?)?)?"
)
_YEARS = range(1880, 2200)
_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})")


@dataclass(frozen=True)
class Moment:
    """A time as it was given.

    Attributes
    ----------
    day
        The day; the first of a month or year where only those were given.
    precision
        ``time``, ``day``, ``month`` or ``year``.
    at
        The time with its zone, where the precision is ``time``; otherwise None.
    """

    day: date
    precision: str
    at: datetime | None = None

    def needed(self, what: str, zone: tzinfo | None) -> datetime:
        """Return the time with its zone.

        Parameters
        ----------
        what
            What the time is of, for the reason.
        zone
            Zone of times that were given without one.

        Raises
        ------
        UnusableError
            If there is no time of day, or no zone.
        """
        if self.at is None:
            raise UnusableError(
                f"{what} is known to the {self.precision} only, and a time is needed"
            )
        if self.at.tzinfo is not None:
            return self.at
        if zone is None:
            raise UnusableError(f"{what} has no time zone; name one with --time-zone")
        return self.at.replace(tzinfo=zone)


def read_moment(text: str, what: str) -> Moment:
    """Return a date, dateTime or instant of FHIR.

    Raises
    ------
    UnusableError
        If it is none.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise UnusableError(f"{what} is '{text}', which is not a time of FHIR")
    year, month, day, clock, _ = match.groups()
    try:
        first = date(int(year), int(month or 1), int(day or 1))
        at = datetime.fromisoformat(text) if clock else None
    except ValueError as error:
        raise UnusableError(f"{what} is '{text}', and there is no such time") from error
    if first.year not in _YEARS:
        raise UnusableError(f"{what} is '{text}', which is no time of a patient living today")
    precision = "time" if clock else "day" if day else "month" if month else "year"
    return Moment(first, precision, at)


def read_zone(name: str) -> tzinfo:
    """Return a time zone by an offset such as ``+01:00`` or a name such as ``Europe/Berlin``.

    Raises
    ------
    InputError
        If it is neither.
    """
    match = _OFFSET.fullmatch(name)
    if match and int(match[2]) <= 14 and int(match[3]) < 60:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-offset if match[1] == "-" else offset)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            f"'{name}' is not a time zone",
            where="--time-zone",
            hint="Write an offset such as +01:00, or a name such as Europe/Berlin.",
        ) from error


def years_between(birth: date, then: date) -> float:
    """Return an age in years of 365.25 days."""
    return (then - birth).days / 365.25
