"""What the screen for simulations may ask."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from statera.web.task import Request, Task

__all__ = [
    "TASKS",
    "Arm",
    "Distribution",
    "DoseLine",
    "ModelsRequest",
    "OwnPotency",
    "RegimenRequest",
    "SimulateRequest",
    "Window",
]

ModelId = Annotated[str, StringConstraints(max_length=100)]
"""A model of the library: tasks look it up among the models there are, and open no file."""
DoseText = Annotated[str, Field(min_length=1, max_length=500, examples=["4 mg q24h x14"])]
Hours = Annotated[float, Field(ge=0, le=100_000)]
CovariateText = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class OwnPotency(Request):
    """A potency of the user, for a drug of which the library has none or another."""

    ic50: Annotated[float, Field(gt=0, le=1e9)]
    unit: Literal["nM", "ng/mL"] = "nM"
    hill: Annotated[float, Field(ge=0.5, le=10)] = 1.0
    """Far below 1 the mean over time cannot be integrated: any trace of drug would inhibit."""
    unbound: Annotated[float | None, Field(gt=0, le=1)] = None
    """Fraction unbound in plasma; without it the IC50 is compared with total drug."""
    molar_mass: Annotated[float | None, Field(gt=0, le=10_000)] = None


class Arm(Request):
    """One model under one regimen."""

    model: ModelId = "baricitinib/Decker_2024"
    dose: DoseText = "4 mg q24h x14"
    name: Annotated[str, Field(max_length=60)] = ""
    covariates: Annotated[
        dict[Name, float | CovariateText],
        Field(default_factory=dict, max_length=20, examples=[{"EGFR": 45, "WT": "normal(74, 15)"}]),
    ]
    potency: OwnPotency | None = None


class Window(Request):
    """A stretch of time with endpoints, h."""

    start: Hours
    end: Hours

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.end <= self.start:
            raise ValueError("the end of a window must lie after its start")
        return self


class Distribution(Request):
    """Which endpoint is shown as a histogram."""

    output: Annotated[str, Field(max_length=40)] = ""
    window: Annotated[int, Field(ge=-1, le=5)] = -1
    endpoint: Annotated[str, Field(max_length=80)] = "AUC"


class SimulateRequest(Request):
    """Populations through regimens, side by side."""

    arms: Annotated[list[Arm], Field(min_length=1, max_length=6)]
    n: Annotated[int, Field(ge=1, le=20_000)] = 1000
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 1
    start: Hours = 0.0
    until: Annotated[float | None, Field(gt=0, le=100_000)] = None
    points: Annotated[int, Field(ge=20, le=1000)] = 240
    percentiles: Annotated[
        list[Annotated[float, Field(ge=0, le=100)]],
        Field(default_factory=lambda: [5.0, 50.0, 95.0], min_length=1, max_length=9),
    ]
    windows: Annotated[list[Window], Field(default_factory=list, max_length=6)]
    thresholds: Annotated[
        dict[Name, Annotated[list[float], Field(max_length=5)]],
        Field(default_factory=dict, max_length=5, examples=[{"CP": [20]}]),
    ]
    readout: Annotated[str, Field(max_length=80, examples=["IL-6"])] = ""
    distribution: Distribution = Distribution()


class ModelsRequest(Request):
    """All models of the library."""


class DoseLine(Request):
    """One line of a regimen: mg and h."""

    amount: Annotated[float, Field(gt=0, le=1e6)]
    interval: Hours = 0.0
    number: Annotated[int, Field(ge=1, le=10_000)] = 1
    start: Hours = 0.0
    duration: Hours = 0.0
    route: Annotated[str, StringConstraints(pattern=r"^([A-Za-z_]\w{0,39})?$")] = ""
    steady_state: bool = False


class RegimenRequest(Request):
    """A regimen as text, or as lines: each is given as the other."""

    text: Annotated[str, Field(max_length=500)] = ""
    lines: Annotated[list[DoseLine], Field(default_factory=list, max_length=20)]

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.text.strip()) == bool(self.lines):
            raise ValueError("give either the text of a regimen or its lines")
        return self


TASKS = (
    Task(
        "simulate",
        SimulateRequest,
        "statera.web.tasks.simulate:run",
        "Populations through regimens side by side: bands of profiles, endpoints, inhibition.",
        cacheable=True,
        seconds=60.0,
    ),
    Task(
        "simulate-models",
        ModelsRequest,
        "statera.web.tasks.simulate_models:run",
        "The models of the library with covariates, domains, sources and readouts.",
        cacheable=True,
    ),
    Task(
        "simulate-regimen",
        RegimenRequest,
        "statera.web.tasks.simulate_regimen:run",
        "A regimen as text and as lines.",
        cacheable=True,
    ),
)
