"""What the screen 'fit' may ask."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from statera.web.task import Request, Task, UploadId

__all__ = [
    "TASKS",
    "FitCompareRequest",
    "FitDataRequest",
    "FitModelRequest",
    "FitRequest",
    "FittedModel",
    "LibraryModel",
    "Reading",
    "TemplateModel",
    "UploadedModel",
]

_Name = Annotated[str, StringConstraints(min_length=1, max_length=60)]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=120)]
_Unit = Annotated[str, StringConstraints(min_length=1, max_length=20)]
_End = float | None

Method = Literal["fo", "foce", "focei", "laplace", "its", "saem", "bayes"]


class LibraryModel(Request):
    """A published model of the library."""

    kind: Literal["library"]
    name: Annotated[str, Field(max_length=100, examples=["baricitinib/Decker_2024"])]


class UploadedModel(Request):
    """A model file (.toml) or a NONMEM control stream (.mod, .ctl)."""

    kind: Literal["upload"]
    upload: UploadId


class TemplateModel(Request):
    """A plain compartmental model, whose values a user edits."""

    kind: Literal["template"]
    name: Literal["oral-1", "oral-2", "iv-1", "iv-2"]
    concentration: Literal["mg/L", "ng/mL"] = "mg/L"


ModelChoice = Annotated[LibraryModel | UploadedModel | TemplateModel, Field(discriminator="kind")]


class Reading(Request):
    """How a data file is read; what it says of itself otherwise."""

    columns: dict[_Name, _Name] = Field(default_factory=dict, max_length=30)
    ignore: list[_Text] = Field(default_factory=list, max_length=20)
    accept: list[_Text] = Field(default_factory=list, max_length=20)
    lloq: Annotated[float | None, Field(gt=0)] = None
    log_dv: bool = False
    time_unit: _Unit = "h"
    amount_unit: _Unit = "mg"


class FitDataRequest(Request):
    """Data in NONMEM's format; a control stream says more of how they are read."""

    data: UploadId
    reading: Reading = Field(default_factory=Reading)
    model: ModelChoice | None = None


class FitModelRequest(Request):
    """A model that can be fitted."""

    model: ModelChoice


class FitRequest(Request):
    """A population model fitted to data."""

    data: UploadId
    reading: Reading = Field(default_factory=Reading)
    model: ModelChoice
    outputs: dict[_Name, _Name] = Field(default_factory=dict, max_length=20)
    method: Method = "focei"
    initial: dict[_Name, float] = Field(default_factory=dict, max_length=200)
    bounds: dict[_Name, tuple[_End, _End]] = Field(default_factory=dict, max_length=200)
    fixed: list[_Name] = Field(default_factory=list, max_length=200)
    blq: Literal["M1", "M2", "M3", "M4"] = "M3"
    standard_errors: Literal["sandwich", "r", "s", "none"] = "sandwich"
    saem_errors: Literal["sampled", "linearised"] = "sampled"
    iterations: Annotated[int, Field(ge=1, le=2000)] = 300
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 1
    replicates: Annotated[int, Field(ge=0, le=2000)] = 500
    stratify: Annotated[str, Field(max_length=60)] = ""
    cuts: list[float] = Field(default_factory=list, max_length=10)
    corrected: bool = False
    report: bool = True
    draws: Annotated[int, Field(ge=20, le=10_000)] = 1000
    tune: Annotated[int, Field(ge=20, le=10_000)] = 500
    chains: Annotated[int, Field(ge=1, le=8)] = 4

    @model_validator(mode="after")
    def _enough_replicates(self) -> FitRequest:
        if 0 < self.replicates < 20:
            raise ValueError("replicates: 0 for no predictive check, else at least 20")
        return self


class FittedModel(Request):
    """One fit, as its answer tells of it."""

    label: Annotated[str, Field(max_length=200)]
    model: Annotated[str, Field(max_length=200)]
    method: Annotated[str, Field(max_length=20)]
    status: Annotated[str, Field(max_length=40)]
    ofv: float | None
    aic: float | None
    bic: float | None
    parameters: Annotated[int, Field(ge=0)]
    observations: Annotated[int, Field(ge=0)]
    data: Annotated[str, Field(max_length=100)]


class FitCompareRequest(Request):
    """Fits to be set side by side; the first is what the others are compared with."""

    fits: Annotated[list[FittedModel], Field(min_length=1, max_length=50)]


_HOURS = 3600.0

TASKS = (
    Task(
        "fit-data",
        FitDataRequest,
        "statera.web.tasks.fit_data:run",
        "What a data file holds: counts, covariates, problems by line, and DV against TIME.",
    ),
    Task(
        "fit-model",
        FitModelRequest,
        "statera.web.tasks.fit_model:run",
        "The parameters of a model: initial values, bounds, and what is fixed.",
    ),
    Task(
        "fit",
        FitRequest,
        "statera.web.tasks.fit:run",
        "A population model fitted to data: estimates, goodness of fit, predictive check, report.",
        job=True,
        seconds=6 * _HOURS,
    ),
    Task(
        "fit-compare",
        FitCompareRequest,
        "statera.web.tasks.fit_compare:run",
        "Fits of the same data side by side: differences of OFV, AIC and BIC.",
        cacheable=False,
    ),
)
