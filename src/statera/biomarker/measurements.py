"""Measurements of many analytes in many samples: the common form that every reader returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Measurements", "Scale", "analyte_status", "take"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Scale = Literal["log2", "linear"]


@dataclass(frozen=True)
class Measurements:
    """Measurements of n samples and m analytes.

    Attributes
    ----------
    values
        (n, m) float64; NaN where nothing was measured or only a limit is known.
    below_lod
        (n, m) whether the value is below its limit of detection.
    lod
        (n, m) limit of detection on the scale of `values`; NaN where none is known.
    samples
        Table of n rows; column ``sample`` names them, each once.
    analytes
        Table of m rows; column ``analyte`` names them, each once.
    scale
        ``log2`` (NPX) or ``linear`` (RFU, concentrations).
    above_range
        (n, m) whether the value is above the upper limit of quantification.
    flagged
        (n, m) whether quality control warned of it.
    notes
        What was left out or decided when reading, as sentences.

    Raises
    ------
    InputError
        If shapes do not fit, or a sample or an analyte is named twice.
    """

    values: Floats
    below_lod: Bools
    lod: Floats
    samples: pl.DataFrame
    analytes: pl.DataFrame
    scale: Scale
    above_range: Bools
    flagged: Bools
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        shape = (self.samples.height, self.analytes.height)
        for name in ("values", "below_lod", "lod", "above_range", "flagged"):
            if getattr(self, name).shape != shape:
                raise InputError(
                    f"{name} is {getattr(self, name).shape}, not {shape} (samples, analytes)"
                )
        for kind, names in (("sample", self.sample_ids), ("analyte", self.analyte_ids)):
            twice = repeated(names)
            if twice:
                raise InputError(
                    f"{len(twice)} {kind}s are named more than once: {listed(twice)}",
                    hint=f"Give each {kind} its own name.",
                )

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Names of the samples."""
        return tuple(self.samples["sample"].to_list())

    @property
    def analyte_ids(self) -> tuple[str, ...]:
        """Names of the analytes."""
        return tuple(self.analytes["analyte"].to_list())


def repeated(names: Sequence[str]) -> list[str]:
    """Return the names that stand more than once, in order."""
    seen: set[str] = set()
    twice: dict[str, None] = {}
    for name in names:
        if name in seen:
            twice[name] = None
        seen.add(name)
    return list(twice)


def listed(names: Sequence[str], most: int = 8) -> str:
    """Return names as one text, cut after `most` with the number of the others."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def analyte_status(measurements: Measurements) -> tuple[str, ...]:
    """Return what keeps each analyte from being analysed; ``ok`` where nothing does.

    Returns
    -------
    tuple of str
        ``not measured``, ``all below LOD``, ``constant``, ``one value`` or ``ok``.
    """
    values = measurements.values
    below = measurements.below_lod
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    informed = (known | below).sum(axis=0)
    low = np.where(known, values, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, values, -np.inf).max(axis=0, initial=-np.inf)
    found = np.full(count.shape, "ok", dtype="<U16")
    found[(count > 1) & (low == high)] = "constant"
    found[count == 1] = "one value"
    found[(informed > 0) & (below.sum(axis=0) == informed)] = "all below LOD"
    found[informed == 0] = "not measured"
    return tuple(found.tolist())


def take(
    measurements: Measurements,
    *,
    samples: NDArray[np.bool_] | None = None,
    analytes: NDArray[np.bool_] | None = None,
    note: str = "",
) -> Measurements:
    """Return the samples and analytes that the masks keep, with a note on what left."""
    import polars as pl  # noqa: PLC0415  heavy: only when tables are cut

    n, m = measurements.values.shape
    rows = np.ones(n, dtype=bool) if samples is None else np.asarray(samples, dtype=bool)
    columns = np.ones(m, dtype=bool) if analytes is None else np.asarray(analytes, dtype=bool)
    grid = np.ix_(rows, columns)
    return replace(
        measurements,
        values=measurements.values[grid],
        below_lod=measurements.below_lod[grid],
        lod=measurements.lod[grid],
        above_range=measurements.above_range[grid],
        flagged=measurements.flagged[grid],
        samples=measurements.samples.filter(pl.Series(rows)),
        analytes=measurements.analytes.filter(pl.Series(columns)),
        notes=(*measurements.notes, note) if note else measurements.notes,
    )
