"""What the screen for one patient may ask."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from statera.web.task import Request, Task

__all__ = [
    "TASKS",
    "CandidateRequest",
    "Case",
    "CaseRequest",
    "ForecastRequest",
    "NoRequest",
    "ReadRequest",
]

Short = Annotated[str, StringConstraints(max_length=100)]
Word = Annotated[str, StringConstraints(max_length=40)]
Amount = Annotated[float, Field(le=1e6)]
Hours = Annotated[float, Field(ge=0, le=10_000)]
Above = Annotated[float, Field(gt=0, le=1e6)]
Time = Annotated[float, Field(ge=-1e6, le=1e6)] | Annotated[str, StringConstraints(max_length=40)]
"""Hours, or a date such as ``2026-03-01T08:00``; one of the two throughout a case."""
ModelId = Annotated[str, StringConstraints(max_length=100)]
"""A model of the library: tasks look it up among the models there are, and open no file."""


class Person(Request):
    """What a label asks about a person; what is None is not known, and never normal."""

    age: float | None = None
    sex: Word | None = None
    weight_kg: float | None = None
    height_cm: float | None = None
    creatinine: Word | None = None
    cystatin: Word | None = None
    crcl: float | None = None
    egfr: float | None = None
    alc: Word | None = None
    anc: Word | None = None
    plt: Word | None = None
    hb: Word | None = None
    hb_fall: float | None = None
    hepatic: Word | None = None
    phase: Word | None = None
    part: Word | None = None
    response: Word | None = None
    on_dose: Word | None = None
    week: float | None = None
    course_day: float | None = None
    risk: Annotated[list[Word], Field(max_length=20)] | None = None
    finding: Annotated[list[Word], Field(max_length=20)] | None = None
    medicines: Annotated[list[Short], Field(max_length=40)] | None = None
    confirmed: bool = False


class Dose(Request):
    """A dose that was taken, or a run of equal ones."""

    time: Time
    amount: Amount
    unit: Word = "mg"
    interval: Hours = 0.0
    additional: Annotated[int, Field(ge=0, le=2000)] = 0
    route: Word = ""
    duration: Hours = 0.0
    steady_state: bool = False
    taken: bool = True
    occasion: Word | None = None


class Sample(Request):
    """A measured concentration; a text such as ``<0.2`` is below the limit of the assay."""

    time: Time
    value: Annotated[float, Field(le=1e12)] | Word
    unit: Word = "ng/mL"
    lloq: Annotated[float, Field(le=1e12)] | None = None
    censored: Literal["", "below", "above"] = ""
    analyte: Word = ""
    assay: Short = ""
    time_sd: Annotated[float, Field(ge=0, le=100)] = 0.0
    weight: Annotated[float, Field(ge=0, le=1000)] = 1.0


class Covariate(Request):
    """A value of a covariate of the model that was given as such."""

    name: Word
    value: float
    unit: Word = ""
    time: Time | None = None


class Target(Request):
    """A range that a metric should lie in, and where the range comes from."""

    metric: Word
    low: float | None = None
    high: float | None = None
    unit: Word = ""
    threshold: float | None = None
    analyte: Word = ""
    basis: Annotated[str, StringConstraints(max_length=500)] = ""
    grade: Word = "user"
    potency: Annotated[dict[Word, float | Short], Field(max_length=20)] | None = None


class Question(Request):
    """What is to be decided."""

    time: Time | None = None
    targets: list[Target] = Field(default_factory=list, max_length=4)
    strengths: list[Above] = Field(default_factory=list, max_length=6)
    split: Annotated[int, Field(ge=1, le=4)] = 1
    most_tablets: Annotated[int, Field(ge=1, le=6)] = 4
    intervals: list[Above] = Field(default_factory=lambda: [24.0], min_length=1, max_length=6)
    maximum_daily: float | None = None
    probability: float = 0.5
    sample_times: list[Hours] = Field(default_factory=list, max_length=12)


class Options(Request):
    """How the answer is computed."""

    draws: Annotated[int, Field(ge=200, le=20_000)] = 20_000
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 1
    course_draws: Annotated[int, Field(ge=200, le=2000)] = 1000
    prior_weight: Annotated[float, Field(ge=1e-6, le=1e6)] = 1.0
    averaging: Word = "evidence"
    blq: Word = "M3"
    covariate_interpolation: Word = "locf"


class Case(Request):
    """One patient as the server keeps it for a user.

    Attributes
    ----------
    layout
        Name and version of this layout.
    label
        A neutral name in the user's list.
    person, region, indication
        For the label; weight, age, sex and renal function also for the model's covariates.
    limit_by_label
        Whether the search is limited by the highest daily dose of the label.
    indexed, absolute
        Renal equations for covariates in mL/min/1.73 m2 and in mL/min; empty for that usual at
        the person's age.
    covariates
        Values that come before those taken from `person`.
    """

    layout: Literal["statera.web.patient-case/1"] = "statera.web.patient-case/1"
    label: Annotated[str, StringConstraints(max_length=80)] = ""
    patient: Annotated[str, StringConstraints(min_length=1, max_length=60)] = "P1"
    request: Short = "request"
    models: list[ModelId] = Field(default_factory=list, max_length=3)
    person: Person = Person()
    region: Word = ""
    indication: Word = ""
    limit_by_label: bool = True
    indexed: Word = ""
    absolute: Word = ""
    covariates: list[Covariate] = Field(default_factory=list, max_length=60)
    doses: list[Dose] = Field(default_factory=list, max_length=200)
    samples: list[Sample] = Field(default_factory=list, max_length=60)
    question: Question = Question()
    options: Options = Options()


class NoRequest(Request):
    """Nothing to say."""


class CaseRequest(Request):
    """A case as it stands."""

    case: Case


class ForecastRequest(Request):
    """A case, and how much of the answer is wanted.

    Attributes
    ----------
    detail
        ``quick``: bands from fewer draws, and no search. ``full``: all but sampling advice.
        ``sampling``: what further samples are worth.
    """

    case: Case
    detail: Literal["quick", "full", "sampling"] = "full"


class CandidateRequest(Request):
    """A case under another dose."""

    case: Case
    amount: Annotated[float, Field(gt=0, le=100_000)]
    interval: Annotated[float, Field(gt=0, le=10_000)]


class ReadRequest(Request):
    """A file that a user chose: a request, or a FHIR R4 bundle.

    Attributes
    ----------
    name
        Its name decides between TOML and JSON.
    text
    model
        For a bundle: the model; empty for all of the drug.
    """

    name: Annotated[str, StringConstraints(max_length=200)]
    text: Annotated[str, StringConstraints(max_length=2_000_000)]
    model: ModelId = ""


TASKS = (
    Task(
        "patient-options",
        NoRequest,
        "statera.web.tasks.patient_options:run",
        "Models, label regions and indications, renal equations and a sample case to choose from.",
        cacheable=True,
    ),
    Task(
        "patient-facts",
        CaseRequest,
        "statera.web.tasks.patient_facts:run",
        "What is known of a person: covariates, renal function by every equation, the label.",
    ),
    Task(
        "patient-forecast",
        ForecastRequest,
        "statera.web.tasks.patient_forecast:run",
        "Bands of concentrations, candidates with P(target), and the closing assessment.",
    ),
    Task(
        "patient-candidate",
        CandidateRequest,
        "statera.web.tasks.patient_candidate:run",
        "The course of one patient from the question on under another dose.",
    ),
    Task(
        "patient-read",
        ReadRequest,
        "statera.web.tasks.patient_read:run",
        "A case from a request (TOML, JSON) or from a FHIR R4 bundle, with all that was left out.",
    ),
    Task(
        "patient-report",
        CaseRequest,
        "statera.web.tasks.patient_report:run",
        "The page of one patient as HTML and PDF, with request, result and FHIR bundle.",
        job=True,
        seconds=120.0,
    ),
)
