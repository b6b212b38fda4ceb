"""What the screen 'plate' may ask."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from statera.web.requests.plate_gates import Axis, Gates, MaybeName, Name
from statera.web.task import Request, Task, UploadId

__all__ = [
    "TASKS",
    "PlateFile",
    "PlateFit",
    "PlateGatesRequest",
    "PlateInspectRequest",
    "PlatePanel",
    "PlatePopulation",
    "PlateRunRequest",
    "PlateWellRequest",
    "WellSettings",
]

Files = Annotated[
    list[UploadId], Field(min_length=1, max_length=400, examples=[["sample-plate-files"]])
]
Role = Annotated[str, StringConstraints(max_length=200)]
Roles = Annotated[dict[Name, Role], Field(default_factory=dict, max_length=60)]


class PlateInspectRequest(Request):
    """What uploaded files hold: channels, wells, and a first guess of the panel."""

    files: Files
    plate_map: UploadId | None = None


class PlatePanel(Request):
    """Channels by name ($PnN) or label ($PnS); empty where there is none."""

    fsc_area: Role = ""
    fsc_height: Role = ""
    ssc_area: Role = ""
    live_dead: Role = ""
    time: Role = ""
    markers: Roles
    readouts: Annotated[dict[Name, Role], Field(min_length=1, max_length=20)]


class WellSettings(Request):
    """What is done with the events of a well before they are gated.

    Single stains are wells of the plate map: the analysis knows them, one well does not.
    """

    panel: PlatePanel
    compensation: Literal["file", "none", "table", "single_stains", "gates"] = "file"
    spillover: UploadId | None = None
    remove: bool = True
    min_events: Annotated[int, Field(ge=1, le=100_000)] = 200


class PlateFit(Request):
    """How curves are fitted."""

    model: Literal["4pl", "3pl", "5pl"] = "4pl"
    scale: Literal["linear", "arcsinh"] = "linear"
    weights: Literal["none", "relative", "huber", "bisquare"] = "none"
    level: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    absolute: Annotated[float, Field(gt=0, lt=100)] = 50.0
    min_fold: Annotated[float, Field(gt=0, le=100)] = 1.5
    max_control_cv: Annotated[float, Field(gt=0, le=10)] = 0.2


class PlatePopulation(Request):
    """A population of which curves are made.

    Its definition are signs of markers where gates are found in the events, such as
    ``CD3+ CD4+``; the name of a gate where gates are given.
    """

    name: Name
    definition: Name


class PlateRunRequest(Request):
    """Files, plate map and panel to gates, statistics, curves and IC50s.

    Without `gates` they are found in the events.
    """

    name: Name = "Plate"
    drug: Annotated[Name, Field(examples=["baricitinib"])]
    matrix: Annotated[str, StringConstraints(max_length=40)] = "unknown"
    files: Files
    plate_map: Annotated[UploadId, Field(examples=["sample-plate-map"])]
    well: WellSettings
    populations: Annotated[list[PlatePopulation], Field(min_length=1, max_length=60)]
    gates: Gates | None = None
    cofactor: Annotated[float, Field(gt=0, le=1e5)] = 150.0
    percentile: Annotated[float, Field(gt=0, lt=100)] = 99.0
    fit: PlateFit = PlateFit()


class PlateFile(Request):
    """A file of a well: an upload, or a member of an uploaded archive."""

    upload: UploadId
    name: Annotated[str, StringConstraints(min_length=1, max_length=255)]


class PlateWellRequest(Request):
    """Events of one well: counts of all gates, and a plot of one plane."""

    file: PlateFile
    well: WellSettings
    gates: Gates
    parent: MaybeName = ""
    x: Axis
    y: Axis
    bins: Annotated[int, Field(ge=16, le=256)] = 128


class PlateGatesRequest(Request):
    """Gates in one of three forms: as JSON, as the text of a file, or as an uploaded file."""

    gates: Gates | None = None
    text: Annotated[str, StringConstraints(max_length=2_000_000)] = ""
    upload: UploadId | None = None
    form: Literal["toml", "gatingml"] = "toml"


TASKS: tuple[Task, ...] = (
    Task(
        "plate-inspect",
        PlateInspectRequest,
        "statera.web.tasks.plate_inspect:run",
        "What files of a plate hold: channels, wells of the plate map, and a guess of the panel.",
        seconds=60.0,
    ),
    Task(
        "plate-run",
        PlateRunRequest,
        "statera.web.tasks.plate_run:run",
        "Analyse a plate: files to gates, statistics, dose-response curves and IC50s.",
        job=True,
        seconds=3600.0,
    ),
    Task(
        "plate-well",
        PlateWellRequest,
        "statera.web.tasks.plate_well:run",
        "Counts of all gates in one well, and the density of its events in one plane.",
    ),
    Task(
        "plate-gates",
        PlateGatesRequest,
        "statera.web.tasks.plate_gates:run",
        "Gates as JSON, as TOML and as Gating-ML, from any of these.",
    ),
)
