"""Markers and covariates of samples as prediction sees them: values, limits, batch and owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.design import Factor
from statera.biomarker.measurements import Measurements, listed, repeated
from statera.errors import InputError, UnknownNameError

__all__ = ["MarkerTable", "marker_table", "select_rows"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MarkerTable:
    """What is known of n samples before anything is learned from them.

    Attributes
    ----------
    markers : tuple of str
        Names of the m markers.
    values : (n, m) float64
        NaN where nothing was measured or only a limit is known.
    below_lod : (n, m) bool
        Whether the value is below its limit of detection.
    lod : (n, m) float64
        Limits on the scale of `values`; NaN where none is known.
    samples : tuple of str
        Names, each once.
    subjects : tuple of str
        Whose sample it is; the samples of one subject never stand on both sides of a split.
    covariates
        Numbers (n,) (NaN where missing) or factors by name; kept whatever the filter does.
    batches : tuple of str
        Plate, site or project of each sample; empty where no adjustment is asked for.
    """

    markers: tuple[str, ...]
    values: Floats
    below_lod: NDArray[np.bool_]
    lod: Floats
    samples: tuple[str, ...]
    subjects: tuple[str, ...]
    covariates: Mapping[str, Floats | Factor] = field(default_factory=dict)
    batches: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.samples), len(self.markers))
        for name in ("values", "below_lod", "lod"):
            if getattr(self, name).shape != shape:
                raise InputError(
                    f"{name} is {getattr(self, name).shape}, not {shape} (samples, markers)"
                )
        if len(self.subjects) != shape[0] or (self.batches and len(self.batches) != shape[0]):
            raise InputError("subjects and batches need one entry a sample")
        for kind, names in (("sample", self.samples), ("marker", self.markers)):
            twice = repeated(names)
            if twice:
                raise InputError(
                    f"{len(twice)} {kind}s are named more than once: {listed(twice)}",
                    hint=f"Give each {kind} its own name.",
                )

    def __len__(self) -> int:
        return len(self.samples)


def select_rows(table: MarkerTable, rows: NDArray[np.intp]) -> MarkerTable:
    """Return the samples at `rows`; a row drawn again (a bootstrap) gets a name of its own."""
    names, seen = [], dict[int, int]()
    for row in rows.tolist():
        seen[row] = seen.get(row, 0) + 1
        again = f"#{seen[row]}" if seen[row] > 1 else ""
        names.append(table.samples[row] + again)
    covariates: dict[str, Floats | Factor] = {}
    for name, column in table.covariates.items():
        if isinstance(column, Factor):
            covariates[name] = Factor(tuple(column.labels[r] for r in rows), column.levels)
        else:
            covariates[name] = column[rows]
    return replace(
        table,
        values=table.values[rows],
        below_lod=table.below_lod[rows],
        lod=table.lod[rows],
        samples=tuple(names),
        subjects=tuple(table.subjects[r] for r in rows),
        covariates=covariates,
        batches=tuple(table.batches[r] for r in rows) if table.batches else (),
    )


def marker_table(
    measurements: Measurements,
    *,
    subject: str | None = None,
    covariates: tuple[str, ...] = (),
    batch: str | None = None,
    factors: Mapping[str, tuple[str, ...]] | None = None,
) -> MarkerTable:
    """Return the table of samples that prediction takes.

    Parameters
    ----------
    measurements
        On the scale that is analysed.
    subject
        Column of ``measurements.samples``; without it every sample is a subject of its own name.
    covariates
        Columns that join the markers as predictors; numbers where every cell that is not empty is
        one, else factors.
    batch
        Column of plates, sites or projects.
    factors
        Covariates that are factors even where they hold numbers, with their levels in order.

    Raises
    ------
    UnknownNameError
        If there is no such column.
    InputError
        If a sample has no subject or no batch.
    """
    table = measurements.samples
    for name in (*covariates, *(n for n in (subject, batch) if n)):
        if name not in table.columns:
            raise UnknownNameError("column", name, table.columns)
    return MarkerTable(
        measurements.analyte_ids,
        measurements.values,
        measurements.below_lod,
        measurements.lod,
        measurements.sample_ids,
        _complete(measurements, subject) if subject else measurements.sample_ids,
        {name: _covariate(measurements, name, factors or {}) for name in covariates},
        _complete(measurements, batch) if batch else (),
    )


def _cells(measurements: Measurements, name: str) -> list[str]:
    cells = ["" if x is None else str(x).strip() for x in measurements.samples[name].to_list()]
    return ["" if text.lower() in ("na", "nan", "null") else text for text in cells]


def _complete(measurements: Measurements, name: str) -> tuple[str, ...]:
    cells = _cells(measurements, name)
    empty = [s for s, text in zip(measurements.sample_ids, cells, strict=True) if not text]
    if empty:
        raise InputError(
            f"{len(empty)} samples have no {name}: {listed(empty)}",
            hint="Fill the column, or leave these samples out.",
        )
    return tuple(cells)


def _covariate(
    measurements: Measurements, name: str, factors: Mapping[str, tuple[str, ...]]
) -> Floats | Factor:
    cells = _cells(measurements, name)
    if name not in factors:
        try:
            return np.array([float(text) if text else np.nan for text in cells])
        except ValueError:
            pass
    labels = [text or "missing" for text in cells]
    levels = factors.get(name) or tuple(sorted(set(labels)))
    if "missing" in labels and "missing" not in levels:
        levels = (*levels, "missing")
    return Factor.of(labels, levels)
