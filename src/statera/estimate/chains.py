"""The same subjects several times over, so that one call solves several chains or samples."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.estimate.individual import Individuals
from statera.estimate.observations import Observations
from statera.estimate.terms import GAUSS, terms
from statera.simulate import Prepared
from statera.simulate.segments import Segments, lay_out

__all__ = ["Draw", "Likelihood", "tile", "tile_prepared"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def _shifted(values: Ints, copies: int, by: int) -> Ints:
    """Return indices repeated, those of copy c moved on by ``c * by``."""
    moves = by * np.arange(copies, dtype=np.int64)
    return np.asarray((values[None, :] + moves[:, None]).ravel(), dtype=np.int64)


def _tiled_events(events: EventTable, copies: int) -> EventTable:
    heads = _shifted(events.offsets[:-1], copies, int(events.offsets[-1]))
    return replace(
        events,
        offsets=np.append(heads, copies * int(events.offsets[-1])),
        time=np.tile(events.time, copies),
        evid=np.tile(events.evid, copies),
        amount=np.tile(events.amount, copies),
        rate=np.tile(events.rate, copies),
        interval=np.tile(events.interval, copies),
        additional=np.tile(events.additional, copies),
        steady_state=np.tile(events.steady_state, copies),
        key=np.tile(events.key, copies),
        row=np.tile(events.row, copies),
        subject_ids=events.subject_ids * copies,
        covariates={n: np.tile(v, copies) for n, v in events.covariates.items()},
    )


def _tiled_segments(segments: Segments, copies: int, n_groups: int) -> Segments:
    size = segments.subject.size
    return Segments(
        _shifted(segments.subject, copies, n_groups),
        _shifted(segments.start, copies, size),
        _shifted(segments.during, copies, size),
        _shifted(segments.at, copies, size),
        {name: np.tile(values, copies) for name, values in segments.covariates.items()},
    )


def tile_prepared(of: Prepared, copies: int) -> Prepared:
    """Return the records of all subjects repeated, see `tile`."""
    out = copy.copy(of)
    n, size = of.n_subjects, of.system_subject.size
    out.events = _tiled_events(of.events, copies)
    out.segments = _tiled_segments(of.segments, copies, n)
    out.layout = lay_out(out.events, n * copies, out.segments)
    out.system_subject = out.segments.subject
    out.occasion = np.tile(of.occasion, copies)
    out.row_subject = _shifted(of.row_subject, copies, n)
    out.row_system = _shifted(of.row_system, copies, size)
    out.row_time = np.tile(of.row_time, copies)
    out.row_start = np.searchsorted(out.row_subject, np.arange(n * copies + 1))
    out.solver = copy.copy(of.solver)  # it remembers which subjects are stiff
    return out


def _tiled_observations(of: Observations, prepared: Prepared, copies: int) -> Observations:
    out = copy.copy(of)
    n_rows = of.of.row_subject.size
    out.of = prepared
    out.row = _shifted(of.row, copies, n_rows)
    out.count = of.count * copies
    out.places = [_shifted(place, copies, of.count) for place in of.places]
    out.groups = []
    for group in of.groups:
        more = copy.copy(group)
        more.rows = _shifted(group.rows, copies, n_rows)
        more.extra = {name: np.tile(values, copies) for name, values in group.extra.items()}
        out.groups.append(more)
    return out


def tile(individuals: Individuals, copies: int) -> Individuals:
    """Return all subjects repeated: subject i of copy c is number ``c * n_subjects + i``.

    Compiled formulas are shared with the original, so that a copy costs its arrays only.
    """
    if copies == 1:
        return individuals
    prepared = tile_prepared(individuals.prepared, copies)
    lower = individuals.lower
    return Individuals(
        prepared,
        _tiled_observations(individuals.observations, prepared, copies),
        np.tile(individuals.y, copies),
        np.tile(individuals.kind, copies),
        np.tile(individuals.limit, copies),
        lower=None if lower is None else np.tile(lower, copies),
        interaction=individuals.interaction,
        share=None if individuals.share is None else individuals.share.tiled(copies),
    )


class Draw:
    """Random effects of all chains with what follows from them.

    Attributes
    ----------
    etas : (n_subjects, n_etas) float64
    value : (n_subjects,) float64
        -2 log-likelihood of the data; infinite where a subject cannot be solved.
    x : (n_rows, n_states) float64
        States at observations.
    """

    def __init__(self, etas: Floats, value: Floats, x: Floats) -> None:
        self.etas, self.value, self.x = etas, value, x

    def take(self, other: Draw, where: Mask, rows: Mask) -> None:
        """Replace subjects by those of another draw.

        Parameters
        ----------
        where : (n_subjects,) bool
        rows : (n_rows,) bool
            The same for each row of states.
        """
        np.copyto(self.etas, other.etas, where=where[:, None])
        np.copyto(self.value, other.value, where=where)
        np.copyto(self.x, other.x, where=rows[:, None])


class Likelihood:
    """-2 log-likelihood of the data given random effects, and no derivatives: for samplers."""

    def __init__(self, of: Individuals) -> None:
        self.of = of
        self.gauss = bool((of.kind == GAUSS).all())
        prepared = of.prepared
        n = prepared.n_subjects
        self.plain = not prepared.columns.occasion_etas and np.array_equal(
            prepared.system_subject, np.arange(n)
        )

    def at(self, theta: Floats, etas: Floats, active: Mask | None = None) -> Draw:
        """Return the draw at random effects, (n_subjects, n_etas).

        Parameters
        ----------
        active : (n_subjects,) bool, optional
            Subjects to solve; the values of others are infinite.
        """
        x, _ = self.of.prepared.states(theta, etas, active)
        return Draw(etas, self.value(theta, etas, x)[0], x)

    def _system_values(self, theta: Floats, etas: Floats) -> dict[str, Floats | float]:
        """Return `Prepared.system_values`, without copies where rows of parameters are subjects."""
        prepared = self.of.prepared
        if not self.plain:
            return prepared.system_values(theta, etas)
        columns = prepared.columns
        values: dict[str, Floats | float] = dict(
            zip(columns.parameters, theta.tolist(), strict=True)
        )
        values.update(zip(columns.subject_etas, etas.T, strict=True))
        values.update(prepared.segments.covariates)
        return values

    def value(self, theta: Floats, etas: Floats, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Return -2 log-likelihood by subject, predictions and variances from known states."""
        of = self.of
        f, v = of.observations.predict(x, self._system_values(theta, etas))
        with np.errstate(all="ignore"):
            if self.gauss:
                r = of.y - f
                rows = np.log(v) + r * r / v
            else:
                rows = terms(of.y, f, v, of.kind, of.limit, of.lower).value
        found = of.total(of.added(rows))
        return np.where(np.isfinite(found), found, np.inf), f, v
