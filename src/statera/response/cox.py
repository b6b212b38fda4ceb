"""Cox's partial likelihood with Efron's treatment of ties, delayed entry and start-stop rows.

Cox, J R Stat Soc B 1972;34:187-220; Efron, J Am Stat Assoc 1977;72:557-565 (doi
10.1080/01621459.1977.10480613).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array, hstack, vstack

from statera.response.maximise import Evaluation
from statera.response.outcomes import Indices, Matrix

__all__ = ["Cox"]

Floats = NDArray[np.float64]
_MOST_PAIRS = 200_000


@dataclass(frozen=True)
class Cox:
    """Times of n rows whose baseline hazard is left open.

    Attributes
    ----------
    entry, time : (n,) float64
        Each row is under observation after `entry` up to and with `time`.
    event : (n,) bool
        Whether the event came at `time`.
    people : (n,) int64
        Number of the subject of each row.
    """

    entry: Floats
    time: Floats
    event: NDArray[np.bool_]
    people: Indices
    intercept = False
    baseline: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.time.size

    @property
    def events(self) -> int:
        """Number of events."""
        return int(self.event.sum())

    def start(self) -> Floats:
        """Return no guesses: there is no intercept and no baseline."""
        return np.zeros(0)

    def take(self, index: Indices) -> Cox:
        """Return some rows."""
        return Cox(self.entry[index], self.time[index], self.event[index], self.people[index])

    def partial(self, eta: Floats, slope: Floats) -> tuple[Evaluation, Floats]:
        """Return the partial likelihood by the parameters, and its slope by eta.

        Parameters
        ----------
        eta : (n,) float64
            Linear predictors.
        slope : (n, p) float64
            Their slopes by the parameters; second derivatives of eta are added by the caller.

        Returns
        -------
        Evaluation
            Value, gradient (p,) and second derivatives (p, p) for eta linear in the parameters.
        (n,) float64
            Slope by eta.
        """
        p = slope.shape[1]
        top = float(eta.max())
        w = np.exp(eta - top)
        moments = np.column_stack(
            [w, w[:, None] * slope, (w[:, None, None] * slope[:, :, None] * slope[:, None, :])
             .reshape(self.n, p * p)]
        )  # fmt: skip
        times, of_event = np.unique(self.time[self.event], return_inverse=True)
        at_risk = _above(self.time, moments, times) - _above(self.entry, moments, times)
        tied = np.zeros((times.size, moments.shape[1]))
        np.add.at(tied, of_event, moments[self.event])
        counts = np.bincount(of_event, minlength=times.size)
        which = np.repeat(np.arange(times.size), counts)
        share = (np.arange(which.size) - np.repeat(np.cumsum(counts) - counts, counts)) / counts[
            which
        ]
        sums = at_risk[which] - share[:, None] * tied[which]
        total = sums[:, 0]
        mean = sums[:, 1 : p + 1] / total[:, None]
        second = sums[:, p + 1 :].reshape(which.size, p, p) / total[:, None, None]
        value = float(eta[self.event].sum() - (np.log(total) + top).sum())
        gradient = slope[self.event].sum(axis=0) - mean.sum(axis=0)
        hessian = np.einsum("ei,ej->ij", mean, mean) - second.sum(axis=0)
        own = self._by_eta(w, times, which, share, total)
        return Evaluation(value, gradient, hessian), own

    def _by_eta(
        self, w: Floats, times: Floats, which: Indices, share: Floats, total: Floats
    ) -> Floats:
        """Return d - w_i (what each row adds to the sums of events while it is at risk)."""
        whole = np.bincount(which, weights=1.0 / total, minlength=times.size)
        part = np.bincount(which, weights=share / total, minlength=times.size)
        until = np.concatenate([[0.0], np.cumsum(whole)])
        summed = until[np.searchsorted(times, self.time, side="right")]
        summed = summed - until[np.searchsorted(times, self.entry, side="right")]
        tied = np.where(self.event, part[np.minimum(
            np.searchsorted(times, self.time, side="left"), times.size - 1)], 0.0)  # fmt: skip
        return np.asarray(self.event - w * (summed - tied), dtype=np.float64)

    def recession(self, design: Floats) -> tuple[Matrix, Matrix]:
        """Return what a direction must obey along which the partial likelihood does not fall.

        At every event the own predictor is the largest of those at risk. Where all entered at
        once, the largest of later events stands for all later rows; with delayed entry every pair
        has its row, and more than 200 000 pairs are not looked at.
        """
        c = design.shape[1]
        times, of_event = np.unique(self.time[self.event], return_inverse=True)
        k = times.size
        if np.ptp(self.entry) > 0:
            e, j = np.nonzero(
                (self.entry[None, :] < self.time[self.event][:, None])
                & (self.time[None, :] >= self.time[self.event][:, None])
            )
            pairs = design[self.event][e] - design[j]
            few = pairs.shape[0] <= _MOST_PAIRS
            return (pairs if few else pairs[:0]), np.zeros((0, c))
        unit = eye_array(k, format="csr")
        last = np.searchsorted(times, self.time, side="right") - 1
        at_risk = last >= 0
        below = hstack([csr_array(-design[at_risk]), unit[last[at_risk]]])
        chain = hstack([csr_array((k - 1, c)), unit[:-1] - unit[1:]])
        equal = hstack([csr_array(design[self.event]), -unit[of_event]])
        return vstack([below, chain], format="csr"), csr_array(equal)

    def breslow(self, eta: Floats) -> tuple[Floats, Floats]:
        """Return the times of events and the cumulative baseline hazard there (Breslow)."""
        times, of_event = np.unique(self.time[self.event], return_inverse=True)
        w = np.exp(eta)[:, None]
        at_risk = _above(self.time, w, times) - _above(self.entry, w, times)
        return times, np.cumsum(np.bincount(of_event) / at_risk[:, 0])


def _above(values: Floats, weights: Floats, limits: Floats) -> Floats:
    """Return the sums of the rows of `weights` whose value is at least each limit."""
    order = np.argsort(values, kind="stable")
    sums = np.vstack([np.cumsum(weights[order][::-1], axis=0)[::-1], np.zeros(weights.shape[1])])
    place = np.searchsorted(values[order], limits, side="left")
    return np.asarray(sums[place])
