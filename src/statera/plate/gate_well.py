"""Gate one well as the analysis of its plate does, with all of its channels at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.compensation import Spillover
from statera.cytometry.read_fcs import FcsFile, read_fcs
from statera.cytometry.strategy import GatingStrategy, apply_gates, populations_of
from statera.plate.compensation import compensated_channel, well_spillover
from statera.plate.plate_map import Condition, Well
from statera.plate.result import WellResult, WellStatus
from statera.plate.settings import PlateSettings
from statera.plate.well_analysis import leave_out_anomalies, parent_of

__all__ = ["GatedPopulation", "GatedWell", "gate_events", "gate_well", "read_well_events"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class GatedPopulation:
    """One population of a well.

    Attributes
    ----------
    name, parent
        The parent is empty for all events.
    count
    of_parent, of_all
        Shares of the events of the parent and of all kept ones; NaN without any.
    medians
        Compensated linear fluorescence by readout; NaN without events.
    """

    name: str
    parent: str
    count: int
    of_parent: float
    of_all: float
    medians: Mapping[str, float]


@dataclass(frozen=True)
class GatedWell:
    """A well with its populations.

    Attributes
    ----------
    file
        The events that quality control keeps.
    masks
        (n_events,) bool by population.
    populations
        In the order of the gates.
    """

    file: FcsFile
    masks: Mapping[str, Mask]
    populations: tuple[GatedPopulation, ...]


def gate_well(
    path: str | Path,
    strategy: GatingStrategy,
    settings: PlateSettings,
    whole: Spillover | None = None,
) -> GatedWell:
    """Read a well, leave out anomalies, and count what lies in every gate.

    Parameters
    ----------
    path
    strategy
    settings
        Panel, compensation and quality control are used.
    whole
        Matrix of the plate, where the settings take it from a table or from single stains.

    Raises
    ------
    InputError
        If the file cannot be read, or a channel or matrix is not there.
    """
    file, _ = read_well_events(path, strategy, settings, whole)
    return gate_events(file, strategy, settings, whole)


def read_well_events(
    path: str | Path,
    strategy: GatingStrategy,
    settings: PlateSettings,
    whole: Spillover | None = None,
) -> tuple[FcsFile, WellResult]:
    """Return the events of a well that quality control keeps, with what was found.

    Raises
    ------
    InputError
        If the file cannot be read, or a channel or matrix is not there.
    """
    file = read_fcs(path)
    well = Well("", "", Path(path).name, "", "", Condition.UNUSED, 0.0)
    made = WellResult(well, WellStatus.ANALYSED, n_events=file.n_events)
    if file.n_events == 0:
        return file, made
    return leave_out_anomalies(file, settings, made, strategy, whole)


def gate_events(
    file: FcsFile,
    strategy: GatingStrategy,
    settings: PlateSettings,
    whole: Spillover | None = None,
) -> GatedWell:
    """Count what lies in every gate, of events that quality control has kept.

    Raises
    ------
    InputError
        If a channel or matrix is not there.
    """
    masks = apply_gates(strategy, file)
    spillover = well_spillover(file, settings.compensation, whole, strategy)
    channels = settings.panel.resolve(file).readouts
    signals = {
        name: compensated_channel(file, channel, spillover) for name, channel in channels.items()
    }
    home = {name: gate for gate in strategy.gates for name in populations_of(gate)}
    found = []
    for name in strategy.populations:
        parent = parent_of(home[name])
        mask, around = masks[name], masks.get(parent)
        count = int(mask.sum())
        outside = file.n_events if around is None else int(around.sum())
        medians = {readout: _median(values[mask]) for readout, values in signals.items()}
        found.append(
            GatedPopulation(
                name,
                parent,
                count,
                count / outside if outside else np.nan,
                count / file.n_events if file.n_events else np.nan,
                medians,
            )
        )
    return GatedWell(file, masks, tuple(found))


def _median(values: Floats) -> float:
    numbers = values[np.isfinite(values)]
    return float(np.median(numbers)) if numbers.size else np.nan
