"""Effects and sampling variances of studies from whatever their papers print.

A row takes the first of these that it has all columns for: effect and variance, effect and
standard error, O - E and V, estimate with interval, standard error or p-value, and last the counts
or means. A published (often adjusted) estimate thus goes before the crude one of the counts beside
it; which way each row took stands in ``columns["derived_from"]``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, UsageError
from statera.evidence.effects import Effects, study_names
from statera.evidence.measures import Family, Measure, Scale, measure_of
from statera.evidence.one_group_effects import one_mean, one_proportion, one_rate
from statera.evidence.printed_effects import PRINTED_SOURCES, printed_effects
from statera.evidence.two_arm_effects import LONGEST, two_arm_counts, two_arm_means, two_arm_rates
from statera.evidence.zero_cells import EffectSizeOptions

__all__ = ["COLUMN_NAMES", "FAMILY_COLUMNS", "effect_sizes"]

Floats = NDArray[np.float64]

#: Columns that the counts or means of each family need.
FAMILY_COLUMNS: Mapping[Family, tuple[str, ...]] = {
    Family.TWO_ARM_COUNTS: ("events_1", "total_1", "events_2", "total_2"),
    Family.TWO_ARM_RATES: ("events_1", "time_1", "events_2", "time_2"),
    Family.TWO_ARM_MEANS: ("mean_1", "sd_1", "total_1", "mean_2", "sd_2", "total_2"),
    Family.ONE_PROPORTION: ("events", "total"),
    Family.ONE_RATE: ("events", "time"),
    Family.ONE_MEAN: ("mean", "sd", "total"),
    Family.PRINTED: (),
}
_WAYS = {
    Family.TWO_ARM_COUNTS: two_arm_counts,
    Family.TWO_ARM_RATES: two_arm_rates,
    Family.TWO_ARM_MEANS: two_arm_means,
    Family.ONE_PROPORTION: one_proportion,
    Family.ONE_RATE: one_rate,
    Family.ONE_MEAN: one_mean,
}
_PARTS = {"non_events_1": "1", "non_events_2": "2", "non_events": ""}

#: All columns of numbers that `effect_sizes` takes.
COLUMN_NAMES: tuple[str, ...] = tuple(
    sorted(
        {name for names in FAMILY_COLUMNS.values() for name in names}
        | {name for names in PRINTED_SOURCES.values() for name in names}
        | {"non_events_1", "non_events_2", "non_events", "level"}
    )
)


def effect_sizes(
    measure: str,
    *,
    names: Sequence[str] | None = None,
    group: Sequence[Any] | None = None,
    cluster: Sequence[Any] | None = None,
    carried: Mapping[str, Sequence[Any]] | None = None,
    options: EffectSizeOptions | None = None,
    **columns: Any,
) -> Effects:
    """Compute the effects of k studies with their sampling variances.

    Parameters
    ----------
    measure
        Code, such as ``HR``, ``OR`` or ``SMD`` (`statera.evidence.measures`).
    names
        Of the studies.
    group, cluster
        Subgroup of each study; who may share people or data.
    carried
        Columns that go along unchanged to tables and figures: risk of bias, certainty, year.
    options
        Correction of empty cells, kind of variance, level of printed intervals.
    columns : each (k,) float64
        Of `COLUMN_NAMES`; NaN or None where a study does not have the number. Two arms:
        ``events_1`` (or ``non_events_1``), ``total_1``, ``time_1`` in years, ``mean_1``, ``sd_1``
        and the same of arm 2; one group: without the number of the arm. From papers: ``estimate``,
        ``low``, ``high`` on the natural scale, ``se`` on the pooled one (of the logarithm of a
        ratio), two-sided ``p``, ``o_minus_e`` with ``o_minus_e_variance``, or ``y`` and ``v``.

    Returns
    -------
    Effects
        One row a study; a row that gives no effect has NaN and its reason in ``status``.

    Raises
    ------
    UnknownNameError
        If the measure is not known.
    UsageError
        If a column is not known, or none of the ways to this measure has its columns.
    InputError
        If columns differ in length, or a value is not a number.

    Notes
    -----
    Formulas agree with ``escalc`` of metafor (Viechtbauer, J Stat Softw 2010;36(3)).
    """
    known = measure_of(measure)
    chosen = options if options is not None else EffectSizeOptions()
    numbers = _numbers(columns)
    k = next(iter(numbers.values())).size if numbers else 0
    called = tuple(str(n) for n in names) if names is not None else study_names(k)
    level = numbers.pop("level", np.full(k, np.nan))
    level = np.where(np.isfinite(level), level, chosen.level)
    if not ((level > 0.0) & (level < 1.0)).all():
        raise InputError(
            "a confidence level is not between 0 and 1",
            where="level",
            hint="Give fractions such as 0.95.",
        )
    y, v, status, way, added = _fill(known, numbers, level, chosen)
    kept: dict[str, tuple[Any, ...]] = {
        name: tuple(float(x) for x in values) for name, values in numbers.items()
    }
    kept.update({name: tuple(values) for name, values in (carried or {}).items()})
    kept["derived_from"] = tuple(str(w) for w in way)
    return Effects(
        known.code, y, v, called, known.log,
        tuple(str(g) for g in group) if group is not None else (),
        tuple(str(c) for c in cluster) if cluster is not None else (),
        _notes(called, added, way, chosen, known), kept, tuple(str(s) for s in status),
    )  # fmt: skip


def _numbers(columns: Mapping[str, Any]) -> dict[str, Floats]:
    """Return the columns as arrays of one length, with totals from events and non-events."""
    numbers: dict[str, Floats] = {}
    for name, values in columns.items():
        if values is None:
            continue
        if name not in COLUMN_NAMES:
            raise UsageError(
                f"'{name}' is not a column that effects are computed from",
                where=name,
                hint=f"Known: {', '.join(COLUMN_NAMES)}. Others go into `carried`.",
            )
        try:
            numbers[name] = np.atleast_1d(
                np.array(
                    [np.nan if x is None else float(x) for x in np.atleast_1d(values)],
                    dtype=np.float64,
                )
            )
        except (TypeError, ValueError) as error:
            raise InputError(
                f"column '{name}' holds something that is not a number", where=name
            ) from error
    sizes = {name: values.size for name, values in numbers.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise InputError(
            f"the columns differ in length: {told}", hint="Give one value a study, NaN for none."
        )
    for name, arm in _PARTS.items():
        total, events = (f"{what}_{arm}" if arm else what for what in ("total", "events"))
        if name in numbers and events in numbers:
            found = numbers[events] + numbers[name]
            known = numbers.get(total, np.full(found.shape, np.nan))
            numbers[total] = np.where(np.isfinite(known), known, found)
    return numbers


def _fill(
    measure: Measure, numbers: Mapping[str, Floats], level: Floats, options: EffectSizeOptions
) -> tuple[Floats, Floats, NDArray[np.str_], NDArray[np.str_], NDArray[np.bool_]]:
    """Return effects, variances, statuses, the way each row took, and who was corrected."""
    k = level.size
    y, v = np.full(k, np.nan), np.full(k, np.nan)
    status = np.full(k, "", dtype=LONGEST)
    way = np.full(k, "", dtype="<U40")
    added = np.zeros(k, dtype=bool)
    open_rows = np.ones(k, dtype=bool)
    possible = False
    for source, needed in PRINTED_SOURCES.items():
        if not all(name in numbers for name in needed) or not _allows(measure, source):
            continue
        possible = True
        rows = open_rows & _complete(numbers, needed)
        if rows.any():
            part = {name: numbers[name][rows] for name in needed}
            y[rows], v[rows], status[rows] = printed_effects(measure, source, part, level[rows])
            way[rows] = source
            open_rows &= ~rows
    needed = FAMILY_COLUMNS[measure.family]
    if needed and all(name in numbers for name in needed):
        possible = True
        rows = open_rows & _complete(numbers, needed)
        if rows.any():
            part = {name: numbers[name][rows] for name in needed}
            found = _WAYS[measure.family](measure.code, part, options)
            y[rows], v[rows], status[rows], added[rows] = found
            way[rows] = measure.family.value
            open_rows &= ~rows
    if not possible:
        raise _no_way(measure, numbers)
    status[open_rows] = "none of the ways to an effect has all of its numbers in this row"
    bad = status != ""
    y[bad], v[bad] = np.nan, np.nan
    return y, v, status, way, added


def _allows(measure: Measure, source: str) -> bool:
    """Return whether a printed source means something for the measure."""
    if source == "O - E and V":
        return measure.code in ("HR", "OR", "PETO", "GEN")
    natural = source.startswith("estimate")
    return not natural or measure.scale in (Scale.NATURAL, Scale.LOG, Scale.LOGIT)


def _complete(numbers: Mapping[str, Floats], needed: Sequence[str]) -> NDArray[np.bool_]:
    return np.asarray(np.logical_and.reduce([np.isfinite(numbers[name]) for name in needed]))


def _no_way(measure: Measure, numbers: Mapping[str, Floats]) -> UsageError:
    ways = [names for source, names in PRINTED_SOURCES.items() if _allows(measure, source)]
    if FAMILY_COLUMNS[measure.family]:
        ways.insert(0, FAMILY_COLUMNS[measure.family])
    there = ", ".join(sorted(numbers)) or "none"
    return UsageError(
        f"the columns given ({there}) do not lead to {_article(measure.name)} {measure.name}",
        where="columns",
        hint="Give one of these sets: " + "; ".join(", ".join(names) for names in ways) + ".",
    )


def _notes(
    names: tuple[str, ...],
    added: NDArray[np.bool_],
    way: NDArray[np.str_],
    options: EffectSizeOptions,
    measure: Measure,
) -> tuple[str, ...]:
    notes = []
    if added.any():
        told = [names[i] for i in np.flatnonzero(added)]
        shown = ", ".join(told[:6]) + (f" and {len(told) - 6} more" if len(told) > 6 else "")
        notes.append(
            f"{options.amount(measure.code):g} was added to every cell of {len(told)} "
            f"{'study' if len(told) == 1 else 'studies'} ({shown})"
        )
    taken = sorted({str(w) for w in way if w})
    if len(taken) > 1:
        counts = ", ".join(f"{int((way == w).sum())} from {w}" for w in taken)
        notes.append(f"effects were derived in different ways: {counts}")
    return tuple(notes)


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"
