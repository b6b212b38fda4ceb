"""Wide tables of multiplex immunoassays (Luminex, MSD): one row a sample, one column an analyte.

Cells may be ``OOR <``, ``OOR >``, ``<x``, ``>x`` and ``*x`` (extrapolated). Rows named ``LOD`` (or
``LLOD``, ``LLOQ``) and ``ULOQ`` (or ``ULOD``) in the column of samples hold the limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.cells import Cells, read_cells
from statera.biomarker.long_table import Duplicates, read_frame
from statera.biomarker.measurements import Measurements
from statera.biomarker.repeats import apart, settle_repeats
from statera.errors import InputError, Place, UnknownNameError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["immunoassay_measurements", "read_immunoassay_table"]

Floats = NDArray[np.float64]

_LOWER = frozenset({"lod", "llod", "lloq"})
_UPPER = frozenset({"uloq", "ulod"})


def read_immunoassay_table(
    path: str | Path,
    *,
    sample: str = "Sample",
    annotations: Sequence[str] = (),
    lower: Mapping[str, float] | None = None,
    upper: Mapping[str, float] | None = None,
    duplicates: Duplicates = "refuse",
) -> Measurements:
    """Read a wide table of concentrations (text or parquet), on the linear scale.

    Parameters
    ----------
    path
        The file.
    sample
        Column that names the samples.
    annotations
        Columns that describe samples; all others are analytes.
    lower, upper
        Limits by analyte; they go before limits in rows of the table. A limit in a cell (``<x``)
        goes before both.
    duplicates
        A sample named twice: ``refuse``, ``mean`` or ``leave-out``.

    Returns
    -------
    Measurements
        Values under the lower limit are marked `below_lod`, values over the upper one
        `above_range`; ``OOR`` and ``<x`` have no value. Extrapolated values are `flagged`.

    Raises
    ------
    InputError
        With row and column if a cell is not understood, or a sample is named twice.
    """
    return immunoassay_measurements(
        read_frame(path), path, sample=sample, annotations=annotations, lower=lower, upper=upper,
        duplicates=duplicates,
    )  # fmt: skip


def immunoassay_measurements(
    frame: pl.DataFrame,
    path: str | Path,
    *,
    sample: str = "Sample",
    annotations: Sequence[str] = (),
    lower: Mapping[str, float] | None = None,
    upper: Mapping[str, float] | None = None,
    duplicates: Duplicates = "refuse",
) -> Measurements:
    """Return the measurements of a table read from `path`; see `read_immunoassay_table`."""
    import polars as pl  # noqa: PLC0415  heavy: only when a table is read

    for name in (sample, *annotations):
        if name not in frame.columns:
            raise UnknownNameError("column", name, frame.columns, where=Place(str(path)))
    analytes = [c for c in frame.columns if c != sample and c not in annotations]
    if not analytes:
        raise InputError("no column is left for analytes", where=Place(str(path)))
    for given in (lower or {}, upper or {}):
        for name in given:
            if name not in analytes:
                raise UnknownNameError("analyte", name, analytes, where=Place(str(path)))
    word = frame[sample].cast(pl.String).fill_null("").str.strip_chars().str.to_lowercase()
    is_lower, is_upper = word.is_in(list(_LOWER)).to_numpy(), word.is_in(list(_UPPER)).to_numpy()
    if is_lower.sum() > 1 or is_upper.sum() > 1:
        raise InputError(
            "more than one row holds the same limit",
            where=Place(str(path)),
            hint="Keep one of LOD, LLOD and LLOQ, and one of ULOQ and ULOD.",
        )
    cells = {name: _understood(frame, name, path) for name in analytes}
    low = _limits(cells, is_lower, lower or {})
    high = _limits(cells, is_upper, upper or {})
    data = ~(is_lower | is_upper)
    kept = frame.filter(pl.Series(data))
    named = [str(x) for x in kept[sample].cast(pl.String).to_list()]
    kept = kept.with_columns(pl.Series(sample, apart(named, duplicates)))
    found = _laid_out(kept, cells, data, sample, annotations, low, high)
    return settle_repeats(found, named, duplicates)


def _understood(frame: pl.DataFrame, name: str, path: str | Path) -> Cells:
    found = read_cells(frame[name].to_list())
    if found.bad:
        row, text = found.bad[0]
        raise InputError(
            f"'{text}' of analyte {name} in row {row + 1} is not understood",
            where=Place(str(path)),
            hint="Numbers, *x, <x, >x, OOR <, OOR > or empty. If the column describes samples, "
            "name it in annotations.",
        )
    return found


def _limits(
    cells: Mapping[str, Cells], row: NDArray[np.bool_], given: Mapping[str, float]
) -> Floats:
    return np.array(
        [
            given.get(name, float(one.values[row][0]) if row.any() else np.nan)
            for name, one in cells.items()
        ]
    )


def _laid_out(
    frame: pl.DataFrame,
    cells: Mapping[str, Cells],
    data: NDArray[np.bool_],
    sample: str,
    annotations: Sequence[str],
    low: Floats,
    high: Floats,
) -> Measurements:
    import polars as pl  # noqa: PLC0415  heavy: only when a table is read

    def columns(name: str) -> NDArray[np.float64]:
        return np.stack([getattr(one, name)[data] for one in cells.values()], axis=1)

    values, own_low, own_high = columns("values"), columns("lower"), columns("upper")
    lod = np.where(np.isnan(own_low), low, own_low)
    top = np.where(np.isnan(own_high), high, own_high)
    with np.errstate(invalid="ignore"):
        below = columns("below").astype(bool) | (values < lod)
        above = columns("above").astype(bool) | (values > top)
    notes = []
    if above.any():
        notes.append(f"{int(above.sum())} values lie above the range of their assay.")
    unknown = int((below & np.isnan(lod)).sum())
    if unknown:
        notes.append(f"{unknown} values lie below a limit that the table does not give.")
    samples = pl.DataFrame({"sample": frame[sample].cast(pl.String)}).with_columns(
        *(frame[name] for name in annotations)
    )
    analytes = pl.DataFrame({"analyte": list(cells), "lower_limit": low, "upper_limit": high})
    return Measurements(
        values, below, lod, samples, analytes, "linear", above,
        columns("extrapolated").astype(bool), tuple(notes),
    )  # fmt: skip
