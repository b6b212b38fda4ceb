"""Which column is the axis of trajectories, and which one the groups."""

from __future__ import annotations

import numpy as np

from statera.biomarker.design import Factor
from statera.biomarker.sample_table import SampleColumns
from statera.plot.trajectories import Trajectories

__all__ = ["trajectories_of"]

_MOST_VISITS = 12


def trajectories_of(samples: SampleColumns) -> Trajectories | None:
    """Return where samples stand, or None where no column can be the axis.

    The axis is the first column that changes within subjects, else the first one; the groups are
    the first factor beside it. A column of many numbers is no axis.
    """
    usable = {
        name: column
        for name, column in samples.columns.items()
        if isinstance(column, Factor) or np.unique(column).size <= _MOST_VISITS
    }
    if not usable:
        return None
    labels = {
        name: column.labels if isinstance(column, Factor) else tuple(f"{v:g}" for v in column)
        for name, column in usable.items()
    }
    people = samples.subject
    within = [
        name
        for name, own in labels.items()
        if people and len(set(zip(people, own, strict=True))) > len(set(people))
    ]
    axis = (within or list(usable))[0]
    column = usable[axis]
    others = [n for n, c in usable.items() if n != axis and isinstance(c, Factor)]
    group: tuple[str, ...] = labels[others[0]] if others else ("all",) * len(labels[axis])
    if isinstance(column, Factor):
        place = {level: float(i) for i, level in enumerate(column.levels)}
        position = np.array([place[label] for label in column.labels])
        ticks = tuple((x, level) for level, x in place.items())
    else:
        position = column
        ticks = tuple((float(x), f"{x:g}") for x in np.unique(column))
    levels = samples.columns[others[0]] if others else None
    groups = levels.levels if isinstance(levels, Factor) else ("all",)
    return Trajectories(position, ticks, group, people, axis, groups)
