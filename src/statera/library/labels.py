"""Read label files: dosing rules of one drug in one region, each with its source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib.resources.abc import Traversable
from pathlib import Path

from statera.library.read import Document, Table, read_document
from statera.sources.fact import Grade, Status

__all__ = [
    "LABEL_SCHEMA",
    "LabelFile",
    "LabelRule",
    "RenalMetric",
    "RuleKind",
    "Threshold",
    "read_labels",
]

LABEL_SCHEMA = "statera.label/1"


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


class RenalMetric(StrEnum):
    """Which measure of renal function a rule uses; they are not interchangeable."""

    CRCL = "crcl_mL_min"
    EGFR = "egfr_mL_min_1.73m2"


class Population(StrEnum):
    """Who a rule is for."""

    ADULT = "adult"
    PAEDIATRIC = "paediatric"
    ALL = "all"


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
    """

    analyte: str
    below: float | None = None
    at_least: float | None = None
    fall_over: float | None = None
    unit: str = ""


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


@dataclass(frozen=True)
class LabelFile:
    """A label file that was read; rule ``i`` stands at ``document.place("rule", i)``."""

    drug: str
    region: str
    region_name: str
    rules: tuple[LabelRule, ...]
    document: Document


def read_labels(path: str | Path | Traversable) -> LabelFile:
    """Read a label file.

    Raises
    ------
    InputError
        If the file cannot be read, or a key is missing, unknown or of the wrong type.
    """
    document = read_document(path, LABEL_SCHEMA)
    top = document.table()
    top.text("schema")
    drug, region = top.text("drug"), top.text("region")
    region_name = top.text("region_name", region)
    rules = tuple(_rule(table, drug, region, region_name) for table in top.tables("rule"))
    top.finish()
    return LabelFile(drug, region, region_name, rules, document)


def _rule(table: Table, drug: str, region: str, region_name: str) -> LabelRule:
    has_metric = "metric" in table.data
    rule = LabelRule(
        id=table.text("id"),
        drug=drug,
        region=region,
        region_name=region_name,
        indication=table.text("indication"),
        kind=table.choice("kind", RuleKind),
        condition=table.text("condition"),
        action=table.text("action"),
        source=table.text("source"),
        dose_mg=table.number("dose_mg"),
        dose_text=table.text("dose_text", ""),
        dose_factor=table.number("dose_factor"),
        frequency=table.text("frequency", ""),
        duration=table.text("duration", ""),
        date=table.text("date", ""),
        interactant=table.text("interactant", ""),
        age_low_y=table.number("age_low_y"),
        age_high_y=table.number("age_high_y"),
        weight_low_kg=table.number("weight_low_kg"),
        weight_high_kg=table.number("weight_high_kg"),
        renal_metric=table.choice("metric", RenalMetric) if has_metric else None,
        renal_low=table.number("renal_low"),
        renal_high=table.number("renal_high"),
        thresholds=tuple(_threshold(item) for item in table.tables("thresholds")),
        population=table.choice("population", Population, Population.ADULT),
        superseded=table.flag("superseded", False),
        locator=table.text("locator", ""),
        grade=table.choice("grade", Grade),
        status=table.choice("status", Status, Status.FIXED_BY_SOURCE),
        note=table.text("note", ""),
    )
    table.finish("metric")
    return rule


def _threshold(table: Table) -> Threshold:
    threshold = Threshold(
        analyte=table.text("analyte"),
        below=table.number("below"),
        at_least=table.number("at_least"),
        fall_over=table.number("fall_over"),
        unit=table.text("unit", ""),
    )
    table.finish()
    return threshold
