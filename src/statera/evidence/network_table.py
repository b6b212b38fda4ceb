"""A network of trials from a table: one row an arm, or one row a comparison.

Rows of arms have ``treatment`` with ``events`` and ``total``, or ``mean``, ``sd`` and ``total``.
Rows of comparisons have ``treatment_1`` and ``treatment_2`` with ``y`` and ``se`` or ``v``, or with
``estimate``, ``low`` and ``high``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, Place
from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.measures import measure_of
from statera.evidence.network_arms import network_from_counts, network_from_means
from statera.evidence.network_data import NetworkData, network_from_contrasts
from statera.evidence.read_table import StudyTable

__all__ = ["network_of_table"]

Floats = NDArray[np.float64]
_STUDY = ("studlab", "studyid", "id")
_TREATMENT = ("treatment", "treat", "arm", "drug")
_FIRST = ("treatment1", "treat1", "first", "t1")
_SECOND = ("treatment2", "treat2", "second", "t2")
#: Other headings of columns of numbers, as programs for networks call them.
_NUMBERS = {
    "y": ("te",),
    "se": ("sete",),
    "events": ("responders", "r"),
    "total": ("samplesize", "patients"),
}
_COUNTS = ("OR", "RR", "RD")


def network_of_table(table: StudyTable, measure: str) -> NetworkData:
    """Build a network from a table as read.

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
    studies = _words(table, _STUDY) or table.names
    treatment = _words(table, _TREATMENT)
    if treatment is not None:
        if known.code in _COUNTS:
            events, total = _numbers(table, "events"), _numbers(table, "total")
            return network_from_counts(studies, treatment, events, total, measure=known.code)
        if known.code == "MD":
            mean, sd, total = (_numbers(table, c) for c in ("mean", "sd", "total"))
            return network_from_means(studies, treatment, mean, sd, total)
        raise InputError(
            f"rows of arms do not lead to a {known.name} in a network",
            where=Place(table.source),
            hint=f"Known for arms: {', '.join((*_COUNTS, 'MD'))}. Or give comparisons.",
        )
    first, second = _words(table, _FIRST), _words(table, _SECOND)
    if first is None or second is None:
        raise InputError(
            "no column names the treatments",
            where=Place(table.source, 1),
            hint="Call it 'treatment' (a row an arm), or 'treatment_1' and 'treatment_2'.",
        )
    given = ("y", "v", "se", "estimate", "low", "high")
    columns: dict[str, Any] = {c: _numbers(table, c) for c in given if _has(table, c)}
    effects = effect_sizes(known.code, names=studies, **columns)
    for name, reason in effects.omitted():
        raise InputError(
            f"a comparison has no effect: {reason}",
            where=f"study {name}",
            hint="Complete the row, or leave the whole study out.",
        )
    return network_from_contrasts(
        studies, first, second, effects.y, effects.v, measure=known.code, log=known.log
    )


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
            hint="A row an arm needs events and total, or mean, sd and total.",
        )
    return found
