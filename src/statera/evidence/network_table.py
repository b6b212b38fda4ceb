"""A network of trials from a table: one row an arm, or one row a comparison.

Rows of arms have ``treatment`` with ``events`` and ``total``, with ``events`` and ``time``
(person-time), or with ``mean``, ``sd`` and ``total``. Rows of comparisons have ``treatment_1`` and
``treatment_2`` with the same columns of either arm (``events_1``, ``total_1``, ``events_2``, ...),
with ``y`` and ``se`` or ``v``, or with ``estimate``, ``low`` and ``high``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, Place
from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.measures import measure_of
from statera.evidence.network_arms import (
    network_from_counts,
    network_from_means,
    network_from_rates,
)
from statera.evidence.network_counts import ArmCounts, arm_counts
from statera.evidence.network_data import NetworkData, network_from_contrasts
from statera.evidence.read_table import StudyTable

__all__ = [
    "counts_of_table",
    "network_of_table",
    "pairs_of_table",
    "studies_of_table",
    "study_pairs_of_table",
]

Floats = NDArray[np.float64]
Arms = tuple[tuple[str, ...], tuple[str, ...], list[Floats]]
_STUDY = ("studlab", "studyid", "id")
_TREATMENT = ("treatment", "treat", "arm", "drug")
_FIRST = ("treatment1", "treat1", "first", "t1")
_SECOND = ("treatment2", "treat2", "second", "t2")
#: Other headings of columns of numbers, as programs for networks call them.
_NUMBERS = {
    "y": ("te",),
    "se": ("sete",),
    "events": ("responders", "r", "event"),
    "total": ("samplesize", "patients", "randomized", "randomised"),
    "events_1": ("event1", "r1"),
    "events_2": ("event2", "r2"),
    "time": ("exposure",),
}
_OF_ARMS = frozenset({"events", "total", "time", "mean", "sd"})
_WAYS = {
    "OR": ("events", "total"), "RR": ("events", "total"), "RD": ("events", "total"),
    "IRR": ("events", "time"), "IRD": ("events", "time"),
    "MD": ("mean", "sd", "total"), "SMD": ("mean", "sd", "total"), "ROM": ("mean", "sd", "total"),
}  # fmt: skip


def network_of_table(table: StudyTable, measure: str) -> NetworkData:
    """Build a network of contrasts from a table as read.

    Parameters
    ----------
    table
    measure
        Code, such as ``OR``, ``MD`` or ``HR``.

    Raises
    ------
    InputError
        If columns are missing, a cell is empty, or rows do not belong together.
    UnknownNameError
        If the measure is not known.
    """
    known = measure_of(measure)
    if known.code in _WAYS and (_words(table, _TREATMENT) or _has_arms(table, known.code)):
        studies, treatments, columns = _arms(table, _WAYS[known.code])
        if known.code in ("OR", "RR", "RD"):
            return network_from_counts(studies, treatments, *columns, measure=known.code)
        if known.code in ("IRR", "IRD"):
            return network_from_rates(studies, treatments, *columns, measure=known.code)
        return network_from_means(studies, treatments, *columns, measure=known.code)
    if _words(table, _TREATMENT) is not None:
        raise InputError(
            f"rows of arms do not lead to a {known.name} in a network",
            where=Place(table.source),
            hint=f"Known for arms: {', '.join(_WAYS)}. Or give comparisons.",
        )
    first, second = pairs_of_table(table)
    given = ("y", "v", "se", "estimate", "low", "high", "p", "level")
    columns_given: dict[str, Any] = {c: _numbers(table, c) for c in given if _has(table, c)}
    studies = studies_of_table(table)
    effects = effect_sizes(known.code, names=studies, **columns_given)
    for name, reason in effects.omitted():
        raise InputError(
            f"a comparison has no effect: {reason}",
            where=f"study {name}",
            hint="Complete the row, or leave the whole study out.",
        )
    return network_from_contrasts(
        studies, first, second, effects.y, effects.v, measure=known.code, log=known.log
    )


def counts_of_table(table: StudyTable, *, rates: bool = False) -> ArmCounts:
    """Return events by arm, with persons or person-time, for the models of counts.

    Raises
    ------
    InputError
        If columns are missing, or rows do not belong together.
    """
    studies, treatments, columns = _arms(table, ("events", "time" if rates else "total"))
    return arm_counts(studies, treatments, *columns, rates=rates)


def pairs_of_table(table: StudyTable) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the two treatments of each row of a table of comparisons.

    Raises
    ------
    InputError
        If no column names them.
    """
    first, second = _words(table, _FIRST), _words(table, _SECOND)
    if first is None or second is None:
        raise InputError(
            "no column names the treatments",
            where=Place(table.source, 1),
            hint="Call it 'treatment' (a row an arm), or 'treatment_1' and 'treatment_2'.",
        )
    return first, second


