"""Times to an event: exact, right-censored or between two visits, with delayed entry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.response.hazards import Hazard
from statera.response.outcomes import Indices, Rows

__all__ = ["TimeToEvent"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TimeToEvent:
    """Times of n rows; rows of one subject follow each other (start and stop).

    Attributes
    ----------
    entry : (n,) float64
        From when the row was under observation.
    left, right : (n,) float64
        The event came after `left` and not after `right`: equal for an event seen exactly,
        infinite `right` where it did not come until `left`.
    people : (n,) int64
        Number of the subject of each row.
    hazard
        Family of the hazard.
    """

    entry: Floats
    left: Floats
    right: Floats
    people: Indices
    hazard: Hazard

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.left.size

    @property
    def events(self) -> int:
        """Number of events."""
        return int(np.isfinite(self.right).sum())

    @property
    def intercept(self) -> bool:
        """Whether the linear predictor has an intercept."""
        return self.hazard.intercept

    @property
    def baseline(self) -> tuple[str, ...]:
        """Names of the baseline parameters."""
        return self.hazard.baseline

    @property
    def _exact(self) -> NDArray[np.bool_]:
        return np.asarray(self.left == self.right)

    def start(self) -> Floats:
        """Return first guesses from a constant hazard."""
        seen = np.where(np.isfinite(self.right), 0.5 * (self.left + self.right), self.left)
        exposed = float((seen - self.entry).sum())
        rate = np.log((self.events + 0.5) / exposed)
        name = self.hazard.name
        if name == "piecewise":
            return np.full(len(self.baseline), rate)
        if name == "log-logistic":
            return np.array([-rate, 0.0])
        return np.array([rate, *np.zeros(len(self.baseline))])

    def rows(self, eta: Floats, baseline: Floats) -> Rows:
        """Return the log-likelihood of each row by its linear predictor and the baseline.

        ln h(t) - H(t) + H(entry) of an exact event; -H(left) + H(entry) plus the logarithm of
        1 - exp(H(left) - H(right)) of the others.
        """
        h_left = self.hazard.cumulative(self.left, eta, baseline)
        h_entry = self.hazard.cumulative(self.entry, eta, baseline)
        value = h_entry.value - h_left.value
        slope = h_entry.slope - h_left.slope
        curve = h_entry.curve - h_left.curve
        exact = self._exact
        if exact.any():
            seen = self.hazard.log_hazard(self.left[exact], eta[exact], baseline)
            value[exact] += seen.value
            slope[exact] += seen.slope
            curve[exact] += seen.curve
        between = np.isfinite(self.right) & ~exact
        if between.any():
            h_right = self.hazard.cumulative(self.right[between], eta[between], baseline)
            q = h_right.value - h_left.value[between]
            dq = h_right.slope - h_left.slope[between]
            ddq = h_right.curve - h_left.curve[between]
            first = 1.0 / np.expm1(q)
            second = -first * (1.0 + first)
            value[between] += np.log(-np.expm1(-q))
            slope[between] += first[:, None] * dq
            curve[between] += first[:, None, None] * ddq
            curve[between] += second[:, None, None] * dq[:, :, None] * dq[:, None, :]
        return Rows(value, slope, curve)

    def take(self, index: Indices) -> TimeToEvent:
        """Return some rows."""
        return TimeToEvent(
            self.entry[index], self.left[index], self.right[index], self.people[index], self.hazard
        )

    def recession(self, design: Floats) -> tuple[Floats, Floats]:
        """Return events as equalities and rows without one as limits from above."""
        pieces = len(self.baseline) if self.hazard.name == "piecewise" else 0
        last = np.where(np.isfinite(self.right), self.right, self.left)
        first_visit = np.isfinite(self.right) & ~self._exact & (self.left <= self.entry)
        fixed = np.isfinite(self.right) & ~first_visit
        free = ~np.isfinite(self.right)
        if not pieces:
            limits = np.where(free[:, None], -1.0, 1.0) * design
            return limits[~fixed], design[fixed]
        unit = np.eye(pieces)
        at = unit[np.minimum(self.hazard.piece(last), pieces - 1)]
        equal = np.hstack([design, at])[fixed]
        spent = self.hazard.spans(self.left) - self.hazard.spans(self.entry)
        row, piece = np.nonzero(spent > 0)
        keep = ~first_visit[row]
        limits = -np.hstack([design[row[keep]], unit[piece[keep]]])
        early = np.hstack([design, at])[first_visit]
        return np.vstack([limits, early]), equal
