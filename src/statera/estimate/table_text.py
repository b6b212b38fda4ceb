"""The table of a fit as plain text of fixed width, and as HTML."""

from __future__ import annotations

import html
from collections.abc import Sequence

from statera.estimate.table import ParameterRow, ParameterTable

__all__ = ["cells_of", "headings", "notes", "number", "table_html", "table_text"]

_HEADS = (
    "parameter", "of", "estimate", "SE", "RSE %", "95 % CI", "shown as", "value", "95 % CI",
    "unit", "shrinkage %", "remarks",
)  # fmt: skip
_RIGHT = {2, 3, 4, 5, 7, 8, 10}
_TITLES = {
    "fixed effect": "Fixed effects",
    "residual error": "Residual error",
    "variance": "Random effects (variances)",
    "covariance": "Random effects (covariances)",
}
_NOTES = {
    "exp": "exp: the typical value of a log-normal parameter, exp(estimate)",
    "expit": "expit: 1/(1 + exp(-estimate))",
    "CV %": "CV %: 100 sqrt(exp(variance) - 1), of a log-normal parameter",
    "SD": "SD: square root of the variance, in the unit of the random effect",
    "corr": "corr: correlation of the two random effects",
}


def table_text(table: ParameterTable) -> str:
    """Return a table as text: columns that hold nothing are left out, notes stand below."""
    heads, body = _shown(table)
    widths = [max(len(row[i]) for row in [heads, *body]) for i in range(len(heads))]
    right = _right_of(table)
    lines = [_line(heads, widths, right)]
    lines.append("-" * len(lines[0]))
    kind = ""
    for row, cells in zip(table.rows, body, strict=True):
        if row.kind != kind:
            kind = row.kind
            lines.append(_TITLES[kind])
        lines.append(_line(cells, widths, right))
    return "\n".join([*(line.rstrip() for line in lines), *notes(table)])


def table_html(table: ParameterTable) -> str:
    """Return a table as HTML."""
    heads, body = _shown(table)
    right = _right_of(table)

    def cell(tag: str, text: str, i: int) -> str:
        align = "right" if i in right else "left"
        return f'<{tag} style="text-align:{align}">{html.escape(text)}</{tag}>'

    parts = ["<table><thead><tr>", *(cell("th", h, i) for i, h in enumerate(heads))]
    parts.append("</tr></thead><tbody>")
    kind = ""
    for row, cells in zip(table.rows, body, strict=True):
        if row.kind != kind:
            kind = row.kind
            title = html.escape(_TITLES[kind])
            parts.append(
                f'<tr><th colspan="{len(heads)}" style="text-align:left">{title}</th></tr>'
            )
        parts.append("<tr>" + "".join(cell("td", c, i) for i, c in enumerate(cells)) + "</tr>")
    parts.append("</tbody></table>")
    parts += [f"<p>{html.escape(note)}</p>" for note in notes(table)]
    return "".join(parts)


def notes(table: ParameterTable) -> list[str]:
    """Return what a reader needs in order to read the table."""
    used = dict.fromkeys(row.shown_as for row in table.rows if row.shown_as)
    found = [_NOTES[name] for name in used]
    if any(row.se is not None for row in table.rows):
        found.append(
            "CI: estimate -/+ 1.96 SE; for variances and sizes of residual error on the log scale"
        )
        if any(row.se is not None and row.shown_as in ("exp", "expit") for row in table.rows):
            found.append("RSE: SE/estimate; in rows shown as exp or expit that of the value")
        unknown = [row.name for row in table.rows if row.se is None and not row.fixed]
        if unknown:
            found.append(f"no standard error could be given for {', '.join(unknown)}")
    return found


def headings() -> tuple[str, ...]:
    """Return the headings of the whole table."""
    return _HEADS


def number(value: float | None, digits: int = 4) -> str:
    """Return a number with significant digits; nothing where there is none."""
    if value is None:
        return ""
    text = f"{value:.{digits}g}"
    return text if "e" not in text else f"{value:.{digits - 1}e}"


def cells_of(row: ParameterRow) -> tuple[str, ...]:
    """Return the cells of a row under the headings of the whole table."""
    shown = row.shown_as != ""
    remarks = [*(["fixed"] if row.fixed else []), *row.flags]
    return (
        row.name,
        row.of,
        number(row.estimate),
        number(row.se, 3),
        number(row.rse, 3),
        _interval(row.low, row.high),
        row.shown_as,
        number(row.value) if shown else "",
        _interval(row.value_low, row.value_high) if shown else "",
        row.unit,
        number(row.shrinkage, 3),
        "; ".join(remarks),
    )


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{number(low, 3)} to {number(high, 3)}"


def _used_columns(table: ParameterTable) -> list[int]:
    rows = [cells_of(row) for row in table.rows]
    return [i for i in range(len(_HEADS)) if i in (0, 2) or any(row[i] for row in rows)]


def _shown(table: ParameterTable) -> tuple[list[str], list[list[str]]]:
    kept = _used_columns(table)
    return [_HEADS[i] for i in kept], [[cells_of(row)[i] for i in kept] for row in table.rows]


def _right_of(table: ParameterTable) -> set[int]:
    return {place for place, i in enumerate(_used_columns(table)) if i in _RIGHT}


def _line(cells: Sequence[str], widths: Sequence[int], right: set[int]) -> str:
    pairs = zip(cells, widths, strict=True)
    return "  ".join(
        text.rjust(width) if i in right else text.ljust(width)
        for i, (text, width) in enumerate(pairs)
    )
