"""What the screen 'drug' may ask."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from statera.web.task import Request, Task

__all__ = [
    "TASKS",
    "DrugExposureRequest",
    "DrugInhibitionRequest",
    "DrugOverviewRequest",
    "DrugSectionRequest",
]

DrugName = Annotated[str, Field(min_length=1, max_length=60, examples=["baricitinib"])]

SectionKey = Literal[
    "identity",
    "mechanism",
    "pharmacokinetics",
    "engagement",
    "dosing",
    "efficacy",
    "biomarkers",
    "protocol",
    "safety",
    "monitoring",
    "audit",
]


class DrugOverviewRequest(Request):
    """What the page of a drug needs before anything is computed."""

    drug: DrugName


class DrugSectionRequest(Request):
    """One section of the monograph."""

    drug: DrugName
    section: SectionKey


class DrugInhibitionRequest(Request):
    """Inhibition by kinase, cytokine and measured signal on a grid of concentrations."""

    drug: DrugName


class DrugExposureRequest(Request):
    """Concentration and inhibition through a dosing interval."""

    drug: DrugName
    model: Annotated[
        str | None,
        Field(max_length=200, description="None: the first model of the drug."),
    ] = None
    dose_mg: Annotated[
        float | None,
        Field(gt=0, le=10_000, description="None: the highest label dose."),
    ] = None
    interval_h: Annotated[float, Field(ge=4, le=168)] | None = None
    when: Literal["steady_state", "first_dose"] = "steady_state"
    covariates: Annotated[dict[str, float], Field(default_factory=dict, max_length=20)]
    n: Annotated[int, Field(ge=20, le=5_000)] = 1000
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 1


TASKS: tuple[Task, ...] = (
    Task(
        "drug-overview",
        DrugOverviewRequest,
        "statera.web.tasks.drug_overview:run",
        "A drug of the library: identity, sections of its monograph, label doses, models.",
        cacheable=True,
    ),
    Task(
        "drug-section",
        DrugSectionRequest,
        "statera.web.tasks.drug_section:run",
        "One section of a drug's monograph: text, tables and figures, each number with its origin.",
        cacheable=True,
        seconds=180.0,
    ),
    Task(
        "drug-inhibition",
        DrugInhibitionRequest,
        "statera.web.tasks.drug_inhibition:run",
        "Inhibition by kinase, cytokine and measured signal over a grid of concentrations.",
        cacheable=True,
        seconds=60.0,
    ),
    Task(
        "drug-exposure",
        DrugExposureRequest,
        "statera.web.tasks.drug_exposure:run",
        "Concentration, endpoints and inhibition through a dosing interval of a population.",
        cacheable=True,
        seconds=120.0,
    ),
)
