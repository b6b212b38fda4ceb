"""A summary-of-findings table as text, CSV, plain data, and a fragment of HTML."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Sequence
from html import escape
from typing import Any

from statera.evidence.summary_of_findings import AbsoluteEffect, Finding

__all__ = ["findings_csv", "findings_data", "findings_html", "findings_text"]

_HEADS = (
    "Outcome", "Studies", "Participants", "Comparator", "Intervention (interval)",
    "Relative effect (interval)", "Certainty",
)  # fmt: skip
_WHO_JUDGED = "Certainty is judged by the authors of the table, not computed from the data."


def findings_data(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Return the rows as plain data."""
    return [_data(found) for found in findings]


def findings_text(findings: Sequence[Finding]) -> str:
    """Return the table as text, with its footnotes."""
    rows, notes = _rows(findings)
    cells = [list(_HEADS), *rows]
    widths = [max(len(row[j]) for row in cells) for j in range(len(_HEADS))]
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    lines.insert(1, "  ".join("-" * w for w in widths))
    for number, note in enumerate(notes, 1):
        lines += textwrap.wrap(f"[{number}] {note}", 100, subsequent_indent="    ")
    lines.append(_WHO_JUDGED)
    return "\n".join(lines) + "\n"


def findings_csv(findings: Sequence[Finding]) -> str:
    """Return the table as CSV: a number a cell, full precision."""
    stream = io.StringIO()
    rows = [_flat(found) for found in findings]
    writer = csv.DictWriter(stream, fieldnames=list(_flat(Finding(""))), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def findings_html(findings: Sequence[Finding], title: str = "Summary of findings") -> str:
    """Return a fragment of HTML: a table with its footnotes, no style and no script.

    Parameters
    ----------
    findings
    title
        Caption of the table.
    """
    rows, notes = _rows(findings)
    head = "".join(f'<th scope="col">{escape(h)}</th>' for h in _HEADS)
    body = "\n".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    listed = "".join(f"<li>{escape(note)}</li>" for note in notes)
    below = f"\n<ol>{listed}</ol>" if notes else ""
    return (
        f'<section class="summary-of-findings">\n<table>\n<caption>{escape(title)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>{below}\n"
        f"<p>{escape(_WHO_JUDGED)}</p>\n</section>\n"
    )


def _rows(findings: Sequence[Finding]) -> tuple[list[list[str]], list[str]]:
    """Return the cells, and the footnotes that they refer to by number."""
    notes: list[str] = []

    def mark(text: str) -> str:
        if text not in notes:
            notes.append(text)
        return f"[{notes.index(text) + 1}]"

    rows = []
    for found in findings:
        if not found.effect:
            why = mark(f"{found.outcome}: {found.status}.")
            rows.append([found.outcome, "0", "", "", "", f"not pooled {why}", found.certainty_text])
            continue
        compared, treated = "", ""
        if found.absolute is not None:
            compared = f"{_amount(found.absolute.comparator)} per {found.absolute.unit} "
            compared += mark(f"Risk of the comparator: {found.absolute.source}.")
            treated = (
                f"{_amount(found.absolute.intervention)} per {found.absolute.unit} "
                f"({_amount(found.absolute.low)} to {_amount(found.absolute.high)})"
            )
        middle, low, high = found.effect
        effect = f"{found.measure} {middle:.2f} ({low:.2f} to {high:.2f})"
        if found.is_posterior:
            effect += " " + mark("Median of the posterior with its credible interval.")
        certainty = found.certainty_text
        if found.grading is not None and found.certainty is not None:
            certainty += "".join(f" {mark(_sentence(n))}" for n in found.grading.footnotes)
        rows.append(
            [found.outcome, str(found.studies), _people(found), compared, treated, effect,
             certainty]
        )  # fmt: skip
    return rows, notes


def _people(found: Finding) -> str:
    parts = []
    if found.participants is not None:
        parts.append(f"{found.participants:,.0f}")
    elif found.person_years is not None:
        parts.append(f"{found.person_years:,.0f} person-years")
    if found.events is not None:
        parts.append(f"{found.events:,.0f} events")
    return "; ".join(parts).replace(",", " ") or "not known"


def _amount(value: float) -> str:
    if value >= 100.0:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10.0 else f"{value:.2f}"


def _sentence(text: str) -> str:
    whole = text[:1].upper() + text[1:]
    return whole if whole.endswith(".") else f"{whole}."


def _absolute(found: AbsoluteEffect) -> dict[str, Any]:
    difference, low, high = found.difference
    return {
        "unit": found.unit,
        "comparator": found.comparator,
        "intervention": found.intervention,
        "low": found.low,
        "high": found.high,
        "difference": difference,
        "difference_low": low,
        "difference_high": high,
        "comparator_source": found.source,
    }


def _data(found: Finding) -> dict[str, Any]:
    grading = found.grading
    effect = dict(zip(("estimate", "low", "high"), found.effect, strict=False)) or None
    return {
        "outcome": found.outcome,
        "status": found.status,
        "studies": found.studies,
        "participants": found.participants,
        "person_years": found.person_years,
        "events": found.events,
        "measure": found.measure,
        "method": found.method,
        "effect": effect,
        "level": found.level,
        "absolute": None if found.absolute is None else _absolute(found.absolute),
        "certainty": None
        if grading is None
        else {
            "level": found.certainty,
            "symbols": found.certainty.symbols if found.certainty is not None else "",
            "design": grading.design,
            "start": grading.start,
            "computed": grading.computed,
            "stated": grading.stated,
            "arithmetic": grading.sum_text,
            "judgements": [
                {"domain": j.domain, "judgement": j.said, "levels": j.levels, "reason": j.reason}
                for j in grading.judgements
            ],
        },
    }


def _flat(found: Finding) -> dict[str, Any]:
    whole = _data(found)
    absolute = whole["absolute"] or dict.fromkeys(_absolute(AbsoluteEffect(0, 0, 0, 0, "", "")), "")
    effect = whole["effect"] or {}
    certainty = found.certainty
    row = {name: whole[name] for name in ("outcome", "status", "studies", "participants",
                                          "person_years", "events", "measure")}  # fmt: skip
    row |= {name: effect.get(name, "") for name in ("estimate", "low", "high")}
    row |= {"level": found.level, "method": found.method}
    row |= {f"absolute_{name}": value for name, value in absolute.items()}
    row |= {
        "certainty": str(certainty) if certainty is not None else "",
        "certainty_symbols": certainty.symbols if certainty is not None else "",
        "certainty_reasons": "; ".join(found.grading.footnotes) if found.grading else "",
    }
    return {key: "" if value is None else value for key, value in row.items()}
