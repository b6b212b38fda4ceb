"""Analyse one well: read what is needed, leave out anomalies, gate, and count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.compensation import Spillover
from statera.cytometry.describe_fcs import describe_fcs
from statera.cytometry.gates import UNCOMPENSATED, BooleanGate, Gate
from statera.cytometry.needed_channels import needed_channels
from statera.cytometry.quality import QualityOptions, check_quality
from statera.cytometry.read_fcs import FcsFile, read_fcs
from statera.cytometry.statistics import population_statistics
from statera.cytometry.strategy import GatingStrategy, apply_gates, populations_of
from statera.errors import StateraError
from statera.plate.compensation import compensated_channel, well_spillover
from statera.plate.gating import PlateGates
from statera.plate.measurement_keywords import measurement_keywords
from statera.plate.plate_map import Well
from statera.plate.result import PopulationRow, Removal, WellResult, WellStatus
from statera.plate.settings import PlateSettings

__all__ = ["WellOutcome", "analyse_well", "leave_out_anomalies", "parent_of"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class WellOutcome:
    """A well's results.

    Attributes
    ----------
    result, rows
    thresholds
        Percentile of each population and readout, for other wells to compare with.
    file, masks
        Events and populations where they were asked for, else None and empty.
    """

    result: WellResult
    rows: tuple[PopulationRow, ...] = ()
    thresholds: Mapping[tuple[str, str], float] | None = None
    file: FcsFile | None = None
    masks: Mapping[str, Mask] | None = None


def analyse_well(
    well: Well,
    path: Path,
    settings: PlateSettings,
    gates: PlateGates,
    whole: Spillover | None,
    negative: Mapping[tuple[str, str], float] | None = None,
    *,
    keep: bool = False,
) -> WellOutcome:
    """Return statistics of all populations of a well; what fails is its status.

    Parameters
    ----------
    well, path
    settings, gates
    whole
        Matrix of the plate, if there is one.
    negative
        Threshold by population and readout above which an event is positive.
    keep
        Whether events and masks are returned, for drawings.
    """
    try:
        strategy = gates.of(well.name)
        file = _read(path, strategy, settings, whole)
    except StateraError as error:
        return WellOutcome(_failed(well, WellStatus.UNREADABLE, error))
    made = WellResult(
        well,
        WellStatus.ANALYSED,
        n_events=file.n_events,
        content_hash=file.content_hash,
        repairs=tuple(r.sentence for r in file.repairs),
        measured=measurement_keywords(file),
    )
    if file.n_events == 0:
        made = replace(made, status=WellStatus.EMPTY, sentence="the file holds no events")
        return WellOutcome(made)
    try:
        kept, made = leave_out_anomalies(file, settings, made, strategy, whole)
        masks = apply_gates(strategy, kept)
        spillover = well_spillover(kept, settings.compensation, whole, strategy)
        signals = {
            name: compensated_channel(kept, channel, spillover)
            for name, channel in settings.panel.readouts.items()
        }
    except StateraError as error:
        failed = _failed(well, WellStatus.NOT_GATED, error)
        return WellOutcome(replace(made, status=failed.status, sentence=failed.sentence))
    rows, thresholds = _rows(well, masks, signals, strategy, gates, settings, negative or {})
    made = replace(made, n_kept=kept.n_events)
    if keep:
        return WellOutcome(made, rows, thresholds, kept, masks)
    return WellOutcome(made, rows, thresholds)


def _read(
    path: Path, strategy: GatingStrategy, settings: PlateSettings, whole: Spillover | None
) -> FcsFile:
    """Read the channels that gates, quality control and readouts need, and no others."""
    described = describe_fcs(path)
    panel = settings.panel.resolve(described)
    plain = (panel.fsc_area, panel.fsc_height, panel.ssc_area, panel.time)
    signals = [panel.live_dead, *panel.markers.values(), *panel.readouts.values()]
    extra = [name for name in (*plain, *signals) if name]
    spillover = well_spillover(described, settings.compensation, whole, strategy)
    if spillover is not None and any(
        spillover.row_of(name, described) is not None for name in signals if name
    ):
        extra += [described.names[row] for row in spillover.rows(described)]
    return read_fcs(path, needed_channels(strategy, described, extra))


def _failed(well: Well, status: WellStatus, error: StateraError) -> WellResult:
    hint = f" {error.hint}" if error.hint else ""
    return WellResult(well, status, f"{error.what}.{hint}")


def leave_out_anomalies(
    file: FcsFile,
    settings: PlateSettings,
    made: WellResult,
    strategy: GatingStrategy,
    whole: Spillover | None,
) -> tuple[FcsFile, WellResult]:
    """Return the events that quality control keeps, and the well with what it found.

    Raises
    ------
    InputError
        If the matrix of the well cannot be used or a channel of the panel is not there.
    """
    spillover = well_spillover(file, settings.compensation, whole, strategy)
    matrix: str | Spillover = UNCOMPENSATED if spillover is None else spillover
    options = QualityOptions(compensation=matrix, few=settings.quality.min_events)
    report = check_quality(file, settings.panel, options)
    removed = settings.quality.remove
    removals = tuple(
        Removal(
            rule,
            int(mask.sum()),
            removed,
            "; ".join(f.sentence for f in report.flags if f.rule == rule),
        )
        for rule, mask in report.removed.items()
    )
    others = [f.sentence for f in report.flags if f.rule not in report.removed]
    made = replace(made, removals=removals, flags=tuple(others))
    if not removed or report.keep.all():
        return file, made
    return replace(file, events=file.events[:, report.keep]), made


def _rows(
    well: Well,
    masks: Mapping[str, Mask],
    signals: Mapping[str, Floats],
    strategy: GatingStrategy,
    gates: PlateGates,
    settings: PlateSettings,
    negative: Mapping[tuple[str, str], float],
) -> tuple[tuple[PopulationRow, ...], dict[tuple[str, str], float]]:
    rows: list[PopulationRow] = []
    thresholds: dict[tuple[str, str], float] = {}
    home = {name: gate for gate in strategy.gates for name in populations_of(gate)}
    for population, gate in gates.populations.items():
        mask = masks[gate]
        parent = masks.get(parent_of(home[gate]))
        for readout, values in signals.items():
            found = population_statistics(values, mask, parent, few=settings.quality.min_events)
            inside = values[mask]
            if inside.size:
                level = settings.statistics.percentile
                thresholds[population, readout] = float(np.percentile(inside, level))
            above = negative.get((population, readout))
            positive = (
                float(100.0 * np.mean(inside > above))
                if above is not None and inside.size
                else np.nan
            )
            rows.append(
                PopulationRow(
                    well,
                    population,
                    readout,
                    found.count,
                    found.of_parent,
                    found.of_total,
                    found.median,
                    found.geometric_mean,
                    percent_positive=positive,
                    flags=tuple(p for p in found.problems if "geometric mean" not in p),
                    left_out=found.left_out,
                )
            )
    return tuple(rows), thresholds


def parent_of(gate: Gate) -> str:
    """Return the population that shares are taken of: of an intersection, its first part."""
    if gate.parent:
        return gate.parent
    if (
        isinstance(gate, BooleanGate)
        and gate.operation == "and"
        and not gate.references[0].complement
    ):
        return gate.references[0].name
    return ""
