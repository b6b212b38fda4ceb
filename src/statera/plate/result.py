"""What a plate analysis found: wells, populations, curves, and everything that went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.assay.ic50 import Ic50
from statera.cytometry.strategy import GatingStrategy
from statera.plate.plate_map import Well
from statera.plate.problem import Problem
from statera.plate.settings import PlateSettings

__all__ = [
    "Controls",
    "CurveResult",
    "GateShown",
    "PlateResult",
    "PopulationRow",
    "Removal",
    "WellResult",
    "WellStatus",
]

Floats = NDArray[np.float64]


class WellStatus(StrEnum):
    """Whether a well is in the results."""

    ANALYSED = "analysed"
    NO_FILE = "no file"
    UNREADABLE = "unreadable"
    NOT_GATED = "not gated"
    EMPTY = "no events"
    UNUSED = "unused"


@dataclass(frozen=True)
class Removal:
    """Events of one well that a rule of quality control left out, or would have."""

    rule: str
    events: int
    removed: bool
    sentence: str


@dataclass(frozen=True)
class WellResult:
    """One well.

    Attributes
    ----------
    well, status
    sentence
        Why it is not analysed, or what was remarked.
    n_events, n_kept
        As read, and after quality control.
    content_hash
        Of the file.
    removals
        By rule of quality control.
    repairs, flags
        What was repaired on reading, and what quality control remarked, as sentences.
    measured
        Keywords of the file that tell how it was measured, from `measurement_keywords`.
    """

    well: Well
    status: WellStatus
    sentence: str = ""
    n_events: int = 0
    n_kept: int = 0
    content_hash: str = ""
    removals: tuple[Removal, ...] = ()
    repairs: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    measured: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PopulationRow:
    """Statistics of one population and readout in one well.

    Attributes
    ----------
    well, population, readout
    count
        Events.
    of_parent, of_all
        Share of the events of the parent gate and of all kept ones.
    median, geometric_mean
        Compensated linear fluorescence; NaN without events.
    arcsinh_ratio, fold
        Against the unstimulated wells of the same plate, donor and cytokine.
    percent_positive
        Above the percentile of the negative control.
    inhibition
        Per cent, between unstimulated and stimulated wells; NaN where there are none.
    flags
        Sentences, such as few events.
    left_out
        Events at or below zero, of which the geometric mean knows nothing.
    """

    well: Well
    population: str
    readout: str
    count: int
    of_parent: float
    of_all: float
    median: float
    geometric_mean: float
    arcsinh_ratio: float = np.nan
    fold: float = np.nan
    percent_positive: float = np.nan
    inhibition: float = np.nan
    flags: tuple[str, ...] = ()
    left_out: int = 0


@dataclass(frozen=True)
class Controls:
    """Controls of one curve.

    Attributes
    ----------
    unstimulated, stimulated : (n,) float64
        Medians of the wells.
    fold, z_prime, signal_window
        Stimulated over unstimulated; quality of the window.
    """

    unstimulated: Floats
    stimulated: Floats
    fold: float
    z_prime: float
    signal_window: float


@dataclass(frozen=True)
class CurveResult:
    """One dose-response curve.

    Attributes
    ----------
    plate, donor, cytokine, population, readout
        Donor is empty for a curve that joins donors.
    dose, response : (n,) float64
        nM, and per cent of the stimulated control (100) over the unstimulated (0).
    wells
        Names of the wells of the points.
    controls
        None for a curve that joins donors.
    ic50, absolute
        Relative and absolute, each with its status.
    parameters : (5,) float64
        b, c, d, ln IC50, f.
    curve : (2, n_line) float64
        Doses and fitted responses for a drawing; empty where refused.
    band : (2, n_line) float64
        Pointwise interval of the fitted response, lower end first; empty where there is none.
    """

    plate: str
    donor: str
    cytokine: str
    population: str
    readout: str
    dose: Floats
    response: Floats
    wells: tuple[str, ...]
    controls: Controls
    ic50: Ic50
    absolute: Ic50 | None
    parameters: Floats
    curve: Floats
    band: Floats = field(default_factory=lambda: np.zeros((2, 0)))

    @property
    def name(self) -> str:
        """Such as ``D1, IL-6, CD4, pSTAT3``."""
        parts = (self.plate, self.donor, self.cytokine, self.population, self.readout)
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class GateShown:
    """A sample of one well's events in the plane of a gate, for a drawing.

    Attributes
    ----------
    well, gate, parent
    x_name, y_name
        Of the axes; `y_name` is empty for a gate of one dimension.
    x, y : (n,) float64
        On the scale of the gate; events of the parent only.
    outline : (n_points, 2) float64
        Corners of the gate in that plane, NaN between pieces; open sides end at +-inf.
    share
        Of the parent's events that lie inside.
    count
        Events inside.
    """

    well: str
    gate: str
    parent: str
    x_name: str
    y_name: str
    x: Floats
    y: Floats
    outline: Floats
    share: float
    count: int


@dataclass(frozen=True)
class PlateResult:
    """Everything that an analysis found.

    Attributes
    ----------
    settings
    wells
        In the order of the plate map.
    rows
        By well, population and readout.
    curves
        By plate, donor, cytokine, population and readout.
    donors
        Over donors, by cytokine, population and readout.
    comparisons
        Of donors, cytokines and populations.
    gates
        The strategy by well; of the whole plate under "".
    confidence
        Sentences of automatic gating, by gate and well.
    shown
        Samples for gate drawings.
    problems
    manifest
    """

    settings: PlateSettings
    wells: tuple[WellResult, ...]
    rows: tuple[PopulationRow, ...]
    curves: tuple[CurveResult, ...]
    gates: Mapping[str, GatingStrategy]
    confidence: tuple[Any, ...] = ()
    shown: tuple[GateShown, ...] = ()
    donors: tuple[Any, ...] = ()
    problems: tuple[Problem, ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)
    comparisons: tuple[Any, ...] = ()
