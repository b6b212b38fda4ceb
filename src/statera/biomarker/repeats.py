"""Samples named more than once in a wide table: refused, left out by name, or averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from statera.biomarker.measurements import Measurements, listed, repeated, take
from statera.errors import InputError, UsageError

__all__ = ["RULES", "apart", "settle_repeats"]

RULES = ("refuse", "mean", "leave-out")


def apart(names: Sequence[str], rule: str) -> list[str]:
    """Return names made unique by a mark, unless the rule refuses repeats in any case.

    Raises
    ------
    UsageError
        If the rule is not known.
    """
    if rule not in RULES:
        raise UsageError(
            f"'{rule}' is no rule for duplicates", hint=f"Use {', '.join(RULES[:-1])} or leave-out."
        )
    if rule == "refuse":
        return list(names)
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name}\0{seen[name]}")
    return found


def settle_repeats(measured: Measurements, names: Sequence[str], rule: str) -> Measurements:
    """Return measurements in which every sample stands once.

    Parameters
    ----------
    measured
        With names made unique by `apart`.
    names : (n,)
        As the file has them.
    rule
        One of `RULES`.

    Raises
    ------
    InputError
        If no sample is left.
    """
    twice = repeated(list(names))
    if not twice:
        return measured
    if rule == "leave-out":
        keep = np.array([name not in set(twice) for name in names], dtype=bool)
        return _left_out(measured, keep, twice)
    first = np.array([n not in names[:i] for i, n in enumerate(names)], dtype=bool)
    kept = take(measured, samples=first)
    values, lod = kept.values.copy(), kept.lod.copy()
    below, above, flagged = kept.below_lod.copy(), kept.above_range.copy(), kept.flagged.copy()
    for place, name in enumerate(n for n, one in zip(names, first, strict=True) if one):
        rows = [i for i, n in enumerate(names) if n == name]
        if len(rows) == 1:
            continue
        own, limits = measured.values[rows], measured.lod[rows]
        count, known = np.isfinite(own).sum(axis=0), np.isfinite(limits).sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            values[place] = np.where(np.isfinite(own), own, 0.0).sum(axis=0) / count
            lod[place] = np.where(np.isfinite(limits), limits, 0.0).sum(axis=0) / known
            lower = values[place] < lod[place]
        marked = measured.below_lod[rows].any(axis=0)
        below[place] = np.where(count == len(rows), lower, marked)
        above[place] = measured.above_range[rows].any(axis=0)
        flagged[place] = measured.flagged[rows].any(axis=0)
    said = f"{len(twice)} samples stand more than once; their means are used: {listed(twice)}."
    return replace(kept, values=values, lod=lod, below_lod=below, above_range=above,
                   flagged=flagged, notes=(*kept.notes, said))  # fmt: skip


def _left_out(measured: Measurements, keep: np.ndarray, twice: Sequence[str]) -> Measurements:
    if not keep.any():
        raise InputError(
            f"every sample stands more than once: {listed(twice)}",
            hint="Name the samples apart, or take the mean of duplicates.",
        )
    said = f"{len(twice)} samples stand more than once and were left out: {listed(twice)}."
    return take(measured, samples=keep, note=said)
