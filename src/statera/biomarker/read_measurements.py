"""Read measurements of any supported format, which is found from the columns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from statera.biomarker.adat import read_adat
from statera.biomarker.long_table import read_frame, read_long_table
from statera.biomarker.measurements import Measurements, Scale
from statera.biomarker.olink_npx import measurements_of_npx
from statera.errors import InputError, Place, UsageError

__all__ = ["on_log2", "read_measurements"]

_NPX = frozenset({"SampleID", "OlinkID", "NPX"})
_LONG = ("sample", "analyte", "value")


def read_measurements(path: str | Path, scale: Scale | None = None) -> tuple[Measurements, str]:
    """Return measurements and the name of the format.

    A file named ``.adat`` is SomaScan; columns SampleID, OlinkID and NPX are Olink's long format;
    columns sample, analyte and value (and lod), in any case, are a long table.

    Parameters
    ----------
    path
        The file.
    scale
        Scale of the values of a long table; ``linear`` unless given. The other formats have
        their own.

    Raises
    ------
    InputError
        If the file cannot be read or no format fits.
    UsageError
        If `scale` contradicts the format.
    """
    if Path(path).suffix.lower() == ".adat":
        _same_scale(scale, "linear", "an ADAT file")
        return read_adat(path), "SomaScan ADAT"
    frame = read_frame(path)
    if set(frame.columns) >= _NPX:
        _same_scale(scale, "log2", "NPX")
        return measurements_of_npx(frame), "Olink NPX, long"
    own = {name.strip().lower(): name for name in frame.columns}
    if all(name in own for name in _LONG):
        sample, analyte, value = (own[name] for name in _LONG)
        found = read_long_table(
            path, sample=sample, analyte=analyte, value=value, lod=own.get("lod"),
            scale=scale or "linear",
            sample_columns=[c for c in frame.columns if c.strip().lower() not in (*_LONG, "lod")],
        )  # fmt: skip
        return found, "long table"
    raise InputError(
        "the columns fit no known format of measurements",
        where=Place(str(path)),
        hint="Olink NPX has SampleID, OlinkID, NPX; a long table sample, analyte, value (and lod); "
        "SomaScan's file name ends in .adat.",
    )


def _same_scale(asked: Scale | None, own: Scale, name: str) -> None:
    if asked is not None and asked != own:
        raise UsageError(f"{name} is on the {own} scale", where="--scale", hint="Leave it out.")


def on_log2(measurements: Measurements) -> Measurements:
    """Return measurements on the log2 scale; values that are not positive are emptied, and told."""
    if measurements.scale == "log2":
        return measurements
    with np.errstate(invalid="ignore", divide="ignore"):
        bad = measurements.values <= 0.0
        values = np.where(bad, np.nan, np.log2(np.where(bad, np.nan, measurements.values)))
        lod = np.where(measurements.lod > 0.0, np.log2(measurements.lod), np.nan)
    notes = ["Values were taken to log2."]
    if bad.any():
        notes.append(f"{int(bad.sum())} values that are not positive have no logarithm: left out.")
    return replace(
        measurements, values=values, lod=lod, scale="log2", notes=(*measurements.notes, *notes)
    )
