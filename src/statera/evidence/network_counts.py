"""Events by arm of a network of trials, and what can be told from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from statera.errors import InputError

__all__ = [
    "ArmCounts",
    "arm_counts",
    "check_estimable",
    "informative_studies",
    "parts_of_counts",
    "studies_by_pair_of_counts",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ArmCounts:
    """Events by arm; the arms of a study stand together.

    Attributes
    ----------
    treatments, studies
        Names; treatments in alphabetical order, studies as given.
    study, treatment : (arms,) int64
        Of each arm, as positions.
    events, size : (arms,) float64
        Events, and persons or person-time.
    rates
        True where `size` is person-time.
    notes
        What was left out, as sentences.
    """

    treatments: tuple[str, ...]
    studies: tuple[str, ...]
    study: Ints
    treatment: Ints
    events: Floats
    size: Floats
    rates: bool = False
    notes: tuple[str, ...] = ()

    @property
    def measure(self) -> str:
        """The ratio that these counts lead to: OR, or IRR of rates."""
        return "IRR" if self.rates else "OR"

    @property
    def without(self) -> Floats:
        """(arms,) persons without the event; the person-time of rates."""
        return self.size if self.rates else self.size - self.events

    def of_studies(self) -> list[Ints]:
        """Return the rows of each study."""
        return [np.flatnonzero(self.study == s) for s in range(len(self.studies))]

    def take(self, keep: NDArray[np.bool_], notes: Sequence[str] = ()) -> ArmCounts:
        """Return the arms where `keep` is true, without names that no arm bears any more."""
        studies = [s for s in range(len(self.studies)) if keep[self.study == s].any()]
        treatments = [t for t in range(len(self.treatments)) if keep[self.treatment == t].any()]
        place_s = {s: i for i, s in enumerate(studies)}
        place_t = {t: i for i, t in enumerate(treatments)}
        return replace(
            self,
            treatments=tuple(self.treatments[t] for t in treatments),
            studies=tuple(self.studies[s] for s in studies),
            study=np.array([place_s[s] for s in self.study[keep].tolist()], dtype=np.int64),
            treatment=np.array([place_t[t] for t in self.treatment[keep].tolist()], dtype=np.int64),
            events=self.events[keep],
            size=self.size[keep],
            notes=(*self.notes, *notes),
        )


def arm_counts(
    studies: Sequence[str],
    treatments: Sequence[str],
    events: ArrayLike,
    size: ArrayLike,
    *,
    rates: bool = False,
) -> ArmCounts:
    """Build counts from one row an arm.

    Parameters
    ----------
    events, size : (arms,)
        Events, and persons, or person-time where `rates` is true.

    Raises
    ------
    InputError
        For lengths that differ, a count that cannot be, a study with one arm, or a treatment
        twice in a study.
    """
    count, total = np.asarray(events, dtype=np.float64), np.asarray(size, dtype=np.float64)
    lengths = {len(studies), len(treatments), count.size, total.size}
    if len(lengths) != 1 or count.size == 0:
        raise InputError(
            f"studies, treatments, events and sizes have lengths {sorted(lengths)}",
            where="network",
            hint="Give one study, treatment, number of events and size an arm.",
        )
    good = (count >= 0) & (total > 0) & (rates | (count <= total)) & np.isfinite(total)
    if not bool(good.all()):
        row = int(np.flatnonzero(~good)[0])
        unit = "person-time" if rates else "patients"
        raise InputError(
            f"{count[row]:g} events of {total[row]:g} {unit} on {treatments[row]} cannot be",
            where=f"study {studies[row]}",
            hint="Check the counts of this arm.",
        )
    names, trials = tuple(sorted(set(treatments))), tuple(dict.fromkeys(studies))
    place = {name: i for i, name in enumerate(trials)}
    study = np.array([place[s] for s in studies], dtype=np.int64)
    order = np.argsort(study, kind="stable")
    treatment = np.array([names.index(t) for t in treatments], dtype=np.int64)
    made = ArmCounts(
        names, trials, study[order], treatment[order], count[order], total[order], rates
    )
    for rows in made.of_studies():
        _check_arms(made, rows)
    return made


def _check_arms(counts: ArmCounts, rows: Ints) -> None:
    name = counts.studies[int(counts.study[rows[0]])]
    if rows.size < 2:
        raise InputError(
            "a study with one arm compares nothing",
            where=f"study {name}",
            hint="Give at least two arms a study, or leave it out.",
        )
    given = counts.treatment[rows].tolist()
    twice = sorted({counts.treatments[t] for t in given if given.count(t) > 1})
    if twice:
        raise InputError(
            f"{twice[0]} stands twice in it",
            where=f"study {name}",
            hint="Add the arms of one treatment up, or name them apart (by dose, for instance).",
        )


def informative_studies(counts: ArmCounts) -> ArmCounts:
    """Return the counts without studies that tell nothing of a ratio; each is noted.

    Raises
    ------
    InputError
        Where no study is left.
    """
    keep = np.ones(counts.events.size, dtype=bool)
    notes = []
    for rows in counts.of_studies():
        none = not counts.events[rows].any()
        if none or not counts.without[rows].any():
            keep[rows] = False
            name = counts.studies[int(counts.study[rows[0]])]
            what = "no event in any arm" if none else "nothing but events"
            notes.append(f"Study {name} has {what} and is left out: it tells nothing of a ratio.")
    if not keep.any():
        raise InputError(
            "no study is left that has events in some arm",
            where="network",
            hint="Use a risk difference, or studies with events.",
        )
    return counts.take(keep, notes)


def check_estimable(counts: ArmCounts) -> None:
    """Refuse a network in several parts, and ratios without a finite estimate, by name.

    Two arms of a study hold the ratio of i to j above 0 where i has an event and j a person
    without one. Every ratio is finite if and only if these bounds lead from each treatment to
    each other one (the condition of Ford, Am Math Mon 1957;64:28, for paired comparisons).

    Raises
    ------
    InputError
    """
    first, second, bound = [], [], []
    for rows in counts.of_studies():
        for i in rows.tolist():
            for j in rows.tolist():
                if i != j:
                    first.append(counts.treatment[i])
                    second.append(counts.treatment[j])
                    bound.append(bool(counts.events[i] > 0 and counts.without[j] > 0))
    n = len(counts.treatments)
    joined = coo_array((np.ones(len(first)), (first, second)), shape=(n, n))
    number, label = connected_components(joined, directed=False)
    if number > 1:
        raise InputError(
            f"the network falls into {number} parts that no study joins: {_named(counts, label)}",
            where="network",
            hint="Fit each part alone.",
        )
    known = np.array(bound)
    ways = coo_array(
        (np.ones(int(known.sum())), (np.array(first)[known], np.array(second)[known])), (n, n)
    )
    number, label = connected_components(ways, directed=True, connection="strong")
    if number > 1:
        raise InputError(
            "some ratio is not finite: between these groups events fell on one side only: "
            f"{_named(counts, label)}",
            where="network",
            hint="Leave treatments out, penalise the likelihood (Firth), or use a continuity "
            "correction.",
        )


def parts_of_counts(counts: ArmCounts) -> tuple[ArmCounts, ...]:
    """Return each connected part of the network, the largest first."""
    first = [int(counts.treatment[rows[0]]) for rows in counts.of_studies() for _ in rows]
    n = len(counts.treatments)
    joined = coo_array((np.ones(len(first)), (first, counts.treatment)), shape=(n, n))
    number, label = connected_components(joined, directed=False)
    parts = [counts.take(label[counts.treatment] == part) for part in range(number)]
    return tuple(sorted(parts, key=lambda part: (-len(part.treatments), part.treatments)))


def studies_by_pair_of_counts(counts: ArmCounts) -> dict[tuple[str, str], int]:
    """Return how many studies compare each pair, names in alphabetical order."""
    found: dict[tuple[str, str], int] = {}
    for rows in counts.of_studies():
        for i, j in combinations(sorted(counts.treatment[rows].tolist()), 2):
            pair = counts.treatments[i], counts.treatments[j]
            found[pair] = found.get(pair, 0) + 1
    return dict(sorted(found.items()))


def _named(counts: ArmCounts, label: NDArray[np.signedinteger[Any]]) -> str:
    parts = [
        [counts.treatments[t] for t in np.flatnonzero(label == part)] for part in np.unique(label)
    ]
    return "; ".join(", ".join(part) for part in sorted(parts, key=lambda p: (-len(p), p)))
