"""States of disease activity by cut-offs of a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.biomarker.boundaries import at_most, below

__all__ = ["CutOffs", "activity_state"]


@dataclass(frozen=True)
class CutOffs:
    """A set of cut-offs.

    Attributes
    ----------
    name
        Of the set.
    states
        From the lowest to the highest state, one more than `limits`.
    limits
        Upper ends of all states but the last.
    lowest_end
        Whether the end of the lowest state belongs to it (``closed``) or to the next (``open``);
        all other ends belong to the state below.
    source
        Where it was published.
    """

    name: str
    states: tuple[str, ...]
    limits: tuple[float, ...]
    lowest_end: Literal["open", "closed"]
    source: str


def activity_state(score: ArrayLike, cutoffs: CutOffs) -> NDArray[np.str_]:
    """Return the state of each score; empty text where the score is missing.

    Parameters
    ----------
    score
        Any shape.
    cutoffs
        The set of cut-offs.
    """
    values = np.asarray(score, dtype=np.float64)
    place = np.zeros(values.shape, dtype=np.intp)
    for i, limit in enumerate(cutoffs.limits):
        under = below if i == 0 and cutoffs.lowest_end == "open" else at_most
        place += ~under(values, limit)
    found = np.asarray(cutoffs.states)[place]
    return np.where(np.isnan(values), "", found)
