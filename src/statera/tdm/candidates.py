"""Doses that can be given: tablets of real strengths, whole or in parts, at real intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

from statera.tdm.request import Question

__all__ = ["Candidate", "Piece", "make_candidates"]

_SAME = 1e-9
_MOST_KINDS = 12
"""Kinds of pieces beyond which combinations of several kinds are not tried."""


@dataclass(frozen=True)
class Piece:
    """Equal tablets, or parts of tablets.

    Attributes
    ----------
    strength
        Of the whole tablet, mg.
    parts
        Into how many equal parts the tablet is divided; 1 for whole tablets.
    count
        Number of such pieces.
    """

    strength: float
    parts: int
    count: int

    def __str__(self) -> str:
        part = "" if self.parts == 1 else f"1/{self.parts} of "
        return f"{self.count} x {part}{self.strength:g} mg"


@dataclass(frozen=True)
class Candidate:
    """A dose that can be given, and how often.

    Attributes
    ----------
    amount
        mg at a time.
    interval
        h.
    pieces
        What it is made of: the fewest pieces, whole ones before parts.
    above_label_maximum
        Whether more than the largest daily amount is given, on average over the interval.
    """

    amount: float
    interval: float
    pieces: tuple[Piece, ...]
    above_label_maximum: bool = False

    @property
    def daily(self) -> float:
        """Amount in 24 h, mg."""
        return self.amount * 24.0 / self.interval

    @property
    def n_pieces(self) -> int:
        """Number of tablets or parts at a time."""
        return sum(p.count for p in self.pieces)

    def __str__(self) -> str:
        return f"{self.amount:g} mg every {self.interval:g} h"


def make_candidates(question: Question) -> tuple[Candidate, ...]:
    """Return all doses that strengths, splits and intervals allow, by interval and amount."""
    amounts = _amounts(question.strengths, question.split, question.most_tablets)
    found = []
    for interval in sorted(set(question.intervals)):
        for amount in sorted(amounts):
            candidate = Candidate(amount, interval, amounts[amount])
            # in any 24 h a dose is given at least once
            most = max(candidate.daily, amount)
            above = question.maximum_daily is not None and most > question.maximum_daily + _SAME
            found.append(Candidate(amount, interval, amounts[amount], above))
    return tuple(found)


def _amounts(strengths: Sequence[float], split: int, most: int) -> dict[float, tuple[Piece, ...]]:
    """Return the pieces of every amount that can be given at a time."""
    kinds = [(s, 1) for s in sorted(set(strengths))]
    if split > 1:
        kinds += [(s, split) for s in sorted(set(strengths))]
    best: dict[float, tuple[tuple[int, int, int], tuple[Piece, ...]]] = {}
    mixed = len(kinds) <= _MOST_KINDS
    for count in range(1, most + 1):
        chosen = combinations_with_replacement(kinds, count) if mixed else [
            (kind,) * count for kind in kinds
        ]  # fmt: skip
        for pieces in chosen:
            amount = round(sum(s / parts for s, parts in pieces), 9)
            split_pieces = sum(parts > 1 for _, parts in pieces)
            cost = (split_pieces, count, len(set(pieces)))
            if amount not in best or cost < best[amount][0]:
                listed = tuple(
                    Piece(s, parts, pieces.count((s, parts)))
                    for s, parts in sorted(set(pieces), reverse=True)
                )
                best[amount] = (cost, listed)
    return {amount: pieces for amount, (_, pieces) in best.items()}
