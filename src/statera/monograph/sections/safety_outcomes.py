"""Names and order of safety outcomes, and the groups whose people may recur between studies."""

from __future__ import annotations

from collections.abc import Iterable

from statera.sources import Fact

__all__ = ["MAIN", "ordered", "outcome_name", "overlap_groups"]

MAIN = ("serious_infection", "malignancy", "mace", "vte")
"""The four outcomes of the comparison, in the order shown."""

_NAMES = {
    "serious_infection": "Serious infection",
    "malignancy": "Malignancy",
    "mace": "Major adverse cardiovascular events (MACE)",
    "vte": "Venous thromboembolism (VTE)",
    "pe": "Pulmonary embolism",
    "dvt": "Deep vein thrombosis",
    "nmsc": "Non-melanoma skin cancer",
    "gi_perforation": "Gastrointestinal perforation",
}
# Databases that several studies draw on; the mark of each is sought in the study's own words.
_DATABASES = {
    "Swedish registers (ARTIS)": ("artis", "sweden"),
    "French claims (SNDS)": ("snds", "france"),
    "Korean claims (NHIS)": ("korea",),
    "ORAL Surveillance": ("oral surveillance",),
    "US claims (STAR-RA)": ("star-ra",),
    "German register (RABBIT)": ("rabbit",),
}


def outcome_name(key: str) -> str:
    """Return an outcome in words."""
    return _NAMES.get(key, key.replace("_", " ").capitalize())


def ordered(keys: set[str]) -> list[str]:
    """Return outcomes with the four main ones first, the rest by name."""
    return [k for k in MAIN if k in keys] + sorted(keys - set(MAIN), key=outcome_name)


def short_name(key: str) -> str:
    """Return an outcome as tables name it: the two long ones by their abbreviation."""
    return key.upper() if key in ("mace", "vte") else outcome_name(key)


def signs(text: str) -> str:
    """Return a printed population with its signs set as in print."""
    return text.replace(">=", "≥ ").replace("<=", "≤ ").replace("(<", "(under ")


def remarks(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return remarks, each once, behind the names it belongs to.

    Parameters
    ----------
    pairs
        Name and remark; empty remarks are left out.
    """
    said: dict[str, dict[str, None]] = {}
    for name, note in pairs:
        if note:
            said.setdefault(note, {})[name] = None
    return tuple(f"{', '.join(names)}: {note}" for note, names in said.items())


def overlap_groups(fact: Fact) -> tuple[str, ...]:
    """Return the databases that a study may share with others."""
    said = " ".join((fact.get("study"), fact.get("overlaps"), fact.population)).lower()
    return tuple(name for name, marks in _DATABASES.items() if any(m in said for m in marks))
