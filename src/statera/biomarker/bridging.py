"""Bridging normalisation: two projects on one scale by the samples that both measured.

Of each analyte, the median of the paired differences on the log2 scale is added to the second
project's values and limits of detection.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.measurements import Measurements, listed
from statera.errors import InputError

__all__ = ["Bridged", "bridge"]


@dataclass(frozen=True)
class Bridged:
    """A project brought onto the scale of another.

    Attributes
    ----------
    measurements
        The second project, moved; its analytes in its own order. NaN in analytes that could not be
        bridged.
    adjustment
        (m,) what was added to each analyte, log2; NaN where it could not be bridged.
    pairs
        (m,) bridge samples that both projects measured.
    status
        (m,) ``ok``, ``absent in the reference`` or ``too few bridge samples``.
    """

    measurements: Measurements
    adjustment: NDArray[np.float64]
    pairs: NDArray[np.int_]
    status: tuple[str, ...]


def bridge(
    reference: Measurements,
    other: Measurements,
    samples: Sequence[str] | None = None,
    *,
    least: int = 8,
    use_below_lod: bool = True,
) -> Bridged:
    """Bring `other` onto the scale of `reference`.

    Parameters
    ----------
    reference, other
        Both on the log2 scale.
    samples
        Names of the bridge samples; all that both projects hold, unless given.
    least
        Fewest bridge samples with both values that an analyte needs.
    use_below_lod
        Whether a value below its limit of detection counts in the differences.

    Raises
    ------
    InputError
        If a scale is linear, a bridge sample is absent, or there are fewer than `least`.
    """
    if reference.scale != "log2" or other.scale != "log2":
        raise InputError("bridging needs log2 values", hint="Take the logarithm of both first.")
    first = {name: i for i, name in enumerate(reference.sample_ids)}
    second = {name: i for i, name in enumerate(other.sample_ids)}
    names = list(samples) if samples is not None else [n for n in second if n in first]
    absent = [n for n in names if n not in first or n not in second]
    if absent:
        raise InputError(f"{len(absent)} bridge samples are not in both projects: {listed(absent)}")
    if len(set(names)) < least:
        raise InputError(
            f"there are {len(set(names))} bridge samples, and {least} are asked for",
            hint="Measure more in both projects, or say that fewer are enough (least).",
        )
    names = list(dict.fromkeys(names))
    place = {name: j for j, name in enumerate(reference.analyte_ids)}
    m = len(other.analyte_ids)
    adjustment, pairs, status = np.full(m, np.nan), np.zeros(m, dtype=np.int_), ["ok"] * m
    rows_first = [first[n] for n in names]
    rows_second = [second[n] for n in names]
    for j, analyte in enumerate(other.analyte_ids):
        if analyte not in place:
            status[j] = "absent in the reference"
            continue
        i = place[analyte]
        difference = reference.values[rows_first, i] - other.values[rows_second, j]
        usable = ~np.isnan(difference)
        if not use_below_lod:
            usable &= ~(reference.below_lod[rows_first, i] | other.below_lod[rows_second, j])
        pairs[j] = usable.sum()
        if pairs[j] < least:
            status[j] = "too few bridge samples"
            continue
        adjustment[j] = np.median(difference[usable])
    bad = sum(word != "ok" for word in status)
    note = f"Bridged by {len(names)} samples" + (
        f"; {bad} of {m} analytes could not be and are empty." if bad else "."
    )
    moved = replace(
        other,
        values=other.values + adjustment,
        lod=other.lod + adjustment,
        below_lod=other.below_lod & ~np.isnan(adjustment),
        notes=(*other.notes, note),
    )
    return Bridged(moved, adjustment, pairs, tuple(status))
