"""Conditions in three values: holds, does not hold, unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Clause", "all_of", "any_of", "within"]


@dataclass(frozen=True)
class Clause:
    """A condition as it stands for one person.

    Attributes
    ----------
    holds
        True, False, or None where it cannot be judged.
    text
        Why, such as ``age 70 is 65 or above``.
    missing
        What would have to be known.
    """

    holds: bool | None
    text: str
    missing: tuple[str, ...] = ()


def all_of(clauses: Sequence[Clause]) -> Clause:
    """Return whether all hold: one that does not is enough for no, one unknown for unknown."""
    failed = [c for c in clauses if c.holds is False]
    if failed:
        return Clause(False, "; ".join(c.text for c in failed))
    unknown = [c for c in clauses if c.holds is None]
    if unknown:
        return Clause(None, "; ".join(c.text for c in unknown), _missing(unknown))
    return Clause(True, "; ".join(c.text for c in clauses if c.text))


def any_of(clauses: Sequence[Clause]) -> Clause:
    """Return whether at least one holds."""
    held = [c for c in clauses if c.holds is True]
    if held:
        return Clause(True, "; ".join(c.text for c in held))
    unknown = [c for c in clauses if c.holds is None]
    if unknown:
        return Clause(None, "; ".join(c.text for c in unknown), _missing(unknown))
    return Clause(False, "; ".join(c.text for c in clauses))


def within(
    value: float | None, low: float | None, high: float | None, name: str, unit: str
) -> Clause:
    """Return whether a value lies from `low` (included) to `high` (left out)."""
    limits = _limits(low, high, unit)
    if value is None:
        return Clause(None, f"{name} is not known (the rule is for {limits})", (name,))
    inside = (low is None or value >= low) and (high is None or value < high)
    is_or_not = "is" if inside else "is not"
    return Clause(inside, f"{name} {value:.4g} {unit} {is_or_not} {limits}".replace("  ", " "))


def _limits(low: float | None, high: float | None, unit: str) -> str:
    if low is None:
        return f"below {high:g} {unit}".rstrip()
    if high is None:
        return f"{low:g} {unit} or above".replace("  ", " ")
    return f"{low:g} to below {high:g} {unit}".rstrip()


def _missing(clauses: Sequence[Clause]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(m for c in clauses for m in c.missing))
