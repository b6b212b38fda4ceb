"""Checks of a table before anything is pooled: findings with sentences, never silent repairs.

What is looked for are the slips that change safety tables most: intervals that are no normal-theory
intervals, comparisons printed the other way round, rates per another number of person-years,
weighted counts taken for events, empty cells, and people who are counted twice.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from statera.evidence.effects import Effects
from statera.evidence.ratio_estimates import RatioEstimate

__all__ = ["EntryFinding", "FindingKind", "Severity", "entry_checks"]


class FindingKind(StrEnum):
    """What was found."""

    NO_EFFECT = "no effect"
    ASYMMETRIC_INTERVAL = "asymmetric interval"
    INVERTED_RATIO = "inverted ratio"
    MIXED_DIRECTION = "mixed direction"
    RATE_UNIT = "unit of rates"
    WEIGHTED_COUNT = "weighted count"
    ZERO_CELL = "zero cell"
    DOUBLE_ZERO = "double zero"
    OVERLAP = "overlap"
    SHARED_CONTROL = "shared control"
    DUPLICATE = "duplicate"
    TOO_NARROW = "too narrow"
    MIXED_MEASURES = "mixed measures"


class Severity(StrEnum):
    """How much it matters."""

    NOTE = "note"
    WARNING = "warning"


@dataclass(frozen=True)
class EntryFinding:
    """One finding.

    Attributes
    ----------
    kind
    studies
        Whom it concerns.
    sentence
        What was seen and what to do.
    severity
    """

    kind: FindingKind
    studies: tuple[str, ...]
    sentence: str
    severity: Severity = Severity.WARNING


def entry_checks(effects: Effects) -> tuple[EntryFinding, ...]:
    """Look through the rows of a table.

    Parameters
    ----------
    effects
        With the columns it was made from: ``estimate``, ``low``, ``high``, ``events_1``, ``time_1``
        and so on; where present also ``rate_1``, ``rate_2`` as printed, ``numerator`` (which group
        stands on top), ``measure`` and ``control`` (name of the control arm).

    Returns
    -------
    tuple of EntryFinding
        In the order of `FindingKind`, each study in the order of the table.
    """
    checks = (
        _no_effects,
        _asymmetric,
        _inverted,
        _mixed_direction,
        _rate_units,
        _weighted_counts,
        _zero_cells,
        _overlaps,
        _shared_controls,
        _duplicates,
        _too_narrow,
        _mixed_measures,
    )
    return tuple(finding for check in checks for finding in check(effects))


def _no_effects(effects: Effects) -> Iterator[EntryFinding]:
    for name, reason in effects.omitted():
        yield EntryFinding(
            FindingKind.NO_EFFECT, (name,),
            f"{name} is left out: {reason}. Complete the row, or say in the report that it is "
            "missing.",
        )  # fmt: skip


def _asymmetric(effects: Effects) -> Iterator[EntryFinding]:
    """Find intervals whose arms differ on the log scale; small differences may be rounding."""
    if not effects.definition.ratio:
        return
    for i, (name, mid, low, high) in enumerate(
        zip(
            effects.names, *(_numbers(effects, c) for c in ("estimate", "low", "high")), strict=True
        )
    ):
        # beyond these no paper prints a ratio, and rounding has no meaning
        if not (1e-12 < low <= mid <= high < 1e12 and low < high) or effects.status[i]:
            continue
        found = RatioEstimate(name, effects.measure, mid, low, high).asymmetry()
        if not found.is_flagged:
            continue
        told = (
            f"the interval of {name} ({mid:g}, {low:g} to {high:g}) is not symmetric on the log "
            f"scale (asymmetry {found.value:+.2f})"
        )
        if found.is_explained_by_rounding:
            yield EntryFinding(
                FindingKind.ASYMMETRIC_INTERVAL, (name,),
                f"{told}, which rounding of the printed numbers explains: nothing to do.",
                Severity.NOTE,
            )  # fmt: skip
        else:
            yield EntryFinding(
                FindingKind.ASYMMETRIC_INTERVAL, (name,),
                f"{told}: perhaps a percentile or exact interval, from which no standard error "
                "follows. Pool with and without it.",
            )  # fmt: skip


def _inverted(effects: Effects) -> Iterator[EntryFinding]:
    """Find ratios that lie near the inverse of the ratio of their own counts."""
    if not effects.definition.ratio:
        return
    crude = _crude_logs(effects)
    printed = _numbers(effects, "estimate")
    for name, ratio, own in zip(effects.names, printed, crude, strict=True):
        if not (ratio > 0.0 and math.isfinite(own)):
            continue
        as_is, turned = abs(math.log(ratio) - own), abs(math.log(ratio) + own)
        if abs(own) > 0.2 and abs(math.log(ratio)) > 0.1 and turned < 0.25 * as_is:
            yield EntryFinding(
                FindingKind.INVERTED_RATIO, (name,),
                f"{name} prints {ratio:g}, but its counts give {math.exp(own):.2f}, near the "
                f"inverse {1.0 / ratio:.2f}: see which group stands on top.",
            )  # fmt: skip


def _mixed_direction(effects: Effects) -> Iterator[EntryFinding]:
    column = effects.columns.get("numerator")
    if not column:
        return
    given = [str(x).strip() for x in column]
    kinds = sorted({x for x in given if x})
    if len(kinds) < 2:
        return
    usual = max(kinds, key=given.count)
    for name, on_top in zip(effects.names, given, strict=True):
        if on_top and on_top != usual:
            yield EntryFinding(
                FindingKind.MIXED_DIRECTION, (name,),
                f"{name} has '{on_top}' on top where most have '{usual}': turn its ratio and "
                "limits round (1/value, 1/high, 1/low) before pooling.",
            )  # fmt: skip


def _rate_units(effects: Effects) -> Iterator[EntryFinding]:
    """Hold printed rates against events over person-years and against the other studies."""
    for arm in ("_1", "_2", ""):
        rates = _numbers(effects, f"rate{arm}")
        events, time = _numbers(effects, f"events{arm}"), _numbers(effects, f"time{arm}")
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.log10(rates / (events / time))
            per = np.round(factor)
        known = np.isfinite(factor) & (np.abs(factor - per) < 0.1)
        if known.any():
            usual = float(np.median(per[known]))
            for i in np.flatnonzero(known & (per != usual)):
                yield EntryFinding(
                    FindingKind.RATE_UNIT, (effects.names[i],),
                    f"the rate of {effects.names[i]} is per {10 ** per[i]:,.0f} person-years by "
                    f"its own counts, that of most others per {10**usual:,.0f}: bring it to "
                    "theirs.",
                )  # fmt: skip
        own = np.where(np.isfinite(rates), rates, np.divide(
            events, time, out=np.full(len(effects), np.nan), where=time > 0.0))  # fmt: skip
        positive = np.isfinite(own) & (own > 0.0) & ~known
        if positive.sum() < 3:
            continue
        middle = float(np.median(own[positive]))
        for i in np.flatnonzero(positive):
            if abs(math.log10(own[i] / middle)) > 0.9:
                yield EntryFinding(
                    FindingKind.RATE_UNIT, (effects.names[i],),
                    f"the rate of {effects.names[i]} is {own[i] / middle:.2g} times the middle of "
                    "the others: see whether its person-time or rate is in another unit.",
                )  # fmt: skip


def _weighted_counts(effects: Effects) -> Iterator[EntryFinding]:
    for what in ("events_1", "events_2", "events"):
        values = _numbers(effects, what)
        for i in np.flatnonzero(np.isfinite(values) & (values != np.floor(values))):
            yield EntryFinding(
                FindingKind.WEIGHTED_COUNT, (effects.names[i],),
                f"{values[i]:g} in {what} of {effects.names[i]} is no count: weighted "
                "pseudo-counts are not events. Use the adjusted estimate with its interval.",
            )  # fmt: skip


def _zero_cells(effects: Effects) -> Iterator[EntryFinding]:
    first, second = _numbers(effects, "events_1"), _numbers(effects, "events_2")
    rest = [_numbers(effects, f"total_{arm}") - events for arm, events in ((1, first), (2, second))]
    for i, name in enumerate(effects.names):
        pair = (first[i], second[i])
        others = (rest[0][i], rest[1][i])
        if pair == (0.0, 0.0) or others == (0.0, 0.0):
            what = "no events" if pair == (0.0, 0.0) else "nothing but events"
            yield EntryFinding(
                FindingKind.DOUBLE_ZERO, (name,),
                f"{name} has {what} in both arms: it tells nothing of a ratio, and 1/2 added to "
                "its cells would pretend that it does.",
            )  # fmt: skip
        elif 0.0 in pair or 0.0 in others:
            yield EntryFinding(
                FindingKind.ZERO_CELL, (name,),
                f"{name} has an empty cell: compare with a method that adds nothing "
                "(Mantel-Haenszel, Peto, a binomial or Poisson model).",
                Severity.NOTE,
            )  # fmt: skip


def _overlaps(effects: Effects) -> Iterator[EntryFinding]:
    told: set[tuple[str, ...]] = set()
    for label, rows in _groups(effects.cluster):
        names = tuple(effects.names[i] for i in rows)
        told.add(names)
        yield EntryFinding(
            FindingKind.OVERLAP, names,
            f"{_listed(names)} come from '{label}' and may count the same people: pool one of "
            "them, or use a model with that level.",
        )  # fmt: skip
    by_word: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(effects.names):
        for word in set(re.findall(r"\b[A-Z][A-Z0-9]{3,}\b", name)):
            by_word[word].append(i)
    for word, rows in by_word.items():
        names = tuple(effects.names[i] for i in rows)
        clusters = {effects.cluster[i] for i in rows} if effects.cluster else {""}
        if len(rows) > 1 and names not in told and not (len(clusters) > 1 and all(clusters)):
            yield EntryFinding(
                FindingKind.OVERLAP, names,
                f"{_listed(names)} share the name {word}: if they count the same people, say so in "
                "a column 'cluster' and pool one of them.",
            )  # fmt: skip


def _shared_controls(effects: Effects) -> Iterator[EntryFinding]:
    named = effects.columns.get("control")
    if named:
        for label, rows in _groups([str(x).strip() if x is not None else "" for x in named]):
            same = [i for i in rows if not effects.cluster or effects.cluster[i]]
            if effects.cluster:
                pairs = _groups([effects.cluster[i] for i in same])
                rows_of = [[same[j] for j in part] for _, part in pairs]
            else:
                rows_of = []
            for part in rows_of:
                names = tuple(effects.names[i] for i in part)
                yield EntryFinding(
                    FindingKind.SHARED_CONTROL, names,
                    f"{_listed(names)} compare with the same control arm '{label}', which is "
                    "counted again each time: join the arms, split the control, or use a model "
                    "with their covariance.",
                )  # fmt: skip
    keys: list[str] = []
    for parts in zip(
        *(_numbers(effects, c) for c in ("events_2", "total_2", "time_2", "mean_2", "sd_2")),
        strict=True,
    ):
        events, total, time, mean, sd = parts
        telling = (events > 0.0 and (total > 0.0 or time > 0.0)) or (sd > 0.0 and total > 0.0)
        numbers = (events, total, time, mean, sd)
        keys.append("/".join(f"{x:g}" for x in numbers) if telling else "")
    for _, rows in _groups(keys):
        names = tuple(effects.names[i] for i in rows)
        yield EntryFinding(
            FindingKind.SHARED_CONTROL, names,
            f"{_listed(names)} have the very same control arm: if it is one arm, it is counted "
            "again each time; join the arms, split the control, or use a model with their "
            "covariance.",
        )  # fmt: skip


def _duplicates(effects: Effects) -> Iterator[EntryFinding]:
    seen: set[tuple[str, ...]] = set()
    values = [
        f"{y:.10g}/{v:.10g}" if usable else ""
        for y, v, usable in zip(effects.y, effects.v, effects.is_usable, strict=True)
    ]
    lowered = [re.sub(r"[^a-z0-9]+", " ", name.lower()).strip() for name in effects.names]
    for keys, what in ((lowered, "the same name"), (values, "the same effect and variance")):
        for _, rows in _groups(keys):
            names = tuple(effects.names[i] for i in rows)
            if names in seen:
                continue
            seen.add(names)
            yield EntryFinding(
                FindingKind.DUPLICATE, names,
                f"{_listed(names)} have {what}: see that no study stands in the table twice.",
            )  # fmt: skip


def _too_narrow(effects: Effects) -> Iterator[EntryFinding]:
    """Find ratios that are more certain than their events allow."""
    if not effects.definition.ratio or effects.measure == "ROM":
        return
    first, second = _numbers(effects, "events_1"), _numbers(effects, "events_2")
    derived = effects.columns.get("derived_from", ("",) * len(effects))
    for i, name in enumerate(effects.names):
        if not (first[i] > 0.0 and second[i] > 0.0) or not effects.is_usable[i]:
            continue
        if "events" in str(derived[i]):
            continue
        least = 1.0 / first[i] + 1.0 / second[i]
        # a risk ratio of frequent events may have less, by their share
        if effects.measure in ("HR", "IRR") and effects.v[i] < 0.5 * least:
            yield EntryFinding(
                FindingKind.TOO_NARROW, (name,),
                f"the interval of {name} is narrower than {first[i]:g} and {second[i]:g} events "
                f"allow (variance {effects.v[i]:.3g}, at least about {least:.3g}): see level, "
                "limits and counts.",
            )  # fmt: skip


def _mixed_measures(effects: Effects) -> Iterator[EntryFinding]:
    column = effects.columns.get("measure")
    if not column:
        return
    kinds = sorted({str(x).strip().upper() for x in column if x is not None and str(x).strip()})
    if len(kinds) > 1:
        yield EntryFinding(
            FindingKind.MIXED_MEASURES, effects.names,
            f"the table mixes {_listed(kinds)}: these are different quantities, and none is "
            "converted into another. Pool one of them at a time, or say that they were mixed.",
        )  # fmt: skip


def _crude_logs(effects: Effects) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    first, second = _numbers(effects, "events_1"), _numbers(effects, "events_2")
    below = []
    for arm in ("1", "2"):
        time, total = _numbers(effects, f"time_{arm}"), _numbers(effects, f"total_{arm}")
        below.append(np.where(np.isfinite(time), time, total))
    with np.errstate(divide="ignore", invalid="ignore"):
        crude = np.log((first / below[0]) / (second / below[1]))
    return np.asarray(np.where(np.isfinite(crude), crude, np.nan))


def _numbers(effects: Effects, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return effects.numbers(name)


def _groups(labels: Iterable[str]) -> list[tuple[str, list[int]]]:
    """Return labels that more than one row has, with these rows."""
    found: dict[str, list[int]] = defaultdict(list)
    for i, label in enumerate(labels):
        if label:
            found[label].append(i)
    return [(label, rows) for label, rows in found.items() if len(rows) > 1]


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    if len(every) > 6:
        return f"{', '.join(every[:5])} and {len(every) - 5} more"
    return f"{', '.join(every[:-1])} and {every[-1]}" if len(every) > 1 else every[0]
