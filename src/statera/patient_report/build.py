"""Put the page of one patient together from a forecast's data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from statera.errors import InputError
from statera.patient_report.advice_section import advice_section, sampling_section
from statera.patient_report.closing import closing_section
from statera.patient_report.course import course_section
from statera.patient_report.label_section import label_section
from statera.patient_report.methods import METHODS
from statera.patient_report.model_card import model_section, remarks_section, samples_section
from statera.patient_report.questions import questions_section
from statera.patient_report.words import Clock
from statera.report.check import inlines
from statera.report.document import Cell, Document, Method, Section

__all__ = ["NOTICE", "SCHEMA", "patient_report"]

SCHEMA = "statera.forecast/1"

NOTICE = (
    "Research and education only. Not a medical device. Not for decisions about a person without "
    "an independent check."
)


def _used(sections: Sequence[Section]) -> tuple[Method, ...]:
    """Return the methods that values link to."""
    keys = {
        part.method
        for section in sections
        for block in section.blocks
        for part in inlines(block)
        if isinstance(part, Cell)
    }
    return tuple(method for method in METHODS if method.key in keys)


def patient_report(
    result: Mapping[str, Any],
    manifest: Mapping[str, Any],
    *,
    closing: bool = False,
    limit: float | None = None,
    label: Mapping[str, Any] | None = None,
) -> Document:
    """Return the page of a forecast.

    Parameters
    ----------
    result
        A forecast as plain data (``statera.forecast/1``), such as a stored one.
    manifest
        How it was made.
    closing
        Whether the closing assessment is a part of it; on paper it then needs a second page.
    limit
        Highest daily amount by which the search was limited, mg; None where that is not known.
    label
        What the label says, as `statera.dosing.decision_data` returns it.

    Raises
    ------
    InputError
        If the data are of another schema.
    """
    if result.get("schema") != SCHEMA:
        raise InputError(
            f"the data are of schema '{result.get('schema')}'",
            where="schema",
            hint=f"Expected {SCHEMA}: the result of statera forecast --json.",
        )
    sections = [advice_section(result)]
    if label is not None:
        sections.append(label_section(label))
    sections.append(course_section(result))
    if (sampling := sampling_section(result)) is not None:
        sections.append(sampling)
    if closing:
        sections.append(closing_section(result, limit))
    sections += [questions_section(result), samples_section(result)]
    if result["remarks"]:
        sections.append(remarks_section(result))
    sections.append(model_section(result))
    request = result["request"]
    asked = Clock(request["origin"]).say(result["time"])
    return Document(
        title=f"Patient {request['patient']}",
        subtitle=f"Request {request['id']}, asked for {asked}; {', '.join(request['models'])}",
        notice=NOTICE,
        sections=tuple(sections),
        methods=_used(sections),
        references=(),
        manifest=manifest,
    )
