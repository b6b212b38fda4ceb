"""Two visits of each subject, as values before and after and columns of the subjects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.design import Factor
from statera.biomarker.measurements import listed, take
from statera.biomarker.sample_table import SampleColumns
from statera.errors import InputError, UnknownNameError

__all__ = ["PairedSamples", "change_of_samples", "paired_samples"]

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class PairedSamples:
    """Values of n subjects at two visits.

    Attributes
    ----------
    before, after : (m, n) float64
        Of m analytes.
    columns
        Of the subjects, but for the column of visits.
    place_before, place_after : (n,) int
        Their samples.
    notes
        Who was left out, and which columns became changes.
    """

    before: Floats
    after: Floats
    columns: Mapping[str, Floats | Factor]
    place_before: NDArray[np.intp]
    place_after: NDArray[np.intp]
    notes: tuple[str, ...]


def paired_samples(samples: SampleColumns, visit: str, first: str, second: str) -> PairedSamples:
    """Return the subjects that have both visits.

    A column of numbers that differs between the visits is taken as its change, second less first;
    a factor must be the same at both.

    Parameters
    ----------
    samples
        With the factor `visit` among its columns.
    visit
        Column of visits.
    first, second
        Two of its levels.

    Raises
    ------
    InputError
        If subjects are not named, one has two samples of a visit or differs in a factor, or none
        has both visits.
    UnknownNameError
        If a visit is no level.
    """
    people = samples.subject
    if not people:
        raise InputError("a change needs subjects", where="--subject")
    column = samples.columns[visit]
    if not isinstance(column, Factor):
        raise InputError(f"{visit} has no levels", where="change", hint="Make it a factor.")
    for level in (first, second):
        if level not in column.levels:
            raise UnknownNameError(f"level of {visit}", level, column.levels, where="change")
    place = _places(people, column.labels, first, second)
    named = list(dict.fromkeys(people))
    both = [s for s in named if (s, first) in place and (s, second) in place]
    if not both:
        raise InputError(f"no subject has both {first} and {second}", where="--subject")
    alone = [s for s in named if s not in set(both)]
    notes = [f"{len(alone)} subjects lack a pair: {listed(alone)}."] if alone else []
    start = np.array([place[s, first] for s in both], dtype=np.intp)
    end = np.array([place[s, second] for s in both], dtype=np.intp)
    columns: dict[str, Floats | Factor] = {}
    for name, own in samples.columns.items():
        if isinstance(own, Factor) and name != visit:
            columns[name] = _same_at_both(name, own, both, start, end)
        elif not isinstance(own, Factor):
            columns[name] = own[end]
            if (own[start] != own[end]).any():
                columns[name] = own[end] - own[start]
                notes.append(
                    f"{name} differs between visits: its change, {second} less {first}, is used."
                )
    values = samples.measurements.values.T
    return PairedSamples(values[:, start], values[:, end], columns, start, end, tuple(notes))


def _places(
    people: Sequence[str], labels: Sequence[str], first: str, second: str
) -> dict[tuple[str, str], int]:
    """Return the sample of each subject at either visit."""
    place: dict[tuple[str, str], int] = {}
    for i, key in enumerate(zip(people, labels, strict=True)):
        if key[1] not in (first, second):
            continue
        if key in place:
            raise InputError(
                f"subject {key[0]} has two samples of {key[1]}",
                where="--subject",
                hint="Leave one out, or use a mixed model.",
            )
        place[key] = i
    return place


def _same_at_both(
    name: str, column: Factor, people: Sequence[str], start: Places, end: Places
) -> Factor:
    """Return a factor of the subjects, refused where it differs between their visits."""
    labels = tuple(column.labels[i] for i in end)
    differs = [
        person
        for person, i, label in zip(people, start, labels, strict=True)
        if column.labels[i] != label
    ]
    if differs:
        raise InputError(
            f"{name} differs between the visits of {len(differs)} subjects: {listed(differs)}",
            where="change",
            hint="A factor must be the same at both visits.",
        )
    return Factor(labels, column.levels)


def change_of_samples(samples: SampleColumns, visit: str, first: str, second: str) -> SampleColumns:
    """Return one sample a subject whose values are the change, second less first.

    Raises as `paired_samples`.
    """
    pairs = paired_samples(samples, visit, first, second)
    keep = np.zeros(samples.measurements.values.shape[0], dtype=bool)
    keep[pairs.place_after] = True
    kept = take(samples.measurements, samples=keep)
    order = np.argsort(pairs.place_after)  # `take` keeps the order of the file
    change = np.asarray((pairs.after - pairs.before).T[order])
    columns: dict[str, Floats | Factor] = {
        name: Factor(tuple(own.labels[i] for i in order), own.levels)
        if isinstance(own, Factor)
        else own[order]
        for name, own in pairs.columns.items()
    }
    people = tuple(samples.subject[i] for i in pairs.place_after[order])
    low = samples.measurements.below_lod
    # one visit below its limit says nothing of the sign of a change; both say that it is unknown
    both = (low[pairs.place_before] & low[pairs.place_after])[order]
    measured = replace(
        kept, values=change, below_lod=both, lod=np.full(change.shape, np.nan),
        notes=(*kept.notes, f"Values are changes, {visit} {second} less {first}."),
    )  # fmt: skip
    return SampleColumns(measured, columns, people, (*samples.notes, *pairs.notes))
