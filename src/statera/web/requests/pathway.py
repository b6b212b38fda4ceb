"""What the screen for pathways may ask."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from statera.web.task import Request, Task, UploadId

__all__ = ["TASKS", "ChoicesRequest", "NetworkRequest", "PathwayRequest"]

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w{0,79}$")]
Kinase = Literal["JAK1", "JAK2", "JAK3", "TYK2"]
DrugName = Annotated[str, StringConstraints(min_length=1, max_length=60)]
ModelId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
MarksName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,60}$")]


class ChoicesRequest(Request):
    """What can be chosen: cytokines, marks, drugs."""


class NetworkRequest(Request):
    """One network: the compact one, or an uploaded SBML file."""

    sbml: UploadId | None = None
    """Without it, the compact JAK-STAT pathway."""
    cytokine: Annotated[str, Field(max_length=40, examples=["IL-6"])] = "IL-6"
    marks: MarksName | None = None
    """Marks that come with the program."""
    marks_file: UploadId | None = None
    """Marks of one's own (.toml); they go before `marks`."""


class PathwayRequest(NetworkRequest):
    """A pathway without drug and under regimens, or under concentrations that stay."""

    stimulus: Annotated[float, Field(ge=0, le=1e6)] = 40.0
    """Concentration of the cytokine from time 0 on, in the unit of its constants."""
    drug: DrugName | None = None
    """Without it, the network alone."""
    model: ModelId | None = None
    doses: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=200)]],
        Field(default_factory=list, max_length=6, examples=[["2 mg q24h ss", "4 mg q24h ss"]]),
    ]
    concentrations: Annotated[
        list[Annotated[float, Field(gt=0, le=1e9)]], Field(default_factory=list, max_length=6)
    ]
    """nM, constant, instead of doses; unbound unless `unbound` gives the fraction."""
    covariates: Annotated[dict[Name, float], Field(default_factory=dict, max_length=20)]
    before: Annotated[float, Field(ge=0, le=10_000)] = 1.0
    """Hours from the first dose to time 0."""
    until: Annotated[float, Field(gt=0, le=1e7)] = 240.0
    points: Annotated[int, Field(ge=2, le=1000)] = 161
    outputs: Annotated[list[Name], Field(default_factory=list, max_length=12)]
    parameters: Annotated[dict[Name, float], Field(default_factory=dict, max_length=100)]
    time_unit: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{0,20}$")] = ""
    ic50: Annotated[
        dict[Kinase, Annotated[float, Field(gt=0, le=1e9)]],
        Field(default_factory=dict, examples=[{"JAK1": 5.9}]),
    ]
    basis: Literal["unbound", "total"] = "unbound"
    unbound: Annotated[float | None, Field(gt=0, le=1)] = None
    molar_mass: Annotated[float | None, Field(gt=0, le=10_000)] = None
    rule: Literal["limiting_kinase", "independent", "least_inhibited"] = "limiting_kinase"

    @model_validator(mode="after")
    def _drug_or_none(self) -> Self:
        if self.drug is None and (self.doses or self.concentrations):
            raise ValueError("doses and concentrations need a drug")
        if self.drug is not None and bool(self.doses) == bool(self.concentrations):
            raise ValueError("a drug needs doses or concentrations, and not both")
        return self


TASKS = (
    Task(
        "pathway",
        PathwayRequest,
        "statera.web.tasks.pathway_run:run",
        "A pathway without drug and under regimens: courses of its outputs and their inhibition.",
        seconds=120.0,
        memory_mb=3000,
    ),
    Task(
        "pathway-network",
        NetworkRequest,
        "statera.web.tasks.pathway_network:run",
        "What a network is made of, and its drawing.",
        seconds=60.0,
        memory_mb=3000,
    ),
    Task(
        "pathway-choices",
        ChoicesRequest,
        "statera.web.tasks.pathway_choices:run",
        "Cytokines, marks and drugs that a pathway can be run with.",
        cacheable=True,
    ),
)
