"""A request: models, one patient, and a question. Immutable; an edit makes a new request."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from statera.tdm.target_potency import TargetPotency

__all__ = [
    "CovariateValue",
    "DoseTaken",
    "Grade",
    "Metric",
    "Options",
    "Patient",
    "Question",
    "Request",
    "Sample",
    "Target",
]


class Metric(StrEnum):
    """What a target is about, at steady state of a candidate unless said otherwise."""

    AUC24 = "AUC24"
    CAVG = "Cavg"
    CTROUGH = "Ctrough"
    CMAX = "Cmax"
    TIME_ABOVE = "time_above"
    INHIBITION = "average_inhibition"


class Grade(StrEnum):
    """How well a target is supported."""

    LABEL_EQUIVALENT = "label-equivalent"
    MODEL_DERIVED = "model-derived"
    VALIDATED = "validated"
    USER = "user"


@dataclass(frozen=True)
class DoseTaken:
    """A dose that was taken, or a run of equal ones.

    Attributes
    ----------
    time
        h after the request's origin.
    amount
        mg.
    route
        Route of the model; empty for its default.
    interval, additional
        Time to the next of a run, h, and how many follow.
    duration
        Duration of an infusion, h; 0 where the model decides.
    steady_state
        Whether the same dose had been taken at `interval` long before.
    taken
        False: prescribed and not taken. Kept in the record, and not given to the model.
    occasion
        Occasion from here on, for random effects between occasions; None continues the last.
    """

    time: float
    amount: float
    route: str = ""
    interval: float = 0.0
    additional: int = 0
    duration: float = 0.0
    steady_state: bool = False
    taken: bool = True
    occasion: str | None = None

    @property
    def last_time(self) -> float:
        """Time of the last dose of the run, h."""
        return self.time + self.additional * self.interval


@dataclass(frozen=True)
class Sample:
    """A measured concentration or effect.

    Attributes
    ----------
    time
        h after the request's origin: when the sample was drawn.
    value
        In `unit`; the limit itself where the value is censored.
    unit
        Empty: that of the model's output.
    analyte
        Output of the model; empty where the model has one with a residual error.
    assay
        What measured it, in words.
    lloq
        Lower limit of quantification in `unit`.
    censored
        ``""``, ``"below"`` the lower limit, or ``"above"`` the upper one.
    time_sd
        Standard deviation of the time of drawing, h; 0 where it is known.
    weight
        Factor on the information of this sample, above 0; 0 leaves it out, and it is reported.
    """

    time: float
    value: float
    unit: str = ""
    analyte: str = ""
    assay: str = ""
    lloq: float | None = None
    censored: str = ""
    time_sd: float = 0.0
    weight: float = 1.0


@dataclass(frozen=True)
class CovariateValue:
    """A covariate from a time on; without a time, throughout.

    Attributes
    ----------
    name
        As in the model, or a known synonym of it.
    value
        In `unit`; the model's unit where empty.
    """

    name: str
    value: float
    unit: str = ""
    time: float | None = None


@dataclass(frozen=True)
class Patient:
    """Who is asked about, and what happened.

    Attributes
    ----------
    id
    doses, samples, covariates
        In order of time.
    """

    id: str
    doses: tuple[DoseTaken, ...] = ()
    samples: tuple[Sample, ...] = ()
    covariates: tuple[CovariateValue, ...] = ()


@dataclass(frozen=True)
class Target:
    """A range that a metric should lie in, and where the range comes from.

    Attributes
    ----------
    metric
    low, high
        Ends of the range in `unit`; None for none.
    unit
        Empty: that of the model's output and h.
    threshold
        Concentration above which time is counted (``time_above``), in the output's unit; IC50 of
        ``average_inhibition``, of total drug and with a Hill coefficient of 1.
    potency
        Fitted potency of ``average_inhibition``, in place of the threshold; None for none.
    analyte
        Output of the model; empty for its only one.
    basis
        Where the range comes from.
    grade
    """

    metric: Metric
    low: float | None = None
    high: float | None = None
    unit: str = ""
    threshold: float | None = None
    analyte: str = ""
    basis: str = ""
    grade: Grade = Grade.USER
    potency: TargetPotency | None = None


@dataclass(frozen=True)
class Question:
    """What is to be decided.

    Attributes
    ----------
    time
        When the question is asked, h: the next dose may be given from here on. None: at the last
        record.
    targets
        All of them must be met by a candidate; none asks for a forecast only.
    strengths
        Tablet strengths, mg.
    split
        Into how many equal parts a tablet may be divided; 1 leaves tablets whole.
    most_tablets
        Largest number of tablets, or parts, of one dose.
    intervals
        Dosing intervals, h.
    maximum_daily
        Largest amount in 24 h, mg; None where no label was asked.
    probability
        Smallest probability of all targets for a candidate to be advised.
    sample_times
        Times after the next dose, h, at which one could draw next.
    """

    time: float | None = None
    targets: tuple[Target, ...] = ()
    strengths: tuple[float, ...] = ()
    split: int = 1
    most_tablets: int = 4
    intervals: tuple[float, ...] = (24.0,)
    maximum_daily: float | None = None
    probability: float = 0.5
    sample_times: tuple[float, ...] = ()


@dataclass(frozen=True)
class Options:
    """How the answer is computed.

    Attributes
    ----------
    draws
        Draws of the posterior.
    seed
        Of all random streams.
    course_draws
        Individuals behind each band of the course; at most 500 where each must be stepped through
        its records.
    prior_weight
        Factor on the precision of the prior, above 0; below 1 flattens it.
    averaging
        How models are weighed: by ``evidence`` (marginal likelihood) or ``map-ofv``.
    blq
        Method for censored samples, as in `statera.estimate`.
    covariate_interpolation
        ``locf``: a covariate holds from its time on. ``nocb``: up to its time, from that of the
        value before it, as NONMEM reads covariates.
    """

    draws: int = 20_000
    seed: int = 1
    prior_weight: float = 1.0
    averaging: str = "evidence"
    blq: str = "M3"
    covariate_interpolation: Literal["locf", "nocb"] = "locf"
    course_draws: int = 2000


@dataclass(frozen=True)
class Request:
    """A complete question about one patient.

    Attributes
    ----------
    id
    models
        Identifiers of the library, or paths of model files.
    patient
    question
    options
    origin
        What time 0 is, where the request was written in dates; None where in hours.
    """

    id: str
    models: tuple[str, ...]
    patient: Patient
    question: Question = field(default_factory=Question)
    options: Options = field(default_factory=Options)
    origin: datetime | None = None

    def when(self, time: float) -> str:
        """Return a time as the request was written: a date, or hours."""
        if self.origin is None:
            return f"{time:g} h"
        return (self.origin + timedelta(hours=time)).isoformat(sep=" ", timespec="minutes")
