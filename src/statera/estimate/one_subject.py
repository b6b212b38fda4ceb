"""The objective of one subject, by formulas of plain numbers where the model is linear.

The same quantities as `statera.estimate.individual`, at a tenth of the cost for one subject: its
arrays hold so few numbers that the calls would cost more than the arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from statera.estimate.individual import Individuals
from statera.estimate.observations import DV, TAD, ObservationFormulas
from statera.estimate.terms import ABOVE, BELOW, GAUSS, Terms, terms
from statera.numerics.scalar import SCALAR_ERRORS
from statera.simulate.gradient_second import all_pairs
from statera.simulate.prepared_single import SingleStates
from statera.simulate.prepared_solvers import LinearSolver

__all__ = ["OneSubject", "Point", "one_subject"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST_ROWS = 60
"""Observations beyond which arrays are cheaper than numbers one by one."""
_LOG_ROOT_2PI = 0.9189385332046727


@dataclass(frozen=True)
class Point:
    """-2 log-likelihood at some random effects, with derivatives.

    Attributes
    ----------
    value
        Infinite where the subject cannot be solved.
    gradient : (n_etas,) float64
    curvature : (n_etas, n_etas) float64
        Second derivatives: exact ones where asked for, else expected ones.
    expected : (n_etas, n_etas) float64
        Expected second derivatives.
    f : (n_obs,) float64
        Predictions on the scale of the residual error.
    """

    value: float
    gradient: Floats
    curvature: Floats
    expected: Floats
    f: Floats


class OneSubject:
    """-2 log-likelihood of one subject as a function of its random effects."""

    def __init__(self, of: Individuals, theta: Floats) -> None:
        self.of, self.theta = of, theta
        self.n_etas = of.n_etas
        self.evaluations = 0

    @property
    def bends(self) -> bool:
        """Whether exact second derivatives cost little more than first ones."""
        return False

    def point(self, etas: Floats, *, exact: bool = False) -> Point:
        """Return value, gradient and curvature; the exact curvature where asked for."""
        self.evaluations += 1
        of, rows = self.of, etas[None, :]
        with np.errstate(all="ignore"):
            e = of.evaluate(self.theta, rows, by_parameters=False)
            value = float(of.total(e.terms.value)[0])
            gradient = of.gradient(e)[0]
            curvature = expected = 2.0 * of.expected(e, 0)[0]
            if exact:
                second = of.second(self.theta, rows, by_parameters=False)
                curvature = of.exact(e, second, 0)[0]
        good = e.statuses[0] == 0 and np.isfinite(gradient).all() and np.isfinite(curvature).all()
        value = value if good and math.isfinite(value) else math.inf
        return Point(value, gradient, curvature, expected, e.f)


class _LeanSubject(OneSubject):
    """The same by formulas of numbers: all of them where the model is linear.

    Of a model that is integrated, those of the observations.
    """

    def __init__(self, of: Individuals, theta: Floats) -> None:
        super().__init__(of, theta)
        prepared = of.prepared
        self.prepared = prepared
        self._states: dict[bool, SingleStates] = {}
        self.linear = isinstance(prepared.solver, LinearSolver)
        columns = prepared.columns
        head = [float(x) for x in theta]
        names = list(prepared.model.random_effects)
        self.systems: list[tuple[list[float], list[int], list[float]]] = []
        for s in range(prepared.system_subject.size):
            here = prepared.occasion[s : s + 1]
            places = [
                int(np.asarray(columns.of(n, here)).ravel()[0]) - columns.n_parameters
                for n in names
            ]
            tail = [float(prepared.segments.covariates[c][s]) for c in prepared.model.covariates]
            self.systems.append((head, places, tail))
        self.groups = [
            _Group(of, k, self.systems) for k in range(len(of.observations.groups))
            if of.observations.places[k].size
        ]  # fmt: skip
        self.simple = bool(np.isin(of.kind, (GAUSS, BELOW, ABOVE)).all()) and of.share is None

    @property
    def bends(self) -> bool:
        return self.linear

    def point(self, etas: Floats, *, exact: bool = False) -> Point:
        if exact and not self.linear and not self.prepared.can_bend:
            return super().point(etas, exact=exact)
        try:
            return self._point(etas, exact=exact)
        except SCALAR_ERRORS:
            return super().point(etas, exact=exact)

    def _point(self, etas: Floats, *, exact: bool) -> Point:
        self.evaluations += 1
        q, numbers = self.n_etas, etas.tolist()
        values = [[*head, *(numbers[i] for i in at), *tail] for head, at, tail in self.systems]
        if self.linear:
            if exact not in self._states:
                self._states[exact] = SingleStates(self.prepared, second=exact)
            x, dx, good = self._states[exact](values)
        else:
            x, dx, good = self._integrated(etas, exact=exact)
        n = self.of.y.size
        f, v = [0.0] * n, [0.0] * n
        slopes = np.zeros((2, n, q))
        bends = np.zeros((2, n, q, q)) if exact else None
        for group in self.groups:
            group.fill(values, x, dx, f, v, slopes, bends)
        found = self._terms(f, v)
        return self._assembled(found, np.array(f), slopes, bends, good=good)

    def _integrated(self, etas: Floats, *, exact: bool) -> tuple[Floats, Floats, bool]:
        """Return states and their derivatives by random effects, then by pairs of them."""
        rows = etas[None, :]
        if not exact:
            x, dx, statuses = self.prepared.slopes(self.theta, rows, by_parameters=False)
            return x, dx, bool(statuses[0] == 0)
        x, dx, ddx, statuses = self.prepared.bends(self.theta, rows)
        pairs, first = all_pairs(self.n_etas), self.of.n_theta
        second = ddx[:, :, pairs.one, first + pairs.two]
        return x, np.concatenate([dx[:, :, first:], second], axis=2), bool(statuses[0] == 0)

    def _terms(self, f: list[float], v: list[float]) -> tuple[Floats, Floats | None]:
        """Return value and derivatives of each observation, (8, n_obs), and shares."""
        of = self.of
        if self.simple:
            kinds, limits = of.kind.tolist(), of.limit.tolist()
            rows = zip(of.y.tolist(), f, v, kinds, limits, strict=True)
            return np.array([_term(*row) for row in rows]).reshape(-1, 8).T, None
        found: Terms = terms(of.y, np.array(f), np.array(v), of.kind, of.limit, of.lower)
        share = None
        if of.share is not None:
            found, share = of.share.terms(found)
        listed = (found.value, found.f, found.v, found.curve_f, found.curve_v,
                  found.ff, found.fv, found.vv)  # fmt: skip
        return np.array(listed), share

    def _assembled(
        self, found: tuple[Floats, Floats | None], f: Floats, slopes: Floats, bends: Floats | None,
        *, good: bool,
    ) -> Point:  # fmt: skip
        (value, by_f, by_v, curve_f, curve_v, ff, fv, vv), share = found
        a, c = slopes
        total = float(value.sum())
        gradient: Floats = by_f @ a + by_v @ c
        expected: Floats = 2.0 * ((a.T * curve_f) @ a + (c.T * curve_v) @ c)
        curvature = expected
        if bends is not None:
            cross = (a.T * fv) @ c
            curvature = (a.T * ff) @ a + cross + cross.T + (c.T * vv) @ c
            n = by_f.size
            curvature += (by_f @ bends[0].reshape(n, -1)).reshape(curvature.shape)
            curvature += (by_v @ bends[1].reshape(n, -1)).reshape(curvature.shape)
            if share is not None and self.of.share is not None and self.of.share.alternatives:
                own = by_f[:, None] * a + by_v[:, None] * c
                curvature += self.of.share.spread(own, share).sum(axis=0)
        good = good and math.isfinite(total) and bool(np.isfinite(gradient).all())
        good = good and bool(np.isfinite(curvature).all())
        return Point(total if good else math.inf, gradient, curvature, expected, f)


class _Group:
    """Observations of one kind: prediction, variance and derivatives, row by row."""

    def __init__(
        self, of: Individuals, kind: int, systems: Sequence[tuple[list[float], list[int], object]]
    ) -> None:
        observations, prepared = of.observations, of.prepared
        group = observations.groups[kind]
        self.formulas: ObservationFormulas = group.formulas
        self.place = observations.places[kind].tolist()
        self.rows: Ints = group.rows
        self.system = prepared.row_system[group.rows].tolist()
        self.tails = list(
            zip(
                prepared.row_time[group.rows].tolist(), group.extra[TAD].tolist(),
                group.extra[DV].tolist(), strict=True,
            )
        )  # fmt: skip
        held, states = self.formulas.held, prepared.model.states
        effects = list(prepared.model.random_effects)
        inside = [h for h, name in enumerate(held) if name in states]
        self.inside = np.array(inside, dtype=np.int64)
        self.states = np.array([states.index(held[h]) for h in inside], dtype=np.int64)
        self.pairs = all_pairs(of.n_etas)
        self.off = self.pairs.one != self.pairs.two
        # derivatives of what the formulas hold by random effects; those of states come with them
        self.z = np.zeros((len(self.place), len(held), of.n_etas))
        for h, name in enumerate(held):
            if name not in states:
                for r, system in enumerate(self.system):
                    self.z[r, h, systems[system][1][effects.index(name)]] = 1.0

    def fill(
        self, values: list[list[float]], x: Floats, dx: Floats, f: list[float], v: list[float],
        slopes: Floats, bends: Floats | None,
    ) -> None:  # fmt: skip
        """Write what belongs to this kind."""
        numbers = self.formulas.of_numbers(second=bends is not None)
        function, found, q = numbers.function, [], slopes.shape[2]
        held = x[self.rows].tolist()
        for place, here, system, tail in zip(
            self.place, held, self.system, self.tails, strict=True
        ):
            line = function([*here, *values[system], *tail])
            f[place], v[place] = line[0], line[1]
            line.append(0.0)
            found.append(line)
        table = np.array(found, dtype=np.float64)
        outer = table[:, numbers.first]  # (n_rows, 2, n_held)
        moved = dx[self.rows[:, None], self.states]
        z = self.z.copy()
        z[:, self.inside] = moved[:, :, :q]
        slopes[:, self.place] = (outer @ z).transpose(1, 0, 2)
        if bends is None:
            return
        pairs, off = self.pairs, self.off
        curved = outer[:, :, self.inside] @ moved[:, :, q:]
        z = z[:, None]
        bent = z.transpose(0, 1, 3, 2) @ (table[:, numbers.second] @ z)
        bent[:, :, pairs.one, pairs.two] += curved
        bent[:, :, pairs.two[off], pairs.one[off]] += curved[:, :, off]
        bends[:, self.place] = bent.transpose(1, 0, 2, 3)


def _term(y: float, f: float, v: float, kind: int, limit: float) -> tuple[float, ...]:
    """Return value, f, v, curve_f, curve_v, ff, fv and vv of `statera.estimate.terms`."""
    if kind == GAUSS:
        r, w = y - f, 1.0 / v
        rw = r * w
        return (
            math.log(v) + r * rw, -2.0 * rw, w - rw * rw, w, 0.5 * w * w,
            2.0 * w, 2.0 * rw * w, w * w * (2.0 * r * rw - 1.0),
        )  # fmt: skip
    sign = 1.0 if kind == BELOW else -1.0
    sd = math.sqrt(v)
    z = sign * (limit - f) / sd
    log_phi = float(log_ndtr(z))
    hazard = math.exp(-0.5 * z * z - _LOG_ROOT_2PI - log_phi)
    bend = -hazard * (hazard + z)
    z_f, z_v = -sign / sd, -0.5 * z / v
    z_fv, z_vv = 0.5 * sign / (sd * v), 0.75 * z / (v * v)
    return (
        -2.0 * log_phi, -2.0 * hazard * z_f, -2.0 * hazard * z_v, -bend / v, 0.0,
        -2.0 * bend * z_f * z_f, -2.0 * (bend * z_f * z_v + hazard * z_fv),
        -2.0 * (bend * z_v * z_v + hazard * z_vv),
    )  # fmt: skip


def one_subject(of: Individuals, theta: Floats) -> OneSubject:
    """Return the objective of the only subject, by the cheapest way there is for its model."""
    lean = (
        of.n_subjects == 1
        and of.interaction
        and of.y.size <= _MOST_ROWS
        and of.prepared.system_subject.size <= _MOST_ROWS
    )
    return _LeanSubject(of, theta) if lean else OneSubject(of, theta)
