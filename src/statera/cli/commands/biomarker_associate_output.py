"""What ``statera biomarker associate`` writes: rows, tables and the page."""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from statera.biomarker.analysis import Analysis
    from statera.biomarker.lod import WithPolicy
    from statera.biomarker.sample_table import SampleColumns

__all__ = ["SHOWN", "TOP", "cell", "contrast_rows", "csv_of_rows", "lod_result", "meanings",
           "page", "permutation_result", "term_rows", "top"]  # fmt: skip

_HEADING = (
    "analyte", "name", "term", "contrast", "estimate", "low", "high", "statistic", "numerator_df",
    "df", "p_value", "adjusted_p", "p_permutation", "p_family_wise", "n", "share_below_lod",
    "status",
)  # fmt: skip
SHOWN = ("analyte", "name", "term", "estimate", "low", "high", "p_value", "adjusted_p", "status")
TOP = 20
_NAN = float("nan")


def names_of(used: SampleColumns) -> list[str]:
    """Return the names that people know, where the file has them."""
    table = used.measurements.analytes
    column = next((c for c in ("Assay", "Target", "name") if c in table.columns), "analyte")
    return [str(x) for x in table[column].to_list()]


def term_rows(found: Analysis, used: SampleColumns, policy: WithPolicy) -> list[dict[str, Any]]:
    """Return a row for each analyte and term."""
    names = names_of(used)
    permuted = {t.term: t for t in found.permuted.terms} if found.permuted else {}
    rows = []
    for i, analyte in enumerate(found.analytes):
        for t in found.terms:
            own = permuted.get(t.term)
            rows.append(
                {
                    "analyte": analyte,
                    "name": names[i],
                    "term": t.term,
                    "contrast": "",
                    "estimate": float(t.estimate[i]),
                    "low": float(t.low[i]),
                    "high": float(t.high[i]),
                    "statistic": float(t.statistic[i]),
                    "numerator_df": t.numerator_df,
                    "df": float(t.df[i]),
                    "p_value": float(t.p_value[i]),
                    "adjusted_p": float(t.adjusted_p[i]),
                    "p_permutation": float(own.p_value[i]) if own else _NAN,
                    "p_family_wise": float(own.adjusted_p[i]) if own else _NAN,
                    "n": int(found.n[i]),
                    "share_below_lod": float(policy.share_below[i]),
                    "status": found.status[i],
                }
            )
    return rows


def contrast_rows(found: Analysis, used: SampleColumns) -> list[dict[str, Any]]:
    """Return a row for each analyte and contrast of levels."""
    names = names_of(used)
    return [
        {
            "analyte": analyte,
            "name": names[i],
            "term": c.term,
            "contrast": c.contrast,
            "estimate": float(c.estimate[i]),
            "low": float(c.low[i]),
            "high": float(c.high[i]),
            "statistic": float(c.statistic[i]),
            "numerator_df": 1,
            "df": float(c.df[i]),
            "p_value": float(c.p_value[i]),
            "adjusted_p": float(c.adjusted_p[i]),
            "adjustment": c.adjustment,
            "n": int(found.n[i]),
            "status": found.status[i],
        }
        for i, analyte in enumerate(found.analytes)
        for c in found.contrasts
    ]


def lod_result(policy: WithPolicy) -> dict[str, Any]:
    """Return the policy of values below the limit of detection, by name."""
    from statera.biomarker.lod import POLICIES  # heavy: only when run

    name = policy.policy.name
    found: dict[str, Any] = {"name": name, "meaning": POLICIES[name]}
    if name == "substitute":
        found["replacement"] = policy.policy.replacement
    if name in ("flag", "exclude"):
        found["largest_share"] = policy.policy.largest_share
        found["analytes"] = list(policy.flagged_analytes)
    return found


def permutation_result(found: Analysis) -> dict[str, Any] | None:
    """Return how labels were permuted, or None where they were not."""
    done = found.permuted
    if done is None:
        return None
    return {
        "permutations": done.permutations,
        "requested": done.requested,
        "complete": done.complete,
        "statistic": done.options.statistic,
        "seed": done.options.seed,
        "terms": [
            {
                "term": t.term,
                "exchanged": t.exchange,
                "arrangements": t.arrangements if math.isfinite(t.arrangements) else None,
            }
            for t in done.terms
        ],
    }


def page(
    found: Analysis, used: SampleColumns, made: dict[str, Any], policy: WithPolicy
) -> bytes:  # fmt: skip
    """Return the HTML page."""
    from statera.biomarker_report.build import build_biomarker_report  # heavy: only when asked
    from statera.report import render_html

    told = lod_result(policy)
    share = f" ({told['largest_share']:g})" if "largest_share" in told else ""
    lod = f"{told['name']}{share}: {told['meaning']}"
    document = build_biomarker_report(found, used, names_of(used), made=made, lod=lod)
    return render_html(document).encode()


def top(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of the smallest p-values."""
    nan_last = sorted(rows, key=lambda r: (r["p_value"] != r["p_value"], r["p_value"]))
    return nan_last[:TOP]


def meanings(found: Analysis) -> tuple[str, ...]:
    """Return what the estimates of each term are."""
    scale = "" if found.options.method in ("pearson", "spearman") else " (log2)"
    said = []
    for t in found.terms:
        if t.meaning:
            said.append(f"{t.term}: {t.meaning}{scale}.")
        else:
            said.append(f"{t.term}: {t.numerator_df} degrees of freedom, so no one estimate.")
    return tuple(said)


def cell(value: Any) -> str:
    """Return a cell of the table on the terminal."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"  # noqa: PLR0124  NaN
    return str(value)


def csv_of_rows(rows: list[dict[str, Any]]) -> bytes:
    """Return the rows as CSV; numbers that are not there are empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_HEADING)
    for row in rows:
        cells = [row.get(name, "") for name in _HEADING]
        writer.writerow(["" if value != value else value for value in cells])  # noqa: PLR0124  NaN
    return stream.getvalue().encode()
