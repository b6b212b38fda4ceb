"""Read measurements of any supported format, which is found from the content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from statera.biomarker.adat import read_adat
from statera.biomarker.cells import read_cells
from statera.biomarker.immunoassay_table import read_immunoassay_table
from statera.biomarker.long_table import Duplicates, read_frame, read_long_table
from statera.biomarker.luminex_xponent import is_xponent, read_xponent
from statera.biomarker.measurements import Measurements, Scale, listed
from statera.biomarker.olink_npx import NpxOptions, measurements_of_npx
from statera.errors import InputError, Place, UsageError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["on_log2", "read_measurements"]

_NPX = frozenset({"SampleID", "OlinkID", "NPX"})
_SAMPLE = ("sample", "sampleid", "sample_id", "sample id", "sample name")
_ANALYTE = ("analyte", "assay", "protein")
_VALUE = ("value", "concentration", "calc. concentration", "result")
_LIMIT = ("lod", "llod", "lloq", "detection limits: calc. low")


def read_measurements(
    path: str | Path,
    scale: Scale | None = None,
    *,
    annotations: Sequence[str] = (),
    duplicates: Duplicates = "refuse",
) -> tuple[Measurements, str]:
    """Return measurements and the name of the format.

    A file named ``.adat``, or that begins as one, is SomaScan; one that begins as an export of
    xPONENT is Luminex, a sample in several wells being their mean. Columns SampleID, OlinkID and
    NPX are Olink's long format; columns of samples, analytes and values (and limits) are a long
    table, the names being sample, analyte, value, lod or those that instruments write for them; a
    column of samples and columns of concentrations are a wide table of Luminex or MSD.

    Parameters
    ----------
    path
        The file.
    scale
        Scale of the values of a long table; ``linear`` unless given. The other formats have
        their own.
    annotations
        Columns of a wide table that describe samples, where they are there; others whose cells
        are no concentrations are found, and named in a note.
    duplicates
        What is done with a sample that stands twice: ``refuse``, ``mean`` or ``leave-out``.

    Raises
    ------
    InputError
        If the file cannot be read or no format fits.
    UsageError
        If `scale` contradicts the format.
    """
    start = _beginning(Path(path))
    if is_xponent(start):
        _same_scale(scale, "linear", "an export of xPONENT")
        return read_xponent(path, replicates=duplicates != "refuse"), "Luminex xPONENT"
    if Path(path).suffix.lower() == ".adat" or start.startswith(("!Checksum", "^HEADER")):
        _same_scale(scale, "linear", "an ADAT file")
        return read_adat(path, duplicates=duplicates), "SomaScan ADAT"
    frame = read_frame(path)
    if set(frame.columns) >= _NPX:
        _same_scale(scale, "log2", "NPX")
        found = measurements_of_npx(frame, NpxOptions(duplicates=duplicates))
        return found, "Olink NPX, long"
    own = {name.strip().lower(): name for name in frame.columns}
    sample, analyte, value, lod = (
        next((own[word] for word in words if word in own), None)
        for words in (_SAMPLE, _ANALYTE, _VALUE, _LIMIT)
    )
    if sample and analyte and value:
        found = read_long_table(
            path, sample=sample, analyte=analyte, value=value, lod=lod, scale=scale or "linear",
            duplicates=duplicates,
            sample_columns=[c for c in frame.columns if c not in (sample, analyte, value, lod)],
        )  # fmt: skip
        return found, "long table"
    if sample and len(frame.columns) > 1:
        wide = _read_wide(path, frame, sample, annotations, duplicates)
        if wide is not None:
            _same_scale(scale, "linear", "a wide table of concentrations")
            return wide, "wide table (Luminex, MSD)"
    raise InputError(
        "the columns fit no known format of measurements",
        where=Place(str(path)),
        hint="Olink NPX has SampleID, OlinkID, NPX; a long table sample, analyte, value (and lod); "
        "a wide table a column sample and one for each analyte; SomaScan's file ends in .adat.",
    )


def _beginning(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(200).decode("utf-8-sig", errors="replace")
    except OSError:
        return ""  # the reader of tables says why it cannot be read


def _read_wide(
    path: str | Path, frame: pl.DataFrame, sample: str, annotations: Sequence[str],
    duplicates: Duplicates,
) -> Measurements | None:  # fmt: skip
    """Return a wide table, or None where no column holds concentrations."""
    named = [c for c in frame.columns if c in annotations and c != sample]
    words = [c for c in frame.columns
             if c != sample and c not in named and read_cells(frame[c].to_list()).bad]  # fmt: skip
    if len(named) + len(words) + 1 == len(frame.columns):
        return None
    found = read_immunoassay_table(
        path, sample=sample, annotations=[*named, *words], duplicates=duplicates
    )
    said = f"Columns that describe samples, as their cells are no concentrations: {listed(words)}."
    return replace(found, notes=(*found.notes, said)) if words else found


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