def study_pairs_of_table(table: StudyTable) -> tuple[list[tuple[int, str, str]], bool]:
    """Return row and treatments of every comparison of every study.

    The second value is true where rows are comparisons; where they are arms, a comparison has the
    row of its first arm.
    """
    treatment = _words(table, _TREATMENT)
    if treatment is None:
        first, second = pairs_of_table(table)
        return [(i, a, b) for i, (a, b) in enumerate(zip(first, second, strict=True))], True
    rows: dict[str, list[int]] = {}
    for row, study in enumerate(studies_of_table(table)):
        rows.setdefault(study, []).append(row)
    return [
        (arms[0], treatment[i], treatment[j])
        for arms in rows.values()
        for i, j in combinations(arms, 2)
    ], False


def studies_of_table(table: StudyTable) -> tuple[str, ...]:
    """Return the study of each row."""
    return _words(table, _STUDY) or table.names


def _has_arms(table: StudyTable, code: str) -> bool:
    return all(_has(table, f"{c}_{arm}") for c in _WAYS[code] for arm in (1, 2))


def _arms(table: StudyTable, names: tuple[str, ...]) -> Arms:
    """Return study, treatment and the named columns of each arm."""
    treatment = _words(table, _TREATMENT)
    if treatment is not None:
        return studies_of_table(table), treatment, [_numbers(table, name) for name in names]
    first, second = pairs_of_table(table)
    sides = [[_numbers(table, f"{name}_{arm}") for name in names] for arm in (1, 2)]
    found: dict[tuple[str, str], tuple[float, ...]] = {}
    for row, study in enumerate(studies_of_table(table)):
        for side, name in enumerate((first[row], second[row])):
            values = tuple(float(column[row]) for column in sides[side])
            if found.setdefault((study, name), values) != values:
                raise InputError(
                    f"{name} has {values} in one row and {found[study, name]} in another",
                    where=f"study {study}",
                    hint="A study of several arms repeats each arm with the same numbers.",
                )
    columns = [np.array([values[i] for values in found.values()]) for i in range(len(names))]
    return tuple(study for study, _ in found), tuple(name for _, name in found), columns


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower())


def _words(table: StudyTable, names: Sequence[str]) -> tuple[str, ...] | None:
    by_name = {_plain(n): column for n, column in table.carried.items()}
    return next((by_name[n] for n in names if n in by_name), None)


def _has(table: StudyTable, column: str) -> bool:
    return column in table.columns or _words(table, _NUMBERS.get(column, ())) is not None


def _numbers(table: StudyTable, column: str) -> Floats:
    found = table.columns.get(column)
    texts = _words(table, _NUMBERS.get(column, ()))
    if found is None and texts is not None:
        try:
            found = np.array([float(x) for x in texts], dtype=np.float64)
        except ValueError as error:
            raise InputError(
                f"the column of {column} holds something that is not a number",
                where=Place(table.source),
            ) from error
    if found is None:
        raise InputError(
            f"there is no column '{column}'",
            where=Place(table.source, 1),
            hint="Arms need events and total, events and time, or mean, sd and total.",
        )
    if np.isnan(found).any() and column.partition("_")[0] in _OF_ARMS:
        row = int(np.flatnonzero(np.isnan(found))[0])
        raise InputError(
            f"'{column}' is empty",
            where=Place(table.source, table.lines[row]),
            hint="Complete the arm, or leave the study out.",
        )
    return found
