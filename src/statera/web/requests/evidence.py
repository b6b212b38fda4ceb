"""What the screen 'evidence' may ask."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from statera.evidence.network_methods import METHODS
from statera.web.task import Request, Task

__all__ = [
    "TASKS",
    "CheckRequest",
    "NetworkRequest",
    "PairwiseRequest",
    "SampleRequest",
    "StudyRows",
]

Cell = Annotated[str, StringConstraints(max_length=1000)]
Word = Annotated[str, StringConstraints(max_length=80)]
Level = Annotated[float, Field(ge=0.5, le=0.999)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


class StudyRows(Request):
    """A table of studies: a heading, and a row a study, arm or comparison."""

    columns: Annotated[tuple[Cell, ...], Field(min_length=1, max_length=80)]
    rows: Annotated[tuple[Annotated[tuple[Cell, ...], Field(max_length=120)], ...],
                    Field(max_length=5000)]  # fmt: skip


class SampleRequest(Request):
    """Rows to begin with."""

    name: Literal["jak-safety", "rare-event", "network"]


class CheckRequest(Request):
    """Look through a table, pasted as text or typed into cells."""

    text: Annotated[str, Field(max_length=2_000_000)] | None = None
    table: StudyRows | None = None
    kind: Literal["pairwise", "network"] = "pairwise"
    measure: Word | None = None
    method: Word = "inverse"

    @model_validator(mode="after")
    def _one_of_both(self) -> CheckRequest:
        if (self.text is None) == (self.table is None):
            raise ValueError("give either a text or a table")
        return self


class PairwiseRequest(Request):
    """Pool the effects of several studies, outcome by outcome."""

    table: StudyRows
    measure: Word | None = None
    method: Word = "inverse"
    tau2: Word = "REML"
    ci: Word = "wald"
    prediction: Word = "as test"
    level: Level = 0.95
    add_to: Word = "only zero"
    by: Cell | None = None
    moderators: Annotated[tuple[Cell, ...], Field(max_length=6)] = ()
    arms: tuple[Word, Word] = ("Arm 1", "Arm 2")
    diagnostics: bool = True
    seed: Seed = 1

    @model_validator(mode="after")
    def _one_way_to_divide(self) -> PairwiseRequest:
        if self.by is not None and self.moderators:
            raise ValueError("give subgroups or moderators, not both")
        if self.moderators and self.method != "inverse":
            raise ValueError("moderators are for the method of inverse variance")
        return self


class NetworkRequest(Request):
    """Compare treatments through all trials at once."""

    table: StudyRows
    measure: Word | None = None
    method: Word = METHODS[0]
    tau2: Word = "REML"
    ci: Literal["z", "t"] = "z"
    level: Level = 0.95
    prediction: Literal["V", "HTS"] = "V"
    reference: Cell | None = None
    better: Literal["low", "high"] | None = None
    split: Literal["side", "node"] = "side"
    seed: Seed = 1


TASKS = (
    Task(
        "evidence-sample",
        SampleRequest,
        "statera.web.tasks.evidence_sample:run",
        "A table of studies to begin with: published ratios, or simulated counts.",
        cacheable=True,
    ),
    Task(
        "evidence-check",
        CheckRequest,
        "statera.web.tasks.evidence_check:run",
        "All that is wrong with a table of studies at once, by row and cell.",
    ),
    Task(
        "evidence-pairwise",
        PairwiseRequest,
        "statera.web.tasks.evidence_pairwise:run",
        "Effects of several studies pooled, or regressed on moderators: forest, heterogeneity, "
        "influence, funnel.",
    ),
    Task(
        "evidence-network",
        NetworkRequest,
        "statera.web.tasks.evidence_network:run",
        "Treatments compared through a network of trials: league, ranks, inconsistency.",
        seconds=60.0,
    ),
)
