"""What a network's file leaves doubtful, such as units that clash, as sentences for the user."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from statera.cli.terminal import note

__all__ = ["say_notes", "sentences"]

_SHOWN = 6


def sentences(notes: Iterable[str]) -> tuple[str, ...]:
    """Return each different note once, as a sentence."""
    return tuple(f"{n[0].upper()}{n[1:]}." for n in dict.fromkeys(notes) if n)


def say_notes(said: Sequence[str], *, quiet: bool) -> None:
    """Print notes on standard error; of many the first, and how to see the others."""
    for sentence in said[:_SHOWN]:
        note(sentence, quiet=quiet)
    if len(said) > _SHOWN:
        note(f"... and {len(said) - _SHOWN} more remarks: --json gives all.", quiet=quiet)
