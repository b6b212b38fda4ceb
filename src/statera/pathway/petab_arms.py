"""Which simulations a part of a PEtab problem needs: each different one once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.pathway.petab_conditions import Condition
from statera.pathway.petab_mapping import Ints, Source, Sources, resolve_condition
from statera.pathway.petab_problem import PetabPart

__all__ = ["Arm", "Arms", "find_arms"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Arm:
    """A simulation or pre-equilibration, told apart by what it computes.

    Attributes
    ----------
    parameters
        Where each parameter of the model comes from; 0 for those that no equation holds.
    overrides
        States whose start the condition sets.
    before
        Number of the pre-equilibration that it starts from; -1 for none.
    start
        Time of the start.
    """

    parameters: tuple[Source, ...]
    overrides: tuple[tuple[str, Source], ...]
    before: int = -1
    start: float = 0.0


@dataclass(frozen=True)
class Arms:
    """All simulations of a part, and where its measurements find their states.

    Attributes
    ----------
    before, arms
        Pre-equilibrations and simulations.
    labels
        Conditions of one measurement of each simulation, to show.
    times
        Times of each simulation, ascending.
    timed, steady : int64
        Simulations with times, and those whose steady state was measured.
    of_point : (n_points,) int64
        Simulation of every point: times of all simulations one after the other, then steady
        states.
    point : (n_measurements,) int64
        Point of every measurement.
    """

    before: tuple[Arm, ...]
    arms: tuple[Arm, ...]
    labels: tuple[str, ...]
    times: tuple[Floats, ...]
    timed: Ints
    steady: Ints
    of_point: Ints
    point: Ints


def find_arms(
    part: PetabPart,
    sources: Sources,
    states: Sequence[str],
    parameters: Sequence[str],
    dynamic: frozenset[str],
    starting: Mapping[str, frozenset[str]],
) -> Arms:
    """Find the simulations of a part.

    Parameters
    ----------
    part
        Model and data.
    sources
        What names stand for.
    states, parameters
        Names in the order of the model as it is solved.
    dynamic
        Parameters that rates and events hold.
    starting
        Parameters that the start of each state holds. They matter where the start is neither set
        by the condition nor taken from a pre-equilibration; no others tell simulations apart.
    """

    def arm(condition: Condition, before: int) -> Arm:
        given = sorted(n for n in condition.values if n in states)
        free = states if before < 0 else ()
        needed = dynamic.union(*(starting[n] for n in free if n not in given and n in starting))
        return Arm(
            tuple(
                resolve_condition(sources, condition, n) if n in needed else (-1, 0.0)
                for n in parameters
            ),
            tuple((n, resolve_condition(sources, condition, n)) for n in given),
            before,
            part.starts.get(condition.id, 0.0),
        )

    before: dict[Arm, int] = {}
    arms: dict[Arm, int] = {}
    labels: list[str] = []
    known: dict[tuple[str, str], int] = {}
    of_row = np.empty(len(part.measurements), dtype=np.int64)
    for row, m in enumerate(part.measurements):
        key = (m.preequilibration, m.condition)
        if key not in known:
            link = -1
            if m.preequilibration:
                earlier = arm(part.conditions[m.preequilibration], -1)
                link = before.setdefault(earlier, len(before))
            found = arm(part.conditions[m.condition], link)
            if found not in arms:
                arms[found] = len(arms)
                labels.append(" after ".join(filter(None, (m.condition, m.preequilibration))))
            known[key] = arms[found]
        of_row[row] = known[key]
    return _with_times(part, tuple(before), tuple(arms), tuple(labels), of_row)


def _with_times(
    part: PetabPart,
    before: tuple[Arm, ...],
    arms: tuple[Arm, ...],
    labels: tuple[str, ...],
    of_row: Ints,
) -> Arms:
    measured = np.array([m.time for m in part.measurements], dtype=np.float64)
    times: list[Floats] = []
    steady: list[int] = []
    of_point: list[int] = []
    point = np.empty(len(measured), dtype=np.int64)
    for arm in range(len(arms)):
        rows = np.flatnonzero((of_row == arm) & np.isfinite(measured))
        unique, place = np.unique(measured[rows], return_inverse=True)
        times.append(unique)
        point[rows] = len(of_point) + place
        of_point += [arm] * len(unique)
    for arm in range(len(arms)):
        rows = np.flatnonzero((of_row == arm) & np.isinf(measured))
        if len(rows):
            point[rows] = len(of_point)
            steady.append(arm)
            of_point.append(arm)
    return Arms(
        before,
        arms,
        labels,
        tuple(times),
        np.array([i for i, t in enumerate(times) if len(t)], dtype=np.int64),
        np.array(steady, dtype=np.int64),
        np.array(of_point, dtype=np.int64),
        point,
    )
