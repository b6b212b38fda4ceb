"""Measured interactions with a medicine that a person takes: shown, never turned into a dose."""

from __future__ import annotations

from statera.library.drug import load_drug

__all__ = ["measured_interactions"]


def measured_interactions(drug: str, medicines: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return a sentence for each measured effect of a named medicine on exposure to the drug."""
    names = {part.strip().lower() for medicine in medicines or () for part in medicine.split("=")}
    sentences = []
    for fact in load_drug(drug).facts:
        other = fact.get("interactant")
        if fact.section == "pharmacokinetics" and other and other.lower() in names:
            sentences.append(
                f"Measured with {other}: {fact.parameter} {fact.value:g} "
                f"({fact.source}). A ratio is no instruction on the dose."
            )
    return tuple(sentences)
