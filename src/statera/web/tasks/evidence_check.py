"""A table of studies looked through while it is being typed."""

from __future__ import annotations

from typing import Any, Literal

from statera.evidence.effects import Effects
from statera.evidence.measures import MEASURES
from statera.evidence.network_methods import COUNTS
from statera.evidence.read_table import StudyTable
from statera.evidence.table_check import (
    Remark,
    check_network,
    check_studies,
    look_through,
    split_text,
)
from statera.numerics.intervals_exact import normal_quantile
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.evidence import CheckRequest
from statera.web.work import Work

__all__ = ["run"]

Kind = Literal["pairwise", "network"]

_WHY = "A check is made while a table is typed; commands name the same remarks in their warnings."


def run(request: CheckRequest, work: Work) -> Answer:
    """Return the table as read with all remarks on rows and cells."""
    if request.table is not None:
        header: Any = request.table.columns
        rows: Any = request.table.rows
    else:
        header, rows = split_text(request.text or "")
    found = look_through(header, rows)
    remarks = list(found.remarks)
    measure, effects = request.measure, None
    kind = request.kind
    if found.table is not None:
        if request.text is not None:  # just pasted: see what it is
            kind = _kind_of(found.table, request.kind)
        measure = measure or _only_measure(found.table, kind)
        if kind == "network":
            measure = COUNTS.get(request.method, measure or "OR")
            remarks += check_network(found.table, measure, request.method)
        elif found.table.columns:  # else it is said already that none is known
            measure = measure or _likely_measure(found.table)
            effects, more = check_studies(found.table, measure)
            remarks += more
    result = {
        "columns": [
            {"name": name, "role": role}
            for name, role in zip(found.header, found.roles, strict=True)
        ],
        "rows": found.rows,
        "remarks": remarks,
        "kind": kind,
        "measure": measure,
        "measures": [{"code": one.code, "name": one.name} for one in MEASURES.values()],
        "notes": found.table.notes if found.table is not None else (),
        "effects": None if effects is None or found.table is None else _effects(
            effects, found.table, len(found.rows)
        ),
    }  # fmt: skip
    return Answer(
        "statera.web.evidence-check/1",
        result,
        {"remarks": _remarks(remarks, found.header)},
        Copies("", "", _WHY),
    )


def _kind_of(table: StudyTable, asked: Kind) -> Kind:
    """Return what a table that was just pasted is: arms and pairs of treatments are a network."""
    carried = {name.lower().replace("_", "").replace(" ", "") for name in table.carried}
    if carried & {"treatment", "treatment1", "treat", "treat1"}:
        return "network"
    return "pairwise" if asked == "network" else asked


def _only_measure(table: StudyTable, kind: str) -> str | None:
    named = {m.strip().upper() for m in table.measure if m.strip()}
    known = [name for name in named if name in MEASURES]
    if len(known) == 1:
        return known[0]
    if known:  # several: the most frequent; the entry checks say that they are mixed
        given = [m.strip().upper() for m in table.measure]
        return max(sorted(known), key=given.count)
    return None


def _likely_measure(table: StudyTable) -> str | None:
    """Return the usual measure of the columns there are."""
    columns = set(table.columns)
    for needed, code in (
        ({"events_1", "total_1", "events_2", "total_2"}, "OR"),
        ({"events_1", "time_1", "events_2", "time_2"}, "IRR"),
        ({"mean_1", "sd_1", "mean_2", "sd_2"}, "MD"),
        ({"events", "total"}, "PLO"),
        ({"events", "time"}, "IRLN"),
        ({"estimate", "low", "high"}, "HR"),
        ({"y"}, "GEN"),
    ):
        if needed <= columns and code in MEASURES:
            return code
    return None


def _effects(effects: Effects, table: StudyTable, rows: int) -> list[dict[str, Any] | None]:
    """Return each row's effect with its interval; None where there is none."""
    reach = normal_quantile(0.95)
    found: list[dict[str, Any] | None] = [None] * rows
    for i, line in enumerate(table.lines):
        if effects.is_usable[i]:
            y, se = float(effects.y[i]), float(effects.se[i])
            middle, low, high = effects.take([i]).natural([y, y - reach * se, y + reach * se])
            found[line - 2] = {
                "estimate": middle, "low": low, "high": high, "y": y, "se": se,
                "derived_from": effects.columns["derived_from"][i],
            }  # fmt: skip
    return found


def _remarks(remarks: list[Remark], header: tuple[str, ...]) -> Table:
    columns = [Column(name) for name in ("row", "column", "severity", "remark", "hint")]
    rows = [
        [
            None if one.row is None else one.row + 1,
            None if one.column is None else header[one.column],
            one.severity, one.what, one.hint,
        ]
        for one in remarks
    ]  # fmt: skip
    return Table(columns, rows)
