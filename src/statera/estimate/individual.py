"""The objective of every subject as a function of its random effects, with derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.estimate.observations import Observations
from statera.estimate.shares import Share
from statera.estimate.terms import Terms, terms
from statera.simulate import Prepared

__all__ = ["Curvature", "Evaluation", "Individuals", "Second"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


_PATH = 1e-5
"""Step along a random effect for the formulas of observations, which are exact to rounding."""


@dataclass(frozen=True)
class Evaluation:
    """Predictions at given parameters with their first derivatives.

    Attributes
    ----------
    f, v : (n_obs,) float64
        Prediction and residual variance.
    df, dv : (n_obs, n_columns) float64
        Derivatives by the columns asked for.
    terms
        See `statera.estimate.terms`.
    statuses : (n_subjects,) int64
        0 where the subject could be solved.
    share : (n_obs,) float64 or None
        Share of each observation in its sample, where several may stand for one.
    """

    f: Floats
    v: Floats
    df: Floats
    dv: Floats
    terms: Terms
    statuses: Ints
    share: Floats | None = None


@dataclass(frozen=True)
class Second:
    """Derivatives of first derivatives along each random effect.

    Attributes
    ----------
    ff, vv : (n_obs, n_etas, n_columns) float64
        Entry (j, k, m) is the derivative of ``df[j, m]`` (``dv[j, m]``) by random effect k.
    """

    ff: Floats
    vv: Floats


@dataclass(frozen=True)
class Curvature:
    """Second derivatives of -2 log-likelihood of the data given the random effects.

    Attributes
    ----------
    eta_eta : (n_subjects, n_etas, n_etas) float64
    eta_theta : (n_subjects, n_etas, n_theta) float64
    """

    eta_eta: Floats
    eta_theta: Floats


class Individuals:
    """Data and model of all subjects.

    Parameters
    ----------
    prepared
        The model with its records.
    observations
        Formulas of the observations; sorted by subject.
    y : (n_obs,) float64
        Observed values on the scale of the residual error.
    kind : (n_obs,) int64
        Kinds of `statera.estimate.terms`.
    limit : (n_obs,) float64
        Limits of quantification where they count.
    lower : (n_obs,) float64, optional
        Lower ends of observations between two limits.
    interaction
        False: the residual variance is that of random effects 0.
    share
        Weights, and samples that several observations may stand for; None where there are none.
    """

    def __init__(
        self,
        prepared: Prepared,
        observations: Observations,
        y: Floats,
        kind: Ints,
        limit: Floats,
        *,
        lower: Floats | None = None,
        interaction: bool = True,
        share: Share | None = None,
    ) -> None:
        self.prepared = prepared
        self.share = share
        self.observations = observations
        self.y, self.kind, self.limit, self.lower = y, kind, limit, lower
        self.interaction = interaction
        self.subject = prepared.row_subject[observations.row]
        self.n_subjects = prepared.n_subjects
        self.n_etas = prepared.columns.n_etas
        self.n_theta = prepared.columns.n_parameters
        self.starts = np.searchsorted(self.subject, np.arange(self.n_subjects))
        self.counts = np.bincount(self.subject, minlength=self.n_subjects)
        self.filled = np.flatnonzero(self.counts > 0)
        self.step = 1e-4 if prepared.structure.linear is not None else 1e-3

    def total(self, rows: Floats) -> Floats:
        """Return sums over the observations of each subject, (n_subjects, ...)."""
        out = np.zeros((self.n_subjects, *rows.shape[1:]))
        if self.filled.size:
            out[self.filled] = np.add.reduceat(rows, self.starts[self.filled], axis=0)
        return out

    def added(self, value: Floats) -> Floats:
        """Return what each observation adds to -2 log-likelihood, from its `Terms.value`."""
        return value if self.share is None else self.share.split(value)[0]

    def values(
        self, theta: Floats, etas: Floats, active: Mask | None = None, frozen: Floats | None = None
    ) -> tuple[Floats, Floats, Ints]:
        """Return -2 log-likelihood by subject, predictions and statuses.

        Parameters
        ----------
        frozen : (n_obs,) float64, optional
            Variances that replace those of the model.
        """
        x, statuses = self.prepared.states(theta, etas, active)
        f, v = self.observations.predict(x, self.prepared.system_values(theta, etas))
        v = v if frozen is None else frozen
        found = self.total(self.added(terms(self.y, f, v, self.kind, self.limit, self.lower).value))
        bad = ~np.isfinite(found)
        return np.where(bad, np.inf, found), f, np.where(bad & (statuses == 0), 4, statuses)

    def frozen_variance(self, theta: Floats) -> tuple[Floats, Floats]:
        """Return variances at random effects 0 and their derivatives by fixed effects."""
        none = np.zeros((self.n_subjects, self.n_etas))
        found = self._raw(theta, none, True, None)
        return found[1], found[3][:, : self.n_theta]

    def _raw(
        self, theta: Floats, etas: Floats, by_parameters: bool, active: Mask | None
    ) -> tuple[Floats, Floats, Floats, Floats, Ints]:
        x, dx, statuses = self.prepared.slopes(
            theta, etas, by_parameters=by_parameters, active=active
        )
        first = 0 if by_parameters else self.n_theta
        values = self.prepared.system_values(theta, etas)
        return (*self.observations.differentiate(x, dx, values, first), statuses)

    def evaluate(
        self,
        theta: Floats,
        etas: Floats,
        *,
        by_parameters: bool,
        active: Mask | None = None,
        frozen: tuple[Floats, Floats] | None = None,
    ) -> Evaluation:
        """Return predictions with derivatives by all columns, or by random effects only."""
        f, v, df, dv, statuses = self._raw(theta, etas, by_parameters, active)
        if frozen is not None:
            v = frozen[0]
            dv = np.zeros_like(df)
            if by_parameters:
                dv[:, : self.n_theta] = frozen[1]
        found = terms(self.y, f, v, self.kind, self.limit, self.lower)
        if self.share is None:
            return Evaluation(f, v, df, dv, found, statuses)
        found, share = self.share.terms(found)
        return Evaluation(f, v, df, dv, found, statuses, share)

    def second(
        self,
        theta: Floats,
        etas: Floats,
        *,
        by_parameters: bool,
        active: Mask | None = None,
        frozen: bool = False,
    ) -> Second:
        """Return second derivatives.

        Those of the states are exact where the engine has them, and central differences of the
        exact first ones where parameters change within a subject. Those of the formulas of
        observations are central differences along the path of the states.
        """
        if by_parameters and self.prepared.can_bend and self.n_etas:
            return self._along_states(theta, etas, active, frozen=frozen)
        parts: list[tuple[Floats, Floats]] = []
        for k in range(self.n_etas):
            ends = []
            for sign in (1.0, -1.0):
                moved = etas.copy()
                moved[:, k] += sign * self.step
                _, _, df, dv, _ = self._raw(theta, moved, by_parameters, active)
                ends.append((df, dv))
            parts.append(
                (
                    (ends[0][0] - ends[1][0]) / (2.0 * self.step),
                    (ends[0][1] - ends[1][1]) / (2.0 * self.step),
                )
            )
        if not parts:
            shape = (self.y.size, 0, (self.n_theta if by_parameters else 0))
            return Second(np.zeros(shape), np.zeros(shape))
        ff = np.stack([p[0] for p in parts], axis=1)
        vv = np.zeros_like(ff) if frozen else np.stack([p[1] for p in parts], axis=1)
        return Second(ff, vv)

    def _along_states(
        self, theta: Floats, etas: Floats, active: Mask | None, *, frozen: bool
    ) -> Second:
        x, dx, ddx, _ = self.prepared.bends(theta, etas, active=active)
        shape = (self.y.size, self.n_etas, dx.shape[2])
        ff, vv = np.empty(shape), np.zeros(shape)
        for k in range(self.n_etas):
            ends = []
            for step in (_PATH, -_PATH):
                moved = etas.copy()
                moved[:, k] += step
                values = self.prepared.system_values(theta, moved)
                way = x + step * dx[:, :, self.n_theta + k]
                ends.append(
                    self.observations.differentiate(way, dx + step * ddx[:, :, k], values, 0)
                )
            ff[:, k] = (ends[0][2] - ends[1][2]) / (2.0 * _PATH)
            if not frozen:
                vv[:, k] = (ends[0][3] - ends[1][3]) / (2.0 * _PATH)
        return Second(ff, vv)

    def gradient(self, e: Evaluation) -> Floats:
        """Return derivatives of -2 log-likelihood, (n_subjects, n_columns)."""
        return self.total(e.terms.f[:, None] * e.df + e.terms.v[:, None] * e.dv)

    def expected(self, e: Evaluation, first: int) -> Floats:
        """Return half the expected second derivatives by random effects, (n, n_etas, n_etas).

        Parameters
        ----------
        first
            First column of `e` that is a random effect.
        """
        a, c = e.df[:, first:], e.dv[:, first:]
        rows = (e.terms.curve_f[:, None] * a)[:, :, None] * a[:, None, :]
        if c.any():
            rows = rows + (e.terms.curve_v[:, None] * c)[:, :, None] * c[:, None, :]
        return self.total(rows)

    def exact(self, e: Evaluation, s: Second, first: int) -> Floats:
        """Return second derivatives by random effect and column, (n, n_etas, n_columns)."""
        t = e.terms
        a, c = e.df[:, first:], e.dv[:, first:]
        push_f = t.ff[:, None] * e.df + t.fv[:, None] * e.dv
        push_v = t.fv[:, None] * e.df + t.vv[:, None] * e.dv
        rows = a[:, :, None] * push_f[:, None, :] + t.f[:, None, None] * s.ff
        rows += c[:, :, None] * push_v[:, None, :] + t.v[:, None, None] * s.vv
        if e.share is not None and self.share is not None and self.share.alternatives:
            slopes = t.f[:, None] * e.df + t.v[:, None] * e.dv
            rows += self.share.spread(slopes, e.share)[:, first:]
        return self.total(rows)
