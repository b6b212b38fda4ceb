"""What an experiment is planned from: doses, plate, wells, pipettes, panel, reagents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from statera.assay.dilution import log_dilution_series
from statera.assay.plan_pipetting import Pipette
from statera.errors import InputError

__all__ = [
    "CytokineStock",
    "DoseOptions",
    "Edges",
    "LayoutOptions",
    "PipettingOptions",
    "PlanOptions",
    "PlateFormat",
    "PlateOptions",
    "PrecisionOptions",
    "Reagent",
    "Stain",
]

HALF_LOG = math.sqrt(10.0)


class PlateFormat(IntEnum):
    """Wells of a plate."""

    WELLS_96 = 96
    WELLS_384 = 384

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return (8, 12) if self is PlateFormat.WELLS_96 else (16, 24)


class Edges(StrEnum):
    """What is done with the outermost wells."""

    BUFFER = "buffer"
    EMPTY = "empty"
    USED = "used"


@dataclass(frozen=True)
class DoseOptions:
    """Doses in the well.

    Attributes
    ----------
    top_nM, step, n
        Highest dose, factor between neighbours and number of doses.
    listed_nM
        Doses instead of these three; empty where not used.
    dmso_percent
        Solvent in every well that gets drug or vehicle, % v/v.
    stock_mM
        Stock in pure solvent.
    """

    top_nM: float = 10_000.0
    step: float = HALF_LOG
    n: int = 9
    listed_nM: tuple[float, ...] = ()
    dmso_percent: float = 0.1
    stock_mM: float = 10.0

    def __post_init__(self) -> None:
        _positive(self.stock_mM, "doses.stock_mM", "mM")
        if not 0.0 < self.dmso_percent < 100.0:
            raise InputError(
                f"{self.dmso_percent:g} % solvent in the well is not possible",
                where="doses.dmso_percent",
                hint="Give a share above 0 and below 100; cells stand little of it.",
            )
        values = self.values_nM
        if len(values) < 2 or len(set(values)) < len(values):
            raise InputError(
                "doses must differ and be two or more",
                where="doses.list_nM",
                hint="Give each dose once.",
            )

    @property
    def values_nM(self) -> tuple[float, ...]:
        """Doses wanted, highest first."""
        if self.listed_nM:
            for value in self.listed_nM:
                _positive(value, "doses.list_nM", "nM")
            return tuple(sorted(self.listed_nM, reverse=True))
        series = log_dilution_series(self.top_nM, self.step, self.n).tolist()
        return tuple(float(f"{value:.12g}") for value in series)


@dataclass(frozen=True)
class PlateOptions:
    """The plate and what goes into a well, µL.

    Attributes
    ----------
    format, edges
    cells_ul, drug_ul, cytokine_ul
        Suspension of cells; then drug or vehicle; then cytokine or medium.
    capacity_ul
        Of a well.
    """

    format: PlateFormat = PlateFormat.WELLS_96
    edges: Edges = Edges.BUFFER
    cells_ul: float = 160.0
    drug_ul: float = 20.0
    cytokine_ul: float = 20.0
    capacity_ul: float = 300.0

    def __post_init__(self) -> None:
        for name in ("cells_ul", "drug_ul", "cytokine_ul", "capacity_ul"):
            _positive(getattr(self, name), f"plate.{name}", "µL")
        if self.well_ul > self.capacity_ul:
            raise InputError(
                f"{self.well_ul:g} µL do not fit into a well of {self.capacity_ul:g} µL",
                where="plate",
                hint="Lower cells_ul, drug_ul or cytokine_ul, or state another capacity_ul.",
            )

    @property
    def well_ul(self) -> float:
        """Volume during stimulation."""
        return self.cells_ul + self.drug_ul + self.cytokine_ul


@dataclass(frozen=True)
class LayoutOptions:
    """What the wells are for.

    Attributes
    ----------
    donors, cytokines
        Names; every donor gets every cytokine.
    replicates
        Wells of a dose, for each donor and cytokine.
    unstimulated, stimulated, fmo
        Control wells for each donor and cytokine.
    unstained
        Wells without any dye, once.
    single_stains
        Wells of each dye alone, once: 0 or 1, because the analysis takes one for each channel.
    randomise, seed
        Whether doses are in random order within each block of replicates.
    """

    donors: tuple[str, ...] = ("D1", "D2", "D3")
    cytokines: tuple[str, ...] = ("IL-6", "IL-15")
    replicates: int = 2
    unstimulated: int = 4
    stimulated: int = 4
    fmo: int = 1
    unstained: int = 1
    single_stains: int = 1
    randomise: bool = True
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("donors", "cytokines"):
            names = getattr(self, name)
            if not names or len(set(names)) < len(names):
                raise InputError(
                    f"{name} must be named, each once",
                    where=f"layout.{name}",
                    hint='Such as ["D1", "D2"].',
                )
        _seed(self.seed, "layout.seed")
        floor = {
            "replicates": 1, "unstimulated": 1, "stimulated": 1,
            "fmo": 0, "unstained": 0, "single_stains": 0,
        }  # fmt: skip
        for name, least in floor.items():
            most = 1 if name == "single_stains" else 384
            if not least <= getattr(self, name) <= most:
                raise InputError(
                    f"{getattr(self, name)} wells are not possible here",
                    where=f"layout.{name}",
                    hint=f"Give a whole number from {least} to {most}.",
                )


@dataclass(frozen=True)
class PipettingOptions:
    """Pipettes, vessels and reserves.

    Attributes
    ----------
    pipettes
    overage_percent
        Made in excess of what the wells need.
    max_fold
        Of one dilution; larger ones get an intermediate.
    tube_ul
        Working volume of a tube.
    least_serial_ul
        Smallest transfer within the series.
    """

    pipettes: tuple[Pipette, ...] = (
        Pipette(2.0, 20.0, 0.1),
        Pipette(20.0, 200.0, 1.0),
        Pipette(200.0, 1000.0, 5.0),
    )
    overage_percent: float = 20.0
    max_fold: float = 100.0
    tube_ul: float = 1500.0
    least_serial_ul: float = 10.0

    def __post_init__(self) -> None:
        if not self.pipettes:
            raise InputError("no pipette is given", where="pipetting.pipettes")
        _positive(self.tube_ul, "pipetting.tube_ul", "µL")
        if not 0.0 <= self.overage_percent <= 500.0:
            raise InputError(
                f"an overage of {self.overage_percent:g} % is not possible",
                where="pipetting.overage_percent",
                hint="Give 0 to 500.",
            )
        if not 2.0 <= self.max_fold <= 1000.0:
            raise InputError(
                f"a largest fold of {self.max_fold:g} is not possible",
                where="pipetting.max_fold",
                hint="Give 2 to 1000.",
            )
        if not 0.0 <= self.least_serial_ul <= self.tube_ul:
            raise InputError(
                f"a smallest transfer of {self.least_serial_ul:g} µL is not possible",
                where="pipetting.least_serial_ul",
                hint="Give 0 or more, and less than a tube holds.",
            )

    @property
    def with_overage(self) -> float:
        """Factor from what is needed to what is made."""
        return 1.0 + self.overage_percent / 100.0


@dataclass(frozen=True)
class Stain:
    """An antibody or dye of the panel.

    Attributes
    ----------
    marker
        Such as ``CD4``.
    readout
        Whether it is the measured one: it is left out of the FMO.
    viability
        Whether it tells dead cells.
    channel, dye, clone
        As the user states them; empty where not stated.
    volume_ul
        Per well; None where not stated.
    """

    marker: str
    readout: bool = False
    viability: bool = False
    channel: str = ""
    dye: str = ""
    clone: str = ""
    volume_ul: float | None = None

    @property
    def stain(self) -> str:
        """What the plate map names: the channel, or the marker where that is not stated."""
        return self.channel or self.marker


@dataclass(frozen=True)
class CytokineStock:
    """A cytokine, its concentration in the well and its stock; None where not stated."""

    name: str
    final_ng_per_mL: float | None = None
    stock_ug_per_mL: float | None = None


@dataclass(frozen=True)
class Reagent:
    """Something that every well gets, such as fixation buffer; None where not stated."""

    name: str
    volume_ul: float | None = None


@dataclass(frozen=True)
class PrecisionOptions:
    """What the simulation of precision assumes.

    Attributes
    ----------
    ic50_nM
        Typical IC50; None takes the middle of the doses.
    hill
        Slope.
    between_donor_sd
        Standard deviation of ln IC50 between donors.
    well_cv
        Coefficient of variation of the signal between wells.
    window
        Stimulated over unstimulated signal.
    wanted_fold
        Wanted 95 % interval of the donors' mean IC50, as upper over lower end.
    doses, replicates, donors
        Numbers that are compared; empty ones are chosen around the plan.
    experiments
        Donors simulated for each design.
    seed
    """

    ic50_nM: float | None = None
    hill: float = 1.0
    between_donor_sd: float = 0.3
    well_cv: float = 0.1
    window: float = 5.0
    wanted_fold: float = 2.0
    doses: tuple[int, ...] = ()
    replicates: tuple[int, ...] = ()
    donors: tuple[int, ...] = ()
    experiments: int = 100
    seed: int = 1

    def __post_init__(self) -> None:
        limits = {
            "hill": (0.0, 10.0), "between_donor_sd": (-1e-12, 5.0), "well_cv": (0.0, 2.0),
            "window": (1.0, 1e6), "wanted_fold": (1.0, 1e6),
        }  # fmt: skip
        for name, (low, high) in limits.items():
            if not low < getattr(self, name) <= high:
                raise InputError(
                    f"{getattr(self, name):g} is not possible for {name}",
                    where=f"precision.{name}",
                    hint=f"Give a number above {max(low, 0.0):g} and up to {high:g}.",
                )
        _seed(self.seed, "precision.seed")
        if self.ic50_nM is not None:
            _positive(self.ic50_nM, "precision.ic50_nM", "nM")
        if not 20 <= self.experiments <= 2000:
            raise InputError(
                f"{self.experiments} simulated donors are not possible",
                where="precision.experiments",
                hint="Give 20 to 2000.",
            )
        _within(self.doses, 4, 48, "doses")
        _within(self.replicates, 1, 16, "replicates")
        _within(self.donors, 2, 20, "donors")


@dataclass(frozen=True)
class PlanOptions:
    """A whole request.

    Attributes
    ----------
    name, drug, solvent
        Of the experiment, of the inhibitor as the library calls it, and of its stock.
    given
        Keys that the user stated, such as ``doses.top_nM``; all others are assumed.
    stated
        Keys that the protocol's source states.
    """

    name: str
    drug: str
    solvent: str = "DMSO"
    doses: DoseOptions = field(default_factory=DoseOptions)
    plate: PlateOptions = field(default_factory=PlateOptions)
    layout: LayoutOptions = field(default_factory=LayoutOptions)
    pipetting: PipettingOptions = field(default_factory=PipettingOptions)
    panel: tuple[Stain, ...] = ()
    cytokines: tuple[CytokineStock, ...] = ()
    reagents: tuple[Reagent, ...] = ()
    cells_per_well: float | None = None
    precision: PrecisionOptions = field(default_factory=PrecisionOptions)
    given: frozenset[str] = frozenset()
    stated: frozenset[str] = frozenset()

    def origin(self, key: str) -> str:
        """Return where a value comes from: ``given``, ``stated`` (protocol) or ``assumed``."""
        if key in self.given:
            return "given"
        return "stated" if key in self.stated else "assumed"

    def cytokine(self, name: str) -> CytokineStock:
        """Return what is known of a cytokine."""
        return next((c for c in self.cytokines if c.name == name), CytokineStock(name))


def _positive(value: float, where: str, unit: str) -> None:
    if not 0.0 < value < math.inf:
        raise InputError(
            f"{value:g} {unit} is not possible", where=where, hint="Give a number above 0."
        )


def _seed(value: int, where: str) -> None:
    if value < 0:
        raise InputError(f"{value} is no seed", where=where, hint="Give a whole number from 0.")


def _within(values: Sequence[int], low: int, high: int, name: str) -> None:
    if any(not low <= v <= high for v in values):
        raise InputError(
            f"numbers of {name} to compare must lie from {low} to {high}",
            where=f"precision.{name}",
            hint=f"Given: {', '.join(str(v) for v in values)}.",
        )
