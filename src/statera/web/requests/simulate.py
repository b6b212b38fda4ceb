"""What the screen for simulations may ask."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from statera.web.task import Request, Task

__all__ = ["TASKS", "SimulateRequest"]


class SimulateRequest(Request):
    """A population through one regimen."""

    model: Annotated[str, Field(max_length=200, examples=["baricitinib/Decker_2024"])]
    dose: Annotated[str, Field(max_length=500, examples=["4 mg q24h x14"])]
    n: Annotated[int, Field(ge=1, le=20_000)] = 1000
    covariates: Annotated[dict[str, float], Field(default_factory=dict, max_length=20)]
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 1


TASKS = (
    Task(
        "simulate",
        SimulateRequest,
        "statera.web.tasks.simulate:run",
        "A population through one regimen: percentiles of its profile and its endpoints.",
        cacheable=True,
    ),
)
