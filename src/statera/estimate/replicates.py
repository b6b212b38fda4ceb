"""Data simulated from a fit under the design of its own data."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, UsageError
from statera.estimate.mixture import drawn_subpopulations
from statera.estimate.observations import Observations
from statera.estimate.result import FitResult
from statera.estimate.rows import Rows, rows_of
from statera.numerics.streams import stream

__all__ = ["Replicates", "simulate_replicates"]

Floats = NDArray[np.float64]

_MOST_VALUES = 300_000_000
_MOST_LEVELS = 20


@dataclass(frozen=True)
class Replicates:
    """Simulated observations.

    Attributes
    ----------
    y : (n, n_obs) float64
        On the scale of the residual error (ln DV where that is log-normal); the level for
        outcomes with a likelihood. NaN where a subject could not be solved.
    failed : (n,) int64
        Subjects of each replicate that could not be solved.
    seed
    """

    y: Floats
    failed: NDArray[np.int64]
    seed: int

    @property
    def count(self) -> int:
        """Number of replicates."""
        return int(self.y.shape[0])

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader must know."""
        lost = int(self.failed.sum())
        if lost == 0:
            return ()
        return (
            f"{lost} simulated subjects over {self.count} replicates could not be solved; "
            "their values are left out",
        )


def simulate_replicates(
    result: FitResult,
    n: int,
    seed: int,
    *,
    levels: Mapping[str, Sequence[float]] | None = None,
    rows: Rows | None = None,
) -> Replicates:
    """Simulate the data set `n` times.

    Random effects are drawn from Omega, residual errors from the model's variance at them. The
    uncertainty of the estimates is not in it.

    Parameters
    ----------
    n
        Replicates; the first k do not depend on it.
    seed
        Of the random streams.
    levels
        Values that an outcome with a likelihood can take, by its name; by default those observed.

    Raises
    ------
    UsageError
        If so many values do not fit into memory, or there is no replicate.
    InputError
        If the probabilities of the levels of an outcome do not add up to 1.
    """
    problem = result.problem
    of = problem.individuals
    rows = rows or rows_of(problem)
    if n < 1 or n * rows.count > _MOST_VALUES:
        raise UsageError(
            f"{n} replicates of {rows.count} observations cannot be held",
            where="n",
            hint=f"Take 1 to {max(1, _MOST_VALUES // max(rows.count, 1))} replicates.",
        )
    covariance = problem.omega.expand(result.omega)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.clip(values, 0.0, None)) @ vectors.T
    effects, errors = stream(seed, "replicate effects"), stream(seed, "replicate errors")
    outcomes = _outcomes(rows, of.observations, levels or {})
    y = np.empty((n, rows.count))
    failed = np.zeros(n, dtype=np.int64)
    chosen = drawn_subpopulations(problem, result.theta, seed)
    for k in range(n):
        etas = effects.standard_normal((of.n_subjects, of.n_etas)) @ root
        noise = errors.standard_normal(rows.count)
        uniform = errors.random(rows.count) if outcomes else noise
        if chosen is not None:
            of = chosen(k)
        x, statuses = of.prepared.states(result.theta, etas)
        held = of.prepared.system_values(result.theta, etas)
        f, v = of.observations.predict(x, held)
        with np.errstate(all="ignore"):
            y[k] = f + np.sqrt(v) * noise
        for outcome in outcomes:
            y[k, outcome.place] = outcome.draw(x, held, uniform, first=k == 0)
        y[k, statuses[rows.subject] != 0] = np.nan
        failed[k] = int((statuses != 0).sum())
    return Replicates(y, failed, seed)


class _Outcome:
    """An observed outcome with a likelihood of its own and a known set of levels."""

    def __init__(self, name: str, kind: int, observations: Observations, levels: Sequence[float]):
        self.name = name
        self.place = observations.places[kind]
        self.levels = np.array(sorted(levels), dtype=np.float64)
        self._at: list[Observations] = []
        for level in self.levels:
            # the same formulas, asked for the log-likelihood of another level
            moved = copy.copy(observations)
            group = copy.copy(observations.groups[kind])
            group.extra = {**group.extra, "DV": np.full(self.place.size, level)}
            moved.groups = [group]
            moved.places = [np.arange(self.place.size)]
            moved.count = self.place.size
            self._at.append(moved)

    def draw(
        self, x: Floats, held: dict[str, Floats | float], uniform: Floats, *, first: bool
    ) -> Floats:
        with np.errstate(all="ignore"):
            p = np.exp(np.stack([o.predict(x, held)[0] for o in self._at]))
        total = p.sum(axis=0)
        if first and np.nanmax(np.abs(total - 1.0)) > 1e-4:
            raise InputError(
                f"the probabilities of the levels of {self.name} add up to "
                f"{float(np.nanmin(total)):.4g} to {float(np.nanmax(total)):.4g}, not to 1",
                where="levels",
                hint=f"Give all values that {self.name} can take: "
                f"levels={{'{self.name}': [0, 1, 2]}}.",
            )
        below = np.cumsum(p, axis=0) / total
        index = (uniform[self.place] >= below).sum(axis=0)
        return np.asarray(self.levels[np.minimum(index, self.levels.size - 1)], dtype=np.float64)


def _outcomes(
    rows: Rows, observations: Observations, levels: Mapping[str, Sequence[float]]
) -> list[_Outcome]:
    found = []
    for kind, name in enumerate(rows.outputs):
        place = observations.places[kind]
        if place.size == 0 or not rows.likelihood[place].all():
            continue
        seen = np.unique(rows.dv[place])
        given = levels.get(name)
        if given is None and seen.size > _MOST_LEVELS:
            raise UsageError(
                f"{name} takes {seen.size} values: it is not simulated as a category",
                where="levels",
                hint=f"Give the values it can take: levels={{'{name}': range(200)}}.",
            )
        found.append(_Outcome(name, kind, observations, list(seen if given is None else given)))
    return found
