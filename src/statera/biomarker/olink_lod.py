"""Limits of detection of Olink Explore from negative controls (NCLOD).

With at least ten negative controls, the limit of an assay is their median PCNormalizedNPX plus the
larger of 0.2 and three standard deviations. Where no control has more than 150 counts, the limit
is one of counts: the larger of 150 and twice the largest count, carried to each row by its own
count. Where NPX is intensity-normalised, the median of the samples of assay and plate is taken off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.olink_npx import is_control, numbers
from statera.errors import InputError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["add_negative_control_lod"]

LEAST_CONTROLS = 10
LEAST_RISE = 0.2
FEW_COUNTS = 150.0


def add_negative_control_lod(frame: pl.DataFrame, column: str = "NCLOD") -> pl.DataFrame:
    """Return a long Explore table with the limit of detection of every row as `column`.

    Parameters
    ----------
    frame
        With the columns SampleID, SampleType, OlinkID, PlateID, Count, NPX and PCNormalizedNPX,
        and Normalization where NPX may be intensity-normalised.
    column
        Name of the new column; on the scale of NPX. NaN where an assay has fewer than two of them,
        or a limit of counts meets a row without counts.

    Raises
    ------
    InputError
        If a column is absent or there are fewer than ten negative controls.
    """
    import polars as pl  # noqa: PLC0415  heavy: only when a table is read

    needed = ("SampleID", "SampleType", "OlinkID", "PlateID", "Count", "NPX", "PCNormalizedNPX")
    absent = [name for name in needed if name not in frame.columns]
    if absent:
        raise InputError(f"the negative controls cannot be used: no column {', '.join(absent)}")
    kind = frame["SampleType"].cast(pl.String).fill_null("").str.to_uppercase()
    negative = kind.is_in(["NEGATIVE_CONTROL", "NEGATIVE CONTROL"]).to_numpy()
    wells = frame.filter(pl.Series(negative)).select("SampleID", "PlateID").unique().height
    if wells < LEAST_CONTROLS:
        raise InputError(
            f"there are {wells} negative controls; a limit from them needs {LEAST_CONTROLS}",
            hint="Use the vendor's fixed limits for this lot.",
        )
    count, normalised = numbers(frame, "Count"), numbers(frame, "PCNormalizedNPX")
    assay = _codes(frame["OlinkID"])
    limit = np.full(frame.height, np.nan)
    for rows in _groups(assay):
        limit[rows] = _of_assay(count[rows], normalised[rows], negative[rows])
    limit -= _plate_medians(frame, normalised, assay)
    return frame.with_columns(pl.Series(column, limit))


def _of_assay(
    count: NDArray[np.float64], normalised: NDArray[np.float64], negative: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the limits of an assay's rows before intensity normalisation."""
    controls = negative & ~np.isnan(normalised) & ~np.isnan(count)
    if controls.sum() < 2:
        return np.full(count.size, np.nan)
    most = float(count[controls].max())
    if most > FEW_COUNTS:
        level = normalised[controls]
        rise = max(LEAST_RISE, 3.0 * float(level.std(ddof=1)))
        return np.full(count.size, float(np.median(level)) + rise)
    # NPX is log2 of counts over the counts of the extension control, so that a limit of counts lies
    # log2(limit / count) above a row's own value.
    least = max(FEW_COUNTS, 2.0 * most)
    own = np.where(count > 0.0, count, np.nan)
    return np.asarray(normalised + np.log2(least / own))


def _plate_medians(
    frame: pl.DataFrame, normalised: NDArray[np.float64], assay: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the median of samples by assay and plate where NPX is intensity-normalised, else 0."""
    import polars as pl  # noqa: PLC0415  heavy: only when a table is read

    found = np.zeros(frame.height)
    if "Normalization" not in frame.columns:
        return found
    how = frame["Normalization"].cast(pl.String).fill_null("").str.to_lowercase()
    intensity = how.str.starts_with("intensity").to_numpy()
    sample = ~is_control(frame) & ~np.isnan(normalised)
    plate = _codes(frame["PlateID"])
    for rows in _groups(assay * (int(plate.max()) + 1) + plate):
        kept = rows[sample[rows]]
        if kept.size:
            found[rows] = np.where(intensity[rows], np.median(normalised[kept]), 0.0)
    return found


def _codes(column: pl.Series) -> NDArray[np.intp]:
    """Return a number for each distinct value."""
    import polars as pl  # noqa: PLC0415  heavy: only when a table is read

    return column.cast(pl.String).rank("dense").to_numpy().astype(np.intp) - 1


def _groups(codes: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Return the rows of each code."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
