"""What a plate analysis is asked to do: files, panel, gates, statistics and fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from statera.cytometry.panel import Panel
from statera.plate.plate_map import Columns

__all__ = [
    "CompensationKind",
    "CompensationSettings",
    "FitSettings",
    "GatingMethod",
    "GatingSettings",
    "Model",
    "PlateSettings",
    "QualitySettings",
    "ResponseScale",
    "StatisticsSettings",
    "Weighting",
    "fixed_parameters",
]


class GatingMethod(StrEnum):
    """Where gates come from."""

    AUTOMATIC = "automatic"
    GATINGML = "gatingml"
    FLOWJO = "flowjo"
    TOML = "toml"


class CompensationKind(StrEnum):
    """Where the spillover matrix comes from; ``gates`` is the one in the file of gates."""

    FILE = "file"
    NONE = "none"
    TABLE = "table"
    SINGLE_STAINS = "single_stains"
    GATES = "gates"


class Model(StrEnum):
    """The curve that is fitted."""

    FOUR = "4pl"
    THREE = "3pl"
    FIVE = "5pl"


def fixed_parameters(model: Model) -> Mapping[str, float]:
    """Return the parameters that a model holds; responses are per cent of control."""
    fixed: dict[Model, Mapping[str, float]] = {
        Model.FOUR: {"f": 1.0},
        Model.THREE: {"f": 1.0, "d": 100.0},
        Model.FIVE: {},
    }
    return fixed[model]


class ResponseScale(StrEnum):
    """The scale on which fluorescence is compared with its controls."""

    LINEAR = "linear"
    ARCSINH = "arcsinh"


class Weighting(StrEnum):
    """How points of a curve are weighted."""

    NONE = "none"
    RELATIVE = "relative"
    HUBER = "huber"
    BISQUARE = "bisquare"


@dataclass(frozen=True)
class GatingSettings:
    """Gates.

    Attributes
    ----------
    method, file
        Automatic, or from a file of gates; then `Panel.populations` maps names to gates.
    populations
        For gates from a file: name in the results to name of the gate.
    events
        Events of each well from which automatic gates are made.
    seed
        Of the choice of these events.
    group
        Group of a FlowJo workspace whose gates serve wells that it does not hold.
    binned
        Whether polygons and ellipses are evaluated on bins, as FlowJo does.
    """

    method: GatingMethod = GatingMethod.AUTOMATIC
    file: Path | None = None
    populations: Mapping[str, str] = field(default_factory=dict)
    events: int = 5000
    seed: int = 1
    group: str = ""
    binned: bool = False


@dataclass(frozen=True)
class CompensationSettings:
    """Spillover."""

    kind: CompensationKind = CompensationKind.FILE
    file: Path | None = None


@dataclass(frozen=True)
class QualitySettings:
    """Which events are left out before gating.

    Attributes
    ----------
    remove
        Whether events of anomalies (margins, flow, drift) are left out; they are counted either
        way.
    min_events
        A population with fewer is flagged.
    """

    remove: bool = True
    min_events: int = 200


@dataclass(frozen=True)
class StatisticsSettings:
    """Statistics of a population.

    Attributes
    ----------
    cofactor
        Of arcsinh ratios.
    percentile
        Of the negative control, above which an event counts as positive.
    """

    cofactor: float = 150.0
    percentile: float = 99.0


@dataclass(frozen=True)
class FitSettings:
    """Curves.

    Attributes
    ----------
    model
        ``4pl``; ``3pl`` holds the top at the stimulated control; ``5pl`` is asymmetric.
    scale
        On which the median is compared with its controls; it decides where halfway lies.
    weights
        ``none``; ``relative`` for errors in proportion to the signal; robust ones.
    level
        Of intervals.
    absolute
        Per cent of control whose dose is given as absolute IC50.
    min_fold
        Stimulated over unstimulated, below which a curve is refused.
    max_control_cv
        Standard deviation of stimulated wells over the window, above which the control is called
        unstable.
    """

    model: Model = Model.FOUR
    scale: ResponseScale = ResponseScale.LINEAR
    weights: Weighting = Weighting.NONE
    level: float = 0.95
    absolute: float = 50.0
    min_fold: float = 1.5
    max_control_cv: float = 0.2


@dataclass(frozen=True)
class PlateSettings:
    """Everything that ``plate.toml`` says.

    Attributes
    ----------
    name, drug
        Of the experiment, and of the inhibitor as the library calls it.
    path, plate_map, files
        The settings' own file, the plate map and the folder of FCS files.
    matrix
        What the drug was dissolved in, as potencies say: ``cells``, ``whole_blood``.
    about
        MIFlowCyt items by section and name, as the user states them.
    """

    name: str
    drug: str
    path: Path
    plate_map: Path
    files: Path
    panel: Panel
    columns: Columns = field(default_factory=Columns)
    matrix: str = "unknown"
    gating: GatingSettings = field(default_factory=GatingSettings)
    compensation: CompensationSettings = field(default_factory=CompensationSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    statistics: StatisticsSettings = field(default_factory=StatisticsSettings)
    fit: FitSettings = field(default_factory=FitSettings)
    about: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
