"""A dose as labels write it: amount, how often, for how long."""

from __future__ import annotations

import re
from dataclasses import dataclass

from statera.errors import InputError

__all__ = ["PER_DAY", "Dose", "parse_dose"]

PER_DAY = {"QD": 1.0, "BID": 2.0}
"""Administrations in 24 h."""

_WORDS = {"QD": "once daily", "BID": "twice daily"}
_FREQUENCIES = {
    "qd": "QD",
    "od": "QD",
    "once daily": "QD",
    "q24h": "QD",
    "daily": "QD",
    "bid": "BID",
    "bd": "BID",
    "twice daily": "BID",
    "q12h": "BID",
}
_TEXT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*mg\s+(.+?)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Dose:
    """A repeated dose.

    Attributes
    ----------
    mg
        Amount of one administration, mg.
    frequency
        ``QD`` or ``BID``.
    form
        Formulation where it matters, such as ``XR``.
    duration
        How long, where the label limits it.
    optional
        True for a dose that the label allows besides another.
    """

    mg: float
    frequency: str
    form: str = ""
    duration: str = ""
    optional: bool = False

    @property
    def daily_mg(self) -> float:
        """Amount in 24 h, mg."""
        return self.mg * PER_DAY[self.frequency]

    def __str__(self) -> str:
        form = f" {self.form}" if self.form else ""
        length = f" for {self.duration}" if self.duration else ""
        return f"{self.mg:g} mg{form} {_WORDS[self.frequency]}{length}"


def parse_dose(text: str) -> Dose:
    """Return the dose that a text such as ``4 mg once daily`` or ``5 mg BID`` means.

    Raises
    ------
    InputError
        If it is no amount in mg followed by how often.
    """
    match = _TEXT.fullmatch(text)
    frequency = _FREQUENCIES.get(" ".join(match.group(2).lower().split())) if match else None
    if match is None or frequency is None or float(match.group(1)) <= 0:
        raise InputError(
            f"'{text}' is not a dose",
            hint="Write the amount in mg and how often, such as '4 mg QD' or '5 mg twice daily'.",
        )
    return Dose(float(match.group(1)), frequency)
