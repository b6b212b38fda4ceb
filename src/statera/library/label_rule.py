"""Dosing rules as data: when a rule applies, and what it does to the dose."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from statera.sources.fact import Grade, Status

__all__ = [
    "FINDINGS",
    "Authority",
    "Effect",
    "HepaticClass",
    "LabelDose",
    "LabelRule",
    "LabelStep",
    "Population",
    "RenalMetric",
    "RenalStage",
    "Response",
    "RuleKind",
    "Threshold",
    "TreatmentPart",
]


class RuleKind(StrEnum):
    """What a rule is about."""

    INDICATION = "indication"
    STANDARD = "standard"
    RENAL = "renal"
    HEPATIC = "hepatic"
    AGE = "age"
    WEIGHT = "weight"
    INTERACTION = "interaction"
    LABORATORY_START = "laboratory_start"
    LABORATORY_TREATMENT = "laboratory_treatment"
    RISK = "risk"
    RESPONSE = "response"
    DURATION = "duration"
    WARNING = "warning"
    HISTORY = "history"


class Effect(StrEnum):
    """What a rule does where it applies."""

    BASE = "base"
    """gives the usual dose"""
    LIMIT = "limit"
    """lowers the dose to this one, or gives it where no usual dose is known"""
    FACTOR = "factor"
    """multiplies the dose"""
    STEPS = "steps"
    """replaces named doses by named lower ones"""
    REDUCE = "reduce"
    """says that the dose is reduced, without saying to what"""
    RAISE = "raise"
    """allows a higher dose instead of the usual one"""
    CONSIDER = "consider"
    """suggests something to consider; the dose stays"""
    NO_ADJUSTMENT = "no_adjustment"
    NOT_STUDIED = "not_studied"
    WARN = "warn"
    APPROVE = "approve"
    NOT_INDICATED = "not_indicated"
    NOT_RECOMMENDED = "not_recommended"
    DO_NOT_START = "do_not_start"
    INTERRUPT = "interrupt"
    DISCONTINUE = "discontinue"


class Authority(StrEnum):
    """Whose text a rule is, from the strongest."""

    LABEL = "label"
    EMERGENCY = "emergency_authorisation"
    GUIDELINE = "guideline"
    REVIEW = "review"
    NOT_STATED = "not_stated"
    CLAIM = "claim"


class RenalMetric(StrEnum):
    """Which measure of renal function a rule uses; they are not interchangeable."""

    CRCL = "crcl_mL_min"
    EGFR = "egfr_mL_min_1.73m2"


class RenalStage(StrEnum):
    """Stage of renal function where a rule names it without limits."""

    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"
    FAILURE = "failure"


class HepaticClass(StrEnum):
    """Stage of hepatic impairment."""

    NONE = "none"
    MILD = "mild"
    MODERATE = "moderate"
    SEVERE = "severe"


class TreatmentPart(StrEnum):
    """Part of a treatment that has its own dose."""

    INDUCTION = "induction"
    MAINTENANCE = "maintenance"


class Response(StrEnum):
    """How the disease answered the treatment so far."""

    INADEQUATE = "inadequate"
    NONE = "none"
    ADEQUATE = "adequate"
    SUSTAINED = "sustained"


class Population(StrEnum):
    """Who a rule is for."""

    ADULT = "adult"
    PAEDIATRIC = "paediatric"
    ALL = "all"


FINDINGS: dict[str, str] = {
    "cardiovascular": "raised cardiovascular risk",
    "vte": "raised risk of venous thromboembolism",
    "malignancy": "raised risk of malignancy",
    "smoking": "current or long-time past smoking",
    "infection": "chronic or recurrent infection",
    "dialysis": "dialysis",
    "acute_kidney_injury": "acute kidney injury",
    "hospitalised": "treatment in hospital",
    "discharged": "discharge from hospital",
    "severe_disease": "severe disease",
    "prior_dmard_failure": "failure of a conventional or biologic disease-modifying drug",
    "near_complete_hair_loss": "nearly complete or complete loss of scalp hair",
}
"""What a rule may ask for besides numbers, in words."""


@dataclass(frozen=True)
class Threshold:
    """A laboratory limit of a rule.

    Attributes
    ----------
    analyte
        ``ALC``, ``ANC``, ``Hb`` or ``PLT``.
    below
        The rule applies below this value.
    at_least
        The rule applies from this value on.
    fall_over
        The rule applies after a fall of more than this.
    unit
        As printed; empty where the source row gives none.
    assumed_unit
        Unit that the size of the value suggests, where none is printed.
    effect
        What this threshold does, where it differs from the rule's `effect`.
    restart_at
        Treatment may go on from this value.
    """

    analyte: str
    below: float | None = None
    at_least: float | None = None
    fall_over: float | None = None
    unit: str = ""
    assumed_unit: str = ""
    effect: Effect | None = None
    restart_at: float | None = None


@dataclass(frozen=True)
class LabelDose:
    """One dose of a rule that names several.

    Attributes
    ----------
    mg, frequency, form
        Amount of one administration; ``QD`` or ``BID``; formulation where named.
    part, response, covers
        Only in this part of treatment, with this response, in this region.
    duration
        Where it is limited.
    optional
        True for a dose that is allowed besides the others.
    """

    mg: float
    frequency: str
    form: str = ""
    part: TreatmentPart | None = None
    response: Response | None = None
    covers: str = ""
    duration: str = ""
    optional: bool = False


@dataclass(frozen=True)
class LabelStep:
    """A dose and the one that replaces it."""

    from_mg: float
    from_frequency: str
    to_mg: float
    to_frequency: str


@dataclass(frozen=True)
class LabelRule:
    """One rule of a label.

    Attributes
    ----------
    id
        Unique within drug and region.
    drug, region, region_name
        Whose rule it is; `region` is the short form, such as ``eu``.
    indication, kind, condition, action
        When it applies and what it says.
    dose_mg, dose_text, dose_factor, frequency
        Dose of one administration in mg; the dose in words where there is more than one;
        factor on the usual dose; ``QD`` or ``BID``.
    duration, date, interactant
        Further terms of the rule.
    age_low_y, age_high_y, weight_low_kg, weight_high_kg
        Lower ends are included, upper ends are not. In a rule of kind ``risk`` the age is one
        condition among others.
    renal_metric, renal_low, renal_high
        Measure of renal function and its limits, in the unit of the measure.
    thresholds
        Laboratory limits.
    population
        ``adult``, ``paediatric`` or ``all``.
    superseded
        True for a rule that a later one replaced.
    source, locator, grade, status, note
        Origin.
    covers, authority
        Regions in which it counts, such as ``EU``, and whose text it is.
    effect
        What it does where it applies; None where `not_executable` says why it decides nothing.
    doses, steps
        The doses in `dose_text`, one by one; doses that replace others.
    part, response, on_dose_mg, weeks_from
        Only in this part of treatment, with this response, on this dose, from this week.
    hepatic, renal_stages
        Stages that the rule names.
    interactant_class
        Class of the other medicine, such as ``strong OAT3 inhibitor``.
    any_of
        Findings (keys of `FINDINGS`) of which one is enough; ``age`` and ``renal`` stand for the
        rule's own limits, which then are one among others.
    requires
        Findings that are all needed.
    course_days
        Length of the treatment.
    indications
        Where not empty, the rule concerns these indications of every drug of its regions.
    """

    id: str
    drug: str
    region: str
    region_name: str
    indication: str
    kind: RuleKind
    condition: str
    action: str
    source: str
    dose_mg: float | None = None
    dose_text: str = ""
    dose_factor: float | None = None
    frequency: str = ""
    duration: str = ""
    date: str = ""
    interactant: str = ""
    age_low_y: float | None = None
    age_high_y: float | None = None
    weight_low_kg: float | None = None
    weight_high_kg: float | None = None
    renal_metric: RenalMetric | None = None
    renal_low: float | None = None
    renal_high: float | None = None
    thresholds: tuple[Threshold, ...] = ()
    population: Population = Population.ADULT
    superseded: bool = False
    locator: str = ""
    grade: Grade = Grade.B
    status: Status = Status.FIXED_BY_SOURCE
    note: str = ""
    covers: tuple[str, ...] = ()
    authority: Authority = Authority.LABEL
    effect: Effect | None = None
    not_executable: str = ""
    doses: tuple[LabelDose, ...] = ()
    steps: tuple[LabelStep, ...] = ()
    part: TreatmentPart | None = None
    response: Response | None = None
    on_dose_mg: float | None = None
    weeks_from: float | None = None
    hepatic: tuple[HepaticClass, ...] = ()
    renal_stages: tuple[RenalStage, ...] = ()
    interactant_class: str = ""
    any_of: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    course_days: float | None = None
    indications: tuple[str, ...] = ()
