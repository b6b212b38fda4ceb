"""What ``statera biomarker predict`` reads: measurements, samples, outcomes and options."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statera.cli.options import concerning
from statera.errors import InputError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from statera.biomarker.marker_table import MarkerTable
    from statera.biomarker.measurements import Measurements

__all__ = [
    "PredictSource",
    "ReadMarkers",
    "levels_of",
    "outcome_subject",
    "read_markers",
    "read_outcomes",
]


@dataclass(frozen=True)
class PredictSource:
    """Files and columns.

    Attributes
    ----------
    measurements, samples, outcomes
        Files; the last two may be absent.
    subject
        Column of subjects; samples are subjects where it is empty and no column is called so.
    at
        Column and value of the samples that predict.
    covariates, batch, group
        Columns of the samples.
    factors
        Covariates that are factors, with their levels.
    scale
        Of a long table.
    """

    measurements: Path
    samples: Path | None
    outcomes: Path | None
    subject: str | None
    at: dict[str, str]
    covariates: tuple[str, ...]
    batch: str | None
    group: str | None
    factors: dict[str, tuple[str, ...]]
    scale: Any

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are read."""
        return tuple(f for f in (self.measurements, self.samples, self.outcomes) if f is not None)


@dataclass(frozen=True)
class ReadMarkers:
    """What was read.

    Attributes
    ----------
    table : MarkerTable
    names
        Of the markers, as people know them.
    groups
        Sites of the samples; empty where no column was named.
    kind
        Format of the measurements.
    measurements
        All of them, with the columns of their samples.
    notes
    """

    table: MarkerTable
    names: tuple[str, ...]
    groups: tuple[str, ...]
    kind: str
    measurements: Measurements
    notes: tuple[str, ...]


def read_markers(source: PredictSource) -> ReadMarkers:
    """Return the samples that predict, on log2."""
    from statera.biomarker.marker_table import marker_table  # heavy: only when run
    from statera.biomarker.measurements import take
    from statera.biomarker.read_measurements import on_log2, read_measurements
    from statera.biomarker.sample_table import join_samples, read_sample_rows

    if source.scale is not None and source.scale not in ("linear", "log2"):
        raise UnknownNameError("scale", source.scale, ("linear", "log2"), where="--scale")
    found, kind = read_measurements(source.measurements, source.scale)
    if source.samples is not None:
        samples, told = read_sample_rows(source.samples)
        found = join_samples(found, samples)
        found = replace(found, notes=(*found.notes, *told))
    every = found
    for column, wanted in source.at.items():
        if column not in found.samples.columns:
            raise UnknownNameError("column", column, found.samples.columns, where="--at")
        import numpy as np

        cells = [_label(x) for x in found.samples[column].to_list()]
        keep = np.array([cell == _label(wanted) for cell in cells], dtype=bool)
        if not keep.any():
            raise UnknownNameError("value", wanted, set(cells), where=f"--at {column}")
        left = int((~keep).sum())
        found = take(found, samples=keep,
                     note=f"{left} samples with another {column} than {wanted} do not predict."
                     if left else "")  # fmt: skip
    found = on_log2(found)
    subject = _subject(source, found)
    with concerning("--subject, --covariate or --batch"):
        table = marker_table(
            found, subject=subject, covariates=source.covariates, batch=source.batch,
            factors=source.factors,
        )  # fmt: skip
    groups: tuple[str, ...] = ()
    if source.group is not None:
        with concerning("--group"):
            groups = marker_table(found, batch=source.group).batches
    analytes = found.analytes
    shown = next((c for c in ("Assay", "Target", "name") if c in analytes.columns), "analyte")
    names = tuple(str(x) for x in analytes[shown].to_list())
    return ReadMarkers(table, names, groups, kind, every, found.notes)


def _subject(source: PredictSource, found: Measurements) -> str | None:
    if source.subject is not None:
        return source.subject
    return "subject" if "subject" in found.samples.columns else None


def read_outcomes(source: PredictSource, read: ReadMarkers) -> dict[str, list[Any]]:
    """Return the table that the rule is applied to: outcomes, or else the samples' own columns."""
    from statera.biomarker.index_table import read_index_table  # heavy: only when run

    if source.outcomes is not None:
        return dict(read_index_table(source.outcomes))
    samples = read.measurements.samples
    found: dict[str, list[Any]] = {name: samples[name].to_list() for name in samples.columns}
    if _subject(source, read.measurements) is None:
        found["subject"] = found["sample"]
    return found


def outcome_subject(source: PredictSource, table: dict[str, list[Any]], given: str | None) -> str:
    """Return the column of subjects in the table of outcomes."""
    wanted = given or source.subject or "subject"
    if wanted not in table:
        raise InputError(
            f"the outcomes have no column '{wanted}' of subjects",
            where="--subject",
            hint=f'Columns: {", ".join(table)}. A rule in a file may say subject = "NAME".',
        )
    return wanted


def levels_of(texts: list[str] | None) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return covariates, and the levels of those that are factors, from ``arm=placebo,active``."""
    names, factors = list[str](), dict[str, tuple[str, ...]]()
    for text in texts or []:
        name, sign, levels = (part.strip() for part in text.partition("="))
        named = tuple(level.strip() for level in levels.split(",") if level.strip())
        if not name or (sign and len(set(named)) < 2) or name in names:
            raise UsageError(
                f"'{text}' names no covariate",
                where="--covariate",
                hint="Write age, or arm=placebo,active with the baseline first; each once.",
            )
        names.append(name)
        if sign:
            factors[name] = named
    return tuple(names), factors


def _label(cell: Any) -> str:
    text = "" if cell is None else str(cell).strip()
    try:
        return f"{float(text):g}"
    except ValueError:
        return text
