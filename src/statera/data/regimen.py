"""Dosing regimens written as people write them: ``"4 mg q24h x14"``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from statera.errors import InputError
from statera.units import parse_quantity

__all__ = ["Dose", "Regimen", "parse_regimen", "regimen_text"]

_INTERVALS = {
    "qd": 24.0, "od": 24.0, "once daily": 24.0, "daily": 24.0,
    "bid": 12.0, "twice daily": 12.0,
    "tid": 8.0, "three times daily": 8.0,
    "qid": 6.0, "four times daily": 6.0,
    "weekly": 168.0, "once weekly": 168.0,
}  # fmt: skip

_HELP = (
    "Write it like '4 mg q24h x14', '4 mg once daily for 14 days', "
    "'100 mg over 1 h', '2 mg bid ss', or several joined by 'then' or ';', each from its own "
    "time where it has one: '8 mg; 4 mg q24h x14 at 36 h'."
)
_NUMBER = r"\d+(?:\.\d*)?|\.\d+"
_PATTERN = re.compile(
    rf"""^\s*(?P<amount>[+-]?(?:{_NUMBER})\s*[A-Za-zµμ/%0-9]+)
    (?:\s+over\s+(?P<over>(?:{_NUMBER})\s*[A-Za-z]+))?
    (?:\s+via\s+(?P<route>[A-Za-z_]\w*))?
    (?:\s+(?:(?P<every>q\s*(?:{_NUMBER})\s*[A-Za-z]+)|(?P<word>{"|".join(
        sorted((re.escape(k) for k in _INTERVALS), key=len, reverse=True))})))?
    (?:\s+(?:x\s*(?P<times>\d+)|for\s+(?P<span>(?:{_NUMBER})\s*[A-Za-z]+)))?
    (?P<ss>\s+(?:ss|at\s+steady\s+state))?
    (?:\s+at\s+(?P<at>(?:{_NUMBER})\s*[A-Za-z]+))?\s*$""".replace("\\ ", r"\s+"),
    re.VERBOSE | re.IGNORECASE,
)  # fmt: skip


@dataclass(frozen=True)
class Dose:
    """One dose record: an amount given once, or repeatedly.

    Attributes
    ----------
    time
        Time of the first dose, h.
    amount
        Amount, mg.
    route
        Route of the model; empty for its default.
    interval
        Time between doses, h; 0 for a single dose.
    additional
        Number of further doses after the first.
    duration
        Duration of an infusion, h; 0 where the model decides.
    steady_state
        Whether the system is at steady state of this dose before it is given.
    """

    time: float
    amount: float
    route: str = ""
    interval: float = 0.0
    additional: int = 0
    duration: float = 0.0
    steady_state: bool = False

    def __post_init__(self) -> None:
        numbers = (self.time, self.amount, self.interval, self.duration)
        if not all(math.isfinite(x) and x >= 0 for x in numbers) or self.additional < 0:
            raise InputError(
                "a dose has a time, amount, interval, duration or number of further doses that is "
                "negative or not a number"
            )
        if self.interval == 0 and (self.additional or self.steady_state):
            raise InputError("repeated doses and a steady state need an interval above zero")

    def scaled(self, time: float, amount: float) -> Dose:
        """Return the dose with its times and its amount multiplied by these factors."""
        return replace(
            self,
            time=self.time * time,
            amount=self.amount * amount,
            interval=self.interval * time,
            duration=self.duration * time,
        )

    @property
    def last_time(self) -> float:
        """Time of the last dose, h."""
        return self.time + self.additional * self.interval


@dataclass(frozen=True)
class Regimen:
    """Dose records in order of time.

    Attributes
    ----------
    doses
        The records.
    text
        The regimen as written.
    """

    doses: tuple[Dose, ...]
    text: str = ""

    def __post_init__(self) -> None:
        if not self.doses:
            raise InputError("a regimen needs at least one dose")
        if any(b.time < a.time for a, b in pairwise(self.doses)):
            raise InputError("the doses of a regimen must stand in order of time")

    def scaled(self, time: float, amount: float) -> Regimen:
        """Return the regimen with its times and amounts multiplied by these factors."""
        return replace(self, doses=tuple(d.scaled(time, amount) for d in self.doses))

    @property
    def last(self) -> Dose:
        """The record that holds the last dose."""
        return max(self.doses, key=lambda d: d.last_time)

    @property
    def end(self) -> float:
        """End of the last dosing interval, h; 24 h after a single dose."""
        return self.last.last_time + (self.last.interval or 24.0)


def parse_regimen(text: str) -> Regimen:
    """Parse a regimen.

    Amounts may have any unit of mass and are converted to mg; times to h. Parts joined by
    ``then`` or ``;`` follow each other: the next starts one interval after the last dose of the
    part, unless it says when, such as ``at 36 h``.

    Raises
    ------
    InputError
        If the text cannot be read, or an amount, interval or number of doses is not positive.
    """
    doses: list[Dose] = []
    start: float | None = 0.0
    for part in re.split(r"\s*(?:;|\bthen\b)\s*", text.strip()):
        dose = _parse_part(part, text, start)
        doses.append(dose)
        start = dose.last_time + dose.interval if dose.interval else None
    return Regimen(tuple(sorted(doses, key=lambda d: d.time)), text.strip())


def regimen_text(doses: Iterable[Dose]) -> str:
    """Write dose records, in order of time, so that `parse_regimen` reads the same records.

    Parameters
    ----------
    doses
        Such as those of a `Regimen`.
    """
    parts: list[str] = []
    start: float | None = 0.0
    for dose in doses:
        words = [f"{_number(dose.amount)} mg"]
        words += [f"over {_number(dose.duration)} h"] if dose.duration else []
        words += [f"via {dose.route}"] if dose.route else []
        words += [f"q{_number(dose.interval)}h"] if dose.interval else []
        words += [f"x{dose.additional + 1}"] if dose.additional else []
        words += ["ss"] if dose.steady_state else []
        words += [f"at {_number(dose.time)} h"] if dose.time != start else []
        parts.append(" ".join(words))
        start = dose.last_time + dose.interval if dose.interval else None
    return "; ".join(parts)


def _number(value: float) -> str:
    """Return the shortest text without an exponent that gives the same number."""
    whole = format(Decimal(repr(float(value))), "f")
    return whole.rstrip("0").rstrip(".") if "." in whole else whole


def _parse_part(part: str, whole: str, start: float | None) -> Dose:
    match = _PATTERN.match(part)
    if match is None:
        comma = "Write decimals with a point. " if re.search(r"\d,\d", part) else ""
        raise InputError(f"cannot read the dose '{part or whole}'", hint=comma + _HELP)
    amount = parse_quantity(match["amount"], "mg", what="dose")
    if amount <= 0:
        raise InputError(f"dose '{part}': the amount must be above zero", hint=_HELP)
    if match["at"]:
        start = parse_quantity(match["at"].lower(), "h", what="start")
    if start is None:
        raise InputError(
            f"dose '{whole}': a part before 'then' has no interval",
            hint="Give it an interval, such as q24h, or the next part its time, such as 'at 24 h'.",
        )
    # units of time are read without regard to case, as in Q24H; those of mass are not
    duration = parse_quantity(match["over"].lower(), "h", what="duration") if match["over"] else 0.0
    if match["over"] and duration <= 0:
        raise InputError(f"dose '{part}': the duration must be above zero", hint=_HELP)
    interval = _interval(match, part)
    number = 1
    if match["times"]:
        number = int(match["times"])
    elif match["span"]:
        if interval == 0.0:
            raise InputError(
                f"dose '{part}': a time span needs an interval", hint="Add one, such as q24h."
            )
        span = parse_quantity(match["span"].lower(), "h", what="time span")
        number = math.ceil(span / interval - 1e-9)
    if number < 1 or number > 100_000:
        raise InputError(f"dose '{part}': the number of doses must be 1 to 100000", hint=_HELP)
    if number > 1 and interval == 0.0:
        raise InputError(
            f"dose '{part}': several doses need an interval", hint="Add one, such as q24h."
        )
    if match["ss"] and interval == 0.0:
        raise InputError(
            f"dose '{part}': steady state needs an interval", hint="Add one, such as q24h."
        )
    dose = Dose(start, amount, match["route"] or "", interval, number - 1, duration)
    return replace(dose, steady_state=bool(match["ss"]))


def _interval(match: re.Match[str], part: str) -> float:
    """Return the time between doses, h; 0 for a single dose."""
    if match["every"]:
        interval = parse_quantity(match["every"].lower().lstrip("q"), "h", what="interval")
    elif match["word"]:
        interval = _INTERVALS[re.sub(r"\s+", " ", match["word"].lower())]
    else:
        return 0.0
    if interval <= 0:
        raise InputError(f"dose '{part}': the interval must be above zero", hint=_HELP)
    return interval
