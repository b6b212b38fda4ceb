"""Five questions before a concentration is acted upon, after Buclin and others, 2020."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statera.errors import UnknownNameError
from statera.library import load_drug
from statera.library.drug import Drug
from statera.patient_report.words import METRICS, computed, percent, with_unit
from statera.report.document import Cell, Inline, Section, Table

__all__ = ["questions_section"]

Data = Mapping[str, Any]
Row = tuple[Inline, ...]


def questions_section(result: Data) -> Section:
    """Return the questions with their answers."""
    drug = _drug(result)
    rows = (
        _candidate(result),
        _usual(result),
        _target(result, drug),
        _adjustment(result),
        _evidence(drug),
    )
    table = Table(
        "Five questions before a concentration is acted upon",
        ("Question", "Answer", "What it rests on"),
        rows,
    )
    return Section("questions", "Five questions", (table,))


def _drug(result: Data) -> Drug | None:
    name = str(result["request"]["models"][0]).partition("/")[0]
    try:
        return load_drug(name)
    except UnknownNameError:
        return None


def _candidate(result: Data) -> Row:
    """Spread before against after the samples tells what monitoring adds."""
    course = result["course"]
    question = "Is the patient a candidate for monitoring?"
    if course is None:
        return (question, Cell("cannot be said", tone="warn"), "no doses, so no course")
    spreads = {band["label"]: _spread(band) for band in course["bands"]}
    prior, post = spreads.get("a priori"), spreads.get("a posteriori")
    if prior is None or post is None:
        return (question, Cell("cannot be said", tone="warn"), "no samples yet")
    text = f"90 % spread of the last median from {prior:.2g}-fold to {post:.2g}-fold"
    answer = "samples narrow it" if post < 0.8 * prior else "samples add little"
    return (question, Cell(answer, tone="warn"), computed(post, "posterior", text=text))


def _spread(band: Data) -> float | None:
    pairs = [
        (high / low)
        for low, high in zip(band["p5"], band["p95"], strict=True)
        if low is not None and high is not None and low > 0
    ]
    return sorted(pairs)[len(pairs) // 2] if pairs else None


def _usual(result: Data) -> Row:
    question = "What is usual?"
    course = result["course"]
    if course is None:
        return (question, Cell("not known", tone="warn"), "no course")
    band = next((b for b in course["bands"] if b["label"] == "population"), course["bands"][0])
    peak = max(range(len(band["p50"])), key=lambda i: band["p50"][i] or 0.0)
    low, mid, high = (band[k][peak] for k in ("p5", "p50", "p95"))
    if low is None or mid is None or high is None:
        return (question, Cell("not known", tone="warn"), "the model gives no number")
    text = with_unit(f"peak {mid:.3g} ({low:.3g} to {high:.3g})", course["unit"])
    return (
        question,
        Cell("simulated, not observed", tone="warn"),
        computed(mid, "posterior", text=text),
    )


def _target(result: Data, drug: Drug | None) -> Row:
    question = "Which value should be reached?"
    missing = "no validated range exists for JAK inhibitors"
    if drug is not None:
        ranges = [f for f in drug.facts_in("monitoring") if f.get("quantity") == "reference_range"]
        sources = tuple(dict.fromkeys(f.source for f in ranges))
        if any(not f.is_missing for f in ranges):
            return (question, Cell("stated", tone="ok"), "see the drug's page")
        if sources:
            missing = "a therapeutic range is not established in any source that was read"
    grades = sorted({t["grade"] for t in result["targets"]})
    said = f"; the target used is {', '.join(grades)}" if grades else ""
    return (question, Cell("not established", tone="bad"), Cell(missing + said, "missing"))


def _adjustment(result: Data) -> Row:
    question = "How would the dose change?"
    advice = result["advice"]
    if advice is None or not advice["candidates"]:
        return (question, Cell("not asked", tone="muted"), "no target, or no candidate")
    best = advice["candidates"][0]
    metrics = ", ".join(METRICS.get(e["metric"], e["metric"]) for e in best["expected"])
    text = f"best candidate meets the target ({metrics}) with {percent(best['probability'])}"
    answer = Cell("a candidate reaches it", tone="ok")
    if not advice["reached"]:
        answer = Cell("no candidate reaches it", tone="bad")
    return (question, answer, computed(best["probability"], "candidates", text=text))


def _evidence(drug: Drug | None) -> Row:
    question = "Is it useful to patients?"
    text = "a study of outcomes with against without monitoring: none was read"
    if drug is None:
        text = "the drug is not in the library: nothing was looked up"
    return (question, Cell("no evidence found", tone="bad"), Cell(text, "missing"))
