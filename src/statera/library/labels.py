"""Read label files: dosing rules of one drug in one region, each with its source."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

from statera.library.label_rule import (
    Authority,
    Effect,
    HepaticClass,
    LabelDose,
    LabelRule,
    LabelStep,
    Population,
    RenalMetric,
    RenalStage,
    Response,
    RuleKind,
    Threshold,
    TreatmentPart,
)
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

EnumT = TypeVar("EnumT", bound=StrEnum)


@dataclass(frozen=True)
class LabelFile:
    """A label file that was read; rule ``i`` stands at ``document.place("rule", i)``."""

    drug: str
    region: str
    region_name: str
    rules: tuple[LabelRule, ...]
    document: Document
    covers: tuple[str, ...] = ()
    authority: Authority = Authority.LABEL


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
    covers = top.texts("covers")
    authority = top.choice("authority", Authority, Authority.LABEL)
    origin = {
        "drug": drug,
        "region": region,
        "region_name": region_name,
        "covers": covers,
        "authority": authority,
    }
    rules = tuple(_rule(table, origin) for table in top.tables("rule"))
    top.finish()
    return LabelFile(drug, region, region_name, rules, document, covers, authority)


def _rule(table: Table, origin: dict[str, Any]) -> LabelRule:
    rule = LabelRule(
        **origin,
        **_conditions(table),
        **_effects(table),
        id=table.text("id"),
        indication=table.text("indication"),
        kind=table.choice("kind", RuleKind),
        condition=table.text("condition"),
        action=table.text("action"),
        source=table.text("source"),
        date=table.text("date", ""),
        superseded=table.flag("superseded", False),
        locator=table.text("locator", ""),
        grade=table.choice("grade", Grade),
        status=table.choice("status", Status, Status.FIXED_BY_SOURCE),
        note=table.text("note", ""),
        not_executable=table.text("not_executable", ""),
        indications=table.texts("indications"),
    )
    table.finish("metric", "effect", "part", "response")
    return rule


def _conditions(table: Table) -> dict[str, Any]:
    """Return when a rule applies."""
    return {
        "interactant": table.text("interactant", ""),
        "interactant_class": table.text("interactant_class", ""),
        "age_low_y": table.number("age_low_y"),
        "age_high_y": table.number("age_high_y"),
        "weight_low_kg": table.number("weight_low_kg"),
        "weight_high_kg": table.number("weight_high_kg"),
        "renal_metric": _maybe(table, "metric", RenalMetric),
        "renal_low": table.number("renal_low"),
        "renal_high": table.number("renal_high"),
        "renal_stages": _several(table, "renal_stages", RenalStage),
        "hepatic": _several(table, "hepatic", HepaticClass),
        "thresholds": tuple(_threshold(item) for item in table.tables("thresholds")),
        "population": table.choice("population", Population, Population.ADULT),
        "part": _maybe(table, "part", TreatmentPart),
        "response": _maybe(table, "response", Response),
        "on_dose_mg": table.number("on_dose_mg"),
        "weeks_from": table.number("weeks_from"),
        "any_of": table.texts("any_of"),
        "requires": table.texts("requires"),
    }


def _effects(table: Table) -> dict[str, Any]:
    """Return what a rule does."""
    frequency = table.text("frequency", "")
    return {
        "effect": _maybe(table, "effect", Effect),
        "dose_mg": table.number("dose_mg"),
        "dose_text": table.text("dose_text", ""),
        "dose_factor": table.number("dose_factor"),
        "frequency": frequency,
        "duration": table.text("duration", ""),
        "course_days": table.number("course_days"),
        "doses": tuple(_dose(item, frequency) for item in table.tables("doses")),
        "steps": tuple(_step(item) for item in table.tables("steps")),
    }


def _maybe(table: Table, key: str, kind: type[EnumT]) -> EnumT | None:
    return table.choice(key, kind) if key in table.data else None


def _several(table: Table, key: str, kind: type[EnumT]) -> tuple[EnumT, ...]:
    words = table.texts(key)
    known = ", ".join(member.value for member in kind)
    for word in words:
        if word not in [member.value for member in kind]:
            table.fail(key, f"'{key}' holds '{word}', which is not known", f"any of: {known}")
    return tuple(kind(word) for word in words)


def _amount(table: Table, key: str) -> float:
    value = table.number(key)
    if value is None or value <= 0:
        table.fail(key, f"'{key}' is missing or not above 0", f"{key} in mg")
    return value


def _dose(table: Table, frequency: str) -> LabelDose:
    dose = LabelDose(
        mg=_amount(table, "mg"),
        frequency=table.text("frequency", frequency),
        form=table.text("form", ""),
        part=_maybe(table, "part", TreatmentPart),
        response=_maybe(table, "response", Response),
        covers=table.text("covers", ""),
        duration=table.text("duration", ""),
        optional=table.flag("optional", False),
    )
    table.finish("part", "response")
    return dose


def _step(table: Table) -> LabelStep:
    step = LabelStep(
        from_mg=_amount(table, "from_mg"),
        from_frequency=table.text("from_frequency"),
        to_mg=_amount(table, "to_mg"),
        to_frequency=table.text("to_frequency"),
    )
    table.finish()
    return step


def _threshold(table: Table) -> Threshold:
    threshold = Threshold(
        analyte=table.text("analyte"),
        below=table.number("below"),
        at_least=table.number("at_least"),
        fall_over=table.number("fall_over"),
        unit=table.text("unit", ""),
        assumed_unit=table.text("assumed_unit", ""),
        effect=_maybe(table, "effect", Effect),
        restart_at=table.number("restart_at"),
    )
    table.finish("effect")
    return threshold
