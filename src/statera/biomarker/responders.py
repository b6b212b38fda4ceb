"""Who responded: a rule applied to a table of visits, with the reason for each subject."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.boundaries import above, at_least, at_most, below
from statera.biomarker.index_catalogue import IndexOptions, index_called
from statera.biomarker.index_table import MISSING_CELLS, index_of_table
from statera.biomarker.measurements import listed
from statera.biomarker.responder_rule import (
    MISSING_POLICIES,
    Condition,
    ResponderRule,
    Term,
)
from statera.errors import InputError, UnknownNameError

__all__ = ["AppliedCondition", "Responders", "apply_rule", "best_split"]

Floats = NDArray[np.float64]
_TEXT = {"true": 1.0, "yes": 1.0, "responder": 1.0, "false": 0.0, "no": 0.0, "non-responder": 0.0}


@dataclass(frozen=True)
class AppliedCondition:
    """A condition with the numbers it was decided by.

    Attributes
    ----------
    condition
        As given.
    value : (n,) float64
        What it looked at; nan where missing.
    earlier, later : (n,) float64
        Of a change, the two values it was made of; of a value, nan and the value.
    cut
        The number that was compared with; of shares and clusters, taken from these subjects.
    met : (n,) float64
        1, 0 or nan.
    """

    condition: Condition
    value: Floats
    earlier: Floats
    later: Floats
    cut: float
    met: Floats


@dataclass(frozen=True)
class Responders:
    """The outcome of n subjects.

    Attributes
    ----------
    rule
        As given.
    subjects : tuple of str
    response : (n,) float64
        1, 0, or nan for those left out.
    status : tuple of str
        ``responder``, ``non-responder`` or why the rule could not be decided, and what was done.
    applied : tuple of AppliedCondition
    columns
        Numbers of the table by column, (n,) at the first visit a rule names (or the only row);
        what guards look at.
    notes
        What was decided, as sentences.
    """

    rule: ResponderRule
    subjects: tuple[str, ...]
    response: Floats
    status: tuple[str, ...]
    applied: tuple[AppliedCondition, ...]
    columns: Mapping[str, Floats]
    notes: tuple[str, ...]

    @property
    def continuous(self) -> Floats:
        """What the first condition looked at, (n,): the outcome before it was cut in two."""
        return self.applied[0].value


def apply_rule(table: Any, rule: ResponderRule) -> Responders:
    """Decide for every subject of a table.

    Parameters
    ----------
    table
        A data frame (polars, pandas) or columns by name, text or numbers; a row a visit, or a row
        a subject.
    rule
        What counts as a response.

    Raises
    ------
    UnknownNameError
        If a column is absent.
    InputError
        If a subject has two rows of a visit, a cell is no number, or the policy refuses missing
        outcomes.
    """
    names = table.columns if hasattr(table, "columns") else table
    columns = {str(name): list(table[name]) for name in names}
    for name in (rule.subject, *([rule.visit] if rule.visit else [])):
        if name not in columns:
            raise UnknownNameError("column", name, columns)
    columns, notes = _with_index(columns, rule)
    rows = _rows(columns, rule)
    subjects = tuple(dict.fromkeys(subject for subject, _ in rows))
    applied = [_apply(one, columns, rows, subjects) for one in rule.conditions]
    met = np.array([a.met for a in applied])
    if rule.combine == "all":  # one that is not met decides, whatever is missing
        response = np.where((met == 0.0).any(axis=0), 0.0, met.min(axis=0))
    else:
        response = np.where((met == 1.0).any(axis=0), 1.0, met.max(axis=0))
    response, status = _missing(response, applied, rule, subjects)
    unknown = [s for s, text in zip(subjects, status, strict=True) if text.startswith("missing")]
    if unknown:
        notes.append(
            f"{len(unknown)} subjects without a decided outcome ({rule.missing}: "
            f"{MISSING_POLICIES[rule.missing]}): {listed(unknown)}."
        )
    for one in applied:
        if one.condition.kind != "compared":
            notes.append(
                f"'{one.condition}' cuts at {one.cut:.6g}, taken from these subjects: other "
                "subjects would move it. A new table is judged by this number."
            )
    first = rule.conditions[0].term
    visit = first.since or first.at
    seen = {
        name: _values(columns[name], rows, subjects, visit)
        for name in columns
        if name not in (rule.subject, rule.visit) and _numeric(columns[name])
    }
    return Responders(rule, subjects, response, status, tuple(applied), seen, tuple(notes))


def best_split(values: Floats) -> float:
    """Return the middle of the gap that splits numbers into the two tightest groups.

    The sum of squares within both groups is the least of all splits (two means in one dimension,
    exactly).

    Raises
    ------
    InputError
        If there are not two different numbers.
    """
    x = np.sort(values[np.isfinite(values)])
    if x.size < 2 or x[0] == x[-1]:
        raise InputError("two groups need two different values")
    n = np.arange(1, x.size)
    total = np.cumsum(x)
    between = total[:-1] ** 2 / n + (total[-1] - total[:-1]) ** 2 / (x.size - n)
    between[np.diff(x) == 0.0] = -math.inf
    best = int(np.argmax(between))
    return float((x[best] + x[best + 1]) / 2.0)


def _with_index(
    columns: dict[str, list[Any]], rule: ResponderRule
) -> tuple[dict[str, list[Any]], list[str]]:
    """Return the table with the results of the clinical index that the rule asks for."""
    if not rule.index:
        return columns, []
    index = index_called(rule.index)
    known = {f.name for f in fields(IndexOptions)}
    for name in rule.index_options:
        if name not in known:
            raise UnknownNameError("option of an index", name, known, where="index_options")
    options = IndexOptions(**rule.index_options)
    given = dict(columns)
    if rule.visit:
        given |= _baselines(columns, rule, list(index.ranges(options)))
    found = index_of_table(given, rule.index, rule.columns, options)
    notes = list(found.notes)
    refused = [s for s in found.status if s.startswith("refused")]
    if refused:
        notes.append(f"{len(refused)} rows were refused by {found.title}; the first: {refused[0]}.")
    return {**columns, **{name: list(v) for name, v in found.results.items()}}, notes


def _baselines(
    columns: dict[str, list[Any]], rule: ResponderRule, entries: list[str]
) -> dict[str, list[Any]]:
    """Return columns ``x_baseline`` from the first row of each subject, where the index needs them.

    The first row is that of the earlier visit of a rule's change, else the subject's first row.
    """
    pairs = [entry for entry in entries if entry.endswith("_baseline")]
    since = next((c.term.since for c in rule.conditions if c.term.since), "")
    found: dict[str, list[Any]] = {}
    first: dict[str, int] = {}
    for row, (subject, visit) in enumerate(
        zip(columns[rule.subject], columns[rule.visit], strict=True)
    ):
        if since and _label(visit) != _label(since):
            continue
        first.setdefault(str(subject).strip(), row)
    lower = {name.lower(): name for name in columns}
    for entry in pairs:
        stem = entry.removesuffix("_baseline")
        name = rule.columns.get(stem) or lower.get(stem)
        if name is None and stem == "acute_phase":
            stem = next((word for word in ("crp", "esr") if word in lower), stem)
            name = lower.get(stem)
        column = f"{stem}_baseline"
        if column in lower or entry in rule.columns or name not in columns:
            continue
        cells = columns[name]
        found[column] = [
            cells[first[s]] if (s := str(subject).strip()) in first else ""
            for subject in columns[rule.subject]
        ]
    return found


def _rows(columns: Mapping[str, list[Any]], rule: ResponderRule) -> dict[tuple[str, str], int]:
    """Return the row of each subject and visit."""
    found: dict[tuple[str, str], int] = {}
    visits = columns[rule.visit] if rule.visit else [""] * len(columns[rule.subject])
    for row, (cell, visit) in enumerate(zip(columns[rule.subject], visits, strict=True)):
        subject = str(cell if cell is not None else "").strip()
        if not subject:
            raise InputError(f"row {row + 1} of the outcomes names no subject")
        key = (subject, _label(visit))
        if key in found:
            at = f" at visit {key[1]}" if rule.visit else ""
            raise InputError(
                f"subject {subject} has two rows{at}",
                hint="Leave one out."
                if rule.visit
                else "Name the column of visits, as --visit week.",
            )
        found[key] = row
    return found


def _label(visit: Any) -> str:
    """Return a visit as text; 24 and 24.0 are one visit."""
    text = str(visit if visit is not None else "").strip()
    try:
        return f"{float(text):g}"
    except ValueError:
        return text


def _number(cell: Any) -> float:
    text = str(cell if cell is not None else "").strip().lower()
    if text in MISSING_CELLS:
        return math.nan
    return _TEXT[text] if text in _TEXT else float(text)


def _numeric(cells: list[Any]) -> bool:
    try:
        return any(math.isfinite(_number(cell)) for cell in cells)
    except ValueError:
        return False


def _values(
    cells: list[Any], rows: Mapping[tuple[str, str], int], subjects: tuple[str, ...], visit: str
) -> Floats:
    places = [rows.get((subject, _label(visit))) for subject in subjects]
    return np.array([math.nan if p is None else _number(cells[p]) for p in places])


def _read(
    term: Term, visit: str, columns: Mapping[str, list[Any]],
    rows: Mapping[tuple[str, str], int], subjects: tuple[str, ...],
) -> Floats:  # fmt: skip
    if term.index not in columns:
        raise UnknownNameError("column", term.index, columns, where="rule")
    visits = {v for _, v in rows}
    if _label(visit) not in visits:
        raise UnknownNameError("visit", visit, visits, where="rule")
    try:
        return _values(columns[term.index], rows, subjects, visit)
    except ValueError as error:
        raise InputError(f"a cell is not a number: {error}", where=term.index) from None


def _apply(
    one: Condition, columns: Mapping[str, list[Any]], rows: Mapping[tuple[str, str], int],
    subjects: tuple[str, ...],
) -> AppliedCondition:  # fmt: skip
    later = _read(one.term, one.term.at, columns, rows, subjects)
    earlier = np.full(later.size, math.nan)
    value = later
    if one.term.measure != "value":
        earlier = _read(one.term, one.term.since, columns, rows, subjects)
        value = _change(one.term, earlier, later)
    known = value[np.isfinite(value)]
    cut = one.number
    if one.kind != "compared" and known.size < 2:
        raise InputError(f"'{one}' needs the value of two subjects", where="rule")
    if one.kind == "share":
        order = np.sort(known) if one.relation == "<=" else np.sort(known)[::-1]
        cut = float(order[max(1, round(one.number * known.size)) - 1])
    elif one.kind == "cluster":
        cut = best_split(value)
    reached = _reached(one.relation, value, cut)
    met = np.where(np.isfinite(value), reached.astype(float), math.nan)
    return AppliedCondition(one, value, earlier, later, cut, met)


def _reached(relation: str, value: Floats, cut: float) -> NDArray[np.bool_]:
    if relation == "=":
        return np.asarray(at_least(value, cut) & at_most(value, cut))
    return {"<=": at_most, ">=": at_least, "<": below, ">": above}[relation](value, cut)


def _change(term: Term, earlier: Floats, later: Floats) -> Floats:
    if term.measure == "change":
        return later - earlier
    if term.measure == "percent":
        zero = earlier == 0.0  # no percentage of nothing
        return np.where(zero, math.nan, 100.0 * (later - earlier) / np.where(zero, 1.0, earlier))
    both = np.isfinite(earlier) & np.isfinite(later)
    if both.sum() < 3 or np.ptp(earlier[both]) == 0.0:
        raise InputError(
            f"'{term}' needs three subjects with both visits and different earlier values",
            where="rule",
        )
    slope, intercept = np.polyfit(earlier[both], later[both], 1)
    return np.asarray(later - (intercept + slope * earlier))


def _missing(
    response: Floats, applied: list[AppliedCondition], rule: ResponderRule,
    subjects: tuple[str, ...],
) -> tuple[Floats, tuple[str, ...]]:  # fmt: skip
    unknown = np.isnan(response)
    if unknown.any() and rule.missing == "refuse":
        names = [s for s, u in zip(subjects, unknown, strict=True) if u]
        raise InputError(
            f"the outcome of {len(names)} subjects cannot be decided: {listed(names)}",
            hint="Complete the table, or choose the policy exclude or non-responder.",
        )
    status = []
    for i in range(len(subjects)):
        if not unknown[i]:
            status.append("responder" if response[i] == 1.0 else "non-responder")
            continue
        lacking = ", ".join(str(a.condition.term) for a in applied if np.isnan(a.met[i]))
        done = "left out" if rule.missing == "exclude" else "counted as non-responder"
        status.append(f"missing: {lacking} ({done})")
    if rule.missing == "non-responder":
        response = np.where(unknown, 0.0, response)
    return response, tuple(status)
