"""Label rules in words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from statera.library import LabelRule, RenalMetric, RuleKind, find_source
from statera.report.document import Cell
from statera.report.json import plain
from statera.sources import Status

__all__ = [
    "KIND_WORDS",
    "METRIC_WORDS",
    "claimed",
    "condition_cell",
    "dose_words",
    "indications_in",
    "meaning_of",
    "rule_cell",
    "rule_data",
    "source_cell_of",
    "tidy",
    "year_of",
]

KIND_WORDS: dict[RuleKind, str] = {
    RuleKind.INDICATION: "indication",
    RuleKind.STANDARD: "standard dose",
    RuleKind.RENAL: "renal function",
    RuleKind.HEPATIC: "hepatic function",
    RuleKind.AGE: "age",
    RuleKind.WEIGHT: "weight",
    RuleKind.INTERACTION: "interaction",
    RuleKind.LABORATORY_START: "laboratory, before the start",
    RuleKind.LABORATORY_TREATMENT: "laboratory, on treatment",
    RuleKind.RISK: "risk",
    RuleKind.RESPONSE: "response",
    RuleKind.DURATION: "duration",
    RuleKind.WARNING: "warning",
    RuleKind.HISTORY: "history",
}

METRIC_WORDS: dict[RenalMetric | None, str] = {
    RenalMetric.CRCL: "creatinine clearance, mL/min",
    RenalMetric.EGFR: "eGFR, mL/min/1.73 m²",
    None: "measure not stated: a stage by name",
}

_MEANINGS = {
    "AA": "alopecia areata",
    "AD": "atopic dermatitis",
    "aGVHD": "acute graft-versus-host disease",
    "ALC": "absolute lymphocyte count",
    "ANC": "absolute neutrophil count",
    "AS": "ankylosing spondylitis",
    "CD": "Crohn's disease",
    "CrCl": "creatinine clearance",
    "JIA": "juvenile idiopathic arthritis",
    "MACE": "major adverse cardiovascular event",
    "MF": "myelofibrosis",
    "PsA": "psoriatic arthritis",
    "RA": "rheumatoid arthritis",
    "RI": "renal impairment",
    "UC": "ulcerative colitis",
    "VTE": "venous thromboembolism",
    "XR": "extended release",
}
_OFTEN = {"QD": "once daily", "BID": "twice daily"}
# After these words the dose follows directly; after any other action it follows a colon.
_LEADING = re.compile(r"(?:use|with|to|at|dose|becomes)$")


def tidy(text: str) -> str:
    """Return a recorded phrase with signs and frequencies as they are read."""
    for short, words in _OFTEN.items():
        text = re.sub(rf"\b{short}\b", words, text)
    text = text.replace("<=", "≤").replace(">=", "≥")
    text = re.sub(r"([<>≤≥])\s*(?=\d)", "\\1\N{NO-BREAK SPACE}", text)
    text = re.sub(r"\bx(?=\d)", "×", text)
    text = text.replace("/mm3", "/mm³").replace("/uL", "/µL").replace("10^9", "10⁹")
    text = re.sub(r"1\.73 ?m2", "1.73 m²", text)
    return re.sub(r"(?<=\d)-(?=\d)", "–", text) if "mL" in text or "eGFR" in text else text


def dose_words(rule: LabelRule) -> str:
    """Return the dose of a rule, such as ``2 mg once daily``; empty where it gives none."""
    if rule.dose_text:
        return tidy(rule.dose_text)
    if rule.dose_mg is None:
        return ""
    return f"{rule.dose_mg:g} mg {_OFTEN.get(rule.frequency, rule.frequency)}".rstrip()


def says(rule: LabelRule) -> str:
    """Return what a rule says, action and dose."""
    action, dose = tidy(rule.action), dose_words(rule)
    if dose and not (rule.dose_text and "mg" in action):
        action = f"{action} {dose}" if _LEADING.search(action) else f"{action}: {dose}"
    if rule.duration and rule.duration not in f"{rule.action} {rule.condition}":
        action = f"{action} for {rule.duration}"
    return action[:1].upper() + action[1:]


def claimed(rule: LabelRule) -> bool:
    """Return True for a rule that only the vendor states."""
    return rule.status is Status.VENDOR_CLAIM


def year_of(rule: LabelRule) -> str:
    """Return the date of the rule, else the year of its source, else ``no date``."""
    if rule.date:
        return rule.date
    year = find_source(rule.source).year
    return "no date" if year is None else str(year)


def rule_cell(rule: LabelRule) -> Cell:
    """Return what a rule says; superseded rules and claims are marked as such."""
    text = f"Superseded: {says(rule)}" if rule.superseded else says(rule)
    return Cell(
        text,
        "claim" if claimed(rule) else "fact",
        (rule.source,),
        note=tidy(rule.note),
        tone="muted" if rule.superseded else "",
        value=rule.dose_mg,
        unit="mg" if rule.dose_mg is not None else "",
        facts=(f"{rule.region}/{rule.id}",),
    )


def condition_cell(rule: LabelRule) -> Cell:
    """Return when a rule applies, with the measure of renal function and the unit of age."""
    notes = []
    if rule.kind is RuleKind.RENAL or rule.renal_metric is not None:
        notes.append(METRIC_WORDS[rule.renal_metric])
    if rule.age_low_y is not None and not re.search(r"year|\d y\b", rule.condition):
        notes.append("age in years")
    text = tidy(rule.condition)
    numbers = any(ch.isdigit() for ch in text)
    return Cell(text, sources=(rule.source,) if numbers else (), note="; ".join(notes))


def source_cell_of(rule: LabelRule) -> Cell:
    """Return the date of a rule and the grade of its source, linked to the source."""
    text = f"{year_of(rule)}, {rule.grade.value}"
    return Cell(text, "claim" if claimed(rule) else "fact", (rule.source,), note=rule.locator)


def indications_in(rule: LabelRule) -> tuple[str, ...]:
    """Return the indications of a rule, one by one; ``all`` alone for a rule for all of them."""
    if rule.indication.startswith("all"):
        return ("all",)
    return tuple(rule.indication.split("/"))


def meaning_of(texts: Iterable[str]) -> str:
    """Return what the abbreviations in some texts stand for, as one line; empty where none."""
    words = {w for text in texts for w in re.findall(r"[A-Za-z]+", text)}
    pairs = sorted((a for a in _MEANINGS if a in words), key=str.lower)
    return "; ".join(f"{a} {_MEANINGS[a]}" for a in pairs)


def rule_data(rule: LabelRule) -> dict[str, Any]:
    """Return a rule as plain data with what it says and its date."""
    found: dict[str, Any] = plain(rule)
    return {**found, "says": says(rule), "dated": year_of(rule)}
