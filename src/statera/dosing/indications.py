"""Names of indications in label rules and what they stand for."""

from __future__ import annotations

from collections.abc import Iterable

from statera.errors import UnknownNameError
from statera.library.label_rule import LabelRule

__all__ = ["INDICATIONS", "indications_of", "is_for", "resolve_indication"]

INDICATIONS: dict[str, str] = {
    "AA": "alopecia areata",
    "AD": "atopic dermatitis",
    "aGVHD": "acute graft-versus-host disease",
    "AS": "ankylosing spondylitis",
    "CD": "Crohn's disease",
    "COVID-19": "COVID-19",
    "JIA": "juvenile idiopathic arthritis",
    "MF": "myelofibrosis",
    "PsA": "psoriatic arthritis",
    "psoriasis": "psoriasis",
    "RA": "rheumatoid arthritis",
    "UC": "ulcerative colitis",
}
"""Short names as rules use them, with what they stand for."""


def resolve_indication(text: str) -> str:
    """Return the short name of an indication, given either name in any case.

    Raises
    ------
    UnknownNameError
        If no rule of any drug names it; the nearest are given.
    """
    word = text.strip().lower()
    for short, long in INDICATIONS.items():
        if word in (short.lower(), long.lower(), short.lower().replace("-19", "")):
            return short
    raise UnknownNameError("indication", text, (*INDICATIONS, *INDICATIONS.values()))


def indications_of(rules: Iterable[LabelRule]) -> tuple[str, ...]:
    """Return the indications that rules name, in the order of `INDICATIONS`."""
    named = {
        name
        for r in rules
        if not r.indication.startswith("all")
        for name in r.indication.split("/")
    }
    return tuple(name for name in INDICATIONS if name in named)


def is_for(rule: LabelRule, indication: str) -> bool:
    """Return True for a rule that concerns this indication."""
    if rule.indications:
        return indication in rule.indications
    return rule.indication.startswith("all") or indication in rule.indication.split("/")
